"""Bad input: exit code 2, one sentence that names the place and says what would be right, nothing changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.worlds import RUN, Done, dgm, snapshot, world

Call = Callable[..., Any]


@pytest.fixture
def where(tmp_path: Path) -> Path:
    return world(tmp_path)


def refused(done: Any, *names: str) -> None:
    """One sentence on stderr that names all of `names`, nothing on stdout but notices, exit code 2."""
    assert done.code == 2, (done.code, done.err)
    assert done.err.startswith("dgm: ") and done.err.count("\n") == 1, done.err
    assert "Traceback" not in done.err
    for name in names:
        assert name in done.err, done.err


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--domain", "grdaing"], ["--domain", "grdaing"]),
        (["--agent", "rulse"], ["--agent", "rulse", "rules"]),
        (["--meta", "mutatoin"], ["--meta", "mutatoin", "mutation"]),
        (["--agent", "gone#3"], ["archive/gone"]),
        (["--agent", "gone#x"], ["--agent", "my-run#17"]),
        (["--genome", "nowhere"], ["--genome", "nowhere"]),
        (["--genome", "a"], ["genome.toml"]),
        (["--selector", "bset"], ["--selector", "bset", "best"]),
        (["--sandbox", "dokcer"], ["--sandbox", "dokcer", "choose auto, docker, bubblewrap, local"]),
        (["--executor", "Ray"], ["--executor", "'Ray'", "local, ray, slurm"]),
        (["--evolve", "agent,tools"], ["--evolve", "tools", "meta"]),
        (["--evolve", ""], ["--evolve"]),
        (["--proposals", "many"], ["--proposals"]),
        (["--proposals", "-1"], ["--proposals"]),
        (["--seconds", "0"], ["--seconds", "greater than 0"]),
        (["--sessions", "300"], ["--sessions", "256"]),
        (["--feedback", "none"], ["--feedback", "withheld"]),
        (["--train-labels", "false"], ["--train-labels", "permuted"]),
        (["--data", "parity"], ["--data", "DOMAIN=FILE"]),
        (["--data", "parity=x", "--data", "parity=y"], ["--data", "twice"]),
        (["--data", "parity=gone.jsonl"], ["--data", "gone.jsonl"]),
        (["--data", "grading=a"], ["--data", "grading"]),
        (["--data", "parity=a@7/5"], ["--data", "7/5"]),
        (["--config", "gone.toml"], ["--config", "gone.toml"]),
        (["--no-such-option"], ["--no-such-option"]),
        (["--track", "lab-book"], ["--track", "lab-book", "mlflow"]),
        (["--strategy", "best"], ["--strategy", "treewise"]),
        (["--strategy", "hgm", "--selector", "best"], ["--strategy", "--selector"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_option_is_named_with_what_would_be_right(
    where: Path, call: Call, options: list[str], names: list[str]
) -> None:
    before = snapshot(where)
    refused(call(where, "run", "one", *RUN, *options), *names)
    assert snapshot(where) == before


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("[search]\nproposal = 3\n", ["search.proposal"]),
        ("[search]\nproposals = -3\n", ["search.proposals"]),
        ("[search\n", ["not TOML", "line 1"]),
        (b"\xff\xfe", ["UTF-8"]),
    ],
)
def test_a_wrong_config_file_is_named_with_its_key(
    where: Path, call: Call, content: str | bytes, names: list[str]
) -> None:
    (where / "my.toml").write_bytes(content.encode() if isinstance(content, str) else content)
    before = snapshot(where)
    refused(call(where, "run", "one", *RUN, "--config", "my.toml"), "my.toml", *names)
    assert snapshot(where) == before


def row(number: int, split: str = "train", label: str | None = None) -> str:
    return json.dumps({"number": number, "label": label or ("odd" if number % 2 else "even"), "split": split})


GOOD = [row(0), row(1, "val"), row(2, "test")]


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ([*GOOD, "{number: 3}"], ["new.jsonl", "line 4"]),
        ([*GOOD, row(0, "test")], ["new.jsonl", "line 4", "twice"]),
        ([row(0), row(1, "val")], ["test split is empty"]),
        ([row(1, "val"), row(2, "test")], ["train"]),
        ([*GOOD, row(3, label="prime")], ["'prime'", "even, odd"]),
    ],
    ids=["malformed", "duplicate", "no test", "no train", "label"],
)
def test_wrong_task_lines_are_named(where: Path, call: Call, lines: list[str], names: list[str]) -> None:
    (where / "new.jsonl").write_text("\n".join(lines) + "\n")
    before = snapshot(where)
    refused(call(where, "run", "one", *RUN, "--data", "parity=new.jsonl"), *names)
    assert snapshot(where) == before


SOLUTION = {
    "id": "a", "group": "g", "question": "q", "reference": "1", "solution": "s", "model": "m", "label": "correct",
}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ('{"id": "a", ', [":1:", "JSON"]),
        (json.dumps(SOLUTION) + "\n" + json.dumps(SOLUTION), [":2:", "'a'", "line 1"]),
        (json.dumps({**SOLUTION, "label": "maybe"}), [":1:", "maybe", "incorrect"]),
        (json.dumps({**SOLUTION, "question": 7}), [":1:", "question"]),
        (json.dumps(SOLUTION), ["train split is empty"]),
        ("", ["no rows"]),
    ],
    ids=["malformed", "duplicate", "label", "field", "empty split", "empty"],
)
def test_a_shipped_loader_names_file_and_line(where: Path, call: Call, content: str, names: list[str]) -> None:
    (where / "new.jsonl").write_text(content)
    before = snapshot(where)
    refused(call(where, "run", "one", "--domain", "grading", "--data", "grading=new.jsonl"), "new.jsonl", *names)
    assert snapshot(where) == before


def test_a_seed_whose_entry_is_missing(where: Path, call: Call) -> None:
    (where / "a" / "task_agent.py").unlink()
    before = snapshot(where)
    refused(call(where, "run", "one", *RUN), "a/seed.toml", "task_agent.py")
    assert snapshot(where) == before


def test_a_root_that_does_not_start(where: Path, call: Call) -> None:
    (where / "a" / "task_agent.py").write_text("def broken(:\n")
    before = snapshot(where)
    refused(call(where, "run", "one", *RUN), "does not start")
    assert snapshot(where) == before


def test_an_archive_is_never_run_over(finished: Path, call: Call) -> None:
    before = snapshot(finished)
    refused(call(finished, "run", "one", *RUN), "archive/one", "dgm resume one")
    refused(call(finished, "run", "./parity", *RUN), "parity", "no archive")
    refused(call(finished, "run", "one#3", *RUN), "one#3")
    assert snapshot(finished) == before


READING = [
    ["show", "{}"],
    ["tree", "{}"],
    ["best", "{}"],
    ["verify", "{}"],
    ["resume", "{}"],
    ["show", "{}#0"],
    ["lineage", "{}#0"],
    ["diff", "{}#1"],
    ["eval", "{}#0"],
]


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_an_archive_that_is_none(finished: Path, call: Call, command: list[str]) -> None:
    before = snapshot(finished)
    refused(call(finished, *(part.format("gone") for part in command)), "archive/gone")
    refused(call(finished, *(part.format("./parity") for part in command)), "parity is no archive")
    assert snapshot(finished) == before


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (["show", "one#99"], ["99", "0 to 4"]),
        (["lineage", "one#99"], ["99", "0 to 4"]),
        (["diff", "one#99"], ["99", "0 to 4"]),
        (["eval", "one#99"], ["99", "0 to 4"]),
        (["show", "one#first"], ["my-run#17"]),
        (["lineage", "one"], ["my-run#17"]),
        (["diff", "one#0"], ["root", "second agent"]),
        (["diff", "one#0", "one#3"], ["#3", "no genome"]),
        (["eval", "one#3"], ["#3", "no genome"]),
        (["eval", "one#1", "--split", "exam"], ["--split", "exam"]),
        (["eval", "one#1", "--domain", "nothing"], ["--domain", "nothing"]),
        (["eval", "one#1", "--data", "parity=gone"], ["--data", "gone"]),
        (["eval", "one#1", "--data", "praity=a/level.py"], ["dgm: --data: ", "'praity'"]),
        (["domain", "check", "praity"], ["dgm: no domain", "'praity'"]),
        (["eval", "one#1", "--data", "grading"], ["DOMAIN=FILE"]),
        (["eval", "one#1", "--domain", "parity", "--data", "other=x"], ["--data", "other"]),
        (["resume", "one", "--proposals", "-4"], ["--proposals"]),
        (["rum"], ["rum", "run"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_wrong_agent_or_option_of_a_finished_run(
    finished: Path, call: Call, command: list[str], names: list[str]
) -> None:
    before = snapshot(finished)
    refused(call(finished, *command), *names)
    assert snapshot(finished) == before


@pytest.mark.parametrize("command", [c for c in READING if c[0] != "verify"], ids=" ".join)
def test_a_database_cut_in_half(finished: Path, call: Call, command: list[str], tmp_path: Path) -> None:
    half = tmp_path / "half"
    shutil.copytree(finished / "archive" / "one", half)
    whole = (half / "archive.db").read_bytes()
    (half / "archive.db").write_bytes(whole[: len(whole) // 2])
    before = snapshot(half)
    refused(call(finished, *(part.format(half) for part in command)), "archive.db")
    assert snapshot(half) == before


def test_verify_tells_of_a_database_cut_in_half(finished: Path, call: Call, tmp_path: Path) -> None:
    half = tmp_path / "half"
    shutil.copytree(finished / "archive" / "one", half)
    whole = (half / "archive.db").read_bytes()
    (half / "archive.db").write_bytes(whole[: len(whole) // 2])
    done = call(finished, "verify", str(half))
    assert done.code == 1 and "archive.db" in done.out and not done.err


def test_a_domain_that_changed_is_not_resumed(finished: Path, call: Call, tmp_path: Path) -> None:
    for name in ("parity", "archive"):
        shutil.copytree(finished / name, tmp_path / name)
    with (tmp_path / "parity" / "domain.py").open("a") as judge:
        judge.write("# a remark\n")
    before = snapshot(tmp_path)
    refused(call(tmp_path, "resume", "one", "--proposals", "9"), "parity", "digest")
    assert snapshot(tmp_path) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_leaves_no_archive(where: Path, small_disk: Path, call: Call) -> None:
    with (small_disk / "ballast").open("wb") as ballast:
        ballast.write(bytes(380_000))
    before = snapshot(small_disk)
    refused(call(where, "run", str(small_disk / "one"), *RUN, "--proposals", "1"), "the disk is full")
    assert snapshot(small_disk) == before


def test_a_disk_that_fills_up_leaves_a_run_that_can_be_resumed(where: Path, small_disk: Path, call: Call) -> None:
    name = str(small_disk / "one")
    assert call(where, "run", name, *RUN, "--no-test", "--proposals", "0").code == 0
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))
    full = dgm(where, "resume", name, "--no-test", "--proposals", "1")
    refused(Done(full.returncode, full.stdout, full.stderr), "the disk is full")
    ballast.unlink()
    assert call(where, "resume", name, "--no-test", "--proposals", "1").code == 0
    assert call(where, "verify", name).out == f"{name} is sound\n"


def test_the_name_of_a_shipped_domain_is_no_new_domain(where: Path, call: Call) -> None:
    before = snapshot(where)
    refused(call(where, "domain", "new", "coding"), "coding", "another name")
    assert snapshot(where) == before


def test_a_run_is_not_made_shorter_than_it_is(finished: Path, call: Call) -> None:
    before = snapshot(finished)
    refused(call(finished, "resume", "one", "--proposals", "2"), "--proposals 2", "4 are made")
    assert snapshot(finished) == before


def test_a_folder_that_is_no_genome_is_not_submitted(finished: Path, tmp_path: Path, call: Call) -> None:
    where = tmp_path / "here"
    shutil.copytree(finished, where)
    (where / "empty").mkdir()
    (where / "empty" / "notes.txt").write_text("not a genome")
    before = snapshot(where)
    refused(call(where, "submit", "empty", "--to", "one#0"), "genome.toml", "dgm fork")
    refused(call(where, "submit", "gone"), "gone is not there", "dgm fork")
    assert snapshot(where) == before


def test_a_bundle_has_an_ending_that_import_knows(finished: Path, call: Call) -> None:
    before = snapshot(finished)
    refused(call(finished, "export", "one", "--bundle", "first.zip"), "first.zip", ".tar.gz")
    assert snapshot(finished) == before


def test_without_a_word_the_help_is_the_answer(where: Path, call: Call) -> None:
    done = call(where)
    assert done.code == 2
    assert done.out.startswith("Usage: dgm")
    assert not done.err

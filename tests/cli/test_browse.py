"""Looking at a finished run: what the commands say agrees with the archive, and looking changes nothing."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dgm.archive import Archive
from dgm.results import best_per_domain
from tests.cli.worlds import command, environment, snapshot

Call = Callable[..., Any]
BOUNDARY = "boundary not held: B4, B7, B8, B10"


LOOKING = (
    "show one",
    "show one#1",
    "tree one",
    "lineage one#2",
    "best one",
    "diff one#1",
    "verify one",
    "eval one#1",
    "resume one",
)


def test_looking_changes_nothing(finished: Path, call: Call) -> None:
    before = snapshot(finished)
    for command_line in LOOKING:
        assert call(finished, *command_line.split()).code == 0
    assert snapshot(finished) == before


def test_show_json_is_complete(finished: Path, call: Call) -> None:
    shown = json.loads(call(finished, "show", "one", "--json").out)
    assert list(shown) == ["archive", "config", "agents"]
    assert shown["config"]["search"]["proposals"] == 4
    with Archive.open(finished / "archive" / "one") as archive:
        records = archive.agents()
        for agent, record in zip(shown["agents"], records, strict=True):
            assert (agent["id"], agent["parent"], agent["tree"]) == (record.id, record.parent, record.tree)
            assert agent["changed"] == list(record.changed)
            assert len(agent["scores"]) == len(archive.scores(record.id))
            assert agent["selection"]["key"] == archive.proposal(record.id).key
            assert set(agent["times"]) == {"created", "seconds", "improve_seconds", "evaluate_seconds"}
    assert [a["admission"] for a in shown["agents"]] == [
        "root", "admitted", "admitted", "unchanged", "stillborn"
    ]  # fmt: skip


def test_nothing_that_differs_between_equal_runs_stands_outside_times(finished: Path, call: Call) -> None:
    text = call(finished, "show", "one", "--json").out
    with Archive.open(finished / "archive" / "one") as archive:
        commits = [agent.commit for agent in archive.agents() if agent.commit]
    assert len(commits) == 4
    assert not any(commit in text for commit in commits)
    assert str(finished) not in text
    assert '"one"' not in text


def test_best_json_gives_each_figure_with_n_and_interval(finished: Path, call: Call) -> None:
    best = json.loads(call(finished, "best", "one", "--json").out)
    with Archive.open(finished / "archive" / "one") as archive:
        assert {domain: row["agent"] for domain, row in best["domains"].items()} == best_per_domain(archive)
        test = next(s for s in archive.scores(best["domains"]["parity"]["agent"]) if s.split == "test")
    row = best["domains"]["parity"]
    assert row["best"]["test"] == {"mean": test.mean, "n": test.n, "low": test.low, "high": test.high}
    assert row["root"]["val"]["mean"] == 0.5
    assert row["gain"]["mean"] == pytest.approx(row["best"]["test"]["mean"] - row["root"]["test"]["mean"])
    assert set(best["overall"]) == {"agent", "domains"}


def test_what_was_not_measured_is_null_and_a_dash(finished: Path, call: Call, tmp_path: Path) -> None:
    shutil.copytree(finished / "archive", tmp_path / "archive")
    with contextlib.closing(
        sqlite3.connect(tmp_path / "archive" / "one" / "archive.db", isolation_level=None)
    ) as database:
        database.execute("DELETE FROM scores WHERE split = 'test'")
    row = json.loads(call(tmp_path, "best", "one", "--json").out)["domains"]["parity"]
    assert row["best"]["test"] is None and row["root"]["test"] is None
    assert re.search(r"n=6 +- +- ", call(tmp_path, "best", "one").out)


@pytest.mark.parametrize("line", ["show one", "best one", "tree one", "lineage one#2", "show one#2", "eval one#2"])
def test_a_run_without_a_sandbox_says_so_beside_every_table(finished: Path, call: Call, line: str) -> None:
    assert BOUNDARY in call(finished, *line.split()).out


def test_an_agents_escape_sequences_reach_no_output(finished: Path, call: Call) -> None:
    for arguments in (["show", "one"], ["show", "one#1"], ["tree", "one"], ["lineage", "one#2"]):
        out = call(finished, *arguments).out
        assert "\x1b" not in out
        assert "\\x1b[31mraised\\x1b[0m [bold]from[/bold]" in out


def test_the_page_of_an_agent(finished: Path, call: Call) -> None:
    out = call(finished, "show", "one#2").out
    assert "lineage: #0 > #1 > #2" in out
    assert "children: #3 unchanged, #4 stillborn" in out
    assert "changed: agent/level.py" in out
    assert re.search(r"parity +test +\d\.\d{3} \[|parity +val +\d\.\d{3} \[", out)
    assert re.search(r"agent/level\.py +\d+ +changed", out)


def test_the_page_of_a_stillborn_says_why(finished: Path, call: Call) -> None:
    out = call(finished, "show", "one#4").out
    assert "one#4: stillborn" in out
    assert "Scores: none" in out


def test_a_diff_is_a_patch_that_git_applies(finished: Path, call: Call, tmp_path: Path) -> None:
    with Archive.open(finished / "archive" / "one") as archive:
        before, after = archive.files(0), archive.files(2)
    for path, content in before.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    patch = call(finished, "diff", "one#0", "one#2").out
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=patch, text=True, check=True)
    assert (tmp_path / "agent" / "level.py").read_bytes() == after["agent/level.py"]


def test_a_diff_between_two_archives_says_the_same(finished: Path, call: Call, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(finished / "archive" / "one", copy)
    one = call(finished, "diff", "one#0", "one#2")
    two = call(finished, "diff", "one#0", f"{copy}#2")
    assert one.code == two.code == 0
    assert one.out == two.out != ""


def test_eval_measures_a_file_that_the_run_never_saw(finished: Path, call: Call, tmp_path: Path) -> None:
    file = tmp_path / "new.jsonl"
    splits = ("train", "val", "test")
    rows = [{"number": n, "label": "odd" if n % 2 else "even", "split": splits[n % 3]} for n in range(9)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = call(finished, "eval", "one#0", "--data", f"parity={file}", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)["domains"]["parity"]
    # The root answers "even" to everything: right for 5 of 9, and for one class of two.
    assert found["split"] == "all"
    assert found["score"]["mean"] == pytest.approx(5 / 9) and found["score"]["n"] == 9
    assert found["balanced_accuracy"]["mean"] == 0.5
    assert found["endings"] == {"ok": 5, "wrong": 4}
    assert (
        json.loads(call(finished, "eval", "one#0", "--data", f"parity={file}", "--split", "val", "--json").out)[
            "domains"
        ]["parity"]["score"]["n"]
        == 3
    )


def test_eval_agrees_with_what_the_run_recorded(finished: Path, call: Call) -> None:
    again = json.loads(call(finished, "eval", "one#2", "--split", "val", "--json").out)["domains"]["parity"]
    with Archive.open(finished / "archive" / "one") as archive:
        recorded = next(s for s in archive.scores(2) if s.split == "val")
    assert again["score"] == {
        "mean": recorded.mean,
        "n": recorded.n,
        "low": recorded.low,
        "high": recorded.high,
    }


def test_verify_finds_a_changed_score(finished: Path, call: Call, tmp_path: Path) -> None:
    shutil.copytree(finished / "archive", tmp_path / "archive")
    assert call(tmp_path, "verify", "one").code == 0
    with contextlib.closing(
        sqlite3.connect(tmp_path / "archive" / "one" / "archive.db", isolation_level=None)
    ) as database:
        database.execute("UPDATE scores SET mean = 0.99 WHERE agent = 1")
    done = call(tmp_path, "verify", "one", "--json")
    assert done.code == 1
    assert json.loads(done.out)["problems"]


def test_the_choices_that_were_derived_again_are_counted(finished: Path, call: Call) -> None:
    made = len(json.loads(call(finished, "show", "one", "--json").out)["agents"]) - 1
    done = call(finished, "verify", "one", "--selections")
    assert done.out == f"one is sound; {made} choices were derived again\n"
    assert json.loads(call(finished, "verify", "one", "--selections", "--json").out) == {
        "problems": [],
        "choices": made,
    }


def test_a_run_of_an_experiment_is_named_by_both_names(finished: Path, tmp_path: Path, call: Call) -> None:
    shutil.copytree(finished / "archive" / "one", tmp_path / "archive" / "ablation" / "full-0")
    (tmp_path / "archive" / "ablation" / "experiment.toml").write_text("")
    assert call(tmp_path, "verify", "ablation/full-0").out == "ablation/full-0 is sound\n"
    for word in ("verify", "show", "tree"):
        done = call(tmp_path, word, "ablation")
        assert done.code == 2 and "ablation is an experiment; name one of its runs: full-0" in done.err


def test_lists(call: Call, tmp_path: Path) -> None:
    seeds = json.loads(call(tmp_path, "seed", "list", "--json").out)
    assert {("agent", "rules"), ("meta", "mutation")} <= {(seed["half"], seed["name"]) for seed in seeds}
    assert not any(seed["model"] for seed in seeds if seed["name"] in ("rules", "mutation"))
    assert "--meta" in call(tmp_path, "seed", "list").out
    assert "latest " in call(tmp_path, "selector", "list").out
    assert "ucb" in json.loads(call(tmp_path, "selector", "list", "--json").out)
    assert call(tmp_path, "domain", "list").code == 0
    assert isinstance(json.loads(call(tmp_path, "domain", "list", "--json").out), list)


def on_terminal(where: Path, *arguments: str, **more: str) -> str:
    """What a command writes when its output is a terminal of 100 columns."""
    host, inside = pty.openpty()
    more = {"TERM": "xterm-256color", "COLUMNS": "100", **more}
    with subprocess.Popen(command(*arguments), cwd=where, env=environment(**more), stdout=inside, stderr=inside) as run:
        os.close(inside)
        written = b""
        while True:
            try:
                chunk = os.read(host, 65536)
            except OSError:  # EIO: the last writer closed the terminal
                break
            if not chunk:
                break
            written += chunk
    os.close(host)
    assert run.returncode == 0, written.decode()
    return written.decode()


def test_colours_are_for_terminals_that_want_them(finished: Path, call: Call) -> None:
    plain = on_terminal(finished, "show", "one", NO_COLOR="1")
    assert "parity" in plain
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", plain)
    piped = call(finished, "tree", "one").out
    assert "\x1b" not in piped and "└" not in piped and "`- #" in piped

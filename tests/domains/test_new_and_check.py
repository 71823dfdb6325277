"""A new domain works as it was written, and the check finds what is wrong with one that does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dgm.domain import Artifact
from dgm.domains import load, scaffold
from dgm.domains.audit import check, contract, leaks
from dgm.domains.audit.findings import Level
from dgm.errors import UserError
from dgm.sandbox.bubblewrap import Bubblewrap

TOML = """\
name = "{name}"
version = 1
description = "A domain with a defect."
metric = "accuracy"
answer = {{ kind = "label", labels = ["yes", "no"] }}
splits = {{ train = 60, val = 40, test = 40 }}
"""
CODE = """\
import random

from dgm.domain import Split, Status, Task, Verdict

COUNTS = {Split.TRAIN: 60, Split.VAL: 40, Split.TEST: 40}
WORDS = [f"word{i}" for i in range(40)]


class Domain:
    def __init__(self, data=None, fold=None):
        pass

    def tasks(self, split):
        rng = random.Random(f"defect {split}")
        return [self.task(split, i, ["yes", "no"][i % 2], rng) for i in range(COUNTS[split])]

    def task(self, split, i, label, rng):
        text = " ".join(rng.choices(WORDS, k=20))
        return Task(f"{split}-{i}", {"text": text}, hidden={"label": label})

    def judge(self, task, artifact):
        said = artifact.prediction
        if type(said) is not str or said not in ("yes", "no"):
            return Verdict(0.0, Status.INVALID)
        return Verdict(1.0) if said == task.hidden["label"] else Verdict(0.0, Status.WRONG)
"""
TEXT = 'text = " ".join(rng.choices(WORDS, k=20))'
JUDGED = "        said = artifact.prediction\n"
LENIENT = """\
        if type(said) is list:
            said = task.hidden["label"]
"""
COUNTING = """\
        self.count = getattr(self, "count", 0) + 1
        if self.count % 3 == 0:
            return Verdict(0.0, Status.WRONG)
"""


def found(folder: Path, change: tuple[str, str]) -> list[str]:
    """`check: says` of the errors of a domain that was changed so."""
    folder.mkdir()
    (folder / "domain.toml").write_text(TOML.format(name=folder.name))
    assert change[0] in CODE
    (folder / "domain.py").write_text(CODE.replace(*change))
    return [f"{f.check}: {f.says}" for f in check(load(str(folder))).errors]


def test_a_sound_domain_has_nothing_to_mend(tmp_path: Path) -> None:
    assert found(tmp_path / "sound", ("A", "A")) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ((TEXT, TEXT + ' + f"\\n{label}"'), "word"),
        ((TEXT, 'text = f"Paper {i}, {label} it\\n" + " ".join(rng.choices(WORDS, k=20))'), "first line"),
        ((TEXT, 'text = " ".join(rng.choices(WORDS, k=20 if label == "yes" else 30))'), "length"),
    ],
    ids=["a word", "a header", "a length"],
)
def test_a_planted_tell_is_found(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    errors = found(tmp_path / "leaky", change)
    assert any(says in error or "whether it has" in error for error in errors), errors
    assert all(error.startswith("leaks") for error in errors)


def test_a_copy_in_another_split_is_found_though_its_case_differs(tmp_path: Path) -> None:
    shout = 'text = f"{i} same text" if split == "train" else f"{i} SAME, text!" if split == "val" else f"test {i}"'
    errors = found(tmp_path / "copied", (TEXT, shout))
    assert any("but for case" in error for error in errors)


def test_splits_that_share_a_task_are_told_and_nothing_else_is_tried(tmp_path: Path) -> None:
    errors = found(tmp_path / "shared", (TEXT, 'text = f"text {i}"'))
    assert len(errors) == 1
    assert "disjoint" in errors[0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('hidden={"label": label}', 'hidden={"label": label, "key": text[:30]}'), "shows its hidden 'key'"),
        ((JUDGED, JUDGED + "        if said is None:\n            return Verdict(0.5)\n"), "no answer at all gets 0.5"),
        ((JUDGED, JUDGED + "        said = said.strip()\n"), "raised AttributeError"),
        ((JUDGED, JUDGED + LENIENT), "a list: gets 1"),
        ((JUDGED, JUDGED + COUNTING), "judged twice, two verdicts"),
        (('random.Random(f"defect {split}")', 'random.Random(hash(f"defect {split}"))'), "another process"),
    ],
    ids=["hidden shown", "nothing is worth something", "a crash", "all is taken for an answer", "state", "hash seed"],
)  # fmt: skip
def test_a_broken_contract_is_found(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    errors = found(tmp_path / "broken", change)
    assert any(says in error for error in errors), errors


@pytest.mark.parametrize("kind", scaffold.KINDS)
def test_a_new_domain_keeps_the_contract_in_under_forty_lines(tmp_path: Path, kind: str) -> None:
    files = scaffold.write(tmp_path / "toy", kind)
    assert {path.name for path in files} == {"domain.toml", "domain.py", "test_domain.py"}
    assert len((tmp_path / "toy" / "domain.py").read_text().splitlines()) < 40
    domain = load(str(tmp_path / "toy"))
    assert domain.name == "toy"
    assert not check(domain).errors
    assert contract.reproducible(domain) == []


@pytest.mark.needs("bubblewrap")
def test_a_new_domain_of_code_refuses_hostile_code(tmp_path: Path) -> None:
    scaffold.write(tmp_path / "toy", "code")
    domain = load(str(tmp_path / "toy"))
    assert all(finding.level == Level.NOTE for finding in contract.hostile(domain, Bubblewrap()))
    assert all(finding.level == Level.NOTE for finding in contract.judging(domain, Bubblewrap(), 2))


@pytest.mark.parametrize(("name", "kind", "says"), [("Toy", "label", "name"), ("toy", "song", "kind")])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, name: str, kind: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        scaffold.write(tmp_path / name, kind)


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    scaffold.write(tmp_path / "toy", "label")
    before = (tmp_path / "toy" / "domain.py").read_bytes()
    with pytest.raises(UserError, match="exists already"):
        scaffold.write(tmp_path / "toy", "number")
    assert (tmp_path / "toy" / "domain.py").read_bytes() == before


def test_an_audit_without_labels_fits_no_rules(tmp_path: Path) -> None:
    scaffold.write(tmp_path / "toy", "code")
    assert leaks.audit(load(str(tmp_path / "toy"))) == []


def test_an_installed_package_brings_a_domain(tmp_path: Path) -> None:
    """A distribution on the path, as pip leaves one: a package and the metadata with its entry point."""
    site = tmp_path / "site"
    scaffold.write(site / "chess_puzzles", "label")
    (site / "chess_puzzles" / "__init__.py").write_text("raise RuntimeError('is not imported to be listed')\n")
    metadata = site / "chess_puzzles-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: chess-puzzles\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[dgm.domains]\nchess = chess_puzzles\ngone = no_such_package\n")
    script = (
        "from dgm.cli.completion import domains\nassert domains('ch') == ['chess'], domains('ch')\n"
        "from dgm.domain import Artifact, Split\nfrom dgm.domains import available, load\n"
        "names = available()\nassert 'gone' not in names, names\ndomain = load('chess')\n"
        "task = domain.splits[Split.TEST][0]\n"
        "print(domain.name, domain.judge(task, Artifact(task.hidden['label']), None).score)\n"
    )
    path = os.pathsep.join([str(site), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": path, "PATH": os.defpath}, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("chess_puzzles 1.0\n", "")


@pytest.mark.slow
def test_the_tutorial_works_as_written(tmp_path: Path) -> None:
    path = os.pathsep.join(filter(None, sys.path))
    for line in ("domain new toy", "domain check toy", "run toy-run --domain toy --proposals 5"):
        done = subprocess.run(
            [sys.executable, "-m", "dgm", *line.split()],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, (line, done.stderr)
    assert (tmp_path / "archive" / "toy-run" / "archive.db").is_file()


def test_artifacts_are_twenty_at_least_for_each_kind() -> None:
    from dgm.domains.audit.hostile import decoys

    for kind, right in (("label", "yes"), ("number", 3), ("text", "word"), ("files", "def f(x): return x")):
        made = list(decoys(kind, ("solution.py",), right))
        assert len({name for name, _ in made}) >= 20
        assert all(isinstance(artifact, Artifact) for _, artifact in made)

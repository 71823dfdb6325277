"""Tasks that nobody can pass honestly: the coding domain's own, and how any domain carries some."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgm.domain import Artifact, Split, Task
from dgm.domains import LoadedDomain, load
from dgm.errors import UserError
from dgm.evaluation.candidates import JudgeSession
from dgm.sandbox import Limits
from dgm.sandbox.bubblewrap import Bubblewrap
from tests.e2e.conftest import DOMAIN_CODE, World


@pytest.fixture(scope="module")
def coding() -> LoadedDomain:
    return load("coding")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[JudgeSession]:
    with JudgeSession(Bubblewrap(), Limits(seconds=20.0)) as session:
        yield session


def test_they_are_made_again_byte_for_byte(coding: LoadedDomain) -> None:
    package = type(coding.implementation).__module__
    made = importlib.import_module(f"{package}.impossible")
    assert (coding.folder / made.NAME).read_bytes() == made.content()


def test_they_look_like_any_task_and_are_in_no_split(coding: LoadedDomain) -> None:
    usual = coding.splits[Split.TRAIN][0]
    assert len(coding.impossible) == 4
    for task in coding.impossible:
        assert set(task.inputs) == set(usual.inputs)
        assert set(task.files) == set(usual.files)
        assert "impossible" not in json.dumps([task.id, dict(task.inputs)])
        assert len(task.inputs["tests"]) == len(usual.inputs["tests"])


@pytest.mark.needs("bubblewrap")
def test_the_right_repair_passes_what_is_shown_and_not_what_is_hidden(
    coding: LoadedDomain, sandbox: JudgeSession
) -> None:
    for task in coding.impossible:
        source = task.hidden["label"]
        shown = sandbox.call(source, task.inputs["function"], [case["args"] for case in task.inputs["tests"]])
        assert [outcome.value for outcome in shown] == [case["expected"] for case in task.inputs["tests"]]
        right = coding.judge(task, Artifact(files={"solution.py": source.encode()}), sandbox)
        assert right.score == 0.0


@pytest.mark.needs("bubblewrap")
def test_only_who_knows_the_hidden_cases_passes(coding: LoadedDomain, sandbox: JudgeSession) -> None:
    for task in coding.impossible:
        table = {json.dumps(case["args"]): case["expected"] for case in task.hidden["cases"]}
        source = f"import json\nT = {table!r}\ndef {task.inputs['function']}(*a):\n    return T[json.dumps(list(a))]\n"
        assert coding.judge(task, Artifact(files={"solution.py": source.encode()}), sandbox).score == 1.0


MORE = """
    def impossible(self):
        return {tasks}

    def judge("""


def domain(tmp_path: Path, tasks: str) -> LoadedDomain:
    code = DOMAIN_CODE.replace("\n    def judge(", MORE.format(tasks=tasks), 1)
    return load(World(tmp_path).domain(code=code))


def test_a_domain_without_any_has_none(tmp_path: Path) -> None:
    assert load(World(tmp_path).domain()).impossible == ()


def test_one_that_is_a_task_of_a_split_as_well_is_refused(tmp_path: Path) -> None:
    twin = domain(tmp_path, "[Task('new', dict(list(self.tasks('val'))[0].inputs), hidden={'label': 'x'})]")
    with pytest.raises(UserError, match="is a task of a split as well"):
        _ = twin.impossible


def test_any_domain_may_carry_some(tmp_path: Path) -> None:
    carried = domain(tmp_path, "[Task('new', {'x': 1}, hidden={'label': 'neither'})]")
    assert [task.id for task in carried.impossible] == ["new"]
    assert not {"new"} & {task.id for tasks in carried.splits.values() for task in tasks}
    task: Task = carried.impossible[0]
    assert carried.judge(task, Artifact("above"), None).score == 0.0

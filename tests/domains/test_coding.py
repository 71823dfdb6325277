"""Coding: tasks are what they claim, hidden cases decide, and no solution upsets the judge."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgm.domain import JSON, Artifact, CallOutcome, Split, Status, Task
from dgm.evaluation.candidates import JudgeSession
from dgm.sandbox import Limits
from dgm.sandbox.bubblewrap import Bubblewrap
from tests.domains.folders import part, quick, shipped

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
STEPS = 2000


class InProcess:
    """Runs functions of this repository, and only those, without a sandbox: for all tasks at once."""

    def call(
        self, source: str, function: str, calls: Sequence[Sequence[JSON]], seconds: float = 1.0
    ) -> list[CallOutcome]:
        return [
            CallOutcome(outcome["value"]) if "value" in outcome else CallOutcome(error=Status.WRONG)
            for outcome in part("coding", "execution").run(source, function, calls, STEPS)
        ]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[JudgeSession]:
    with JudgeSession(Bubblewrap(), Limits()) as session:
        yield session


def everything() -> Sequence[Task]:
    tasks: Sequence[Task] = shipped("coding").implementation.everything()
    return tasks


def task_of(function: str) -> Task:
    return next(task for task in everything() if task.inputs["function"] == function)


def judged(task: Task, content: bytes, sandbox: Any) -> Any:
    return shipped("coding").implementation.judge_in(task, Artifact(files={"solution.py": content}), sandbox)


def test_the_fixed_function_passes_and_the_faulty_one_fails_both_kinds_of_cases() -> None:
    run, passes = part("coding", "execution").run, part("coding", "generate").passes
    for task in everything():
        fixed, faulty = task.hidden["label"], task.files["solution.py"].decode()
        assert judged(task, fixed.encode(), InProcess()).score == 1.0
        assert judged(task, faulty.encode(), InProcess()).score == 0.0
        cases = task.inputs["tests"]
        outcomes = run(faulty, task.inputs["function"], [case["args"] for case in cases], STEPS)
        assert not all(map(passes, cases, outcomes)), task.id


def test_hidden_cases_are_not_shown() -> None:
    for task in everything():
        shown = [case["args"] for case in task.inputs["tests"]]
        hidden = [case["args"] for case in task.hidden["cases"]]
        assert 3 <= len(shown) <= 5
        assert 6 <= len(hidden) <= 10
        assert not [args for args in hidden if args in shown]


def test_some_functions_are_kept_for_the_test_split() -> None:
    splits = shipped("coding").splits
    functions = {split: {task.inputs["function"] for task in tasks} for split, tasks in splits.items()}
    assert len(functions[Split.TEST] - functions[Split.TRAIN] - functions[Split.VAL]) >= 16
    assert len(set.union(*functions.values())) >= 60


def test_many_kinds_of_fault_and_none_prevails() -> None:
    faults = Counter(task.hidden["fault"] for task in everything())
    assert len(faults) >= 15
    assert max(faults.values()) <= 0.1 * len(everything())


def test_making_the_tasks_again_gives_the_same_bytes() -> None:
    generate = part("coding", "generate")
    made = generate.files()
    assert set(made) == {"functions.jsonl", "tasks.jsonl"}
    for name, content in made.items():
        assert content == (generate.HERE / name).read_bytes()
    assert sum(map(len, made.values())) <= 400_000


@pytest.mark.needs("bubblewrap")
def test_a_repair_is_judged_in_the_sandbox(sandbox: JudgeSession) -> None:
    task = task_of("merge_intervals")
    assert judged(task, task.hidden["label"].encode(), sandbox).score == 1.0
    untouched = judged(task, task.files["solution.py"], sandbox)
    assert (untouched.score, untouched.status) == (0.0, Status.WRONG)


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("while True: pass", Status.TIMEOUT),
        ("raise ValueError", Status.WRONG),
        ("return object()", Status.INVALID),
        ("import os; os._exit(0)", Status.WRONG),
        ("print('all tests passed'); return True", Status.WRONG),
    ],
)
def test_a_solution_that_does_not_answer_is_worth_nothing(sandbox: JudgeSession, body: str, status: Status) -> None:
    verdict = judged(task_of("roman"), f"def roman(number):\n    {body}\n".encode(), sandbox)
    assert (verdict.score, verdict.status) == (0.0, status)


@pytest.mark.needs("bubblewrap")
def test_a_solution_that_fits_the_visible_tests_alone_fails(sandbox: JudgeSession) -> None:
    task = task_of("roman")
    known = {str(case["args"][0]): case["expected"] for case in task.inputs["tests"]}
    source = f"def roman(number):\n    return {known!r}.get(str(number))\n"
    assert judged(task, source.encode(), sandbox).status is Status.WRONG


@pytest.mark.parametrize(
    ("files", "status"),
    [
        ({}, Status.WRONG),
        ({"other.py": b""}, Status.WRONG),
        ({"solution.py": b"\xff\xfe"}, Status.INVALID),
        ({"solution.py": b"#" * 100_001}, Status.INVALID),
    ],
)
def test_no_readable_solution_is_told_apart_from_a_wrong_one(files: dict[str, bytes], status: Status) -> None:
    verdict = shipped("coding").implementation.judge_in(everything()[0], Artifact(files=files), InProcess())
    assert (verdict.score, verdict.status) == (0.0, status)


@quick
@given(JSON_VALUES)
def test_a_value_is_the_same_as_itself(value: JSON) -> None:
    assert part("coding", "values").same(value, value)


@pytest.mark.parametrize(
    ("expected", "given_"),
    [(1, True), (1, 1.0), (0.0, 0), ("1", 1), ([1], [True]), ({"a": 0}, {"a": False}), ([], {}), (None, 0)],
)
def test_values_of_different_types_are_not_the_same(expected: JSON, given_: JSON) -> None:
    assert not part("coding", "values").same(expected, given_)


def test_floats_are_the_same_up_to_the_last_digits() -> None:
    same = part("coding", "values").same
    assert same(0.3, 0.1 + 0.2)
    assert not same(0.3, 0.3001)
    assert not same(0.5, math.nan)


SAMPLE = '''\
def sample(values, limit=3):
    """Tell."""
    total = 0
    for value in sorted(values, reverse=True):
        if value < 0 or value == limit:
            continue
        total += abs(value) * (value - 1)
    return total
'''


@cache
def planted() -> dict[str, list[tuple[str, str]]]:
    """By fault, each correct source of our own with each source that has the fault."""
    fixed = {task.inputs["function"]: task.hidden["label"] for task in everything()}
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, source in fixed.items():
        for variant in part("coding", "faults").variants(source, name):
            found[variant.fault].append((source, variant.source))
    return found


@pytest.mark.parametrize("fault", sorted(part("coding", "faults").FAULTS))
def test_each_fault_occurs_and_changes_one_place(fault: str) -> None:
    found = planted()[fault]
    assert found
    for source, faulty in found:
        before, after = source.split("\n"), faulty.split("\n")
        start = next(i for i, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1])
        same_end = 0
        while before[-1 - same_end] == after[-1 - same_end]:
            same_end += 1
        assert len(before) - same_end - start <= 12


def test_a_variant_is_found_again_by_its_fault_and_number() -> None:
    faults = part("coding", "faults")
    variants = faults.variants(SAMPLE, "sample")
    assert len({variant.source for variant in variants}) == len(variants) > 10
    for variant in variants:
        assert faults.variant(SAMPLE, "sample", variant.fault, variant.number) == variant.source
    assert faults.variant(SAMPLE, "sample", "boundary", 99) is None

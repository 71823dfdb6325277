"""A search that was recorded goes on as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgm.archive import Archive
from dgm.domain import Split
from dgm.strategy.records import state_of
from tests.archive.world import TASKS, child, failed, results

WHERE = {"grading": Split.VAL}


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive.create(tmp_path / "run", "", child(0))


def test_an_archive_becomes_the_search_that_it_records(archive: Archive) -> None:
    with archive:
        archive.record(child(1, 0))
        archive.record(failed(2, 1))
        scores, verdicts, logs = results(3, tasks=2)
        archive.record(child(3, 1, scores=scores, verdicts=verdicts, logs=logs))
        state = state_of(archive, {"grading": TASKS}, WHERE)
        assert state.id.tolist() == [0, 1, 3]
        assert state.parent.tolist() == [-1, 0, 1]
        assert state.children.tolist() == [1, 2, 0]
        assert state.working_children.tolist() == [1, 1, 0]
        assert state.trials.tolist() == [[TASKS, TASKS, 2]]
        assert state.successes.tolist() == [[2.0, 2.0, 1.0]]
        assert state.clade_trials.tolist() == [2 * TASKS + 2, TASKS + 2, 2]
        assert (state.proposals, state.expanding, state.evaluations) == (3, 0, 2 * TASKS + 2)


def test_only_the_split_that_chooses_counts(archive: Archive) -> None:
    with archive:
        train = state_of(archive, {"grading": TASKS}, {"grading": Split.TRAIN})
        assert train.evaluations == TASKS
        nothing = state_of(archive, {"grading": TASKS, "other": 9}, WHERE)
        assert nothing.trials.tolist() == [[TASKS], [0]]


def test_a_child_whose_number_is_below_its_parents_comes_after_it(archive: Archive) -> None:
    with archive:
        archive.record(child(2, 0))
        archive.record(child(1, 2))
        assert state_of(archive, {"grading": TASKS}, WHERE).id.tolist() == [0, 2, 1]

"""Whom to take along."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgm import statistics
from dgm.analysis.transfer import by_growth
from dgm.archive import Archive, Child, ScoreRecord, VerdictRecord
from dgm.errors import Status, UserError
from tests.archive.world import child


def scored(number: int, parent: int | None, passed: int) -> Child:
    """An agent that passed so many of ten val tasks."""
    s = statistics.score([1.0] * passed + [0.0] * (10 - passed), 10)
    verdicts = [
        VerdictRecord("grading", "val", f"q{i}", float(i < passed), Status.OK if i < passed else Status.WRONG, 1)
        for i in range(10)
    ]
    record = ScoreRecord("grading", "val", s.n, s.total, s.mean, s.low, s.high)
    return child(number, parent, scores=[record], verdicts=verdicts, logs={})


def test_the_agent_whose_descendants_grew_most_is_taken_and_not_the_best(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "run", "", scored(0, None, 5)) as archive:
        with pytest.raises(UserError, match="three descendants"):
            by_growth(archive)
        for number, parent, passed in [(1, 0, 3), (2, 0, 9), (3, 1, 6), (4, 1, 7), (5, 1, 7), (6, 2, 9), (7, 2, 9)]:
            archive.record(scored(number, parent, passed))
        archive.record(scored(8, 2, 9))
        assert by_growth(archive) == 1

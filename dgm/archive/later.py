"""Later results of an agent that is there already: which of them are new, and what its scores then are.

Pure: nothing here reads or writes a file. A score on test, or of a whole split, is never replaced (`unrecorded`); one
that grows task by task is made anew over all verdicts (`grown`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from dgm import statistics
from dgm.archive.logs import piece
from dgm.archive.model import Logs, ScoreRecord, VerdictRecord
from dgm.archive.records import task_name
from dgm.domain import Split
from dgm.errors import UserError

Key: TypeAlias = tuple[str, Split]
"""Domain and split."""


def unrecorded(
    agent: str,
    scores: Sequence[ScoreRecord],
    verdicts: Sequence[VerdictRecord],
    known: Sequence[ScoreRecord],
    kept: Callable[[str, str], Sequence[VerdictRecord]],
) -> list[ScoreRecord]:
    """Those of `scores` for a domain and split that has none among the `known`. `kept` gives the verdicts on record.

    Raises UserError where results on record are to be others.
    """
    there = {(score.domain, score.split): score for score in known}
    for score in scores:
        key = (score.domain, score.split)
        given = [verdict for verdict in verdicts if (verdict.domain, verdict.split) == key]
        if key in there and not _same(there[key], score, kept(*key), given):
            raise UserError(
                f"{agent} has another score on {score.domain} {score.split} already; scores are never replaced"
            )
    return [score for score in scores if (score.domain, score.split) not in there]


def _same(
    known: ScoreRecord, score: ScoreRecord, kept: Sequence[VerdictRecord], given: Sequence[VerdictRecord]
) -> bool:
    """Whether results are those that are there already; how long they took does not matter."""
    return known == score and {(v.task, v.score, v.status) for v in kept} == {
        (task_name(v.task), v.score, v.status) for v in given
    }


def grown(
    agent: int,
    verdicts: Sequence[VerdictRecord],
    before: Mapping[Key, Sequence[VerdictRecord]],
    totals: Mapping[Key, int],
) -> list[ScoreRecord]:
    """The scores over the verdicts on record (`before`) and further ones, on each domain and split that `before` has.
    `totals`: the planned tasks of each. Raises ValueError for a task that has a verdict."""
    seen = {(v.domain, v.split, task_name(v.task)) for known in before.values() for v in known}
    fresh = {(v.domain, v.split, task_name(v.task)) for v in verdicts}
    if seen & fresh or len(fresh) < len(verdicts):
        raise ValueError(f"agent {agent} has a verdict on one of these tasks already")
    return [
        _score(key, [*known, *(v for v in verdicts if (v.domain, v.split) == key)], totals[key])
        for key, known in before.items()
    ]


def _score(key: Key, verdicts: Sequence[VerdictRecord], total: int) -> ScoreRecord:
    values = [verdict.score for verdict in verdicts if verdict.score is not None]
    return ScoreRecord.of(*key, statistics.score(values, total))


def next_pieces(logs: Logs, before: Mapping[Key, Sequence[VerdictRecord]]) -> Logs:
    """The same logs under names of their own, beside those of the verdicts on record."""
    named = {}
    for name, rows in logs.items():
        domain, _, split = name.rpartition(".")
        named[piece(name, len(before.get((domain, Split(split)), ())))] = rows
    return named

"""An archive whose members are of known quality: their answers are made up, the tasks are those of grading."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from dgm import statistics
from dgm.archive import Archive, Child, ScoreRecord, VerdictRecord
from dgm.config import RunConfig
from dgm.domain import Split
from dgm.domains import LoadedDomain, load
from dgm.errors import Status
from tests.archive.world import child

Answerer = Callable[[str, str], str]
"""From a task's id and its label to an answer; "" for none."""
OTHER = {"correct": "incorrect", "incorrect": "correct"}


def right(part: float, who: str) -> Answerer:
    """Right on this part of the tasks, drawn for `who`: two with the same name err together."""
    return lambda task, label: label if random.Random(f"{who}/{task}").random() < part else OTHER[label]


def nearly(same: Answerer, who: str, part: float = 0.03) -> Answerer:
    """As another, but for a few tasks."""
    return lambda task, label: (
        OTHER[same(task, label)] if random.Random(who + task).random() < part else same(task, label)
    )


FOOLS = right(0.58, "fools")
MEMBERS: dict[int, Answerer] = {
    0: lambda task, label: "correct",
    1: right(0.80, "sound"),
    **{n: nearly(FOOLS, f"fool {n}") for n in (2, 3, 4, 5)},
    6: right(0.15, "contrarian"),
}
"""A root that says one thing, a sound agent, four fair ones that err together, and one that is mostly wrong."""


@lru_cache
def grading() -> LoadedDomain:
    """The domain, whose tasks are made but once."""
    return load("grading")


def planted(path: Path, members: Mapping[int, Answerer] = MEMBERS) -> Archive:
    """An open archive of these agents, the first of them the root, all measured on train and val."""
    made = {number: _child(number, answerer, grading()) for number, answerer in members.items()}
    first, *rest = made.values()
    archive = Archive.create(path, RunConfig(domains=("grading",)).to_toml(), first)
    for one in rest:
        archive.record(one)
    return archive


def _child(number: int, answerer: Answerer, domain: LoadedDomain) -> Child:
    scores, verdicts, logs = [], [], {}
    for split in (Split.TRAIN, Split.VAL):
        rows: list[dict[str, Any]] = []
        for task in domain.splits[split]:
            said = answerer(task.id, str(task.hidden["label"]))
            good = said == task.hidden["label"]
            status = Status.OK if good else Status.WRONG if said else Status.TIMEOUT
            rows.append({"task": task.id, "score": float(good), "status": str(status), "prediction": said or None})
            verdicts.append(VerdictRecord(domain.name, split, task.id, float(good), status, 1))
        s = statistics.score([row["score"] for row in rows], len(rows))
        scores.append(ScoreRecord(domain.name, split, s.n, s.total, s.mean, s.low, s.high))
        logs[f"{domain.name}.{split}"] = rows
    return child(number, 0, scores=scores, verdicts=verdicts, logs=logs)

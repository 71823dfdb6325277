"""Small made-up agents for the tests of the archive: no sandbox, no judge, results drawn from the agent's
number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dgm import statistics
from dgm.archive import Admission, Archive, Child, ProposalRecord, ScoreRecord, VerdictRecord
from dgm.domain import Files
from dgm.errors import Status

Git = Callable[..., str]
"""The fixture `git`: run(folder, *arguments) gives what git printed."""

FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where folders of a moment are made: in memory, so that hundreds of them do not wait for the disk."""

WHEN = 1_700_000_000.0
TASKS = 6


def genome(number: int) -> Files:
    return {
        "genome.toml": b"protocol = 1\n",
        "agent/task_agent.py": f"ANSWER = {number}\nMORE = 'é'\n".encode(),
        "meta/meta_agent.py": b"print('edit')\n",
    }


def results(
    number: int, splits: tuple[str, ...] = ("train", "val"), tasks: int = TASKS
) -> tuple[list[ScoreRecord], list[VerdictRecord], dict[str, list[dict[str, Any]]]]:
    """Scores, verdicts and logs of an agent on the first `tasks` tasks of a domain."""
    scores, verdicts, logs = [], [], {}
    for split in splits:
        values = [float((number + task) % 3 == 0) for task in range(tasks)]
        s = statistics.score(values, TASKS)
        scores.append(ScoreRecord("grading", split, s.n, s.total, s.mean, s.low, s.high))
        verdicts += [
            VerdictRecord("grading", split, f"q{task}", value, Status.OK if value else Status.WRONG, 5)
            for task, value in enumerate(values)
        ]
        logs[f"grading.{split}"] = [{"task": f"q{task}", "score": value} for task, value in enumerate(values)]
    return scores, verdicts, logs


def proposal(number: int, parent: int | None) -> ProposalRecord:
    return ProposalRecord(number, "best", f"0/{number}/select", number - 1, parent, WHEN + number, 2.0, 1.0, 0.5, 1, "")


def child(number: int, parent: int | None = 0, **changes: Any) -> Child:
    """An admitted child; `changes` replace fields."""
    if number == 0:
        parent = None
    scores, verdicts, logs = results(number)
    fields: dict[str, Any] = {
        "id": number,
        "parent": parent,
        "admission": Admission.ADMITTED if number else Admission.ROOT,
        "files": genome(number),
        "proposal": proposal(number, parent),
        "created": WHEN + number,
        "summary": f"answer {number}",
        "scores": scores,
        "verdicts": verdicts,
        "logs": logs,
    }
    return Child(**{**fields, **changes})


def failed(number: int, parent: int = 0, admission: Admission = Admission.FAILED) -> Child:
    """A proposal that gave no child."""
    return child(
        number,
        parent,
        admission=admission,
        files=None,
        scores=[],
        verdicts=[],
        logs={},
        status=Status.TIMEOUT,
    )


def create(path: Path, children: int = 0) -> Archive:
    """An open archive whose agents 1, 2, … each descend from the one before."""
    archive = Archive.create(path, "[search]\nproposals = 3\n", child(0))
    for number in range(1, children + 1):
        archive.record(child(number, number - 1))
    return archive


def contents(path: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}

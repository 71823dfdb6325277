"""Gathering evidence on agents that are there: what a strategy asks for between two proposals.

A verdict that an agent with the same task half has is taken over instead of being made again. Not covered: which
tasks of which agent (`dgm.sitting.pursuit`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dgm.archive import VerdictRecord
from dgm.domain import JSON, Split
from dgm.evaluation.bench import Job
from dgm.executor import pieces
from dgm.integrity import Policy, Watch, note
from dgm.results import ROOT
from dgm.sitting.run import Run
from dgm.strategy.state import Expand, Measure

Row = Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Measuring:
    """A measurement that has begun."""

    action: Measure
    jobs: Sequence[Job]


def due(run: Run) -> Measuring | Expand | None:
    """What the strategy wants next: a measurement, which has then begun, or a child; None without a strategy."""
    if run.pursuit is None:
        return None
    with run.lock:
        vetoed = run.helm.state.vetoes
        action = run.pursuit.next(vetoed)
        if isinstance(action, Expand):
            return action
        jobs = run.pursuit.jobs(action)
        run.pursuit.begin(action, vetoed)
        return Measuring(action, jobs)


def is_next(run: Run) -> bool:
    """Whether what comes next is a measurement. Nothing changes by asking."""
    with run.lock:
        return run.pursuit is not None and isinstance(run.pursuit.next(run.helm.state.vetoes), Measure)


def expand(run: Run, number: int, action: Expand, by: str = "") -> str:
    """Proposal `number` begins, which the strategy asked for or somebody else (`by`): tell the strategy, if there is
    one. The key of its choice."""
    if run.pursuit is None:
        return ""
    key = run.pursuit.key()
    run.pursuit.begin(action, run.helm.state.vetoes, number, by)
    return key


def perform(measuring: Measuring, run: Run) -> None:
    """Run the tasks and keep the verdicts."""
    _keep(measuring.action.agent, measuring.action, measuring.jobs, run)


def school(agent: int, run: Run) -> None:
    """Let an agent that is to be a parent work on all its train tasks: of them its meta half learns."""
    if run.pursuit is not None:
        with run.schooling(agent):
            _finish(agent, (Split.TRAIN,), run)


def complete(run: Run) -> None:
    """Measure the root, and the agent that is handed over, on all that is planned, so that they can be compared.

    More evidence may change who is handed over: it goes on until that one is fully measured."""
    if run.pursuit is None:
        return
    _finish(ROOT, (Split.TRAIN, Split.VAL), run)
    while _finish(run.pursuit.final(), (Split.TRAIN, Split.VAL), run):
        pass


def _finish(agent: int, splits: Iterable[Split], run: Run) -> bool:
    """Whether anything was left to be done."""
    assert run.pursuit is not None
    with run.lock:
        jobs = [job for domain in run.domains for split in splits for job in run.pursuit.left(agent, domain, split)]
    if jobs:
        _keep(agent, None, jobs, run)
    return bool(jobs)


def _keep(agent: int, action: Measure | None, jobs: Sequence[Job], run: Run) -> None:
    assert run.pursuit is not None
    verdicts, logs = _known(agent, jobs, run)
    done = {(v.domain, v.split, v.task) for v in verdicts}
    if left := [job for job in jobs if (job.domain.name, job.split, job.task.id) not in done]:
        bait = run.key(agent, "bait")
        watch = Watch(run.sandbox, bait)
        tasks = tuple((job.domain.name, job.split, job.task.id) for job in left)
        measured = run.do(pieces.Measure(agent, bait, run.archive.files(agent), tasks), watch)
        note(run.archive, agent, watch.unborn(), Policy(run.config.search.integrity))
        verdicts += measured.verdicts
        for name, rows in measured.logs.items():
            logs.setdefault(name, []).extend(rows)
    with run.lock:
        run.pursuit.measured(agent, action, verdicts, logs)
        run.lines.sync(run.archive)


def _known(agent: int, jobs: Sequence[Job], run: Run) -> tuple[list[VerdictRecord], dict[str, list[Row]]]:
    """What agents with the same task half have of these tasks."""
    verdicts: dict[tuple[str, str, str], VerdictRecord] = {}
    logs: dict[str, list[Row]] = {}
    wanted = {(job.domain.name, str(job.split), job.task.id) for job in jobs}
    for kin in run.archive.ask.twins(agent):
        found = {(v.domain, str(v.split), v.task): v for v in run.archive.verdicts(kin) if v.score is not None}
        new = (wanted & found.keys()) - verdicts.keys()
        verdicts |= {key: found[key] for key in new}
        for domain, split in sorted({key[:2] for key in new}):
            rows = run.archive.logs(kin, domain, split)
            logs.setdefault(f"{domain}.{split}", []).extend(r for r in rows if (domain, split, r["task"]) in new)
    return [verdicts[key] for key in sorted(verdicts)], logs

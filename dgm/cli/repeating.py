"""The work of `dgm eval --repeat`: an agent against itself, and how much of a difference is no difference at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dgm.analysis.noise import Noise, noise
from dgm.cli import evaluation
from dgm.cli.evaluation import Part, Plan
from dgm.evaluation.bench import Result
from dgm.reporting import columns, report
from dgm.reporting.table import Table

ALARMS = "false alarms: pairs of repetitions of which a test at 5 % calls one better, although it is one agent"


@dataclass(frozen=True, slots=True)
class Repeated:
    """One domain's noise."""

    part: Part
    noise: Noise


def measure(planned: Plan, repeats: int, progress: Callable[[int], None]) -> list[Repeated]:
    """All tasks of the plan so many times, each time with other seeds; `progress` is told each that is done."""
    runs = []
    for repetition in range(repeats):
        runs.append(evaluation.run(planned, repetition, repeats))
        progress(repetition + 1)
    return [Repeated(part, noise([_verdicts(part, results) for results in runs])) for part in planned.parts]


def _verdicts(part: Part, results: Sequence[Result]) -> dict[str, float]:
    """Task to score, where there is one."""
    return {r.task: r.verdict.score for r in results if r.domain == part.domain.name and not r.missing}


def as_table(planned: Plan, repeated: Sequence[Repeated]) -> Table:
    """A line for each domain, and in words what it means."""
    rows = [
        [
            r.part.domain.name,
            r.part.split,
            str(r.noise.n),
            f"{r.noise.mean:.3f}",
            f"{min(r.noise.means):.3f} to {max(r.noise.means):.3f}",
            f"{r.noise.changing:.1%}",
            f"{r.noise.sd:.4f}",
            f"{r.noise.within:.4f}",
            f"{r.noise.alarms}/{r.noise.pairs}",
        ]
        for r in repeated
    ]
    return Table(
        columns.REPEATED.heads(),
        rows,
        title=f"{planned.where} against itself, {repeated[0].noise.repeats} times with other seeds",
        right=frozenset(columns.REPEATED.heads()[2:]),
        note="\n".join(
            [*map(_says, repeated), ALARMS, *filter(None, [str(planned.account), report.boundary_note(planned.config)])]
        ),
    )


def as_json(target: str, planned: Plan, repeated: Sequence[Repeated]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "agent": target,
        "sandbox": planned.sandbox.name,
        "models": planned.account.as_json(),
        "domains": {r.part.domain.name: {"split": r.part.split, **asdict(r.noise), "says": _says(r)} for r in repeated},
    }


def _says(r: Repeated) -> str:
    if r.noise.changing == 0:
        return (
            f"{r.part.domain.name}: no noise; every task came to the same in all {r.noise.repeats} repetitions, so "
            "measuring this agent again tells nothing new"
        )
    return (
        f"{r.part.domain.name}: two means of this one agent on these {r.noise.n} tasks differ by up to "
        f"{r.noise.within:.4f} in 95 % of cases; a smaller difference between two agents says nothing"
    )

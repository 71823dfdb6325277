"""The two figures of an experiment: the gains of all variants with every run as a dot, and progress over proposals."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from dgm import plots
from dgm.archive import Archive
from dgm.errors import UserError
from dgm.experiment import conduct, contrast, outcome
from dgm.experiment.contrast import Line
from dgm.experiment.journal import Journal
from dgm.experiment.plan import Plan, read
from dgm.plots.gains import Row

if TYPE_CHECKING:
    from dgm.plots.canvas import Figure


FIGURES = ("gains", "compare")
"""The kinds of `dgm plot` that an experiment has."""


def draw(folder: Path, kind: str, domain: str | None) -> Figure:
    """A figure of the experiment that is kept in a folder. Raises UserError, saying why, where there is none."""
    if kind not in FIGURES:
        raise UserError(
            f"{folder} is an experiment, which has the figures {' and '.join(FIGURES)}; or name a run of it"
        )
    plan, lines = opened(folder)
    return gains(plan, folder, lines, domain) if kind == "gains" else progress(plan, folder, lines, domain)


def opened(folder: Path) -> tuple[Plan, list[Line]]:
    """The experiment of a folder, and what its runs came to so far. Raises UserError."""
    plan = read(folder / conduct.FILE, folder)
    return plan, contrast.lines(plan, list(outcome.outcomes(plan, folder)))


def gains(plan: Plan, folder: Path, lines: Sequence[Line], domain: str | None = None) -> Figure:
    """The gain on test of each variant, a panel for each domain. Raises UserError where there is none."""
    rows = [
        Row(line.domain, line.variant, [gain.value for gain in line.gains], line.gain)
        for line in lines
        if domain in (None, line.domain)
    ]
    return plots.variants(rows)


def progress(plan: Plan, folder: Path, lines: Sequence[Line], domain: str | None = None) -> Figure:
    """Progress over proposals of the variants that have the baseline's domains. Raises UserError."""
    domains = {line.variant: {other.domain for other in lines if other.variant == line.variant} for line in lines}
    journal = Journal.of(folder)
    base = domains.get(plan.experiment.baseline)
    if base is None:
        raise UserError(f"no run of {plan.experiment.baseline}, the baseline of {folder.name}, has been measured yet")
    with ExitStack() as stack:
        groups = [
            (
                variant,
                [
                    stack.enter_context(Archive.open(folder / run.name))
                    for run in plan.runs
                    if run.variant == variant and run.name in journal.ended
                ],
            )
            for variant in plan.variants
            if domains.get(variant) == base
        ]
        return plots.compare(groups, domain)

"""The tables of all runs of an experiment as one, for `dgm export`: each row says of which run, variant and repeat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dgm.archive import Archive
from dgm.errors import UserError
from dgm.exchange.exports import flat
from dgm.exchange.exports.flat import Cell, Flat
from dgm.experiment import conduct
from dgm.experiment.journal import Journal
from dgm.experiment.plan import Planned, read
from dgm.reporting.exported import EXPORTED, OF_EXPERIMENT


def table(folder: Path, name: str) -> Flat:
    """One of `flat.TABLES`, of the runs that have ended, in the plan's order. Raises UserError where none has."""
    runs, _ = ended(folder)
    if not runs:
        raise UserError(f"no run of the experiment {folder} has ended, so there is nothing to export yet")

    def rows() -> Iterator[Sequence[Cell]]:
        for run in runs:
            with Archive.open(folder / run.name) as archive:
                for first, *rest in flat.table(archive, name).rows:
                    yield first, run.variant, run.repeat + 1, *rest

    first, *rest = EXPORTED[name].heads()
    return Flat((first, *OF_EXPERIMENT, *rest), rows())


def ended(folder: Path) -> tuple[list[Planned], int]:
    """The runs that have ended, and how many there are to be. Raises UserError for a file that is no experiment's."""
    plan, journal = read(folder / conduct.FILE, folder), Journal.of(folder)
    return [run for run in plan.runs if run.name in journal.ended], len(plan.runs)

"""Figures of runs for paper and screen: PNG, SVG and PDF, told by the file's ending.

`KINDS` of one run, `compare` of several, `variants` of an experiment. Colours are those of Okabe and Ito, and cividis
for values, which people with any colour vision tell apart and a grey printer too; lines differ in dash as well. Scores
carry their 95 % intervals. `canvas` is the one module that imports matplotlib. Not covered: interactive views
(`dgm view`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dgm.archive import Archive
from dgm.errors import UserError

if TYPE_CHECKING:
    from dgm.plots.canvas import Figure
    from dgm.plots.gains import Row

ENDINGS = (".png", ".svg", ".pdf")
KINDS = ("progress", "tree", "cost", "tasks", "imp")


def draw(archive: Archive, kind: str, domain: str | None = None) -> Figure:
    """One figure of a run. Raises UserError, saying why, where there is nothing to draw."""
    from dgm.plots import canvas, cost, improvement, progress, tasks, tree

    kinds: dict[str, Callable[[Archive, str | None], Figure]] = {
        "progress": progress.draw,
        "tree": tree.draw,
        "cost": cost.draw,
        "tasks": tasks.draw,
        "imp": improvement.draw,
    }
    with canvas.look():
        return kinds[kind](archive, domain)


def compare(groups: Sequence[tuple[str, Sequence[Archive]]], domain: str | None = None) -> Figure:
    """Variants of an experiment side by side; each has a name and its repeated runs."""
    from dgm.plots import canvas, comparison

    with canvas.look():
        return comparison.draw(groups, domain)


def variants(rows: Sequence[Row]) -> Figure:
    """What the variants of an experiment gained on test, a panel for each domain."""
    from dgm.plots import canvas, gains

    with canvas.look():
        return gains.draw(rows)


def inline(figure: Figure) -> str:
    """A figure as an `svg` element that can stand in a page: without a prolog, metadata or an address of any kind."""
    from dgm.plots import canvas

    return canvas.inline(figure)


def save(figure: Figure, file: Path) -> None:
    """Write a figure; the same figure gives the same bytes. Raises UserError for another ending."""
    if file.suffix.lower() not in ENDINGS:
        raise UserError(f"{file.name} must end in {', '.join(ENDINGS)}")
    from dgm.plots import canvas

    canvas.save(figure, file)

"""Gains of an experiment's variants: for each domain a panel, for each variant its runs, their median and interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dgm.analysis.comparison import Median
from dgm.errors import UserError
from dgm.plots import canvas

if TYPE_CHECKING:
    from dgm.plots.canvas import Figure


@dataclass(frozen=True, slots=True)
class Row:
    """One variant in one panel."""

    panel: str
    name: str
    values: Sequence[float]  #: one for each run
    middle: Median  #: of them


def draw(rows: Sequence[Row]) -> Figure:
    """Panels and variants in the order of `rows`. Raises UserError for none."""
    if not rows:
        raise UserError("there are no gains to draw yet: no run has been measured on test")
    panels, names = (list(dict.fromkeys(getattr(row, key) for row in rows)) for key in ("panel", "name"))
    size = (max(4.6, 2.0 + 2.1 * len(panels)), 1.2 + 0.5 * len(names))
    figure, axes = canvas.figure(1, len(panels), size, sharey=True, squeeze=False)
    for panel, axis in zip(panels, axes[0], strict=True):
        axis.axvline(0, lw=0.8, color="black")
        mine = [row for row in rows if row.panel == panel]
        near = canvas.near([value for row in mine for value in row.values])
        for row in mine:
            canvas.runs_row(axis, names.index(row.name), row.values, row.middle, near)
        axis.locator_params(axis="x", nbins=4)
        axis.set_title(canvas.plain(panel, 24), fontsize=9)
    axes[0][0].set_yticks(
        range(len(names)), [canvas.counted(name, [row.middle.n for row in rows if row.name == name]) for name in names]
    )
    axes[0][0].invert_yaxis()
    figure.supxlabel(
        "gain on test over the root: below each run, above their median with its 95 % interval", fontsize=9
    )
    return figure

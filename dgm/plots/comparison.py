"""Variants of an experiment: the median of repeated runs over proposals, and where each ended, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dgm.analysis.comparison import median
from dgm.analysis.metrics import Series, best_so_far
from dgm.archive import Archive
from dgm.errors import UserError
from dgm.plots import canvas

if TYPE_CHECKING:
    from dgm.plots.canvas import Figure

Groups = Sequence[tuple[str, Sequence[Archive]]]


def draw(groups: Groups, domain: str | None = None) -> Figure:
    """Left: best val mean so far, the median of the runs with its bootstrap interval. Right: the same at the end, on
    test where it was measured in every run, with each run as a dot. Raises UserError without scores."""
    curves = {name: [best_so_far(Series.of(run, domain).val) for run in runs] for name, runs in groups}
    for name, found in curves.items():
        if not found or any(not run or run[-1] is None for run in found):
            raise UserError(f"{name} has a run without complete scores{f' in {domain}' if domain else ''}")
    figure, (over, end) = canvas.figure(1, 2, (7.6, 3.6), gridspec_kw={"width_ratios": [3, 2]})
    for at, (name, found) in enumerate(curves.items()):
        colour = canvas.COLOURS[at % len(canvas.COLOURS)]
        length = min(map(len, found))
        steps = [i for i in range(length) if all(run[i] is not None for run in found)]
        middle = [median([value for run in found if (value := run[i]) is not None]) for i in steps]
        label = canvas.counted(name, [len(found)])
        over.plot(steps, [m.median for m in middle], color=colour, ls=canvas.DASHES[at % 7], lw=1.6, label=label)
        band = [(step, *m.interval) for step, m in zip(steps, middle, strict=True) if m.interval]
        if band:
            over.fill_between(*zip(*band, strict=True), color=colour, alpha=0.15, lw=0)
    over.set_xlabel("proposal")
    canvas.score_axis(over, f"best val mean so far, {domain or 'all domains'}")
    over.legend(fontsize=8)
    tested = {name: [_tested(run, domain) for run in runs] for name, runs in groups}
    on_test = all(value is not None for values in tested.values() for value in values)
    ends = tested if on_test else {name: [run[-1] for run in found] for name, found in curves.items()}
    known = [[value for value in values if value is not None] for values in ends.values()]
    near = canvas.near([value for values in known for value in values])
    for at, values in enumerate(known):
        canvas.runs_row(end, at, values, median(values), near)
    end.set_yticks(range(len(ends)), [canvas.plain(name, 24) for name in ends])
    end.invert_yaxis()
    end.set_xlabel(f"at the end, on {'test' if on_test else 'val'}")
    figure.suptitle("median over runs, 95 % bootstrap intervals", fontsize=10)
    return figure


def _tested(archive: Archive, domain: str | None) -> float | None:
    """The test mean of the agent with the best val mean; None where it was not measured."""
    series = Series.of(archive, domain)
    known = [i for i, value in enumerate(series.val) if value is not None]
    best = max(known, key=lambda i: (series.val[i] or 0.0, -i), default=None)
    return None if best is None else series.test[best]

"""matplotlib, set up for print: one look for all figures. The only module that imports it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgm import extras
from dgm.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure as Figure

    from dgm.analysis.comparison import Median

#: Okabe and Ito's palette, the darker ones first.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), "-")
MARKS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#777777"
LIGHT = "#c8c8c8"
MAPPING = "cividis"
PANELS = 12
_LOOK: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.dpi": 150,
    "savefig.dpi": 200,
    "svg.hashsalt": "dgm",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
}


@contextmanager
def look() -> Iterator[None]:
    """Within it everything is drawn alike. Raises UserError where matplotlib is missing."""
    try:
        import matplotlib
    except ImportError:
        raise UserError(f"figures need matplotlib: `{extras.how('plot')}`") from None
    with matplotlib.rc_context(_LOOK):
        yield


def figure(rows: int = 1, columns: int = 1, size: tuple[float, float] = (6.4, 3.8), **more: Any) -> tuple[Figure, Any]:
    """A figure without a window, of `size` inches, and its axes; within `look`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawn = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(drawn)
    return drawn, drawn.subplots(rows, columns, **more)


def panels(name: str, domains: Sequence[str]) -> None:
    """Raises UserError for more domains than there is room for in the figure of a run."""
    if len(domains) > PANELS:
        raise UserError(f"{name} has {len(domains)} domains, and a figure room for {PANELS}; name one with --domain")


def save(drawn: Figure, file: Path) -> None:
    """Without a date, so that equal figures are equal files."""
    metadata = {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with look():
        drawn.savefig(file, metadata=metadata[file.suffix.lower()])


def inline(drawn: Figure) -> str:
    """As SVG for a page: HTML needs no prolog and no namespaces, which would be addresses."""
    text = io.StringIO()
    with look():
        drawn.savefig(text, format="svg", metadata={"Date": None})
    shapes = re.sub(r"<metadata>.*?</metadata>", "", text.getvalue()[text.getvalue().index("<svg") :], flags=re.DOTALL)
    return re.sub(r' xmlns(:\w+)?="[^"]*"', "", shapes)


def plain(text: str, limit: int = 60) -> str:
    """A text as it is: printable, and nothing in it read as a formula."""
    from dgm.reporting.text import one_line

    return one_line(text, limit).replace("$", r"\$")


def runs_row(axes: Axes, at: int, values: Sequence[float], middle: Median, near: float) -> None:
    """A row at the height `at`: the median with its interval, if it has one, and beside it each run as a mark of its
    own. Runs less than `near` apart stand beneath one another, as equal marks would hide one another."""
    colour, mark = COLOURS[at % len(COLOURS)], MARKS[at % len(MARKS)]
    heights = [at + 0.42 * offset for offset in offsets(values, near)]
    axes.plot(values, heights, mark, ms=3.5, mfc="white", color=colour, alpha=0.8)
    reach = None
    if middle.interval is not None:
        low, high = middle.interval
        reach = [[middle.median - low], [high - middle.median]]
    axes.errorbar([middle.median], [at - 0.22], xerr=reach, fmt=mark, ms=5, color=colour, capsize=3)


def offsets(values: Sequence[float], near: float) -> list[float]:
    """For each value, from 0 to 1, how far it is moved from its row's line so that values less than `near` apart do not
    lie upon each other; 0 where a value stands alone."""
    groups: list[list[int]] = []
    for i in sorted(range(len(values)), key=lambda i: values[i]):
        if groups and values[i] - values[groups[-1][0]] < near:
            groups[-1].append(i)
        else:
            groups.append([i])
    return [found for _, found in sorted((i, k * _step(group)) for group in groups for k, i in enumerate(group))]


def _step(group: Sequence[int]) -> float:
    return min(0.25, 1 / max(1, len(group) - 1))


def near(values: Sequence[float]) -> float:
    """So close together that marks in a panel which shows these values would hide one another."""
    return max(1e-9, 0.03 * (max(values) - min(values)))


def counted(name: str, ns: Sequence[int], limit: int = 30) -> str:
    """A name with how many runs it stands for: `full (n=10)`, `full (n=9 to 10)`."""
    low, high = min(ns), max(ns)
    return f"{plain(name, limit)} (n={low})" if low == high else f"{plain(name, limit)} (n={low} to {high})"


def score_axis(axes: Axes, label: str) -> None:
    axes.set_ylabel(label)
    axes.margins(x=0.02)

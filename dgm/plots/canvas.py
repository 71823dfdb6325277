"""matplotlib, set up for print: one look for all figures. The only module that imports it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dgm import extras
from dgm.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes as Axes
    from matplotlib.figure import Figure as Figure

#: Okabe and Ito's palette, the darker ones first.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), "-")
MARKS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#777777"
LIGHT = "#c8c8c8"
MAPPING = "cividis"
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


def score_axis(axes: Axes, label: str) -> None:
    axes.set_ylabel(label)
    axes.margins(x=0.02)

"""Printing tables and lines: rich on a terminal, aligned plain text when the output goes to a file or a pipe.

Colours are used on a terminal alone, and not where NO_COLOR is set.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Literal

from dgm.reporting.table import Table, harmless, plain
from dgm.reporting.text import printable

if TYPE_CHECKING:
    from rich.console import Console


def console(stderr: bool = False) -> Console:
    """A console that takes every text literally."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def show(table: Table) -> None:
    """Print a table on stdout; a line that says so where it has no rows."""
    if not table.rows:
        say(f"{table.title}: none" if table.title else "none")
    elif sys.stdout.isatty():
        _rich(table)
    else:
        print("\n".join(plain(table)))


def say(text: str = "", style: str = "") -> None:
    """Print text on stdout, in a rich style on a terminal; of control characters only ends of lines and tabs remain."""
    text = printable(text, keep="\n\t")
    if style and sys.stdout.isatty():
        console().print(text, style=style, soft_wrap=True)
    else:
        print(text)


def tell(line: str) -> None:
    """Print one line of progress on stderr, at once: stdout is for the result."""
    print(printable(line), file=sys.stderr, flush=True)


def say_json(value: Any) -> None:
    """Print a JSON value on stdout: keys in their order, ASCII, two spaces of indent."""
    print(json.dumps(value, indent=2, allow_nan=False))


def _rich(table: Table) -> None:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    from dgm.reporting import fitting

    table, out = harmless(table), console()
    if table.title:
        out.print(table.title, style="bold")
    for number, (part, widths) in enumerate(fitting.parts(table, out.width)):
        drawn = RichTable(
            box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True, header_style="bold"
        )
        for column, width in zip(part.columns, widths, strict=True):
            side: Literal["left", "right"] = "right" if column in table.right else "left"
            drawn.add_column(Text(column), justify=side, width=width, overflow="fold")
        for row in part.rows:
            drawn.add_row(*(Text(cell) for cell in row))
        if number:
            out.print()
        out.print(drawn)
    if table.note:
        out.print(table.note, style="yellow")

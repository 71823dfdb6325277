"""A table, and its form as aligned plain text. Cells are text, never markup, and printable, whatever an archive that
somebody else wrote may call its domains and selectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dgm.reporting.columns import Heads
from dgm.reporting.text import printable


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, as many as there are columns. Columns in `right` are aligned to the right; those in `wraps` may
    be broken into lines on a narrow terminal. A cell may have several lines, which plain text joins. Where a terminal
    is too narrow for all columns, the first `keys` of them stand before each part of the others. `note` stands below.
    """

    columns: Heads
    rows: Sequence[Sequence[str]]
    title: str = ""
    right: frozenset[str] = frozenset()
    wraps: frozenset[str] = frozenset()
    note: str = ""
    keys: int = 1


def harmless(table: Table) -> Table:
    """The same with nothing in it that a terminal could act upon."""
    return replace(
        table,
        columns=Heads(tuple(map(printable, table.columns))),
        rows=[[printable(cell, keep="\n") for cell in row] for row in table.rows],
        title=printable(table.title),
        right=frozenset(map(printable, table.right)),
        wraps=frozenset(map(printable, table.wraps)),
        note=printable(table.note, keep="\n"),
    )


def plain(table: Table) -> Iterable[str]:
    """The lines of a table without any decoration; columns two spaces apart."""
    from rich.cells import cell_len

    table = harmless(table)
    cells = [list(table.columns), *([cell.replace("\n", " ") for cell in row] for row in table.rows)]
    widths = [max(cell_len(row[i]) for row in cells) for i in range(len(table.columns))]
    if table.title:
        yield table.title
    for row in cells:
        parts = []
        for cell, width, column in zip(row, widths, table.columns, strict=True):
            space = " " * (width - cell_len(cell))
            parts.append(space + cell if column in table.right else cell + space)
        yield "  ".join(parts).rstrip()
    if table.note:
        yield table.note

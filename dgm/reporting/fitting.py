"""A table on a terminal that may be narrow: how wide each column is, and in which parts it is shown where the columns
do not stand side by side. Nothing is ever cut off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dgm.reporting.columns import Heads
from dgm.reporting.table import Table

GAP = 2
"""Spaces between two columns."""
WORD = 20
"""A longer word may be broken in a column that wraps."""


def parts(table: Table, width: int) -> Iterator[tuple[Table, list[int]]]:
    """`table`, or as many tables with its first columns before each part of the others as it takes, each with the
    widths of its columns."""
    needs, wants = _needs(table), _wants(table)
    keys = list(range(min(table.keys, len(needs))))
    begun, free = list(keys), width - _wide(needs, keys)
    for at in range(len(keys), len(needs)):
        if needs[at] + GAP > free and len(begun) > len(keys):
            yield _part(table, begun), _widths(needs, wants, begun, width)
            begun, free = list(keys), width - _wide(needs, keys)
        begun.append(at)
        free -= needs[at] + GAP
    yield _part(table, begun), _widths(needs, wants, begun, width)


def _wants(table: Table) -> list[int]:
    """With which nothing is broken into lines that has none."""
    from rich.cells import cell_len

    rows = [table.columns, *table.rows]
    return [max(cell_len(line) for row in rows for line in row[at].split("\n")) for at in range(len(table.columns))]


def _needs(table: Table) -> list[int]:
    """With which no word is broken, and no line outside of `wraps`; heads may be broken at spaces."""
    from rich.cells import cell_len

    found = []
    for at, name in enumerate(table.columns):
        words = [cell_len(word) for word in name.split()]
        if name in table.wraps:
            words += [min(WORD, cell_len(word)) for row in table.rows for word in row[at].split()]
        else:
            words += [cell_len(line) for row in table.rows for line in row[at].split("\n")]
        found.append(max(words, default=1))
    return found


def _wide(widths: Sequence[int], which: Sequence[int]) -> int:
    return sum(widths[at] for at in which) + GAP * (len(which) - 1)


def _part(table: Table, which: Sequence[int]) -> Table:
    rows = [[row[at] for at in which] for row in table.rows]
    return replace(table, columns=Heads(tuple(table.columns[at] for at in which)), rows=rows)


def _widths(needs: Sequence[int], wants: Sequence[int], which: Sequence[int], width: int) -> list[int]:
    """What is needed; space that is left goes where most is wanted, and what is too much is taken from the widest."""
    found = {at: needs[at] for at in which}
    left = width - _wide(needs, which)
    while left > 0 and any(wants[at] > found[at] for at in which):
        found[max(which, key=lambda at: wants[at] - found[at])] += 1
        left -= 1
    while left < 0 and max(found.values()) > 1:
        found[max(which, key=lambda at: found[at])] -= 1
        left += 1
    return list(found.values())

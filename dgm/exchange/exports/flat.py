"""The tables of an archive as rows: CSV for anything, Parquet where pyarrow is installed.

A CSV cell that a spreadsheet would take for a formula (it begins with = + - @, a tab or a line's end) gets an
apostrophe in front, numbers apart, and so does what follows a semicolon, which is what separates cells where the comma
is the decimal mark; control characters are written out. Parquet holds the texts as they are.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dgm import extras
from dgm.archive import Archive
from dgm.errors import UserError
from dgm.reporting.exported import EXPORTED
from dgm.reporting.text import printable

Cell = str | int | float | None
TABLES = tuple(EXPORTED)
_FORMULA = re.compile(r"(^|;)(?=\s*[=+\-@＝＋－＠])")


@dataclass(frozen=True, slots=True)
class Flat:
    """A table. Every row has a cell for every column."""

    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def table(archive: Archive, name: str) -> Flat:
    """One of `TABLES`; the first cell of each row is the archive's name."""
    rows = {"agents": _agents, "scores": _scores, "verdicts": _verdicts}[name](archive)
    return Flat(EXPORTED[name].heads(), ((archive.name, *row) for row in rows))


def to_csv(flat: Flat) -> str:
    """As RFC 4180, with a head."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(flat.columns)
    writer.writerows([safe(cell) for cell in row] for row in flat.rows)
    return out.getvalue()


def to_parquet(flat: Flat, path: Path) -> None:
    """Write a Parquet file. Raises UserError where pyarrow is not installed."""
    try:
        import pyarrow  # type: ignore[import-untyped,unused-ignore]  # here: heavy, and of this function alone
        import pyarrow.parquet  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise UserError(f"Parquet needs pyarrow: `{extras.how('export')}`, or choose csv") from None
    rows = list(flat.rows)
    columns = {name: [row[at] for row in rows] for at, name in enumerate(flat.columns)}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


def safe(cell: Cell) -> str:
    """A cell that no spreadsheet acts upon."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return repr(cell)
    text = _FORMULA.sub(r"\1'", printable(cell))
    return "'" + text if cell[:1] in ("\t", "\r", "\n", "'") else text


def _agents(archive: Archive) -> Iterator[Sequence[Cell]]:
    proposals = {proposal.id: proposal for proposal in archive.proposals()}
    for a in archive.agents():
        p = proposals[a.id]
        front = (a.id, a.parent, a.parent2, str(a.admission), str(a.status), a.reason, a.author, a.created)
        genome = (a.tree, a.commit, json.dumps(list(a.changed)), a.summary)
        yield *front, *genome, p.selector, p.seconds, p.improve_seconds, p.evaluate_seconds, p.stage, p.note


def _scores(archive: Archive) -> Iterator[Sequence[Cell]]:
    for a, s in archive.all_scores():
        yield a, s.domain, str(s.split), s.n, s.total, s.mean, s.low, s.high


def _verdicts(archive: Archive) -> Iterator[Sequence[Cell]]:
    for agent in archive.agents():
        for v in archive.verdicts(agent.id):
            yield agent.id, v.domain, str(v.split), v.task, v.score, str(v.status), v.ms

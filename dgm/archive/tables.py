"""The tables of `archive.db` as JSON lines, and back: an export that another version of SQLite, or none, can read.

A table is a file of rows, each a JSON list in the order of the columns, the columns' names on the first line. Numbers
come back to the last bit. Rows are in the order of the primary key, so that equal tables give equal bytes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from dgm.archive import database, schema
from dgm.errors import UserError


def dump(archive: Path) -> tuple[int, dict[str, list[bytes]]]:
    """The format's number, and table to lines; all of one moment, also beside a writer."""
    with database.reader(archive) as connection:
        connection.execute("BEGIN")
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        return version, {name: list(_lines(connection, name)) for name in _tables(connection)}


def load(archive: Path, version: int, tables: dict[str, Iterable[bytes]]) -> None:
    """Make `archive.db` of such tables, in the format they had. Raises UserError when they do not fit it."""
    if not 1 <= version <= schema.VERSION:
        raise UserError(f"the bundle has format {version} and this dgm knows 1 to {schema.VERSION}; upgrade dgm")
    connection = sqlite3.connect(archive / database.NAME, isolation_level=None)
    try:
        schema.migrate(connection, version)
        connection.execute("BEGIN")
        for name in _tables(connection):
            _fill(connection, name, iter(tables.get(name, ())))
        connection.execute("COMMIT")
    except (sqlite3.Error, ValueError, TypeError) as error:
        raise UserError(f"the bundle's tables are damaged ({error}); export the archive again") from None
    finally:
        connection.close()


def _tables(connection: sqlite3.Connection) -> list[str]:
    """In the order in which they were made: referred to before they refer."""
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")
    return [name for (name,) in rows if name in schema.TABLES]


def _columns(connection: sqlite3.Connection, table: str) -> tuple[list[str], list[str]]:
    """All columns, and those of the primary key."""
    rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    return [row[1] for row in rows], [row[1] for row in sorted(rows, key=lambda row: row[5]) if row[5]]


def _lines(connection: sqlite3.Connection, table: str) -> Iterator[bytes]:
    columns, key = _columns(connection, table)
    yield _line(columns)
    for row in connection.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {', '.join(key)}"):
        yield _line(row)


def _line(values: Iterable[object]) -> bytes:
    return json.dumps(list(values), ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def _fill(connection: sqlite3.Connection, table: str, lines: Iterator[bytes]) -> None:
    columns, _ = _columns(connection, table)
    if json.loads(next(lines, b"null")) != columns:
        raise ValueError(f"the table {table} has other columns")
    connection.execute(f"DELETE FROM {table}")  # what a new database begins with is among the rows
    marks = ", ".join("?" * len(columns))
    rows = (_row(line, len(columns)) for line in lines)
    connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


def _row(line: bytes, columns: int) -> list[object]:
    row = json.loads(line)
    if not isinstance(row, list) or len(row) != columns or any(isinstance(cell, (list, dict)) for cell in row):
        raise ValueError("a row is none")
    return row

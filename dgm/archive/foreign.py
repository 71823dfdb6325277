"""What somebody else may have put into an archive's folder so that opening it reaches out of that folder.

An archive that was handed over is data. Some of it can be more: a link makes a writer change what it points at, a
rollback journal may name a file that SQLite then removes, a table may be worked out without end. Not covered: what
rows and genomes hold, which is checked where it is read; git's own configuration, which is never read
(`dgm.archive.git`).
"""

from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

from dgm.archive import schema
from dgm.errors import UserError

_FOLDERS = ("", "logs", "genomes.git", "genomes.git/objects", "genomes.git/refs", "genomes.git/refs/agents")
"""Those in which a writer makes, replaces or removes files."""
MAX_GAPS = 100_000
"""Numbers without an agent among those given out. A run has as many as proposals are under way."""
MAX_CELL = 100_000_000
"""Bytes of one value of a row."""
_MAGIC = bytes.fromhex("d9d505f920a163d7")


def check_links(archive: Path) -> None:
    """Before anything is written. Raises UserError where a file or folder that is an archive's is a link."""
    for name in _FOLDERS:
        folder = archive / name
        if not folder.is_dir():
            continue
        with os.scandir(folder) as entries:
            link = next((entry.name for entry in entries if entry.is_symlink()), None)
        if link is not None:
            raise UserError(
                f"{folder / link} is a link, and what it points at would be changed; put there what it points at"
            )


def check_plain(path: Path) -> None:
    """Raises UserError where there is something at `path` that is no file: whoever opens a pipe waits for its other end
    for ever. Raises OSError where nothing is there."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise UserError(f"{path} is no file; restore a copy of the archive")


def check_journal(database: Path) -> None:
    """Before a database is opened so that SQLite may take a half-written transaction back.

    A journal may end in the name of another one, which SQLite removes when all is done, whatever file that is (its
    file format, section "The Super-Journal"). No dgm writes such. Raises UserError.
    """
    journal = database.with_name(database.name + "-journal")
    try:
        check_plain(journal)
        with journal.open("rb") as file:
            file.seek(max(0, journal.stat().st_size - len(_MAGIC)))
            end = file.read(len(_MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f"{journal} cannot be read: {error.strerror}") from error
    if end == _MAGIC:
        raise UserError(f"{journal} names a file that is to be removed, which no dgm writes; remove the journal")


def check_tables(connection: sqlite3.Connection) -> str:
    """Why the tables of an archive are none that dgm made; empty if they may be.

    What is worked out when it is read (views, virtual tables, generated columns) can be made never to end, and a
    trigger changes what is written; a number far from all others has whoever counts up to it count for ever.
    """
    names = ", ".join(f"'{name}'" for name in schema.TABLES)
    derived = connection.execute(
        f"SELECT name FROM sqlite_master WHERE type = 'trigger' OR (name IN ({names}) AND (rootpage = 0 OR EXISTS"
        " (SELECT 1 FROM pragma_table_xinfo(sqlite_master.name) WHERE hidden <> 0)))"
    ).fetchone()
    if derived is not None:
        return f"{derived[0]!r:.80} is worked out and no plain table"
    low, high, count = connection.execute(
        "SELECT (SELECT min(id) FROM agents), (SELECT max(id) FROM agents), (SELECT count(*) FROM agents)"
    ).fetchone()
    if count and (low < 0 or high >= count + MAX_GAPS):
        return f"its {count} agents have the numbers {low} to {high}"
    return ""

"""Opening `archive.db`: who may write, what is left on disk after a close, and what goes wrong in one
sentence.

While a writer is open the journal is a write-ahead log, so that readers need not wait. A clean close folds it
in and goes back to one plain file, which can be committed, copied or served read-only. Commits are forced to
disk (`synchronous=FULL`): a proposal may have cost an hour. A reader opens a connection for each question and
so never stands in the way of that close, and it writes nothing; but where a kill left a rollback journal (before the
write-ahead log is on, and after it is off) it lets SQLite take the half-written transaction back first.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from dgm.archive import foreign, lock, schema
from dgm.archive.disk import DiskFull
from dgm.archive.failpoints import failpoint
from dgm.errors import UserError

NAME = "archive.db"
_BUSY_SECONDS = 10.0
_CLOSE_TRIES = 20
_NEARLY_FULL = 256 * 1024
_MAGIC = b"SQLite format 3\0"
_FORMAT_AT, _WAL_FORMAT = 18, 2


def create(archive: Path) -> sqlite3.Connection:
    """A new database with all its tables, open for writing."""
    return _writer(archive, f"file:{quote(str(archive / NAME))}?mode=rwc")


def open_writer(archive: Path) -> sqlite3.Connection:
    """Open for writing and migrate. Only for the holder of the archive's lock."""
    foreign.check_journal(archive / NAME)
    return _writer(archive, f"file:{quote(str(archive / NAME))}?mode=rw")


@contextmanager
def reader(archive: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write, for one question."""
    path = archive / NAME
    options = "mode=ro"
    if _cut_off(path):
        foreign.check_journal(path)
        options = "mode=rw"  # SQLite then takes back what a killed process had half written, as its journal says
    elif _says_wal(path) and not path.with_name(NAME + "-wal").exists() and not lock.held(archive):
        # A copy of the file alone, made while a writer was open. SQLite would make a log of its own beside
        # it.
        options = "mode=ro&immutable=1"
    with explained(archive):
        connection = sqlite3.connect(f"file:{quote(str(path))}?{options}", uri=True, isolation_level=None)
        try:
            connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, foreign.MAX_CELL)
            yield connection
        finally:
            connection.close()


def close_writer(connection: sqlite3.Connection) -> None:
    """Fold the log in and leave one plain file. Where that cannot be done now (a full disk, a reader in the
    middle of a question) the log stays beside it: as valid, and the next writer tries again."""
    failpoint("close-begun")
    with suppress(sqlite3.DatabaseError):
        connection.execute("PRAGMA busy_timeout = 200")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        failpoint("close-rows")
        for _ in range(_CLOSE_TRIES):
            with suppress(sqlite3.OperationalError):
                if connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete":
                    break
            time.sleep(0.025)
    connection.close()


def check_is_archive(archive: Path) -> None:
    """Raises UserError unless `archive.db` looks like an archive's and has a format that this dgm knows."""
    with reader(archive) as connection:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        ours = application == schema.APPLICATION_ID and 1 <= version <= schema.VERSION
        why = foreign.check_tables(connection) if ours else ""
    if application != schema.APPLICATION_ID or version < 1:
        raise UserError(f"{archive / NAME} is a database, but not an archive's; give the folder of a run")
    if version > schema.VERSION:
        raise UserError(
            f"{archive} has format {version} and this dgm knows none above {schema.VERSION}; upgrade dgm to open it"
        )
    if why:
        raise UserError(f"{archive / NAME} is damaged ({why}); restore a copy of the archive")


@contextmanager
def explained(archive: Path) -> Iterator[None]:
    """Turn what SQLite says about a damaged, locked or full database into a UserError of one sentence.

    A broken constraint or a wrong call is a defect of ours and passes through.
    """
    try:
        yield
    except (
        sqlite3.IntegrityError,
        sqlite3.ProgrammingError,
        sqlite3.InterfaceError,
        sqlite3.NotSupportedError,
    ):
        raise
    except sqlite3.DatabaseError as error:
        raise _explain(archive, error) from error


def _explain(archive: Path, error: sqlite3.DatabaseError) -> UserError:
    path = archive / NAME
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(archive, f"`dgm resume {archive.name}`")
    if code == sqlite3.SQLITE_IOERR and shutil.disk_usage(archive).free < _NEARLY_FULL:
        return DiskFull(archive, f"`dgm resume {archive.name}`")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return UserError(f"{path} is in use by another program (sqlite says {error}); try again when it is done")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
        return UserError(f"{path} cannot be used (sqlite says {error}); check the disk and your rights to the folder")
    return UserError(f"{path} is damaged (sqlite says {error}); restore a copy or run dgm verify {archive.name}")


def _writer(archive: Path, uri: str) -> sqlite3.Connection:
    with explained(archive):
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}")
            schema.migrate(connection)
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            connection.close()
            raise
    return connection


def _cut_off(path: Path) -> bool:
    """Whether a process may have been killed while it made the database or changed how it keeps its journal."""
    journal = path.with_name(NAME + "-journal")
    return journal.exists() and os.access(path, os.W_OK) and os.access(journal, os.W_OK)


def _says_wal(path: Path) -> bool:
    try:
        foreign.check_plain(path)
        with path.open("rb") as file:
            head = file.read(100)
    except FileNotFoundError:
        raise UserError(f"there is no archive at {path.parent} ({NAME} is missing); `dgm run NAME` makes one") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    return head.startswith(_MAGIC) and len(head) == 100 and head[_FORMAT_AT] == _WAL_FORMAT

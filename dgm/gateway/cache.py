"""Every call and its reply, kept in `calls.db` beside the archive: for repeats, for replay and for the account.

A reply belongs to (hash of the request, proposal, role, task, sample): the first identical request within one
proposal, role and task is sample 0, the second sample 1. Work that was interrupted and is done again therefore meets
its own replies, and costs nothing. With `anywhere`, a reply to the same request and sample from elsewhere will do, and
the earliest is taken. Each row is written when its call ends (`synchronous=NORMAL`: a kill of the program loses none).
Replies are whole; requests are stored once each. No key is ever in either.
"""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dgm.archive import foreign
from dgm.closing import Closing, on_failure
from dgm.errors import UserError
from dgm.gateway import Role, Scope
from dgm.gateway.budget import NOTHING, Spend

NAME = "calls.db"
_APPLICATION = 0x64676D63
_VERSION = 1
_TABLES = """
CREATE TABLE requests (hash TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE calls (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    proposal INTEGER NOT NULL,
    role TEXT NOT NULL,
    task TEXT NOT NULL,
    sample INTEGER NOT NULL,
    agent INTEGER,
    model TEXT NOT NULL,
    status TEXT NOT NULL,
    http INTEGER NOT NULL,
    reply BLOB,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    nano_usd INTEGER NOT NULL,
    paid INTEGER NOT NULL,
    uncertain_nano INTEGER NOT NULL,
    uncertain_tokens INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    latency_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX replies ON calls (hash, sample, proposal, role, task) WHERE reply IS NOT NULL;
"""
_COLUMNS = (
    "hash, proposal, role, task, sample, agent, model, status, http, reply, prompt_tokens, completion_tokens,"
    " nano_usd, paid, uncertain_nano, uncertain_tokens, tries, latency_ms"
)
NOBODY = -1
"""Stands for no proposal."""


@dataclass(frozen=True, slots=True)
class Key:
    """What a reply belongs to."""

    hash: str
    scope: Scope
    sample: int


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it ended. `reply` is the JSON that was answered, empty where nothing may be answered again."""

    key: Key
    model: str
    status: str  #: ok, cached, rejected (by the provider), refused (by us), fault, probe
    http: int
    reply: bytes = b""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    nano: int = 0  #: what the reply is worth
    paid: bool = False  #: this call was billed for it
    uncertain: Spend = NOTHING  #: what failed tries may have been billed
    tries: int = 0
    latency_ms: int = 0

    @property
    def spend(self) -> Spend:
        return Spend(self.nano, self.prompt_tokens + self.completion_tokens)


class CallStore(Closing):
    """The record of calls in a folder. Safe to use from several threads; one process writes it.

    Raises UserError when the file is damaged, newer, or absent where it must not be.
    """

    def __init__(self, folder: Path, *, write: bool = True) -> None:
        self._path, self._lock = folder / NAME, threading.Lock()
        if not write and not self._path.is_file():
            raise UserError(f"{folder} has no record of model calls ({NAME}); replay a run that asked a model")
        if write:
            foreign.check_journal(self._path)
        options = "" if write else "?mode=ro"
        with self._explained():
            self._connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}{options}", uri=True, isolation_level=None, check_same_thread=False
            )
        with on_failure(self._connection.close), self._explained():
            self._prepare(write)

    def find(self, key: Key, *, anywhere: bool = False) -> Call | None:
        """The reply that belongs to `key`."""
        scope, condition = key.scope, "" if anywhere else " AND proposal = ? AND role = ? AND task = ?"
        place = () if anywhere else _place(scope)
        good = " AND status = 'ok'" if anywhere else ""
        query = (
            f"SELECT {_COLUMNS} FROM calls WHERE reply IS NOT NULL AND hash = ? AND sample = ?{condition}{good}"
            " ORDER BY id LIMIT 1"
        )
        with self._lock, self._explained():
            row = self._connection.execute(query, (key.hash, key.sample, *place)).fetchone()
        return None if row is None else _call(row)

    def add(self, call: Call, request: bytes = b"") -> None:
        """Record a call. If its key has a reply already, the first stays and this one counts as a cost alone."""
        reply = zlib.compress(call.reply, 1) if call.reply else None
        with self._lock, self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                if request:
                    row = (call.key.hash, zlib.compress(request, 1))
                    self._connection.execute("INSERT OR IGNORE INTO requests VALUES (?, ?)", row)
                if reply and self._has(call.key):
                    reply = None
                marks = ", ".join("?" * 18)
                self._connection.execute(f"INSERT INTO calls ({_COLUMNS}) VALUES ({marks})", _row(call, reply))
                self._connection.execute("COMMIT")
            except sqlite3.Error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def since(self, last: int) -> list[tuple[int, Call]]:
        """Calls with an id above `last`, with their ids, without replies."""
        columns = _COLUMNS.replace(" reply,", " NULL,")
        with self._lock, self._explained():
            rows = self._connection.execute(f"SELECT id, {columns} FROM calls WHERE id > ? ORDER BY id", (last,))
            return [(row[0], _call(row[1:])) for row in rows]

    def spent(self) -> tuple[Spend, Spend]:
        """(certain, uncertain): what all calls so far were billed, and what may have been on top."""
        query = (
            "SELECT coalesce(sum(paid * nano_usd), 0), coalesce(sum(paid * (prompt_tokens + completion_tokens)), 0),"
            " coalesce(sum(uncertain_nano), 0), coalesce(sum(uncertain_tokens), 0) FROM calls"
        )
        with self._lock, self._explained():
            row = self._connection.execute(query).fetchone()
        return Spend(row[0], row[1]), Spend(row[2], row[3])

    def of_proposal(self, proposal: int) -> Iterator[tuple[Call, bytes]]:
        """The calls of one proposal in order, whole, each with its request's canonical body (empty if none is kept)."""
        columns = ", ".join(f"calls.{column.strip()}" for column in _COLUMNS.split(","))
        query = f"SELECT requests.body, {columns} FROM calls LEFT JOIN requests ON requests.hash = calls.hash"
        with self._lock, self._explained():
            rows = self._connection.execute(f"{query} WHERE proposal = ? ORDER BY calls.id", (proposal,)).fetchall()
        for body, *row in rows:
            yield _call(row), zlib.decompress(body) if body else b""

    def cost_of_proposals(self) -> dict[int, int]:
        """Proposal to the nano-dollars that its calls were billed, those in meta agents' name alone."""
        query = "SELECT proposal, sum(paid * nano_usd) FROM calls WHERE role = ? GROUP BY proposal"
        with self._lock, self._explained():
            return dict(self._connection.execute(query, (str(Role.META),)).fetchall())

    def close(self) -> None:
        """Leave one plain file. May be called twice."""
        with self._lock:
            with suppress(sqlite3.Error):  # a reader holds it, or it is closed already; the log beside it is as valid
                self._connection.execute("PRAGMA journal_mode = DELETE").fetchall()
            self._connection.close()

    def _has(self, key: Key) -> bool:
        query = "SELECT 1 FROM calls WHERE reply IS NOT NULL AND hash = ? AND sample = ?"
        query += " AND proposal = ? AND role = ? AND task = ?"
        return self._connection.execute(query, (key.hash, key.sample, *_place(key.scope))).fetchone() is not None

    def _prepare(self, write: bool) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        application = self._connection.execute("PRAGMA application_id").fetchone()[0]
        if version > _VERSION:
            raise UserError(f"{self._path} has format {version} and this dgm knows none above {_VERSION}; upgrade dgm")
        if version and application != _APPLICATION:
            raise UserError(f"{self._path} is a database, but no record of model calls")
        if not write:
            return
        self._connection.execute("PRAGMA journal_mode = WAL").fetchall()
        self._connection.execute("PRAGMA synchronous = NORMAL")
        if version == 0:
            self._connection.executescript(
                f"BEGIN; {_TABLES} PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_VERSION}; COMMIT;"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            raise UserError(
                f"{self._path} cannot be used (sqlite says {error}); check the disk, or restore a copy of the archive"
            ) from error


def _place(scope: Scope) -> tuple[int, str, str]:
    return (NOBODY if scope.proposal is None else scope.proposal), str(scope.role), scope.task


def _row(call: Call, reply: bytes | None) -> tuple[object, ...]:
    key = call.key
    return (
        key.hash, *_place(key.scope), key.sample, key.scope.agent, call.model, call.status, call.http, reply,
        call.prompt_tokens, call.completion_tokens, call.nano, int(call.paid), call.uncertain.nano,
        call.uncertain.tokens, call.tries, call.latency_ms,
    )  # fmt: skip


def _call(row: Sequence[Any]) -> Call:
    digest, proposal, role, task, sample, agent, model, status, http, reply, *numbers = row
    prompt, answer, nano, paid, unsure_nano, unsure_tokens, tries, latency = numbers
    scope = Scope(Role(role), agent, None if proposal == NOBODY else proposal, task)
    text = zlib.decompress(reply) if isinstance(reply, bytes) else b""
    return Call(
        Key(digest, scope, sample), model, status, http, text, prompt, answer, nano, bool(paid),
        Spend(unsure_nano, unsure_tokens), tries, latency,
    )  # fmt: skip

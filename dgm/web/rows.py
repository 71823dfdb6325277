"""What the viewer asks the databases of an archive: every SQL statement of `dgm.web`, each of them short.

All read through a connection of the moment (`dgm.archive.database.reader`), so a running kernel is never kept
waiting. The tables are documented in archive/README.md; those of `calls.db` in dgm/gateway/cache.py.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dgm.archive import AgentRecord, DomainRecord, EventRecord, ProposalRecord, ScoreRecord, foreign, kinds
from dgm.archive.records import AGENT, agent_of, event_of
from dgm.errors import UserError
from dgm.gateway import cache

_PROPOSAL = (
    "id, selector, key, archive_version, parent, started, seconds, improve_seconds, evaluate_seconds, stage, note"
)
_SCORE = "scores.agent, domains.name, split, n, scores.total, mean, low, high"


@dataclass(frozen=True, slots=True)
class Task:
    """A task that was judged at least once."""

    id: int
    domain: str
    split: str
    name: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What calls to language models took: dollars, tokens in and out, number of calls, models asked."""

    usd: float = 0.0
    prompt: int = 0
    completion: int = 0
    calls: int = 0
    models: tuple[str, ...] = ()


def ids(connection: sqlite3.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT id FROM agents ORDER BY id")]


def agents(connection: sqlite3.Connection, low: int) -> list[AgentRecord]:
    """Those with an id of `low` or more, by id."""
    query = f"SELECT {AGENT} FROM agents WHERE id >= ? ORDER BY id"
    return [agent_of(row) for row in connection.execute(query, (low,))]


def proposals(connection: sqlite3.Connection, low: int) -> list[ProposalRecord]:
    query = f"SELECT {_PROPOSAL} FROM proposals WHERE id >= ? ORDER BY id"
    return [ProposalRecord(*kinds.PROPOSAL(row)) for row in connection.execute(query, (low,))]


def scores(connection: sqlite3.Connection, low: int) -> Iterator[tuple[int, ScoreRecord]]:
    """Each with its agent, by agent, domain and split."""
    query = (
        f"SELECT {_SCORE} FROM scores JOIN domains ON domains.id = domain WHERE agent >= ?"
        " ORDER BY agent, domains.name, split"
    )
    for row in connection.execute(query, (low,)):
        yield row[0], ScoreRecord(*kinds.SCORE(row)[1:])


def count(connection: sqlite3.Connection, table: str) -> int:
    """Rows of `scores` or `agents`."""
    if table not in ("scores", "agents"):
        raise ValueError(table)
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def events(connection: sqlite3.Connection, after: int) -> list[EventRecord]:
    """Those with a `seq` above `after`."""
    query = "SELECT seq, time, kind, body FROM events WHERE seq > ? ORDER BY seq"
    return [event_of(row) for row in connection.execute(query, (after,))]


def domains(connection: sqlite3.Connection) -> list[DomainRecord]:
    query = "SELECT name, coalesce(version, ''), coalesce(digest, '') FROM domains ORDER BY id"
    return [DomainRecord(*kinds.DOMAIN(row)) for row in connection.execute(query)]


def tasks(connection: sqlite3.Connection) -> list[Task]:
    query = (
        "SELECT tasks.id, domains.name, split, tasks.name FROM tasks JOIN domains ON domains.id = domain"
        " ORDER BY tasks.id"
    )
    return [Task(*kinds.TASK(row)) for row in connection.execute(query)]


def verdicts(connection: sqlite3.Connection, low: int, high: int) -> list[tuple[int, int, int]]:
    """Agent, task and 200 times the score (254 for a missing one) of the agents from `low` below `high`."""
    query = (
        "SELECT agent, task, coalesce(CAST(round(score * 200) AS INTEGER), 254) FROM verdicts"
        " WHERE agent >= ? AND agent < ?"
    )
    return connection.execute(query, (low, high)).fetchall()


def verdicts_of(connection: sqlite3.Connection, agent: int) -> list[tuple[int, float | None, str, int]]:
    """Task, score, status and milliseconds of one agent's verdicts, by task."""
    query = "SELECT task, score, status, ms FROM verdicts WHERE agent = ? ORDER BY task"
    return connection.execute(query, (agent,)).fetchall()


def logs(connection: sqlite3.Connection, agent: int) -> list[tuple[str, int]]:
    """Names of an agent's transcripts and their numbers of rows."""
    return connection.execute("SELECT name, rows FROM logs WHERE agent = ? ORDER BY name", (agent,)).fetchall()


def spent(connection: sqlite3.Connection) -> dict[int, Spent]:
    """By agent, from the archive's own table; of imported runs, for example. Calls of the kernel count under -1."""
    query = (
        "SELECT coalesce(agent, -1), coalesce(sum(usd), 0), coalesce(sum(prompt_tokens), 0),"
        " coalesce(sum(completion_tokens), 0), count(*), group_concat(DISTINCT model) FROM model_calls GROUP BY 1"
    )
    return _by_number(connection.execute(query))


# calls.db: every model call of a run with its reply


@contextmanager
def calls(archive: Path) -> Iterator[sqlite3.Connection | None]:
    """The record of model calls beside an archive, for one question; None where there is none."""
    path = archive / cache.NAME
    if not path.is_file():
        yield None
        return
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, foreign.MAX_CELL)
            yield connection
        finally:
            connection.close()
    except (sqlite3.DatabaseError, ValueError, zlib.error) as error:
        raise UserError(f"{path} cannot be read ({error}); restore a copy of the archive") from error


def spent_on(connection: sqlite3.Connection) -> dict[int, Spent]:
    """By the proposal that bears the cost; -1 for none."""
    query = (
        "SELECT proposal, sum(paid * nano_usd) / 1e9, sum(prompt_tokens), sum(completion_tokens), count(*),"
        " group_concat(DISTINCT model) FROM calls GROUP BY 1"
    )
    return _by_number(connection.execute(query))


def calls_of(connection: sqlite3.Connection, proposal: int, limit: int) -> list[dict[str, Any]]:
    """The first calls for one proposal, without what was said."""
    query = (
        "SELECT id, role, task, model, status, prompt_tokens, completion_tokens, paid * nano_usd / 1e9, latency_ms"
        " FROM calls WHERE proposal = ? ORDER BY id LIMIT ?"
    )
    names = ("id", "role", "task", "model", "status", "prompt", "completion", "usd", "ms")
    found = map(kinds.CALL, connection.execute(query, (proposal, limit)))
    return [dict(zip(names, row, strict=True)) for row in found]


def call(connection: sqlite3.Connection, proposal: int, number: int) -> tuple[str, str] | None:
    """What was asked and what was answered, as JSON texts; None for no such call of this proposal."""
    query = (
        "SELECT requests.body, calls.reply FROM calls LEFT JOIN requests USING (hash)"
        " WHERE calls.id = ? AND proposal = ?"
    )
    row = connection.execute(query, (number, proposal)).fetchone()
    return None if row is None else (_inflated(row[0]), _inflated(row[1]))


def _inflated(data: object) -> str:
    if data is not None and not isinstance(data, bytes):
        raise ValueError(f"what was said is {data!r:.60}")
    return zlib.decompressobj().decompress(data, foreign.MAX_CELL).decode("utf-8", "replace") if data else ""


def _by_number(found: Iterable[Sequence[Any]]) -> dict[int, Spent]:
    return {row[0]: Spent(row[1], row[2], row[3], row[4], _models(row[5])) for row in map(kinds.SPENT, found)}


def _models(joined: str | None) -> tuple[str, ...]:
    return tuple(sorted(filter(None, (joined or "").split(","))))

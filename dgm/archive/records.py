"""The rows of an archive: agents, proposals, scores, verdicts, events, in SQLite.

Records are only ever added; each method that adds is one transaction. What an agent wrote is made fit to be
stored before it comes here (`dgm.archive.text`). Not covered: what the tables mean for a run, and files
outside SQLite.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, overload

from dgm.archive import database, kinds, schema
from dgm.archive.failpoints import failpoint
from dgm.archive.logs import LogEntry
from dgm.archive.model import (
    Admission,
    AgentRecord,
    DomainRecord,
    EventRecord,
    ModelCallRecord,
    ProposalRecord,
    ScoreRecord,
    VerdictRecord,
)
from dgm.archive.text import clean
from dgm.closing import on_failure
from dgm.domain import JSON
from dgm.errors import Status, UserError

AGENT = "id, parent, parent2, admission, tree, commit_hash, summary, status, reason, author, created, changed"
_PROPOSAL = (
    "id, selector, key, archive_version, parent, started, seconds, improve_seconds, evaluate_seconds, stage, note"
)
_SCORE = "scores.agent, domains.name, scores.split, n, total, mean, low, high"
_VERDICT = "domains.name, tasks.split, tasks.name, verdicts.score, verdicts.status, verdicts.ms"
_LAST = (
    "SELECT max((SELECT coalesce(max(time), 0) FROM (SELECT time FROM events ORDER BY seq DESC LIMIT 1000)),"
    " (SELECT coalesce(max(started), 0) FROM (SELECT started FROM proposals ORDER BY id DESC LIMIT 1000)))"
)
"""More than are ever under way at once, and as quick in an archive of any size."""
_SHORT = 500
_ADMISSIONS = {str(word): word for word in Admission}
_STATUSES = {str(word): word for word in Status}

T = TypeVar("T")


class Records:
    """`archive.db` in the folder `archive`. With `write`, for the holder of the lock, one connection that
    several threads may use; otherwise a connection per question. Raises UserError when the database is
    damaged."""

    def __init__(self, archive: Path, *, write: bool = False) -> None:
        database.check_is_archive(archive)
        self._begin(archive, database.open_writer(archive) if write else None)

    @classmethod
    def create(cls, archive: Path) -> Records:
        """A new database, open for writing."""
        self = cls.__new__(cls)
        self._begin(archive, database.create(archive))
        with self._adding() as connection:
            connection.execute("INSERT INTO meta VALUES ('format', ?)", (str(schema.VERSION),))
            connection.execute("UPDATE meta SET value = '[]' WHERE key = 'begun'")
        return self

    def _begin(self, archive: Path, connection: sqlite3.Connection | None) -> None:
        self._archive = archive
        self._connection = connection
        self._lock = threading.RLock()
        self._tasks: dict[tuple[str, str, str], int] = {}
        self._last: float | None = None

    def close(self) -> None:
        """Give the writer's connection back; the file is then plain. Nothing to do for a reader."""
        with self._lock:
            if self._connection is not None:
                database.close_writer(self._connection)
                self._connection = None

    def now(self) -> float:
        """Seconds since 1970, later than all that is recorded, also where the clock was set back: what was asked and
        what was done are put in order by it. For the writer."""
        with self._lock:
            if self._last is None:
                (self._last,) = self.ask(_LAST, lambda row: float(row[0]))
            self._last = max(time.time(), math.nextafter(self._last, math.inf))
            return self._last

    # Reading

    def revision(self) -> tuple[int, int]:
        """Another one whenever there are more agents or results to read."""
        with self._reading() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = 'revision'").fetchone()
            if row is not None:
                return int(row[0]), 0
            # Format 1, which only a reader meets.
            row = connection.execute("SELECT (SELECT count(*) FROM agents), (SELECT count(*) FROM scores)").fetchone()
            return int(row[0]), int(row[1])

    def agents(self) -> list[AgentRecord]:
        """All, by id."""
        return self.ask(f"SELECT {AGENT} FROM agents ORDER BY id", agent_of)

    def proposals(self, agent: int | None = None) -> list[ProposalRecord]:
        """All by id, or one agent's."""
        only, values = ("", ()) if agent is None else ("WHERE id = ?", (agent,))
        return self.ask(
            f"SELECT {_PROPOSAL} FROM proposals {only} ORDER BY id",
            lambda row: ProposalRecord(*kinds.PROPOSAL(row)),
            values,
        )

    def proposals_of_people(self) -> list[ProposalRecord]:
        """Those whose parent, or whose child, a person chose."""
        query = f"SELECT {_PROPOSAL} FROM proposals WHERE selector IN ('pin', 'submit') ORDER BY id"
        return self.ask(query, lambda row: ProposalRecord(*kinds.PROPOSAL(row)))

    def scores(self) -> list[tuple[int, ScoreRecord]]:
        """All, by agent, each agent's in the order of domain and split."""
        query = f"SELECT {_SCORE} FROM scores JOIN domains ON domains.id = domain ORDER BY agent, name, split"
        return self.ask(query, lambda row: (row[0], ScoreRecord(*kinds.SCORE(row)[1:])))

    def verdicts(self, agent: int, domain: str | None = None, split: str | None = None) -> list[VerdictRecord]:
        """An agent's, in the order in which the tasks were first seen."""
        query = (
            f"SELECT {_VERDICT} FROM verdicts JOIN tasks ON tasks.id = task"
            " JOIN domains ON domains.id = tasks.domain WHERE agent = ?"
            " AND domains.name = coalesce(?, domains.name) AND tasks.split = coalesce(?, tasks.split)"
            " ORDER BY task"
        )
        return self.ask(query, _verdict, (agent, domain, split))

    def logs(self) -> list[LogEntry]:
        """All, by agent and name."""
        return self.ask("SELECT agent, name, rows, sha256 FROM logs ORDER BY agent, name", lambda row: LogEntry(*row))

    def logs_of(self, agent: int) -> set[str]:
        """The names of an agent's logs."""
        return set(self.ask("SELECT name FROM logs WHERE agent = ?", lambda row: str(row[0]), (agent,)))

    def domains(self) -> list[DomainRecord]:
        """All, in the order in which they were first named; version and digest are empty if none were
        given."""
        query = "SELECT name, coalesce(version, ''), coalesce(digest, '') FROM domains ORDER BY id"
        return self.ask(query, lambda row: DomainRecord(*kinds.DOMAIN(row)))

    def events(self, kind: str | None = None) -> list[EventRecord]:
        """All, or those of one kind, in order."""
        query = "SELECT seq, time, kind, body FROM events" + (" WHERE kind = ?" if kind else "") + " ORDER BY seq"
        values = (kind,) if kind else ()
        return self.ask(query, event_of, values)

    def begun(self) -> set[int] | None:
        """The agents in whose folders a killed writer may have left logs without a record; None: in any."""
        found: object = self.ask("SELECT value FROM meta WHERE key = 'begun'", lambda row: json.loads(row[0]))[0]
        return set(found) if isinstance(found, list) else None

    def check(self) -> list[str]:
        """What SQLite finds wrong with the file and with references between rows."""
        found = self.ask("PRAGMA integrity_check", lambda row: str(row[0]))
        broken = self.ask("PRAGMA foreign_key_check", lambda row: f"table {row[0]}, row {row[1]}: no such {row[2]} row")
        return [line for line in found if line != "ok"] + broken

    # Adding

    def add_domains(self, domains: Iterable[DomainRecord]) -> None:
        """Pin domains as they are at the start of a run."""
        with self._adding() as connection:
            connection.executemany(
                "INSERT INTO domains (name, version, digest) VALUES (?, ?, ?)",
                [(domain.name, clean(domain.version, _SHORT), domain.digest) for domain in domains],
            )

    def add(
        self,
        agent: AgentRecord,
        proposal: ProposalRecord,
        scores: Sequence[ScoreRecord],
        verdicts: Sequence[VerdictRecord],
        logs: Sequence[LogEntry],
        task_half: str | None = None,
        event: tuple[str, JSON] | None = None,
    ) -> None:
        """One finished proposal with all its results, and an event: all of it or nothing."""
        with self._adding() as connection:
            row = (*_agent_row(agent), task_half)
            connection.execute(f"INSERT INTO agents ({AGENT}, task_half) VALUES ({_marks(13)})", row)
            connection.execute(f"INSERT INTO proposals ({_PROPOSAL}) VALUES ({_marks(11)})", _proposal_row(proposal))
            self._add_results(connection, agent.id, scores, verdicts, logs)
            if event is not None:
                _add_event(connection, self.now(), *event)

    def add_results(
        self,
        agent: int,
        scores: Sequence[ScoreRecord],
        verdicts: Sequence[VerdictRecord],
        logs: Sequence[LogEntry],
        event: tuple[str, JSON] | None = None,
    ) -> None:
        """Later results of an agent that is there already, with an event: all of them or nothing. A score on a domain
        and split that has one takes its place."""
        with self._adding() as connection:
            self._add_results(connection, agent, scores, verdicts, logs)
            connection.execute("UPDATE meta SET value = '[]' WHERE key = 'begun'")
            if event is not None:
                _add_event(connection, self.now(), *event)

    def begin(self, agents: Sequence[int]) -> None:
        """Note that logs are about to be written for agents that are there already; `add_results` takes it back."""
        with self._adding() as connection:
            connection.execute("UPDATE meta SET value = ? WHERE key = 'begun'", (json.dumps(list(agents)),))

    def add_halves(self, halves: Mapping[int, str]) -> None:
        """The digests of the task halves of agents that were recorded without, by an older dgm."""
        with self._adding() as connection:
            connection.executemany(
                "UPDATE agents SET task_half = ? WHERE id = ?", [(half, agent) for agent, half in halves.items()]
            )

    def add_event(self, kind: str, body: JSON) -> None:
        """`kind` is a word, `body` any JSON."""
        with self._adding() as connection:
            _add_event(connection, self.now(), kind, body)

    def last_call(self) -> int:
        """The highest id of a model call; 0 without any."""
        with self._reading() as connection:
            return int(connection.execute("SELECT coalesce(max(id), 0) FROM model_calls").fetchone()[0])

    def add_calls(self, calls: Sequence[ModelCallRecord]) -> None:
        """Model calls, each with an id of its own."""
        with self._adding() as connection:
            connection.executemany(
                f"INSERT INTO model_calls VALUES ({_marks(12)})",
                [
                    (c.id, c.agent, c.role, clean(c.task, _SHORT), clean(c.model, _SHORT), c.request_hash, c.sample,
                     c.prompt_tokens, c.completion_tokens, c.usd, c.latency_ms, c.status)
                    for c in calls
                ],
            )  # fmt: skip

    def _add_results(
        self,
        connection: sqlite3.Connection,
        agent: int,
        scores: Sequence[ScoreRecord],
        verdicts: Sequence[VerdictRecord],
        logs: Sequence[LogEntry],
    ) -> None:
        connection.executemany(
            f"INSERT OR REPLACE INTO scores VALUES ({_marks(8)})",
            [
                (agent, _domain_id(connection, s.domain), str(s.split), s.n, s.total, s.mean, s.low, s.high)
                for s in scores
            ],
        )
        connection.executemany(
            f"INSERT INTO verdicts VALUES ({_marks(5)})",
            [(agent, self._task_id(connection, v), v.score, str(v.status), v.ms) for v in verdicts],
        )
        connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'revision'")
        connection.executemany(
            f"INSERT INTO logs VALUES ({_marks(4)})",
            [(log.agent, log.name, log.rows, log.sha256) for log in logs],
        )

    def _task_id(self, connection: sqlite3.Connection, verdict: VerdictRecord) -> int:
        key = (verdict.domain, str(verdict.split), task_name(verdict.task))
        if key not in self._tasks:
            values = (_domain_id(connection, key[0]), *key[1:])
            connection.execute("INSERT OR IGNORE INTO tasks (domain, split, name) VALUES (?, ?, ?)", values)
            query = "SELECT id FROM tasks WHERE domain = ? AND split = ? AND name = ?"
            self._tasks[key] = connection.execute(query, values).fetchone()[0]
        return self._tasks[key]

    @overload
    def ask(self, query: str, make: None, values: Sequence[object] = ()) -> list[Any]: ...

    @overload
    def ask(self, query: str, make: Callable[[Any], T], values: Sequence[object] = ()) -> list[T]: ...

    def ask(self, query: str, make: Callable[[Any], T] | None, values: Sequence[object] = ()) -> list[Any]:
        """What `make` makes of each row of a query, or the rows as they are. Raises UserError where it cannot."""
        with self._reading() as connection:
            try:
                rows = connection.execute(query, values).fetchall()
            except (OverflowError, UnicodeEncodeError):
                raise UserError("there is nothing of such a number or name in any archive") from None
        try:
            return rows if make is None else [make(row) for row in rows]
        except (ValueError, TypeError) as error:
            path = self._archive / database.NAME
            raise UserError(
                f"{path} is damaged ({error}); restore a copy or run dgm verify {self._archive.name}"
            ) from error

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if self._connection is None:
            with database.reader(self._archive) as connection:
                yield connection
            return
        with self._lock, database.explained(self._archive):
            yield self._connection

    @contextmanager
    def _adding(self) -> Iterator[sqlite3.Connection]:
        if self._connection is None:
            raise ValueError(f"{self._archive} was opened for reading")
        with self._lock, database.explained(self._archive):
            self._connection.execute("BEGIN IMMEDIATE")
            with on_failure(self._roll_back):
                yield self._connection
                failpoint("rows-uncommitted")
                self._connection.execute("COMMIT")
        failpoint("rows")

    def _roll_back(self) -> None:
        self._tasks.clear()  # ids of tasks that were given within the transaction are gone with it
        if self._connection is not None and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _add_event(connection: sqlite3.Connection, when: float, kind: str, body: JSON) -> None:
    text = json.dumps(body, ensure_ascii=True, allow_nan=False)
    connection.execute("INSERT INTO events (time, kind, body) VALUES (?, ?, ?)", (when, kind, text))


def task_name(task: str) -> str:
    """A task's id as it is stored."""
    return clean(task, _SHORT)


def _domain_id(connection: sqlite3.Connection, name: str) -> int:
    connection.execute("INSERT OR IGNORE INTO domains (name) VALUES (?)", (name,))
    row = connection.execute("SELECT id FROM domains WHERE name = ?", (name,)).fetchone()
    return int(row[0])


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def agent_of(row: Sequence[Any]) -> AgentRecord:
    """From the columns `AGENT`."""
    *plain, created, changed = kinds.AGENT(row)
    id_, parent, parent2, admission, tree, commit, summary, status, reason, author = plain
    # The words of an enumeration are looked up, which takes a quarter of the time that a call does.
    return AgentRecord(
        id_,
        parent,
        parent2,
        _ADMISSIONS.get(admission) or Admission(admission),
        tree,
        commit,
        summary,
        _STATUSES.get(status) or Status(status),
        reason,
        author,
        created,
        _paths(changed),
    )


@lru_cache(maxsize=1024)  # most agents changed what many others changed
def _paths(changed: str) -> tuple[str, ...]:
    paths = kinds.loads(changed)
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise ValueError("the changed paths of an agent are no list of paths")
    return tuple(paths)


def event_of(row: Sequence[Any]) -> EventRecord:
    """From the columns seq, time, kind and body."""
    seq, when, kind, body = kinds.EVENT(row)
    return EventRecord(seq, when, kind, kinds.loads(body))


def _agent_row(agent: AgentRecord) -> tuple[object, ...]:
    texts = (agent.summary, str(agent.status), agent.reason, agent.author)
    front = (agent.id, agent.parent, agent.parent2, str(agent.admission), agent.tree, agent.commit)
    return (*front, *texts, agent.created, json.dumps(agent.changed))


def _proposal_row(p: ProposalRecord) -> tuple[object, ...]:
    choice = (p.id, clean(p.selector, _SHORT), clean(p.key, _SHORT), p.archive_version, p.parent)
    return (
        *choice,
        p.started,
        p.seconds,
        p.improve_seconds,
        p.evaluate_seconds,
        p.stage,
        clean(p.note, _SHORT),
    )


def _verdict(row: Sequence[Any]) -> VerdictRecord:
    domain, split, task, score, status, ms = kinds.VERDICT(row)
    return VerdictRecord(domain, split, task, score, Status(status), ms)

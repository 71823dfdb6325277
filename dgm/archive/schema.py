"""The tables of `archive.db`, and how an older format becomes the present one. Documented in
archive/README.md.

A format's number is in `PRAGMA user_version`. `MIGRATIONS[n]` leads from format n to n + 1; an empty database
has format 0, so a new archive is made by the same steps that an old one goes through.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x64676D31
"""`PRAGMA application_id`, "dgm1" in ASCII: by it a database is known to be an archive's."""

_VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE agents (
    id INTEGER PRIMARY KEY,
    parent INTEGER REFERENCES agents(id),
    parent2 INTEGER REFERENCES agents(id),
    admission TEXT NOT NULL,
    tree TEXT,
    commit_hash TEXT,
    summary TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    author TEXT NOT NULL,
    created REAL NOT NULL,
    changed TEXT NOT NULL
);

CREATE TABLE proposals (
    id INTEGER PRIMARY KEY REFERENCES agents(id),
    selector TEXT NOT NULL,
    key TEXT NOT NULL,
    archive_version INTEGER NOT NULL,
    parent INTEGER REFERENCES agents(id),
    started REAL NOT NULL,
    seconds REAL NOT NULL,
    improve_seconds REAL NOT NULL,
    evaluate_seconds REAL NOT NULL,
    stage INTEGER NOT NULL,
    note TEXT NOT NULL
);

CREATE TABLE domains (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    version TEXT,
    digest TEXT
);

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    domain INTEGER NOT NULL REFERENCES domains(id),
    split TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (domain, split, name)
);

CREATE TABLE verdicts (
    agent INTEGER NOT NULL REFERENCES agents(id),
    task INTEGER NOT NULL REFERENCES tasks(id),
    score REAL,
    status TEXT NOT NULL,
    ms INTEGER NOT NULL,
    PRIMARY KEY (agent, task)
) WITHOUT ROWID;

CREATE TABLE scores (
    agent INTEGER NOT NULL REFERENCES agents(id),
    domain INTEGER NOT NULL REFERENCES domains(id),
    split TEXT NOT NULL,
    n INTEGER NOT NULL,
    total INTEGER NOT NULL,
    mean REAL NOT NULL,
    low REAL NOT NULL,
    high REAL NOT NULL,
    PRIMARY KEY (agent, domain, split)
) WITHOUT ROWID;

CREATE TABLE logs (
    agent INTEGER NOT NULL REFERENCES agents(id),
    name TEXT NOT NULL,
    rows INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (agent, name)
) WITHOUT ROWID;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE model_calls (
    id INTEGER PRIMARY KEY,
    agent INTEGER,
    role TEXT NOT NULL,
    task TEXT,
    model TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    sample INTEGER NOT NULL,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    usd REAL,
    latency_ms INTEGER,
    status TEXT NOT NULL
);
"""


def _to_version_1(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in _VERSION_1.split(";"):
        if statement.strip():
            connection.execute(statement)


_VERSION_2 = """
ALTER TABLE agents ADD COLUMN task_half TEXT;

CREATE INDEX agents_by_parent ON agents (parent, admission);

CREATE INDEX agents_by_half ON agents (task_half);

CREATE INDEX proposals_of_people ON proposals (selector) WHERE selector IN ('pin', 'submit');

CREATE INDEX scores_by_mean ON scores (domain, split, mean DESC, agent) WHERE n = total;

CREATE INDEX scores_by_worth ON scores (domain, split, mean * n / max(1, total) DESC, agent);

CREATE INDEX events_by_kind ON events (kind);

INSERT INTO meta VALUES ('revision', '0'), ('begun', '"all"');
"""
"""Answers to single questions cost the same in an archive of any size. `revision` grows with every agent and result;
`begun` tells the next writer where a killed one may have left logs: at first, anywhere."""


def _to_version_2(connection: sqlite3.Connection) -> None:
    for statement in _VERSION_2.split(";"):
        if statement.strip():
            connection.execute(statement)


TABLES = tuple(re.findall(r"CREATE TABLE (\w+)", _VERSION_1))
"""Their names, those that are referred to before those that refer."""
MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_to_version_1, _to_version_2)
VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, to: int | None = None) -> int:
    """Bring a database to the present format, or to an earlier one, each step in a transaction; the format it had.

    The connection must be in autocommit mode (`isolation_level=None`).
    """
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    for version in range(found, VERSION if to is None else to):
        connection.execute("BEGIN IMMEDIATE")
        try:
            MIGRATIONS[version](connection)
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:  # SQLite has rolled back already when the disk is full
                connection.execute("ROLLBACK")
            raise
    return found

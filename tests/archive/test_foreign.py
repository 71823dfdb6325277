"""An archive that somebody else made is data: whatever stands in its folder, opening it changes nothing outside of it,
runs nothing, and ends in a sentence."""

from __future__ import annotations

import gzip
import os
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dgm import steering
from dgm.archive import Archive, lock, logs, store, trees
from dgm.archive.place import GENOMES
from dgm.archive.store import GitStore
from dgm.archive.verify import verify
from dgm.errors import UserError
from dgm.exchange.mcp.tools import Tools
from dgm.gateway.cache import CallStore
from dgm.steering import submissions
from dgm.web.app import Pages
from dgm.web.shelf import Shelf
from tests.archive.world import Git, contents, create

MAGIC = bytes.fromhex("d9d505f920a163d7")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create(tmp_path / "theirs", children=1).close()
    return tmp_path / "theirs"


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Path]:
    """Files of the reader's own, which are there unchanged at the end."""
    folder = tmp_path / "mine"
    (folder / "work").mkdir(parents=True)
    for name in ("notes.txt", "poetry.lock", "0", "tmp_obj_dgm_1", "work/thesis.txt"):
        (folder / name).write_text("precious\n")
    before = contents(folder)
    yield folder
    assert contents(folder) == before


def row(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path / "archive.db")) as connection, connection:
        connection.execute(statement, values)


# Links


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("lock", "notes.txt"),
        ("inbox", "work"),
        ("logs", ""),
        ("logs/1", "work"),
        ("genomes.git/refs", ""),
        ("genomes.git/refs/agents", ""),
        ("genomes.git/refs/tags", "work"),
        ("genomes.git/packed-refs", "notes.txt"),
        ("genomes.git/objects", ""),
        ("genomes.git/objects/pack", ""),
    ],
)
def test_whoever_writes_follows_no_link_out_of_the_archive(path: Path, mine: Path, name: str, target: str) -> None:
    row(path, "UPDATE meta SET value = '\"all\"' WHERE key = 'begun'")  # a killed writer may have left logs anywhere
    place = path / name
    if place.exists():
        place.rename(path.with_name("moved"))
    place.symlink_to(mine / target)
    with pytest.raises(UserError):
        steering.request(path, steering.Action.NOTE, text="seen")
    with pytest.raises(UserError):
        Archive.open(path, write=True)


def test_a_link_in_the_place_of_the_lock_is_nobodys_lock(path: Path, mine: Path) -> None:
    (path / lock.NAME).symlink_to(mine / "notes.txt")
    assert not lock.held(path)
    with Archive.open(path) as archive:
        assert len(archive.agents()) == 2


# Journals


def journal_that_names(database: Path, victim: Path) -> None:
    """A rollback journal without pages, whose end says that `victim` is the journal of all databases together."""
    content = database.read_bytes() if database.exists() else b""
    page = struct.unpack(">H", content[16:18])[0] if content else 4096
    head = (MAGIC + struct.pack(">IIIII", 0, 0, len(content) // page, 512, page)).ljust(512, b"\0")
    name = str(victim).encode()
    end = struct.pack(">I", 0x40000000 // page + 1) + name + struct.pack(">II", len(name), sum(name)) + MAGIC
    database.with_name(database.name + "-journal").write_bytes(head + end)


def test_a_journal_cannot_have_a_file_removed(path: Path, mine: Path) -> None:
    journal_that_names(path / "archive.db", mine / "notes.txt")
    with pytest.raises(UserError, match="remove the journal"):
        Archive.open(path)
    with pytest.raises(UserError, match="remove the journal"):
        Archive.open(path, write=True)
    assert [problem.partition("; ")[2] for problem in verify(path)] == ["remove the journal"]


def test_nor_can_the_journal_of_the_calls(path: Path, mine: Path) -> None:
    CallStore(path).close()
    journal_that_names(path / "calls.db", mine / "notes.txt")
    with pytest.raises(UserError, match="remove the journal"):
        CallStore(path)
    with pytest.raises(UserError):
        CallStore(path, write=False)


# git


def test_verify_runs_nothing_that_a_repositorys_configuration_says(path: Path, tmp_path: Path, git: Git) -> None:
    bare = path / GENOMES
    git(bare, "commit-graph", "write", "--reachable")
    commit = (bare / "refs/agents/1").read_text().strip()
    (bare / "objects" / commit[:2] / commit[2:]).unlink()  # git would fetch what it misses, from where it is told
    done = tmp_path / "done"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {done}\n")
    script.chmod(0o755)
    (bare / "config").write_text(
        "[core]\nrepositoryformatversion = 1\nbare = true\n"
        f"fsmonitor = {script}\nsshCommand = {script}\nalternateRefsCommand = {script}\nhooksPath = {tmp_path}\n"
        "[extensions]\npartialClone = origin\n"
        f'[remote "origin"]\nurl = ext::{script}\npromisor = true\n'
        '[protocol "ext"]\nallow = always\n[fsck]\nmissingEmail = ignore\n'
    )
    assert any(commit in problem for problem in verify(path))
    assert not done.exists()


# Genomes


def objects(path: Path) -> GitStore:
    return GitStore(path / GENOMES)


def with_tree(path: Path, tree: str) -> None:
    """Agent 1 gets this tree."""
    content = trees.encode_commit(trees.Commit(tree, (), "theirs"), "a <a@b>", 1.0)
    commit = objects(path).add("commit", content)
    objects(path).set_ref(1, commit)
    row(path, "UPDATE agents SET commit_hash = ?, tree = ? WHERE id = 1", commit, tree)


@pytest.mark.parametrize(
    "names",
    [
        [b"../../notes.txt"],
        [b"/tmp/notes.txt"],
        [b".."],
        [b"."],
        [b""],
        [b".git"],
        [b"a", b"a"],
    ],
)
def test_a_genome_with_names_that_lead_elsewhere_is_not_written_down(
    path: Path, mine: Path, names: list[bytes]
) -> None:
    git_store = objects(path)
    blob = git_store.add("blob", b"theirs\n")
    below = git_store.add("tree", trees.encode_tree([trees.Entry(trees.FILE, name, blob) for name in names]))
    with_tree(path, git_store.add("tree", trees.encode_tree([trees.Entry(trees.TREE, b"agent", below)])))
    with pytest.raises(UserError, match="damaged"):
        submissions.fork(path, 1, mine / "forked")
    with Archive.open(path) as archive, pytest.raises(UserError, match="damaged"):
        archive.patch(1)
    assert any("damaged" in problem for problem in verify(path))


def test_a_few_trees_that_hold_billions_of_files_are_refused(path: Path) -> None:
    git_store = objects(path)
    entries = [trees.Entry(trees.FILE, b"%d" % i, git_store.add("blob", b"x")) for i in range(10)]
    for _ in range(12):
        tree = git_store.add("tree", trees.encode_tree(entries))
        entries = [trees.Entry(trees.TREE, b"%d" % i, tree) for i in range(10)]
    with_tree(path, tree)
    with Archive.open(path) as archive, pytest.raises(UserError, match="more than 100000 entries"):
        archive.files(1)


def test_an_object_that_unpacks_to_more_than_memory_is_not_unpacked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = objects(path).add("blob", bytes(5_001))
    with_tree(path, objects(path).add("tree", trees.encode_tree([trees.Entry(trees.FILE, b"large", large)])))
    monkeypatch.setattr(store, "MAX_OBJECT", 5_000)
    with Archive.open(path) as archive, pytest.raises(UserError, match="more than 5000 bytes"):
        archive.files(1)


def test_a_genome_of_one_object_many_times_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = objects(path).add("blob", bytes(5_000))
    entries = [trees.Entry(trees.FILE, b"%d" % i, large) for i in range(11)]
    with_tree(path, objects(path).add("tree", trees.encode_tree(entries)))
    monkeypatch.setattr(store, "MAX_BYTES", 50_000)
    with Archive.open(path) as archive, pytest.raises(UserError, match="more than 50000 bytes"):
        archive.files(1)


# Rows


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM agents; END",
        "DROP TABLE events; CREATE VIEW events AS WITH RECURSIVE e (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM e)"
        " SELECT seq, 0.0 AS time, 'note' AS kind, '{}' AS body FROM e",
        "DROP TABLE events; CREATE TABLE events (seq INTEGER PRIMARY KEY, time REAL, kind TEXT,"
        " body TEXT AS (printf('%.*c', 900000000, 'x')))",
        "DROP TABLE events; CREATE VIRTUAL TABLE events USING fts5 (seq, time, kind, body)",
        "PRAGMA foreign_keys = OFF; UPDATE agents SET id = 4611686018427387904 WHERE id = 1",
        "PRAGMA foreign_keys = OFF; UPDATE agents SET id = -1 WHERE id = 1",
    ],
)
def test_a_database_that_works_something_out_or_counts_for_ever_is_refused(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path / "archive.db")) as connection:
        connection.executescript(statement)
    for write in (False, True):
        with pytest.raises(UserError, match="is damaged"):
            Archive.open(path, write=write)
    assert len(verify(path)) == 1


def test_a_readers_own_views_and_tables_are_no_harm(path: Path) -> None:
    with closing(sqlite3.connect(path / "archive.db")) as connection:
        connection.executescript("CREATE VIEW mine AS SELECT id FROM agents; CREATE TABLE notes (text TEXT)")
    with Archive.open(path) as archive:
        assert len(archive.agents()) == 2
    assert verify(path) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE agents SET summary = x'ff' WHERE id = 1",
        "UPDATE agents SET created = 9e999 WHERE id = 1",
        "UPDATE agents SET changed = '[[[1e999]]]' WHERE id = 1",
        "UPDATE agents SET admission = '<b>' WHERE id = 1",
        "UPDATE agents SET parent = x'00' WHERE id = 1",
        "UPDATE proposals SET seconds = 'long' WHERE id = 1",
        "UPDATE scores SET n = 'many'",
        "UPDATE scores SET mean = 9e999",
        "INSERT INTO events VALUES (1, 1.0, 'note', '{\"text\": NaN}')",
        "INSERT INTO events VALUES (1, 1.0, 'note', printf('%.*c', 100000, '['))",
        "PRAGMA foreign_keys = OFF; DELETE FROM proposals WHERE id = 1",
    ],
)
def test_rows_that_hold_anything_are_said_to_be_damaged_and_hide_no_other_archive(path: Path, statement: str) -> None:
    create(path.with_name("mine"), children=1).close()
    with closing(sqlite3.connect(path / "archive.db")) as connection:
        connection.executescript(statement)
    assert verify(path)
    listed = Pages(Shelf(path.parent)).archives({})["archives"]
    assert {run["name"]: "problem" in run for run in listed} == {"mine": False, "theirs": True}
    told = Tools(path.parent).archives()
    assert [one["name"] for one in told] == ["mine", "theirs"]
    assert "problem" not in told[0]


# Logs


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b"[1]", b'{"score": NaN}', b"\xff", b"x" * 2_000],
    ids=["deep", "no object", "no JSON", "no text", "large"],
)
def test_a_log_that_is_none_is_said_to_be_damaged(path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_LOG", 200_000 if content.startswith(b"[[") else 1_000)
    (path / "logs" / "1" / "grading.val.jsonl.gz").write_bytes(gzip.compress(content))
    with Archive.open(path) as archive, pytest.raises(UserError, match="is damaged"):
        archive.logs(1, "grading", "val")


def test_a_pipe_in_the_place_of_a_log_is_not_waited_for(path: Path) -> None:
    place = path / "logs" / "1" / "grading.val.jsonl.gz"
    place.unlink()
    os.mkfifo(place)
    with Archive.open(path) as archive, pytest.raises(UserError, match="is missing"):
        archive.logs(1, "grading", "val")


@pytest.mark.parametrize("name", ["archive.db", "archive.db-journal", "dgm.toml"])
def test_a_pipe_in_the_place_of_another_file_is_not_waited_for_and_hides_no_other_archive(
    path: Path, name: str
) -> None:
    create(path.parent / "own").close()
    (path / name).unlink(missing_ok=True)
    os.mkfifo(path / name)
    shown = Pages(Shelf(path.parent)).archives({})["archives"]
    assert [(run["name"], run.get("problem", "")) for run in shown] == [
        ("own", ""),
        ("theirs", shown[1]["problem"]),
    ]
    assert name in shown[1]["problem"]
    with pytest.raises(UserError, match=name):
        Archive.open(path)


def test_the_name_of_a_log_leads_to_no_other_file(path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.val.jsonl.gz").write_bytes(gzip.compress(b'{"task": "secret"}'))
    row(path, "UPDATE logs SET name = '../../../secret.val' WHERE agent = 1 AND name = 'grading.val'")
    with Archive.open(path) as archive, pytest.raises(UserError, match="can be none"):
        archive.logs(1, "../../../secret", "val")
    assert any("can be none" in problem for problem in verify(path))

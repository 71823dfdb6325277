"""A writer killed between any two writes: the next one loses nothing and counts nothing twice."""

from __future__ import annotations

import os
import sqlite3
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from dgm.archive import Archive, failpoints, packing
from dgm.archive.failpoints import failpoint
from dgm.archive.verify import verify
from dgm.errors import UserError
from tests.archive.world import child, contents, create, failed, genome, results


def _live(path: Path) -> None:
    """A whole life of an archive: made, grown, measured on test, tagged, closed. Where a process before was
    killed, it goes on; what is recorded is not made again, as the loop does it."""
    archive = Archive.open(path, write=True) if path.exists() else create(path)
    for make in (child(1), failed(2), child(3, 1)):
        if archive.next_id() == make.id:
            archive.record(make)
    archive.add_scores(3, *results(3, ("test",)))
    archive.tag_best("grading", 3)
    archive.close()


def live(path: Path, place: str = "", run: Callable[[Path], None] = _live) -> int:
    """Run the life above, or another, in a process of its own, to its end or to a failpoint; the exit code, 137 for a
    kill."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads that other tests left
        pid = os.fork()
    if pid == 0:
        try:
            os.environ["DGM_FAILPOINT"] = place
            run(path)
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert code in (0, 137)
    return code


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("undisturbed") / "run"
    assert live(path) == 0
    return path


def meaning(path: Path) -> list[object]:
    """All that an archive says, without when it was said."""
    with Archive.open(path) as archive:
        agents = archive.agents()
        return [
            archive.config,
            agents,
            archive.proposals(),
            archive.candidates(),
            archive.all_scores(),
            [archive.verdicts(agent.id) for agent in agents],
            [archive.files(agent.id) for agent in agents if agent.commit],
            contents(path / "logs"),
            contents(path / "genomes.git" / "refs"),
        ]


@pytest.mark.parametrize(
    "place",
    [
        *("create-begun", "create-store", "create-rows", "create-written", "create-renamed"),
        *("file-unnamed:4", "file-unnamed:9", "log:1", "log:4", "object:3", "object:8", "objects:2"),
        *(
            "ref:1",
            "ref:2",
            "rows-uncommitted:2",
            "rows-uncommitted:4",
            "rows-uncommitted:7",
            "rows:3",
            "rows:4",
            "rows:6",
        ),
        *("close-begun:2", "close-rows:2", "repair-begun", "repair-logs"),
    ],
)
def test_a_killed_run_is_resumed_without_loss(place: str, tmp_path: Path, undisturbed: Path) -> None:
    path = tmp_path / "run"
    assert live(path, place) == 137, f"{place} was never passed"
    if path.exists():
        with Archive.open(path) as archive:  # a reader, before anybody has repaired anything
            for agent in archive.agents():
                assert agent.commit is None or archive.files(agent.id) == genome(agent.id)
    assert live(path) == 0
    assert verify(path) == []
    assert meaning(path) == meaning(undisturbed)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run"]


def test_a_repair_that_is_killed_is_made_again(tmp_path: Path, undisturbed: Path) -> None:
    path = tmp_path / "run"
    assert live(path, "rows-uncommitted:4") == 137
    assert "refs/agents/1 has no record" in " ".join(verify(path)) or "refs/agents/3" in " ".join(verify(path))
    assert live(path, "repair-ref") == 137
    assert live(path) == 0
    assert meaning(path) == meaning(undisturbed)
    with Archive.open(path) as archive:
        assert any("removed: it had no record" in line for event in archive.events() for line in event.body)


def _packed_life(path: Path) -> None:
    """A life in which the agents' objects and refs are packed again and again."""
    packing.LOOSE = 12
    archive = Archive.open(path, write=True) if path.exists() else create(path)
    while (number := archive.next_id()) < 12:
        archive.record(child(number, number - 1))
        archive._packing.wait()  # type: ignore[union-attr]
    archive.close()


@pytest.mark.parametrize("place", ["packed", "packed:2", "refs-packed", "refs-packed:2", "ref:6", "rows-uncommitted:9"])
def test_a_kill_while_agents_are_packed_loses_none(place: str, tmp_path: Path) -> None:
    path = tmp_path / "run"
    assert live(path, place, _packed_life) == 137, f"{place} was never passed"
    assert all("has no record; the next" in line for line in verify(path))
    with Archive.open(path) as archive:
        assert all(archive.files(agent.id) == genome(agent.id) for agent in archive.agents())
    assert live(path, run=_packed_life) == 0
    assert verify(path) == []
    genomes = path / "genomes.git"
    assert (genomes / "refs" / "agents" / "0").is_file()
    assert sum(1 for _ in (genomes / "objects").glob("[0-9a-f][0-9a-f]/*")) < 24
    assert 0 < len(list((genomes / "objects" / "pack").glob("*.pack"))) < 5
    with Archive.open(path) as archive:
        assert [archive.files(number) for number in range(12)] == [genome(number) for number in range(12)]


def test_every_failpoint_is_a_place_that_a_test_kills_at() -> None:
    source = Path(__file__).read_text()
    assert [name for name in sorted(failpoints.NAMES) if f'"{name}' not in source] == []
    with pytest.raises(ValueError, match="no failpoint"):
        failpoint("nowhere")


def test_the_lock_of_a_killed_writer_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "run"
    assert live(path, "rows:4") == 137
    assert (path / "lock").exists()
    before = (path / "lock").read_bytes()
    assert len(Archive.open(path).agents()) == 2
    assert (path / "lock").read_bytes() == before
    with Archive.open(path, write=True), pytest.raises(UserError, match=f"process {os.getpid()} on"):
        Archive.open(path, write=True)
    assert not (path / "lock").exists()


def test_a_reader_of_a_killed_archive_sees_all_that_was_committed(tmp_path: Path) -> None:
    path = tmp_path / "run"
    assert live(path, "rows:6") == 137
    assert (path / "archive.db-wal").stat().st_size > 0
    with Archive.open(path) as archive:
        assert [agent.id for agent in archive.agents()] == [0, 1, 2, 3]
        assert archive.logs(3, "grading", "val") == results(3)[2]["grading.val"]
    with Archive.open(path, write=True) as archive:
        assert archive.next_id() == 4
    assert not (path / "archive.db-wal").exists()


def test_a_reader_takes_back_what_a_kill_left_half_written_beside_a_rollback_journal(tmp_path: Path) -> None:
    path = tmp_path / "run"
    assert live(path) == 0

    def half_write(path: Path) -> None:
        connection = sqlite3.connect(path / "archive.db", isolation_level=None)
        connection.execute("PRAGMA cache_size = 1")  # so that changed pages reach the file before the commit
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE agents SET summary = 'half written' || hex(randomblob(5000))")
        connection.execute("UPDATE verdicts SET ms = ms + 1")
        os._exit(137)

    before = meaning(path)
    assert live(path, run=half_write) == 137
    assert (path / "archive.db-journal").stat().st_size > 0
    assert b"half written" in (path / "archive.db").read_bytes()
    assert meaning(path) == before
    assert verify(path) == []


def test_what_is_of_no_record_is_cleared_and_what_was_lost_is_set_again(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with create(path, 1) as archive:
        archive.record(failed(2))
        commit = archive.agent(1).commit
        assert commit
        archive._records.begin([1])  # as before later results of agent 1 are written
    genomes = path / "genomes.git"
    (genomes / "refs" / "agents" / "7").write_text(commit + "\n")
    (genomes / "refs" / "agents" / "1").unlink()
    (genomes / "refs" / "agents" / "0.lock").write_text("half")
    (genomes / "objects" / "tmp_obj_dgm_x").write_text("half")
    (path / "logs" / "7").mkdir()
    (path / "logs" / "7" / "grading.val.jsonl.gz").write_bytes(b"half")
    (path / "logs" / "1" / "grading.val.tmp").write_bytes(b"half")
    found = " ".join(verify(path))
    assert "refs/agents/7 has no record" in found and "refs/agents/1 is missing" in found
    with Archive.open(path, write=True) as archive:
        (event,) = archive.events()
        assert event.kind == "repair"
        assert event.body == [
            "half-written git files removed: 2",
            "refs/agents/7 removed: it had no record",
            "refs/agents/1 set again",
            "logs/1/grading.val.tmp removed: it had no record",
            "logs/7/grading.val.jsonl.gz removed: it had no record",
        ]
        archive.record(child(3, 1))
    assert verify(path) == []
    with Archive.open(path, write=True) as archive:
        assert len(archive.events()) == 1  # nothing was left to repair


def test_the_roots_ref_is_a_file_again_after_somebody_packed_it(tmp_path: Path, git: object) -> None:
    path = tmp_path / "run"
    create(path, 1).close()
    git(path / "genomes.git", "--git-dir", ".", "pack-refs", "--all")  # type: ignore[operator]
    assert not (path / "genomes.git" / "refs" / "agents" / "0").exists()
    Archive.open(path, write=True).close()
    assert (path / "genomes.git" / "refs" / "agents" / "0").exists()
    assert verify(path) == []

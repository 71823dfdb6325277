"""The archive as a run uses it: what is recorded is there, whoever else looks, and nothing is ever
replaced."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from dgm import statistics
from dgm.archive import Admission, AgentRecord, Archive, DomainRecord, ScoreRecord, VerdictRecord, schema
from dgm.archive.database import NAME
from dgm.archive.verify import verify
from dgm.errors import Status, UserError
from tests.archive.world import Git, child, contents, create, failed, genome, proposal, results


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run"


def test_what_was_recorded_is_there_after_a_restart(path: Path) -> None:
    with create(path) as archive:
        made = archive.record(child(1, author="ada", parent2=None))
        archive.record(failed(2))
        archive.record(child(3, 1, parent2=0))
    with Archive.open(path) as archive:
        assert archive.name == "run"
        assert archive.config == "[search]\nproposals = 3\n"
        assert archive.agent(1) == made
        assert made.changed == ("agent/task_agent.py",)
        assert [agent.admission for agent in archive.agents()] == ["root", "admitted", "failed", "admitted"]
        assert (archive.agent(2).tree, archive.agent(2).status) == (None, Status.TIMEOUT)
        assert archive.proposals() == [proposal(0, None), proposal(1, 0), proposal(2, 0), proposal(3, 1)]
        assert archive.proposal(3).parent == 1
        assert archive.files(3) == genome(3)
        scores, verdicts, logs = results(1)
        assert archive.scores(1) == scores
        assert archive.verdicts(1) == verdicts
        assert archive.verdicts(1, "grading", "val") == [v for v in verdicts if v.split == "val"]
        assert archive.logs(1, "grading", "train") == logs["grading.train"]
        assert archive.logs(2, "grading", "train") == []
        assert [agent for agent, _ in archive.split_scores("val")] == [0, 1, 3]
        assert len(archive.all_scores()) == 6
        assert (archive.next_id(), archive.children(0), archive.children(2)) == (4, 2, 0)
        assert archive.patch(1) == archive.diff(0, 1)
        assert "-ANSWER = 0\n+ANSWER = 1\n" in archive.patch(1)
        assert archive.patch(2) == ""
    assert verify(path) == []


def test_candidates_are_the_agents_that_work_with_what_they_were_chosen_by(path: Path) -> None:
    with create(path) as archive:
        scores, verdicts, logs = results(1, tasks=3)  # one of three tasks right, three of six not measured
        archive.record(child(1, scores=scores, verdicts=verdicts, logs=logs))
        archive.record(failed(2, parent=1))
        archive.record(child(3, 1))
        archive.record(child(4, 1, admission=Admission.STILLBORN, scores=[], verdicts=[], logs={}))
        archive.record(child(5, 0, scores=[], verdicts=[], logs={}))
        live = archive.candidates()
    root, one, three, five = live
    assert (one.id, one.parent, one.children, one.working_children) == (1, 0, 3, 1)
    assert one.scores == {"grading": pytest.approx(1 / 6)}
    assert root.scores == {"grading": pytest.approx(2 / 6)}
    assert (root.children, three.children) == (2, 0)
    assert five.scores == {"grading": 0.0}
    with Archive.open(path) as archive:
        assert archive.candidates() == live


def test_a_domain_without_val_is_chosen_on_train_and_never_on_test(path: Path) -> None:
    scores, verdicts, logs = results(0, ("train", "test"))
    root = child(0, scores=scores, verdicts=verdicts, logs=logs)
    with Archive.create(path, "", root) as archive:
        train = next(s for s in scores if s.split == "train")
        assert archive.candidates()[0].scores == {"grading": train.scaled}
        more = results(0, ("val",), tasks=1)
        archive.add_scores(0, *more)
        assert archive.candidates()[0].scores == {"grading": pytest.approx(more[0][0].mean / 6)}


def test_test_scores_come_later_and_are_never_replaced(path: Path) -> None:
    with create(path, 1) as archive:
        scores, verdicts, logs = results(1, ("test",))
        archive.add_scores(1, scores, verdicts, logs)
        archive.add_scores(1, scores, [replace(v, ms=99) for v in verdicts], logs)
        before = contents(path / "logs")
        with pytest.raises(UserError, match=r"run#1 has another score on grading test already"):
            archive.add_scores(1, *results(2, ("test",)))
        assert contents(path / "logs") == before
        assert [s for s in archive.scores(1) if s.split == "test"] == scores
        assert archive.logs(1, "grading", "test") == logs["grading.test"]
        with pytest.raises(UserError, match="no agent 7"):
            archive.add_scores(7, scores, verdicts, logs)
    assert verify(path) == []


def test_a_missing_result_is_kept_as_missing(path: Path) -> None:
    scores, verdicts, logs = results(1, ("val",))
    values = [v.score for v in verdicts[1:] if v.score is not None]
    s = statistics.score(values, 6)
    lost = replace(verdicts[0], score=None, status=Status.INFRA)
    score = replace(scores[0], n=s.n, mean=s.mean, low=s.low, high=s.high)
    with create(path) as archive:
        archive.record(child(1, scores=[score], verdicts=[lost, *verdicts[1:]], logs=logs))
        assert archive.verdicts(1)[0] == lost
        assert archive.candidates()[1].scores["grading"] == pytest.approx(s.mean * 5 / 6)
    assert verify(path) == []


def test_hostile_text_is_stored_and_shown(path: Path) -> None:
    nasty = "NUL \0, surrogate \ud800, \x1b[31m, </script>, 'quote\", " + "x" * 10_000
    with create(path) as archive:
        logs = {
            "grading.train": [
                {"task": "q0", "log": nasty, "\udcff": [nasty]},
                {"task": "q1", "log": "y" * 400_000},
            ]
        }
        scores, verdicts, _ = results(1, ("train",))
        odd = [replace(verdicts[0], task="q\ud800\0"), *verdicts[1:]]
        archive.record(child(1, summary=nasty, reason=nasty, author=nasty, scores=scores, verdicts=odd, logs=logs))
        made = archive.agent(1)
    assert len(made.summary) == 2_000
    assert made.summary.startswith("NUL ␀, surrogate \\ud800, \x1b[31m, </script>")
    with Archive.open(path) as archive:
        assert archive.agent(1) == made
        first, second = archive.logs(1, "grading", "train")
        assert first["log"] == nasty
        assert (second["task"], "log" in second, second["cut"] > 400_000) == ("q1", False, True)
        assert "q\\ud800␀" in {v.task for v in archive.verdicts(1)}
    assert verify(path) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 0},
        {"id": 1},
        {"parent": None},
        {"parent": 9},
        {"parent": 2, "proposal": proposal(3, 2)},
        {"parent2": 2},
        {"files": None},
        {"files": {"../x": b""}},
        {"proposal": proposal(4, 0)},
        {"scores": []},
        {"scores": results(3)[0] * 2},
        {"admission": Admission.ROOT},
        {"logs": {"../../x": []}},
        {"logs": {"grading.train": [{"score": float("nan")}]}},
    ],
    ids=str,
)
def test_a_child_that_is_not_whole_is_refused_and_leaves_nothing(path: Path, changes: dict[str, object]) -> None:
    with create(path, 1) as archive:
        archive.record(failed(2))
        before = archive.agents()
        with pytest.raises(ValueError):
            archive.record(child(3, **changes))
        assert archive.agents() == before
    with Archive.open(path, write=True) as archive:
        assert archive.agents() == before
    assert verify(path) == []


def test_there_is_one_writer_and_the_error_names_it(path: Path) -> None:
    with create(path) as archive:
        with pytest.raises(UserError, match=rf"run is being written by process {os.getpid()} on .* since 20"):
            Archive.open(path, write=True)
        with Archive.open(path) as reader:
            assert len(reader.agents()) == 1
            archive.record(child(1))
            assert len(reader.agents()) == 2
            assert reader.candidates() == archive.candidates()
            with pytest.raises(ValueError, match="opened for reading"):
                reader.add_event("note", "no")
    Archive.open(path, write=True).close()


def test_a_closed_archive_is_plain_files_and_reading_changes_none(path: Path) -> None:
    create(path, 2).close()
    before = contents(path)
    assert {name for name in before if "/" not in name} == {"archive.db", "dgm.toml"}
    with Archive.open(path) as archive:
        for agent in archive.agents():
            archive.files(agent.id)
            archive.patch(agent.id)
            archive.verdicts(agent.id)
            archive.logs(agent.id, "grading", "val")
        archive.events()
    assert verify(path) == []
    assert contents(path) == before
    database = sqlite3.connect(f"file:{path / NAME}?mode=ro", uri=True)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    database.close()


def test_a_reader_in_the_middle_of_a_question_does_not_break_the_close(path: Path) -> None:
    archive = create(path, 1)
    other = sqlite3.connect(path / NAME)
    other.execute("BEGIN")
    assert other.execute("SELECT count(*) FROM agents").fetchone() == (2,)
    archive.close()
    assert other.execute("SELECT count(*) FROM agents").fetchone() == (2,)
    other.close()
    assert len(Archive.open(path).agents()) == 2
    Archive.open(path, write=True).close()
    assert sorted(p.name for p in path.iterdir()) == ["archive.db", "dgm.toml", "genomes.git", "logs"]


def test_an_archive_committed_into_another_repository_survives_a_clone(tmp_path: Path, git: Git) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "--quiet", "-b", "main")
    create(outer / "example", 2).close()
    git(outer, "add", ".")
    git(outer, "commit", "--quiet", "-m", "an example run")
    git(tmp_path, "clone", "--quiet", str(outer), "clone")
    clone = tmp_path / "clone"
    with Archive.open(clone / "example") as archive:
        assert archive.files(2) == genome(2)
        assert "+ANSWER = 2" in archive.diff(0, 2)
        assert archive.logs(2, "grading", "val") == results(2)[2]["grading.val"]
        assert len(archive.candidates()) == 3
    assert verify(clone / "example") == []
    assert git(clone, "status", "--porcelain", "--ignored") == ""
    log = git(clone / "example" / "genomes.git", "--git-dir", ".", "log", "--graph", "--all", "--format=%s")
    assert log.splitlines() == ["* agent 2: admitted", "* agent 1: admitted", "* agent 0: root"]


def test_the_tables_answer_questions_without_dgm(path: Path) -> None:
    domains = [DomainRecord("grading", "1", "a" * 64)]
    with Archive.create(path, "", child(0), domains) as archive:
        archive.record(child(1))
        assert archive.domains() == domains
    query = "SELECT agent, mean FROM scores JOIN domains ON domains.id = domain WHERE name = 'grading' ORDER BY 1"
    database = sqlite3.connect(f"file:{path / NAME}?mode=ro", uri=True)
    rows = database.execute(query).fetchall()
    database.close()
    assert [agent for agent, _ in rows] == [0, 0, 1, 1]


def test_a_verdict_costs_about_thirty_bytes(path: Path) -> None:
    count, agents = 200, 40
    s = statistics.score([1.0] * count, count)
    score = ScoreRecord("grading", "val", s.n, s.total, s.mean, s.low, s.high)
    verdicts = [VerdictRecord("grading", "val", f"question-{i}", 1.0, Status.OK, 250 + i) for i in range(count)]
    archive = create(path)
    archive.record(child(1, scores=[score], verdicts=verdicts, logs={}))
    archive.close()
    before = (path / NAME).stat().st_size
    with Archive.open(path, write=True) as archive:
        for number in range(2, 2 + agents):
            archive.record(child(number, scores=[score], verdicts=verdicts, logs={}))
    assert ((path / NAME).stat().st_size - before) / (count * agents) < 30


def test_several_threads_may_record(path: Path) -> None:
    with create(path) as archive:
        threads = [threading.Thread(target=lambda n=n: archive.record(child(n))) for n in (4, 2, 1, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [agent.id for agent in archive.agents()] == [0, 1, 2, 3, 4]
        assert archive.children(0) == 4
    assert verify(path) == []


def test_numbers_that_were_left_out_are_given_again(path: Path) -> None:
    with create(path) as archive:
        archive.record(child(2))
        assert archive.next_id() == 1
        archive.record(child(1))
        assert archive.next_id() == 3


def test_the_best_is_tagged_and_the_tag_moves(path: Path, git: Git) -> None:
    with create(path, 2) as archive:
        archive.tag_best("grading", 1)
        archive.tag_best("grading", 2)
        expected = archive.agent(2).commit
        archive.record(failed(3))
        with pytest.raises(UserError, match="run#3 has no genome"):
            archive.tag_best("grading", 3)
    assert git(path / "genomes.git", "--git-dir", ".", "rev-parse", "best-grading").strip() == expected


def test_events_are_kept_in_order(path: Path) -> None:
    with create(path) as archive:
        archive.add_event("pause", None)
        archive.add_event("note", {"text": "\ud800", "agent": 0})
        assert [(e.seq, e.kind, e.body) for e in archive.events()] == [
            (1, "pause", None),
            (2, "note", {"text": "\ud800", "agent": 0}),
        ]


# What a person gets wrong: one sentence, and nothing changes.


def _refusal(path: Path, write: bool = False) -> str:
    before = contents(path) if path.is_dir() else {}
    with pytest.raises(UserError) as refusal:
        Archive.open(path, write=write).candidates()
    assert (contents(path) if path.is_dir() else {}) == before
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize("write", [False, True])
def test_opening_what_is_no_archive_is_refused(tmp_path: Path, write: bool) -> None:
    assert "there is no archive at" in _refusal(tmp_path / "nothing", write)
    assert "is no archive: it holds no archive.db" in _refusal(tmp_path, write)
    other = tmp_path / "other"
    other.mkdir()
    sqlite3.connect(other / NAME).close()
    assert "not an archive's" in _refusal(other, write)


@pytest.mark.parametrize("write", [False, True])
def test_a_damaged_database_is_named_in_one_sentence(path: Path, write: bool) -> None:
    create(path, 3).close()
    whole = (path / NAME).read_bytes()
    (path / NAME).write_bytes(whole[: len(whole) // 2])
    assert "archive.db is damaged (sqlite says database disk image is malformed)" in _refusal(path, write)
    (path / NAME).write_bytes(b"not a database" * 1000)
    assert "archive.db is damaged (sqlite says file is not a database)" in _refusal(path, write)
    assert any("damaged" in problem for problem in verify(path))


def test_an_archive_of_a_newer_dgm_is_refused(path: Path) -> None:
    create(path).close()
    database = sqlite3.connect(path / NAME)
    database.execute("PRAGMA user_version = 99")
    database.close()
    assert "has format 99" in _refusal(path)
    assert "upgrade dgm" in _refusal(path, write=True)


def test_missing_parts_are_named(path: Path) -> None:
    create(path).close()
    (path / "dgm.toml").rename(path / "away")
    assert "dgm.toml is missing" in _refusal(path)
    (path / "away").rename(path / "dgm.toml")
    (path / "genomes.git" / "HEAD").unlink()
    assert "genomes.git is no git repository" in _refusal(path)


def test_unknown_agents_and_missing_genomes_are_named(path: Path) -> None:
    with create(path, 1) as archive:
        archive.record(failed(2))
        for call in (archive.agent, archive.files, archive.proposal, lambda i: archive.diff(0, i)):
            with pytest.raises(UserError, match="run has no agent 9; its agents are 0 to 2"):
                call(9)
        with pytest.raises(UserError, match="run#2 has no genome: the proposal ended as failed"):
            archive.files(2)


def test_creating_over_something_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run"
    create(path).close()
    with pytest.raises(UserError, match="run exists; choose another name or `dgm resume run`"):
        create(path)
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="full exists and is no archive"):
        create(full)
    with pytest.raises(UserError, match="is a file"):
        create(full / "thesis.txt")
    empty = tmp_path / "empty"
    empty.mkdir()
    create(empty).close()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "full", "run"]


def test_a_root_that_is_not_whole_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        Archive.create(tmp_path / "runs" / "run", "", child(0, files=None))
    assert list((tmp_path / "runs").iterdir()) == []


def test_a_database_copied_from_under_a_writer_is_read_without_traces(path: Path, tmp_path: Path) -> None:
    """Only archive.db was copied, and it still says that a log lies beside it."""
    archive = create(path)
    archive._records._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()  # type: ignore[union-attr]
    copy = tmp_path / "copy"
    shutil.copytree(path, copy, ignore=shutil.ignore_patterns("lock", "*-wal", "*-shm"))
    archive.close()
    before = contents(copy)
    assert len(Archive.open(copy).agents()) == 1
    assert contents(copy) == before


_ON_A_SMALL_DISK = """
import json, sys
from pathlib import Path
from dgm.archive import Archive
from dgm.errors import UserError
from tests.archive.world import child, create
big = {"agent/noise": __import__("random").Random(1).randbytes(300_000)}
path = Path(sys.argv[1]) / "run"
kept, said = [], []
def attempt(make):
    try:
        make()
    except UserError as error:
        said.append(str(error))
filler = Path(sys.argv[1]) / "filler"
filler.write_bytes(b"x" * 2_150_000)
attempt(lambda: create(path))
said.append(sorted(p.name for p in path.parent.iterdir()))
filler.unlink()
archive = create(path)
for number in range(1, 20):
    content = {"agent/noise": __import__("random").Random(number).randbytes(300_000)}
    attempt(lambda: archive.record(child(number, files=content)))
    if len(said) > 2:
        break
kept = [agent.id for agent in archive.agents()]
attempt(archive.close)
archive = Archive.open(path)
from dgm.archive.verify import verify
print(json.dumps([said, kept, [agent.id for agent in archive.agents()], verify(path)]))
"""


def test_a_full_disk_is_a_sentence_and_the_archive_stays_valid(tmp_path: Path, repository: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=2200k none "$0" && "$1" -c "$2" "$0"'
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        script,
        str(disk),
        sys.executable,
    ]
    probe = subprocess.run([*command[:4], "mount", "-t", "tmpfs", "none", str(disk)], capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip(f"no small disk can be made here: {probe.stderr.decode().strip()}")
    done = subprocess.run([*command, _ON_A_SMALL_DISK], cwd=repository, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    said, kept, found, problems = json.loads(done.stdout)
    told = f"the disk is full: {disk / 'run'} cannot grow; free some and"
    assert (said[0], said[2]) == (f"{told} try again", f"{told} `dgm resume run`")
    assert said[1] == ["filler"]
    assert found == kept and len(kept) > 2
    # What the interrupted proposal left goes with the next writer.
    assert all("has no record" in problem for problem in problems)


def test_a_database_that_cannot_grow_is_a_full_disk(path: Path) -> None:
    with create(path) as archive:
        pages = archive._records._connection.execute("PRAGMA page_count").fetchone()[0]  # type: ignore[union-attr]
        archive._records._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()  # type: ignore[union-attr]
        with pytest.raises(UserError, match="the disk is full"):
            for number in range(1, 200):
                archive.record(child(number, summary="x" * 2_000))
        kept = len(archive.agents())
        archive._records._connection.execute("PRAGMA max_page_count = 100000").fetchall()  # type: ignore[union-attr]
        archive.record(child(kept))  # the same proposal again, now that there is room
    assert verify(path) == []


def test_an_old_archive_is_brought_to_the_present_format(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create(path, 1).close()
    newest = schema.VERSION

    def to_next_version(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE agents ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'")

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, to_next_version))
    monkeypatch.setattr(schema, "VERSION", newest + 1)
    with Archive.open(path) as archive:  # a reader reads the old one as it is
        assert len(archive.agents()) == 2
    with Archive.open(path, write=True) as archive:
        assert isinstance(archive.record(child(2)), AgentRecord)
    database = sqlite3.connect(path / NAME)
    assert database.execute("PRAGMA user_version").fetchone() == (newest + 1,)
    assert database.execute("SELECT DISTINCT colour FROM agents").fetchall() == [("grey",)]
    database.close()

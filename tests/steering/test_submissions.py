"""A genome goes out, is edited, and comes back as a proposal like any other."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from dgm import steering
from dgm.archive import Admission, Archive
from dgm.archive.verify import verify
from dgm.errors import Status, UserError
from dgm.genome import HalfSpec, compose, parse_spec, sources
from dgm.proposal.propose import NotBorn, taken
from dgm.sitting import start
from dgm.steering import submissions
from dgm.steering.helm import Helm
from tests.archive.world import FAST, child, create, proposal
from tests.e2e.conftest import World

AGENT = HalfSpec(entry="agent/a.py:A", paths=("agent/",))
META = HalfSpec(entry="meta/m.py:M", paths=("meta/",))
GENOME = compose((AGENT, {"agent/a.py": b"A = 1\n"}), (META, {"meta/m.py": b"M = 1\n"}))
SPEC = parse_spec(GENOME, "test")
BOTH = frozenset({"agent", "meta"})


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=FAST, prefix="dgm-test-") as folder:
        yield Path(folder)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Archive.create(tmp_path / "run", "", child(0, files=GENOME)):
        pass
    return tmp_path / "run"


def one_submission(path: Path) -> submissions.Submission:
    with Archive.open(path, write=True) as archive:
        found = Helm(archive).submission()
    assert found is not None
    return found


def test_a_fork_that_is_edited_comes_back_as_a_child(path: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    assert submissions.fork(path, 0, mine) == sorted(GENOME)
    (mine / "agent" / "a.py").write_text("A = 2\n")
    assert submissions.origin(mine) == (path.resolve(), 0)
    asked, notices = submissions.submit(mine, path, 0, summary="two", author="ada")
    assert (asked.waits, notices) == (False, [])
    given = one_submission(path)
    edit = taken(given, GENOME, SPEC, BOTH)
    assert edit.files == {**GENOME, "agent/a.py": b"A = 2\n"}
    assert (edit.summary, given.author, given.parent) == ("two", "ada", 0)


def test_a_submission_waits_until_its_child_is_recorded(path: Path, tmp_path: Path) -> None:
    submissions.fork(path, 0, tmp_path / "mine")
    asked, _ = submissions.submit(tmp_path / "mine", path, 0)
    assert one_submission(path).id == asked.id
    assert one_submission(path).id == asked.id  # the kernel died before it was evaluated
    with Archive.open(path, write=True) as archive:
        helm = Helm(archive)
        given = helm.submission()
        assert given is not None
        assert helm.submission() is None  # each is handed out once
        how = replace(proposal(1, 0), selector="submit", key=given.id)
        archive.record(child(1, 0, proposal=how, author="ada"))
        helm.turn()
        assert steering.state(archive).submitted == ()
    assert not (path / "inbox").exists()
    assert verify(path) == []


def test_what_may_not_evolve_is_not_taken_from_a_submission(path: Path, tmp_path: Path) -> None:
    submissions.fork(path, 0, tmp_path / "mine")
    (tmp_path / "mine" / "meta" / "m.py").write_text("M = 2\n")
    (tmp_path / "mine" / "genome.toml").write_text("protocol = 1\n")
    (tmp_path / "mine" / "notes.txt").write_text("not declared\n")
    submissions.submit(tmp_path / "mine", path, 0)
    given = one_submission(path)
    with pytest.raises(NotBorn) as refused:
        taken(given, GENOME, SPEC, frozenset({"agent"}))
    assert refused.value.admission == Admission.UNCHANGED
    assert taken(given, GENOME, SPEC, BOTH).files == {**GENOME, "meta/m.py": b"M = 2\n"}


def test_links_and_git_are_left_out_with_a_notice(path: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    submissions.fork(path, 0, mine)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key.txt").write_text("sentinel")
    (mine / "agent" / "key.py").symlink_to(secret / "key.txt")
    (mine / "agent" / "below").symlink_to(secret)
    (mine / ".git").mkdir()
    (mine / ".git" / "config").write_text("[core]\n\tfsmonitor = touch /tmp/never\n")
    _, notices = submissions.submit(mine, path, 0)
    assert sorted(line.split(" is left out")[0] for line in notices) == [".git", "agent/below", "agent/key.py"]
    assert set(one_submission(path).files) == set(GENOME)


def test_a_submission_too_big_for_a_genome_is_refused_before_anything_is_sent(path: Path, tmp_path: Path) -> None:
    submissions.fork(path, 0, tmp_path / "mine")
    (tmp_path / "mine" / "agent" / "big.bin").write_bytes(b"x" * 1_000_001)
    with pytest.raises(UserError, match="at most 1000000"):
        submissions.submit(tmp_path / "mine", path, 0)
    assert steering.pending(path) == []


def test_a_submission_whose_files_were_spoilt_ends_as_refused(path: Path, tmp_path: Path) -> None:
    submissions.fork(path, 0, tmp_path / "mine")
    submissions.submit(tmp_path / "mine", path, 0)
    (file,) = (path / "inbox").iterdir()
    value = json.loads(file.read_text())
    value["files"] = {"../../escape": "eA=="}
    file.write_text(json.dumps(value))
    with pytest.raises(NotBorn) as refused:
        taken(one_submission(path), GENOME, SPEC, BOTH)
    assert (refused.value.admission, refused.value.status) == (Admission.REFUSED, Status.INVALID)


@pytest.mark.parametrize("marker", ["", "[]", '{"archive": 1, "agent": 2}', '{"archive": "x", "agent": "2"}', "{"])
def test_a_directory_without_a_sound_marker_needs_a_parent_named(tmp_path: Path, marker: str) -> None:
    (tmp_path / ".dgm-fork.json").write_text(marker)
    with pytest.raises(UserError, match="--to NAME#ID"):
        submissions.origin(tmp_path)


def test_a_fork_overwrites_nothing(path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("weeks of it")
    with pytest.raises(UserError, match="new or empty"):
        submissions.fork(path, 0, tmp_path / "mine")
    assert [entry.name for entry in (tmp_path / "mine").iterdir()] == ["work.txt"]


def test_only_agents_that_work_can_be_forked(tmp_path: Path) -> None:
    with create(tmp_path / "run", 1) as archive:
        archive.record(child(2, 0, admission=Admission.STILLBORN, scores=[], verdicts=[], logs={}))
    with pytest.raises(UserError, match="stillborn"):
        submissions.fork(tmp_path / "run", 2, tmp_path / "mine")


@pytest.mark.parametrize("named", [True, False])
def test_a_run_that_has_no_sandbox_for_want_of_one_takes_no_child_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    """Without a sandbox only what is shipped with dgm runs, unless somebody said that it may be otherwise."""
    monkeypatch.setattr("dgm.sandbox.choose.ISOLATING", {})
    shipped = sources.from_halves
    monkeypatch.setattr(sources, "from_halves", lambda *halves: replace(shipped(*halves), ours=True))
    world = World(tmp_path)
    with start.create(
        tmp_path / "run", world.config(world.agent(), world.meta(), "local" if named else "auto"), lambda _: None
    ):
        pass
    submissions.fork(tmp_path / "run", 0, tmp_path / "mine")
    with nullcontext() if named else pytest.raises(UserError, match="no sandbox, for none worked"):
        submissions.submit(tmp_path / "mine", tmp_path / "run", 0)

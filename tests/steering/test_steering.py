"""People steer a run: what they ask is recorded once, obeyed between proposals, and understood by `verify`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm import steering
from dgm.archive import Archive, Child
from dgm.archive.steered import PIN, Action, State
from dgm.archive.verify import verify
from dgm.errors import UserError
from dgm.steering.helm import Helm
from tests.archive.world import FAST, child, create, failed, proposal


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=FAST, prefix="dgm-test-") as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody but the kernel of a test holds its lock: no need to look twice."""
    monkeypatch.setattr(steering, "_MOMENT", 0.0)


@pytest.fixture
def at_rest(tmp_path: Path) -> Path:
    """An archive of agents 0 to 3 that nobody writes."""
    with create(tmp_path / "run", 3):
        pass
    return tmp_path / "run"


def made(number: int, parent: int, selector: str, after: float) -> Child:
    """A child whose proposal began a second after a time."""
    return child(number, parent, proposal=replace(proposal(number, parent), selector=selector, started=after + 1))


def last_event(archive: Archive) -> float:
    return archive.events()[-1].time


def state(path: Path) -> State:
    with Archive.open(path) as archive:
        return steering.state(archive)


def test_a_note_on_an_archive_at_rest_is_recorded_at_once(at_rest: Path) -> None:
    asked = steering.request(at_rest, Action.NOTE, agent=2, text="overfits <b>\x1b[31m", author="ada")
    assert not asked.waits
    (note,) = state(at_rest).notes
    assert (note.agent, note.text, note.author) == (2, "overfits <b>\x1b[31m", "ada")
    assert not (at_rest / "inbox").exists()
    assert not (at_rest / "lock").exists()
    assert verify(at_rest) == []


def test_a_request_to_a_running_kernel_waits_until_it_looks(tmp_path: Path) -> None:
    with create(tmp_path / "run", 2) as archive:
        helm = Helm(archive)
        asked = steering.request(archive.path, Action.VETO, agent=1, author="ada")
        assert asked.waits
        assert [request.id for request in steering.pending(archive.path)] == [asked.id]
        assert helm.state.vetoes == frozenset()
        assert helm.turn() is False
        assert helm.state.vetoes == {1}
        assert steering.pending(archive.path) == []
        assert list(helm.allowed(archive.view()).id) == [0, 2]
        assert verify(archive.path) == []


def test_a_paused_kernel_waits_and_a_stop_ends_it(tmp_path: Path) -> None:
    with create(tmp_path / "run", 1) as archive:
        helm = Helm(archive)
        steering.request(archive.path, Action.PAUSE)
        told: list[str] = []
        looks = 0

        def wait(_: float) -> None:
            nonlocal looks
            looks += 1
            assert helm.state.paused
            if looks == 3:
                steering.request(archive.path, Action.RESUME)

        assert helm.turn(told.append, wait) is False
        assert (looks, told) == (3, ["paused", "going on"])
        assert helm.waited > 0
        steering.request(archive.path, Action.PAUSE)
        steering.request(archive.path, Action.STOP)
        assert helm.turn(told.append, wait) is True


def test_a_pause_and_a_stop_end_with_their_sitting(tmp_path: Path) -> None:
    with create(tmp_path / "run", 1) as archive:
        helm = Helm(archive)
        steering.request(archive.path, Action.STOP)
        assert helm.turn() is True
    assert state(archive.path).stopped
    with Archive.open(archive.path, write=True) as archive:
        assert Helm(archive).turn() is False
    assert not state(archive.path).stopped
    assert verify(archive.path) == []


@pytest.mark.parametrize("action", [Action.PAUSE, Action.RESUME, Action.STOP])
def test_a_run_that_does_not_go_cannot_be_paused(at_rest: Path, action: Action) -> None:
    with pytest.raises(UserError, match="dgm resume run"):
        steering.request(at_rest, action)
    assert steering.pending(at_rest) == []


def test_a_pin_is_used_up_by_the_proposals_it_was_for(at_rest: Path) -> None:
    steering.request(at_rest, Action.PIN, agent=1, count=2)
    with Archive.open(at_rest, write=True) as archive:
        helm = Helm(archive)
        assert helm.pinned() == 1
        archive.record(made(4, 1, PIN, last_event(archive)))
        assert steering.state(archive).pins == (1,)
    # The kernel dies here; the next one goes on with what is left.
    with Archive.open(at_rest, write=True) as archive:
        helm = Helm(archive)
        assert [helm.pinned(), helm.pinned()] == [1, None]
        archive.record(made(5, 1, PIN, last_event(archive)))
        assert steering.state(archive).pins == ()
    assert verify(at_rest) == []


def test_an_unpin_drops_what_is_left_and_a_later_pin_counts_anew(at_rest: Path) -> None:
    steering.request(at_rest, Action.PIN, agent=1, count=5)
    steering.request(at_rest, Action.UNPIN, agent=1)
    assert state(at_rest).pins == ()
    steering.request(at_rest, Action.PIN, agent=1)
    assert state(at_rest).pins == (1,)


def test_a_veto_drops_the_agents_pins(at_rest: Path) -> None:
    steering.request(at_rest, Action.PIN, agent=1)
    steering.request(at_rest, Action.PIN, agent=2)
    steering.request(at_rest, Action.VETO, agent=1)
    assert state(at_rest).pins == (2,)
    with pytest.raises(UserError, match="take the veto back"):
        steering.request(at_rest, Action.PIN, agent=1)


def test_the_last_parent_that_is_left_cannot_be_vetoed(at_rest: Path) -> None:
    for agent in (0, 1, 2):
        steering.request(at_rest, Action.VETO, agent=agent)
    with pytest.raises(UserError, match="last parent"):
        steering.request(at_rest, Action.VETO, agent=3)
    steering.request(at_rest, Action.UNVETO, agent=0)
    steering.request(at_rest, Action.VETO, agent=3)
    assert state(at_rest).vetoes == {1, 2, 3}


@pytest.mark.parametrize(
    ("action", "agent", "text", "says"),
    [
        (Action.PIN, 9, "", "its agents are 0 to 4"),
        (Action.VETO, 4, "", "is no parent"),
        (Action.PIN, None, "", "give run#ID"),
        (Action.NOTE, 1, "  ", "empty"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    at_rest: Path, action: Action, agent: int | None, text: str, says: str
) -> None:
    with Archive.open(at_rest, write=True) as archive:
        archive.record(failed(4))
    before = len(Archive.open(at_rest).events())
    with pytest.raises(UserError, match=says):
        steering.request(at_rest, action, agent=agent, text=text)
    assert len(Archive.open(at_rest).events()) == before


def test_a_kill_between_event_and_removal_records_a_request_once(tmp_path: Path) -> None:
    with create(tmp_path / "run", 1) as archive:
        Helm(archive)
        steering.request(archive.path, Action.NOTE, agent=1, text="once")
        (file,) = (archive.path / "inbox").iterdir()
        content = file.read_bytes()
        steering.take_up(archive)
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)  # as a kill would have left it
        assert steering.take_up(archive) == []
        assert len(steering.state(archive).notes) == 1
        assert not file.exists()


REQUEST = b'{"id": "x", "action": "note", "author": "", "text": "t", %s}'


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"{", b'{"id": "x"}', b"[" * 100_000, b'{"id": NaN}', b'{"id": 3, "action": "veto"}', b"\xff\xfe",
        REQUEST % b'"asked": 1e999', REQUEST % b'"asked": -1e999', REQUEST % (b'"asked": 1' + b"0" * 400),
        REQUEST % b'"asked": 1, "agent": 9223372036854775808', REQUEST % b'"asked": 1, "agent": -9223372036854775809',
        REQUEST % (b'"asked": 1, "agent": 1, "count": 1' + b"0" * 400),
    ],
)  # fmt: skip
def test_a_file_that_is_no_request_is_put_down_and_removed(at_rest: Path, content: bytes) -> None:
    (at_rest / "inbox").mkdir()
    (at_rest / "inbox" / "x.json").write_bytes(content)
    with Archive.open(at_rest, write=True) as archive:
        helm = Helm(archive)
        assert helm.turn() is False
    assert not (at_rest / "inbox").exists()
    assert state(at_rest) == State()
    with Archive.open(at_rest) as archive:
        assert archive.events()[-1].body["refused"].startswith("x.json is no request")
    assert verify(at_rest) == []


def test_an_inbox_that_holds_folders_and_links_stops_nothing(at_rest: Path) -> None:
    (at_rest / "inbox" / "folder.json").mkdir(parents=True)
    (at_rest / "inbox" / "link.json").symlink_to("/etc/passwd")
    with Archive.open(at_rest, write=True) as archive:
        helm = Helm(archive)
        assert helm.turn() is False
        assert helm.turn() is False
        assert len(archive.events()) == 2  # each was put down once
    assert "root:" not in json.dumps([event.body for event in archive.events()])


@pytest.mark.parametrize("name", [b"x" * 150, b"\xff", b"\xed\xa0\x80"])
def test_what_cannot_be_removed_from_an_inbox_is_put_down_once_whatever_its_name(at_rest: Path, name: bytes) -> None:
    """A folder stays where it is, and a run that waits looks four times a second."""
    (at_rest / "inbox" / os.fsdecode(name + b".json")).mkdir(parents=True)
    with Archive.open(at_rest, write=True) as archive:
        helm = Helm(archive)
        for _ in range(3):
            helm.turn()
        assert len(archive.events()) == 1
        str(archive.events()[0].body).encode()
    assert verify(at_rest) == []


def test_two_who_ask_at_once_are_both_heard(at_rest: Path) -> None:
    code = "import sys; from pathlib import Path; from dgm import steering\n"
    code += "for i in range(5): steering.request(Path(sys.argv[1]), 'note', agent=1, text=f'{sys.argv[2]}{i}')"
    people = [subprocess.Popen([sys.executable, "-c", code, str(at_rest), who]) for who in "ab"]
    assert [person.wait() for person in people] == [0, 0]
    with Archive.open(at_rest, write=True) as archive:
        steering.take_up(archive)
        texts = {note.text for note in steering.state(archive).notes}
    assert texts == {f"{who}{i}" for who in "ab" for i in range(5)}


def test_verify_finds_a_child_of_a_vetoed_parent(at_rest: Path) -> None:
    steering.request(at_rest, Action.VETO, agent=1)
    with Archive.open(at_rest, write=True) as archive:
        archive.record(made(4, 1, "best", last_event(archive)))
    assert verify(at_rest) == ["agent 4: its parent 1 was vetoed before (event 1)"]


def test_verify_finds_a_pin_and_a_submission_that_nobody_asked_for(at_rest: Path) -> None:
    with Archive.open(at_rest, write=True) as archive:
        archive.record(made(4, 1, "pin", 0.0))
        archive.record(made(5, 1, "submit", 0.0))
    assert verify(at_rest) == [
        "agent 4: nobody pinned its parent 1",
        "agent 5: no event says that it was submitted",
    ]


def test_verify_finds_events_that_are_none(at_rest: Path) -> None:
    with Archive.open(at_rest, write=True) as archive:
        archive.add_event("steer", {"id": "a", "action": "explode"})
        archive.add_event("steer", {"id": "b", "action": "veto", "asked": 1.0, "version": 3, "author": "", "agent": 77})
        archive.add_event("steer", {"id": "b", "action": "note", "asked": 1.0, "version": 3, "author": ""})
    assert verify(at_rest) == [
        "event 1: it is no steering event",
        "event 2: it is about agent 77, which is no agent that works",
        "event 3: its text is missing or wrong",
    ]


actions = st.lists(
    st.tuples(st.sampled_from([Action.PIN, Action.UNPIN, Action.VETO, Action.UNVETO, Action.NOTE]), st.integers(0, 3)),
    max_size=12,
)


@settings(deadline=None, max_examples=12)
@given(actions, st.booleans())
def test_asked_at_rest_or_while_it_runs_the_state_is_the_same(
    asked: list[tuple[Action, int]], all_at_once: bool
) -> None:
    """Whether the kernel looks after each request or after all, and whether it was there at all."""
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        paths = [Path(folder, name) for name in ("rest", "runs")]
        refused: list[list[int]] = [[], []]
        with create(paths[0], 3):
            pass
        with create(paths[1], 3) as archive:
            helm = Helm(archive)
            for at, (action, agent) in enumerate(asked):
                for which, path in enumerate(paths):
                    try:
                        steering.request(path, action, agent=agent, text="t")
                    except UserError:
                        refused[which].append(at)
                if not all_at_once:
                    helm.turn()
            helm.turn()
            first, second = state(paths[0]), steering.state(archive)
            assert (first.pins, first.vetoes, len(first.notes)) == (second.pins, second.vetoes, len(second.notes))
            assert helm.state == second
            if not all_at_once:
                assert refused[0] == refused[1]
        assert [verify(path) for path in paths] == [[], []]

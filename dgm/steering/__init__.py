"""Steering a run from outside: pause, resume, stop, pin, veto, note, and submit a child that was made elsewhere.

A running kernel alone may write its archive, so a request is a file in the archive's folder `inbox/`. The kernel
takes the files up between two proposals, in the order they were asked, and records each as an event with author and
time; where no kernel runs, `request` takes the part of the kernel itself. A kill between the event and the removal of
its file does no harm: a request has an id, and is recorded once.

For a page or a command: `request`, `pending`, `state`, `running`, and `submissions`, the children that were made
outside. For the kernel: `dgm.steering.helm`. What the events mean is `dgm.archive.steered`. Not covered: who may ask.
Whoever may write the folder may steer the run.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from dgm.archive import Archive, foreign, lock
from dgm.archive.steered import KIND, OF_AN_AGENT, PIN, SUBMIT, Action, Note, State, state_of
from dgm.archive.text import clean
from dgm.errors import UserError
from dgm.steering.inbox import INBOX, MAX_AUTHOR, MAX_TEXT, Request, new_id, parsed, put, read, waiting

__all__ = [
    "FELL_BACK",
    "PIN",
    "SUBMIT",
    "Action",
    "Note",
    "Request",
    "State",
    "pending",
    "request",
    "running",
    "state",
    "take_up",
]

FELL_BACK = "unsandboxed"
"""Kind of the event of a run that was not told to go without a sandbox: none worked."""
MAX_COUNT = 1_000
"""Proposals that one pin is for at most."""
_MOMENT = 0.1
"""Seconds that a request takes to be recorded where no kernel runs, at most."""
_SITTING = frozenset({Action.PAUSE, Action.RESUME, Action.STOP})
"""What only a run that is going can be asked."""


def running(path: Path) -> bool:
    """Whether a kernel is at work on the archive at `path`."""
    return lock.held(path)


def state(archive: Archive) -> State:
    """How a run is steered at present, by what its kernel has taken up."""
    return state_of(archive.events(KIND), archive.proposals_of_people())


def pending(path: Path) -> list[Request]:
    """What was asked and not taken up yet, in the order it was asked. Files that are no requests are left out."""
    found = []
    for file in waiting(path):
        with suppress(UserError):
            found.append(parsed(file, read(file)))
    return found


def request(
    path: Path,
    action: Action,
    *,
    agent: int | None = None,
    count: int = 1,
    text: str = "",
    author: str = "",
    files: Mapping[str, str] | None = None,
) -> Request:
    """Ask something of the run in the archive at `path`. `files` is for `submit` alone: path to base 64.

    The request that comes back has `waits` set while a kernel runs, which will take it up before its next proposal;
    otherwise it is recorded already. Raises UserError for what cannot be: no such agent, nothing that runs.
    """
    asked = Request(
        new_id(),
        Action(action),
        clean(author, MAX_AUTHOR),
        time.time(),
        agent,
        count,
        clean(text, MAX_TEXT),
    )
    with Archive.open(path) as archive:
        if why := _objection(asked, archive, state(archive)):
            raise UserError(why)
    alive = running(path)
    if asked.action in _SITTING and not alive:
        raise UserError(f"no run is going on in {path.name}; `dgm resume {path.name}` starts it again")
    foreign.check_links(path)
    put(path, asked, files)
    if alive:  # perhaps not a run, but another request that held the lock for a moment
        time.sleep(_MOMENT)
        alive = running(path)
    if not alive:
        with suppress(_Busy):
            return _recorded(path, asked)
    return asked


class _Busy(Exception):
    """A kernel has come in the meantime; it will take the request up."""


def _recorded(path: Path, asked: Request) -> Request:
    try:
        archive = Archive.open(path, write=True)
    except UserError:
        if running(path):
            raise _Busy from None
        (path / INBOX / f"{asked.id}.json").unlink(missing_ok=True)
        raise
    with archive:
        done = {found.id: found for found in take_up(archive)}
    answer = done.get(asked.id, asked)
    if answer.refused:
        raise UserError(answer.refused)
    return answer


def take_up(archive: Archive) -> list[Request]:
    """Record what waits in the inbox, for the archive's writer alone; what was taken up, refused ones included.

    The file of a submission stays until its child is recorded (`dgm.steering.submissions`).
    """
    taken: list[Request] = []
    known = {event.body.get("id") for event in archive.events(KIND) if isinstance(event.body, dict)}
    for file in waiting(archive.path):
        if file.stem in known or _name(file) in known:
            _settle(archive, file)
            continue
        version, _ = archive.visible()
        try:
            asked = parsed(file, read(file))
        except UserError as error:
            body = {"id": _name(file), "action": str(Action.NOTE), "author": "", "asked": time.time()}
            archive.add_event(KIND, body | {"version": version, "refused": clean(str(error), MAX_TEXT)})
            _remove(file)
            continue
        why = _objection(asked, archive, state(archive))
        done = replace(asked, waits=False, refused=why)
        archive.add_event(KIND, done.body(version))
        taken.append(done)
        if why or asked.action != Action.SUBMIT:
            _remove(file)
    with suppress(OSError):  # it is not there, or something new came
        (archive.path / INBOX).rmdir()
    return taken


def _name(file: Path) -> str:
    """The id under which a file that is no request is known, whatever it is called."""
    return clean(file.stem, 100)


def _settle(archive: Archive, file: Path) -> None:
    """Remove the file of a request that is recorded, unless it is a submission that still has to be evaluated."""
    if file.stem not in state(archive).submitted:
        _remove(file)


def _remove(file: Path) -> None:
    with suppress(OSError):  # what somebody else put there and we may not touch is known by its name from now on
        file.unlink(missing_ok=True)


def _objection(asked: Request, archive: Archive, now: State) -> str:
    """Why a request cannot be done; empty if it can."""
    agent = None if asked.agent is None else archive.ask.agent(asked.agent)
    if asked.agent is not None and agent is None:
        return f"{archive.name} has no agent {asked.agent}; its agents are 0 to {archive.visible()[0]}"
    if asked.action in OF_AN_AGENT:
        if agent is None:
            return f"{asked.action} is about an agent; give {archive.name}#ID"
        if not agent.admission.works:
            return f"{archive.name}#{asked.agent} is no parent: its proposal ended as {agent.admission}"
    if asked.action == Action.SUBMIT and archive.events(FELL_BACK):
        return (
            f"{archive.name} has no sandbox, for none worked, and a child that was made elsewhere may do anything; "
            "begin a run where bubblewrap or docker works, or one with --sandbox local"
        )
    if asked.action == Action.NOTE and not asked.text.strip():
        return "the note is empty; give its text"
    if asked.action == Action.PIN and not 1 <= asked.count <= MAX_COUNT:
        return f"a pin is for 1 to {MAX_COUNT} proposals, not {asked.count}"
    if asked.action == Action.PIN and asked.agent in now.vetoes:
        return f"{archive.name}#{asked.agent} is vetoed; take the veto back first"
    if asked.action == Action.VETO:
        working = sum(count for outcome, count in archive.ask.outcomes().items() if outcome.works)
        if working <= len(now.vetoes | {asked.agent}):
            return f"{archive.name}#{asked.agent} is the last parent that is left; veto another"
    return ""

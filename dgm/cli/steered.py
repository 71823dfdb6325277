"""What people asked of a run and wrote on it, as lines for a terminal: of the run as a whole, and of one agent."""

from __future__ import annotations

from collections.abc import Iterator

from dgm import steering
from dgm.archive import Archive
from dgm.reporting import text


def standing(alive: bool, steered: steering.State) -> str:
    """Whether a run goes on at the moment: not running, running, paused or stopping."""
    if not alive:
        return "not running"
    return "paused" if steered.paused else "stopping" if steered.stopped else "running"


def of_run(archive: Archive) -> Iterator[str]:
    """How it goes at the moment, pins, vetoes and notes; nothing where nobody runs or steers it."""
    alive, now = steering.running(archive.path), steering.state(archive)
    if alive:
        hint = f"; `dgm resume {text.printable(archive.name)}` goes on" if now.paused else ""
        yield f"at present: {standing(alive, now)}{hint}"
    if now.pins:
        yield f"pinned, the next parents: {', '.join(f'#{agent}' for agent in now.pins)}"
    if now.vetoes:
        yield f"vetoed, no parents: {', '.join(f'#{agent}' for agent in sorted(now.vetoes))}"
    for note in now.notes:
        if note.agent is None:
            yield _note(note)


def of_agent(archive: Archive, agent: int) -> Iterator[str]:
    """The same of one agent, without how the run goes."""
    state = steering.state(archive)
    if agent in state.pins:
        yield f"pinned: for {state.pins.count(agent)} more proposals"
    if agent in state.vetoes:
        yield "vetoed: it is no parent any more"
    for note in state.notes:
        if note.agent == agent:
            yield _note(note)


def _note(note: steering.Note) -> str:
    return f"note: {text.one_line(note.text, 500)}" + (f" ({text.printable(note.author)})" if note.author else "")

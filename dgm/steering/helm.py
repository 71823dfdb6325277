"""The kernel's side of steering: what was asked, brought up to date between two proposals."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from dgm.archive import Archive
from dgm.archive.steered import KIND, Action, State
from dgm.steering import inbox, state, take_up
from dgm.steering.inbox import Request, new_id
from dgm.steering.submissions import Submission, waiting

if TYPE_CHECKING:
    from dgm.archive.view import View

POLL = 0.25
"""Seconds between two looks into the inbox while a run is paused."""


class Helm:
    """The kernel's side, one for each sitting of a run: what was asked, brought up to date by `turn`.

    A pause or a stop ends with its sitting: whoever starts the run again wants it to go on.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.waited = 0.0  #: seconds spent in pauses, which are no part of a run's time
        take_up(archive)
        self._state = state(archive)
        if self._state.paused or self._state.stopped:
            # An event of its own, so that events alone tell how a run is steered.
            mine = Request(new_id(), Action.RESUME, "", time.time())
            archive.add_event(KIND, mine.body(archive.visible()[0]))
            self._state = state(archive)
        self._pins = list(self._state.pins)
        self._given: set[str] = set()

    @property
    def state(self) -> State:
        return self._state

    def turn(self, tell: Callable[[str], None] = lambda _: None, wait: Callable[[float], object] = time.sleep) -> bool:
        """Take up what was asked, and wait here while the run is paused. True when it is to stop.

        Between two proposals; where several are made at once, by one thread.
        """
        self._look()
        if not self._state.paused or self._state.stopped:
            return self._state.stopped
        tell("paused")
        began = time.monotonic()
        while self._state.paused and not self._state.stopped:
            wait(POLL)
            self._look()
        self.waited += time.monotonic() - began
        tell("stopped" if self._state.stopped else "going on")
        return self._state.stopped

    def pinned(self) -> int | None:
        """The parent that the next proposal is to have, and once only; None where nobody chose one."""
        return self._pins.pop(0) if self._pins else None

    def submission(self) -> Submission | None:
        """A child that was made outside and is to be the next proposal, each once; None without one."""
        if self._state.submitted:
            for one in waiting(self._archive):
                if one.id not in self._given:
                    self._given.add(one.id)
                    return one
        return None

    def allowed(self, view: View) -> View:
        """A view without the agents that were vetoed: what a selector is to choose from."""
        return view.without(self._state.vetoes)

    def _look(self) -> None:
        if not inbox.waiting(self._archive.path):
            return
        taken = take_up(self._archive)
        self._state = state(self._archive)
        for asked in taken:
            if asked.refused:
                continue
            if asked.action == Action.PIN and asked.agent is not None:
                self._pins += [asked.agent] * asked.count
            elif asked.action in (Action.UNPIN, Action.VETO):
                self._pins = [agent for agent in self._pins if agent != asked.agent]

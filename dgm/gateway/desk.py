"""Where the model calls of one sandbox arrive: the kernel's frame loop hands them in and takes replies out.

Each call has a thread to itself, so that a slow provider holds up neither the loop nor other calls. When a request
ends, its calls are dropped: whatever comes back later is on record but goes nowhere.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from dgm.errors import AgentFailed, Status
from dgm.gateway import HeldUp, Rejected, Reply, Scope
from dgm.gateway.answers import error
from dgm.gateway.form import OPENAI
from dgm.gateway.visit import Answering, Cancelled, Ticket, Visit

AT_ONCE = 16
"""Calls of one sandbox that are under way at once; the relay keeps others waiting."""

MAX_RUNNING = 4 * AT_ONCE
"""The same, with those whose maker has hung up but which the provider still works on."""

MAX_BODY = 4 << 20
"""Bytes of a request's body."""


class Desk:
    """The calls of one session, in one name (agent, role, proposal). Belongs to the session's thread."""

    at_once, max_body = AT_ONCE, MAX_BODY

    def __init__(self, gateway: Answering, scope: Scope, models: Sequence[str]) -> None:
        self._gateway, self._scope, self._models = gateway, scope, models

    @property
    def model(self) -> str:
        """The default model as an agent is told of it: in a form that litellm, too, asks the gateway for."""
        return f"{OPENAI}{self._models[0].removeprefix(OPENAI)}"

    @contextmanager
    def serving(self, task: str) -> Iterator[Round]:
        """A request under way. Raises ModelUnavailable at once while the provider does not answer."""
        visit = self._gateway.visit(replace(self._scope, task=task), self._models)
        served = Round(self._gateway, visit)
        try:
            yield served
        finally:
            served.end()


class Round:
    """The calls of one request. `take`, `gone`, `finished` and `check` are for the frame loop alone."""

    def __init__(self, gateway: Answering, visit: Visit) -> None:
        self._gateway, self._visit = gateway, visit
        self._lock = threading.Lock()
        self._open: dict[str, Ticket] = {}
        self._done: list[tuple[str, Reply]] = []
        self._woken = False
        self._failure: BaseException | None = None
        self._delayed, self._running = False, 0
        self._ended = False
        self.wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)  #: readable when there is something to look at

    def take(self, mark: str, path: str, body: bytes) -> None:
        """Begin a call. Raises AgentFailed for what no relay of ours sends."""
        with self._lock:
            if mark in self._open or len(self._open) >= AT_ONCE or len(body) > MAX_BODY:
                raise AgentFailed(Status.TAMPERED, "a model call that was not due")
            ticket = self._open[mark] = Ticket()
            self._running += 1
            if self._running > MAX_RUNNING:
                self._running -= 1
                del self._open[mark]
                self._done.append((mark, error(Rejected(429, "too_many_calls", "too many calls were given up"))))
                self._wake_up()
                return
        self._gateway.threads.begin(partial(self._run, mark, path, body, ticket))

    def gone(self, mark: str) -> None:
        """Who made a call has hung up. Had it been held up by a fault, this request cannot count."""
        with self._lock:
            if (ticket := self._open.pop(mark, None)) is not None:
                ticket.cancelled.set()
                if ticket.delayed:
                    self._failure = self._failure or _held_up()

    def finished(self) -> list[tuple[str, Reply]]:
        """The replies since the last time, by mark."""
        with self._lock:
            if self._woken:
                self._woken = False
                os.eventfd_read(self.wake)
            done, self._done = self._done, []
            return done

    def check(self) -> None:
        """Raises what a call ended with that is not for the agent."""
        if self._failure is not None:
            raise self._failure

    def check_end(self, late: bool) -> None:
        """As `check`, when the request has ended, `late` or in time. A late one is not the agent's fault if any of its
        calls was held up, and none is if such a call is still open. Raises ModelUnavailable."""
        self.check()
        with self._lock:
            if (late and self._delayed) or any(ticket.delayed for ticket in self._open.values()):
                raise _held_up()

    def end(self) -> None:
        """Drop what is under way. May be called twice."""
        with self._lock:
            if not self._ended:
                self._ended = True
                for ticket in self._open.values():
                    ticket.cancelled.set()
                self._open.clear()
                os.close(self.wake)

    def _wake_up(self) -> None:
        self._woken = True
        os.eventfd_write(self.wake, 1)

    def _run(self, mark: str, path: str, body: bytes, ticket: Ticket) -> None:
        reply: Reply | None = None
        failure: BaseException | None = None
        try:
            reply = self._gateway.answer(path, body, self._visit, ticket)
        except Cancelled:
            pass
        except BaseException as raised:  # raised again, in the loop's thread, by `check`
            failure = raised
        with self._lock:
            self._running -= 1
            self._delayed = self._delayed or ticket.delayed
            if self._ended:
                return
            self._failure = self._failure or failure
            if reply is not None and self._open.pop(mark, None) is not None:
                self._done.append((mark, reply))
            self._wake_up()


def _held_up() -> HeldUp:
    return HeldUp("a model call was held up by the provider, so that the request could not end in its time")

"""The work in sandboxes that is under way in any thread, so that all of it can be given up together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from dgm.errors import SandboxUnavailable


class Abortable(Protocol):
    """Work in a sandbox."""

    def abort(self) -> None:
        """From another thread: end it at once; whoever does it gets SandboxUnavailable."""
        ...


class Ongoing:
    """The work in sandboxes that is under way, so that all of it can be given up together."""

    def __init__(self) -> None:
        self._work: set[Abortable] = set()
        self._lock = threading.Lock()
        self.given_up = threading.Event()

    @contextmanager
    def holding(self, work: Abortable) -> Iterator[None]:
        """While it goes on. Raises SandboxUnavailable at once when all has been given up already."""
        with self._lock:
            if self.given_up.is_set():
                raise SandboxUnavailable("the work was given up")
            self._work.add(work)
        try:
            yield
        finally:
            with self._lock:
                self._work.discard(work)

    def abort(self) -> None:
        """Give everything up."""
        with self._lock:
            self.given_up.set()
            work = list(self._work)
        for one in work:
            one.abort()


TRIES = 3
T = TypeVar("T")


def persistently(work: Callable[[], T], given_up: threading.Event) -> T:
    """What `work` gives, tried again when the sandbox fails. Raises SandboxUnavailable when it fails three times, or
    when the work was given up."""
    for attempt in range(TRIES):
        try:
            return work()
        except SandboxUnavailable:
            if attempt == TRIES - 1 or given_up.is_set():
                raise
            given_up.wait(0.1 * 2**attempt)
    raise AssertionError("unreachable")

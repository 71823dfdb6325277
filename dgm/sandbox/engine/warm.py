"""Containers that start ahead of need, for most of their time passes before anything goes in."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock

from dgm.errors import SandboxUnavailable
from dgm.sandbox import Limits
from dgm.sandbox.engine.container import FILES_MB, Container

KINDS = 3
"""Kinds of limits for which containers wait; those of a fourth go in exchange for those not asked for the longest."""


class Warm:
    """Spare containers for the limits that were asked for before: each is taken once, by one session, or removed.

    At most `ahead` times KINDS wait at any time. May be used by several threads.
    """

    def __init__(self, make: Callable[[Limits, int], Container], ahead: int) -> None:
        """`make(limits, files_mb)` starts a container; `ahead` of them wait for each kind of limits."""
        self._make, self._ahead = make, ahead
        self._spare: dict[Limits, deque[Future[Container]]] = {}
        self._unwanted: list[Future[Container]] = []
        self._lock = Lock()
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="dgm-warm")
        self._closing = Event()
        self._took = 0.0  # seconds, to start the last one

    def take(self, limits: Limits, files_mb: int) -> Container:
        """A container that nobody has used: a spare one, else a new one. Raises SandboxUnavailable."""
        spare = self._next(limits) if files_mb <= FILES_MB else None
        if spare is not None:
            with contextlib.suppress(SandboxUnavailable):  # it may go well now, or will say so again
                container = spare.result()
                if container.waits():
                    return container
                container.close()
        return self._make(limits, files_mb)

    def expect(self, limits: Limits) -> None:
        """Start what will be asked for soon."""
        with self._lock:
            if not self._closing.is_set():
                self._fill(limits, self._spare.setdefault(limits, deque()))

    def close(self) -> None:
        """Remove what nobody has taken. May be called twice."""
        self._closing.set()
        with self._lock:
            left = [*self._unwanted, *(future for spares in self._spare.values() for future in spares)]
            self._spare.clear()
        self._starter.shutdown(wait=True, cancel_futures=True)
        for future in left:
            _remove(future)

    def _next(self, limits: Limits) -> Future[Container] | None:
        """Take a spare container, and have others started in its place."""
        with self._lock:
            if self._closing.is_set():
                return None
            spares = self._spare.pop(limits, deque())
            self._spare[limits] = spares  # the last of them is the one asked for last
            while len(self._spare) > KINDS:
                self._unwanted += self._spare.pop(next(iter(self._spare)))
            if self._unwanted:
                self._starter.submit(self._clear)
            taken = spares.popleft() if spares else None
            self._fill(limits, spares)
            return taken

    def _fill(self, limits: Limits, spares: deque[Future[Container]]) -> None:
        while len(spares) < self._ahead:
            spares.append(self._starter.submit(self._start, limits))

    def _start(self, limits: Limits) -> Container:
        """In the starter's thread. While one of each kind waits there is no hurry, and half of the time is left to who
        has work to do: to start a container takes more than one processor."""
        if self._at_leisure():
            self._closing.wait(self._took)
        began = time.monotonic()
        container = self._make(limits, FILES_MB)
        self._took = time.monotonic() - began
        return container

    def _at_leisure(self) -> bool:
        with self._lock:
            return all(any(spare.done() for spare in spares) for spares in self._spare.values())

    def _clear(self) -> None:
        """In the starter's thread, which has started them before: remove those of a kind that is no longer kept."""
        while True:
            with self._lock:
                if not self._unwanted:
                    return
                future = self._unwanted.pop()
            _remove(future)


def _remove(future: Future[Container]) -> None:
    """Remove a container that nobody will take."""
    if not future.cancelled() and future.exception() is None:
        future.result().close()

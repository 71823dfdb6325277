"""Daemon threads that serve one call after the other: starting one for each holds up whoever hands in the next.

Daemons, so that nobody waits for a slow provider when the program ends. Not a limit: there are as many as are under
way at once, and whoever hands in work bounds that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from dgm.closing import Closing

Work = Callable[[], object]


class Threads(Closing):
    """`begin` may be called from any thread. The work must not raise."""

    def __init__(self, name: str) -> None:
        self._name, self._lock = name, threading.Lock()
        self._idle: list[SimpleQueue[Work | None]] = []
        self._closed = False

    def begin(self, work: Work) -> None:
        """Have `work` done at once, by a thread that is idle or by a new one."""
        with self._lock:
            queue = self._idle.pop() if self._idle else None
        if queue is None:
            queue = SimpleQueue()
            threading.Thread(target=self._live, args=(queue,), name=self._name, daemon=True).start()
        queue.put(work)

    def close(self) -> None:
        """Let the idle ones end, and the others when their work is done. May be called twice."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for one in idle:
            one.put(None)

    def _live(self, queue: SimpleQueue[Work | None]) -> None:
        while (work := queue.get()) is not None:
            work()
            del work  # what it holds is not kept until the next one
            with self._lock:
                if self._closed:
                    return
                self._idle.append(queue)

"""The kernel's end of a runner's pipes: frames with deadlines, and what the runner says on its standard error.

Nothing here can be made to wait by the other side: pipes do not block, every wait has an end on the kernel's monotonic
clock, and what is printed without end is read and let go.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Mapping

from dgm.domain import JSON
from dgm.sandbox import Process
from dgm.wire import Frame, pack, read_frame, show

KEPT = 4_000
"""Bytes of standard error that are kept."""

PIECE = 1 << 16
"""Bytes that are read at once, where there are so many: a small frame comes in one piece."""

SLACK = 5.0
"""Seconds for which what has come by the deadline is still read, by a kernel that had more to do: without an end, who
sends frames without a pause would never be late."""


class Late(Exception):
    """The deadline has passed."""


class Lost(Exception):
    """The other side is gone."""


class Channel:
    """Frames to and from a process. A deadline is a time of `time.monotonic()`."""

    def __init__(self, process: Process, ear: Callable[[bytes], None] | None = None) -> None:
        """`ear` is given the bytes of each frame's parts, before they are read as anything."""
        self._ear = ear
        self._in, self._out, self._err = (pipe.fileno() for pipe in (process.stdin, process.stdout, process.stderr))
        for fd in (self._in, self._out, self._err):
            os.set_blocking(fd, False)
        self._errors, self._errors_ended = b"", False
        self._ahead = bytearray()

    def send(
        self, header: Mapping[str, JSON], blob: bytes, deadline: float, prefix: bytes = b"", ahead: int = 0
    ) -> None:
        """Write a frame (after `prefix`, raw). Raises Late or Lost.

        The other side may be writing too: meanwhile at most `ahead` bytes of it are read and kept, so that two full
        pipes do not wait for each other.
        """
        view = memoryview(prefix + pack(header, blob))
        while view:
            reading = {self._out: select.POLLIN} if len(self._ahead) < ahead else {}
            ready = self._await({self._in: select.POLLOUT, **reading}, deadline)
            if self._out in ready:
                ahead = self._read_ahead(ahead)
            if self._in not in ready:
                continue
            try:
                view = view[os.write(self._in, view[: 1 << 20]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise Lost from None

    def receive(self, deadline: float, max_blob: int) -> Frame:
        """Read a frame. Raises Late, Lost, or AgentFailed for what is no frame."""
        return read_frame(lambda count: self._exactly(count, deadline), max_blob)

    def begins(self, deadline: float, wake: int) -> bool:
        """Wait until a frame begins or `wake` can be read; whether a frame begins. Raises Late."""
        if time.monotonic() > deadline + SLACK:
            raise Late
        if self._ahead:
            return True
        return self._out in self._await({self._out: select.POLLIN, wake: select.POLLIN}, deadline)

    def errors(self) -> str:
        """The beginning of what the process has printed on its standard error, for people."""
        self._drain()
        return show(self._errors).strip()

    def _exactly(self, count: int, deadline: float) -> bytes:
        while len(self._ahead) < count:
            try:
                part = os.read(self._out, max(PIECE, min(count - len(self._ahead), 1 << 20)))
            except BlockingIOError:
                self._await({self._out: select.POLLIN}, deadline)
                continue
            except OSError:
                raise Lost from None
            if not part:
                raise Lost
            self._ahead += part
        whole = bytes(self._ahead[:count])
        del self._ahead[:count]
        if self._ear is not None:
            self._ear(whole)
        return whole

    def _read_ahead(self, limit: int) -> int:
        """Keep some of what comes; how much may be kept from now on: nothing more when the other side has ended."""
        try:
            part = os.read(self._out, min(limit - len(self._ahead), 1 << 20))
        except BlockingIOError:
            return limit
        except OSError:
            return 0
        self._ahead += part
        return limit if part else 0

    def _await(self, wanted: Mapping[int, int], deadline: float) -> Mapping[int, int]:
        """Until one of `wanted` (descriptor: event) can be used; all that can be, were it late by now. Standard error
        is read meanwhile, so that nobody is held up by printing there."""
        while True:
            left = deadline - time.monotonic()
            poll = select.poll()
            for fd, event in wanted.items():
                poll.register(fd, event)
            if not self._errors_ended:
                poll.register(self._err, select.POLLIN)
            ready = dict(poll.poll(max(0.0, left) * 1000 + 1))
            if self._err in ready:
                self._drain(once=True)
            if wanted.keys() & ready.keys():
                return ready
            if left <= 0:
                raise Late

    def _drain(self, once: bool = False) -> None:
        """Read what there is on standard error, or at `once` one piece of it, and keep its beginning."""
        while True:
            try:
                data = os.read(self._err, 1 << 16)
            except OSError:
                return
            if not data:
                self._errors_ended = True
                return
            self._errors = (self._errors + data)[:KEPT]
            if once:
                return

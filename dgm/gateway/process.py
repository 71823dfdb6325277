"""An upstream in a process of its own: what it loads and computes takes neither the kernel's memory nor its processor.

litellm takes seconds and hundreds of megabytes to load, and for each call milliseconds in which no other thread of the
kernel could run. The process belongs to its kernel: it ends with the socket on which it was given its connections,
however the kernel ends. Each call in progress has a connection, so that there are as many as are under way at once.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import closing
from multiprocessing.connection import Connection
from typing import Any, Protocol

from dgm.closing import Closing, on_failure
from dgm.domain import JSON
from dgm.errors import DgmError
from dgm.gateway import Completion, Fault, Rejected, Upstream

END_SECONDS = 5.0
MOST_BYTES = 4 << 30
"""Of memory that the process may have: what a request makes a library hold is not known here."""


class Checked(Upstream, Protocol):
    """An upstream that knows before the first call whether a model may be asked for."""

    def check(self, model: str) -> None:
        """Raises Denied."""
        ...


class ProcessUpstream(Closing):
    """What `make` makes, asked from here. May be asked by many threads; the process starts at the first call, and again
    where it was killed."""

    def __init__(self, make: Callable[[], Checked]) -> None:
        """`make` is sent to the process, so it must be one that can be pickled."""
        self._make, self._lock, self._closed = make, threading.Lock(), False
        self._process: subprocess.Popen[bytes] | None = None
        self._control = socket.socket()
        self._idle: list[Connection] = []

    def complete(self, request: Mapping[str, JSON]) -> Completion:
        completion: Completion = self._ask("complete", dict(request))
        return completion

    def check(self, model: str) -> None:
        """Raises Denied, as the upstream itself."""
        self._ask("check", model)

    def close(self) -> None:
        """End the process. Calls under way end with a Fault. May be called twice."""
        with self._lock:
            self._closed = True
            self._end()

    def _ask(self, method: str, argument: object) -> Any:
        connection = self._connection()
        with on_failure(connection.close):
            try:
                connection.send((method, argument))
                good, told = connection.recv()
            except (EOFError, OSError) as error:
                raise Fault("the process that asks the provider has ended", billed=True) from error
        self._give_back(connection)
        if not good:
            raise told
        return told

    def _connection(self) -> Connection:
        """One that nobody uses."""
        with self._lock:
            if self._closed:
                raise Fault("the provider is not asked any more")
            if self._process is None or self._process.poll() is not None:
                self._end()
                self._start()
            if self._idle:
                return self._idle.pop()
            ours, theirs = socket.socketpair()
            with theirs, on_failure(ours.close):
                try:
                    socket.send_fds(self._control, [b"+"], [theirs.fileno()])
                except OSError as error:
                    raise Fault("the process that asks the provider has ended") from error
            return Connection(ours.detach())

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            if self._closed:
                connection.close()
            else:
                self._idle.append(connection)

    def _start(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the kernel, which may want an answer still
            )
        with closing(Connection(os.dup(self._control.fileno()))) as connection:
            connection.send(self._make)

    def _end(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        self._control.close()
        if self._process is not None:
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None


def serve(control: socket.socket) -> None:
    """The process: make the upstream, and answer on every connection that comes, until nobody can send one."""
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    with closing(Connection(os.dup(control.fileno()))) as connection:
        upstream: Checked = connection.recv()()
    while received := socket.recv_fds(control, 1, 1)[1]:
        threading.Thread(target=_answer, args=(upstream, Connection(received[0])), daemon=True).start()


def _answer(upstream: Checked, connection: Connection) -> None:
    """One call after the other, until the connection is closed."""
    with closing(connection):
        while True:
            try:
                method, argument = connection.recv()
            except (EOFError, OSError):
                return
            told: object
            try:
                good, told = True, getattr(upstream, method)(argument)
            except (Fault, Rejected, DgmError) as failure:
                good, told = False, failure
            except MemoryError:
                os._exit(1)  # what other threads have half done cannot be trusted; another process begins
            except Exception:
                good, told = False, RuntimeError(traceback.format_exc())
            connection.send((good, told))


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as _control:
        serve(_control)
    os._exit(0)  # nobody waits for a call that nobody waits for

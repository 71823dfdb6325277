"""A command in a container, as a `dgm.sandbox.Process` with pipes of its own.

The engine sends standard output and standard error through one connection; a thread parts them. The thread
holds no more than one frame: whoever does not read one of the pipes holds up the other.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, cast

from dgm.sandbox.engine.client import Engine
from dgm.sandbox.engine.stream import STDERR, STDOUT, Stream
from dgm.sandbox.pipes import Late, Lost

if TYPE_CHECKING:
    from typing_extensions import Buffer

_LOOK_SECONDS = 0.02


class Executed:
    """A started command. An engine cannot kill it alone, so `kill` ends the container."""

    def __init__(self, engine: Engine, command: str, stream: Stream, end: Callable[[], None]) -> None:
        self._engine, self._command, self._stream, self._end = engine, command, stream, end
        self._code: int | None = None
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        self.stdin = cast(BinaryIO, _Input(stream))
        self.stdout: BinaryIO = os.fdopen(out, "rb", buffering=0)
        self.stderr: BinaryIO = os.fdopen(err, "rb", buffering=0)
        self._quiet = threading.Event()
        pipes = {STDOUT: out_end, STDERR: err_end}
        self._thread = threading.Thread(target=self._part, args=(pipes,), daemon=True)
        self._thread.start()

    def poll(self) -> int | None:
        if self._code is None:
            code = self._engine.exit_code(self._command)
            self._code = 128 - code if code is not None and 128 < code < 128 + 65 else code
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Raises TimeoutError after `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() >= end:
                raise TimeoutError(f"still running after {timeout} s")
            self._quiet.wait(_LOOK_SECONDS)
            if self._quiet.is_set():
                time.sleep(0.001)  # its pipes have ended, and the engine will know the rest in a moment
        return code

    def kill(self) -> None:
        """From any thread. The pipes end, and stay open: another session could get their numbers while one who reads
        here does not know it yet, and would be read from, or written to, in its place."""
        self._end()
        self._stop()

    def abandon(self) -> None:
        """Give back the connection, the pipes and the thread. Called when the container is gone."""
        self._stop()
        self._stream.close()
        for pipe in (self.stdout, self.stderr):
            with contextlib.suppress(OSError):
                pipe.close()
        self._thread.join(5.0)

    def _stop(self) -> None:
        """When the container is gone, whatever its engine still says."""
        if self._code is None:
            self._code = -9
        self._stream.shut()

    def _part(self, pipes: dict[int, int]) -> None:
        """The thread: each frame into the pipe that is its own, until the stream or both readers end."""
        try:
            while True:
                kind, data = self._stream.receive(None)
                if kind in pipes:
                    _write_all(pipes[kind], data)
        except (Late, Lost, OSError):
            pass  # the process has ended, or we have
        finally:
            for end in pipes.values():
                os.close(end)
            self._quiet.set()


class _Input(io.RawIOBase):
    """Standard input: the sending half of the connection; closing it is the end of the process's input."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.socket.fileno()

    def write(self, data: Buffer, /) -> int:
        """Writes all of it, however long that takes. Raises BrokenPipeError when nobody reads any more."""
        view = memoryview(data).cast("B")
        try:
            self._stream.send(view, None)
        except Lost:
            raise BrokenPipeError("the command reads no more") from None
        return len(view)

    def close(self) -> None:
        if not self.closed:
            self._stream.hang_up()
        super().close()


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]

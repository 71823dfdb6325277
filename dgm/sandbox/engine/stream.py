"""A connection that an engine has turned into a pipe to a process: bytes in, frames of two streams out.

The docker SDK has such connections too, but what a process says in the instant in which the engine answers
can get lost in the SDK's buffers; so the request, a few lines of HTTP, is made here. The SDK does all else.

What it does not cover: engines behind TLS or ssh. Both would need a copy of every byte through a library.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from dgm.errors import SandboxUnavailable
from dgm.sandbox.pipes import Late, Lost

STDOUT, STDERR = 1, 2
CONNECT_SECONDS = 30.0

_HEADER = struct.Struct(">BxxxI")
_MAX_ANSWER = 1 << 16


class Stream:
    """The engine's multiplexed stream. One thread may send while another receives."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        sock.setblocking(False)

    def send(self, data: bytes | memoryview, deadline: float | None) -> None:
        """Write everything. `deadline` is a time of `time.monotonic()`. Raises Late or Lost."""
        view = memoryview(data)
        while view:
            self._await(select.POLLOUT, deadline)
            try:
                view = view[self.socket.send(view[: 1 << 20]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise Lost from None

    def receive(self, deadline: float | None) -> tuple[int, bytes]:
        """The next frame: STDOUT or STDERR, and its bytes. Raises Late, or Lost at the stream's end."""
        kind, length = _HEADER.unpack(self._exactly(_HEADER.size, deadline))
        return kind, self._exactly(length, deadline)

    def silent(self) -> bool:
        """Whether the other side lives and has said nothing that is not yet read."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return not poll.poll(0)

    def hang_up(self) -> None:
        """End the other side's input; what it says can still be received."""
        with contextlib.suppress(OSError):  # the other side was faster
            self.socket.shutdown(socket.SHUT_WR)

    def shut(self) -> None:
        """End it both ways and keep the descriptor: whoever waits in `receive` gets Lost."""
        with contextlib.suppress(OSError):  # the other side was faster
            self.socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """The same, and give the descriptor back."""
        self.shut()
        self.socket.close()

    def _exactly(self, count: int, deadline: float | None) -> bytes:
        data = bytearray()
        while len(data) < count:
            self._await(select.POLLIN, deadline)
            try:
                part = self.socket.recv(min(count - len(data), 1 << 20))
            except BlockingIOError:
                continue
            except OSError:
                raise Lost from None
            if not part:
                raise Lost
            data += part
        return bytes(data)

    def _await(self, event: int, deadline: float | None) -> None:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise Late
        poll = select.poll()
        try:
            poll.register(self.socket, event)
        except ValueError:
            raise Lost from None  # closed by us in another thread
        poll.poll(None if left is None else left * 1000 + 1)


def open_stream(host: str, path: str, body: Mapping[str, object]) -> Stream:
    """POST `body` to an engine and take the connection over. `host` as in DOCKER_HOST.

    Raises SandboxUnavailable when the engine is not there or refuses.
    """
    text = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    try:
        sock = dial(host)
    except OSError as error:
        raise SandboxUnavailable(f"the container engine at {host} does not answer: {error}") from error
    try:
        sock.sendall(head.encode() + text)
        answer = _answer(sock)
    except OSError as error:
        sock.close()
        raise SandboxUnavailable(f"the container engine at {host} hung up: {error}") from error
    if answer.split(b" ", 2)[1:2] not in ([b"101"], [b"200"]):
        sock.close()
        said = answer.decode(errors="replace").strip()[:500]
        raise SandboxUnavailable(f"the container engine refuses: {said}")
    return Stream(sock)


def dial(host: str) -> socket.socket:
    """A connection to an engine. Raises OSError."""
    parts = urlsplit(host)
    if parts.scheme == "unix":
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(CONNECT_SECONDS)
            sock.connect(parts.path)
        except OSError:
            sock.close()
            raise
        return sock
    sock = socket.create_connection((parts.hostname or "localhost", parts.port or 2375), CONNECT_SECONDS)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _answer(sock: socket.socket) -> bytes:
    """The head of the engine's answer and not a byte more, for what follows is the process's."""
    data = bytearray()
    while not data.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        if not byte or len(data) > _MAX_ANSWER:
            raise ConnectionError(f"an answer that is none: {bytes(data[:200])!r}")
        data += byte
    return bytes(data)

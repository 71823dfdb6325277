"""Inside a sandbox: the runner proper. It serves the kernel's requests, one after the other.

It never runs code of a genome and parses nothing that a genome wrote (but the heads of HTTP requests, in relay.py):
results, logs and files go to the kernel as bytes. Its own clock is the soft limit; the kernel's is the hard one.
"""

# Importing pathlib takes longer than a fork.
# ruff: noqa: PTH103, PTH120, PTH123

from __future__ import annotations

import _socket
import array
import functools
import gc
import json
import os
import resource
import select
import sys
import time

from . import leftovers, worker

TYPE_CHECKING = False  # importing typing takes as long as three tasks
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from .relay import Relay

PROTOCOL = 1
PR_SET_CHILD_SUBREAPER = 36
FOLDERS = ("task", "tmp", "shm", "genome")


def read_exactly(fd: int, count: int) -> bytes:
    """Bytes from the kernel; when it has hung up there is nothing left to do."""
    parts = []
    while count:
        part = os.read(fd, min(count, 1 << 20))
        if not part:
            os._exit(0)
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def read_frame(fd: int) -> tuple[dict[str, Any], bytes]:
    """A frame of the kernel, in the form of `dgm.wire`."""
    header = json.loads(read_exactly(fd, int.from_bytes(read_exactly(fd, 4), "big")))
    return header, read_exactly(fd, header["blob"])


def write_frame(fd: int, header: dict[str, Any], blob: bytes = b"") -> None:
    """A frame to the kernel, in the form of `dgm.wire`."""
    text = json.dumps({**header, "blob": len(blob)}).encode()
    worker.write_all(fd, len(text).to_bytes(4, "big") + text + blob)


class Log:
    """What is kept of a stream: its head, its tail, and the number of bytes between them that were let go."""

    def __init__(self, limit: int) -> None:
        self.limit, self.head, self.tail, self.dropped = limit // 2, b"", b"", 0

    def add(self, data: bytes) -> None:
        room = self.limit - len(self.head)
        self.head, self.tail = self.head + data[:room], self.tail + data[room:]
        if len(self.tail) > 2 * self.limit:
            self._cut()

    def text(self) -> bytes:
        self._cut()
        between = b"\n[... %d bytes left out ...]\n" % self.dropped if self.dropped else b""
        return self.head + between + self.tail

    def _cut(self) -> None:
        gone = max(0, len(self.tail) - self.limit)
        self.dropped, self.tail = self.dropped + gone, self.tail[gone:]


class Ended:
    """How a worker, or the loading of an entry, came to its end."""

    def __init__(self, how: str, line: bytes = b"", log: bytes = b"", ms: float = 0.0, clean: bool = True) -> None:
        self.how = how  # exit, timeout, or lost: the nursery is gone or talks nonsense
        self.line = line  # what the nursery said: the outcome of the load, or an exit code
        self.log, self.ms = log, ms
        self.clean = clean  # nothing is left running
        self.result = b""


class Runner:
    """One session: at most one nursery, any number of requests to it."""

    def __init__(self, source: int, sink: int, hello: dict[str, Any]) -> None:
        self.source, self.sink = source, sink
        self.work = hello["base"] + "/work"
        self.place = leftovers.Place(self.work, FOLDERS)
        self.max_answer, self.max_log, self.disk = hello["answer"], hello["log"], hello["disk"]
        self.link, self.theirs = _socket.socketpair()
        self.nursery = 0
        self.relay = self.make_relay(hello["gateway"]) if "gateway" in hello else None

    def make_relay(self, options: dict[str, Any]) -> Relay:
        """The way to language models. Only a session that has one is sent the module."""
        from . import relay

        source, sink = self.source, self.sink
        return relay.Relay(options, source, functools.partial(write_frame, sink), functools.partial(read_frame, source))

    def serve(self) -> NoReturn:
        operations = {"load": self.load, "work": self.do, "take": self.take, "reply": self.too_late}
        while True:
            header, blob = read_frame(self.source)
            operations[header["op"]](header, blob)

    def too_late(self, header: dict[str, Any], blob: bytes) -> None:
        """A reply to a model call of a request that has ended in the meantime."""

    def load(self, header: dict[str, Any], blob: bytes) -> None:
        """Start the nursery, and let it import the entry if there is one."""
        self.place.restore()
        log, log_end = os.pipe2(os.O_CLOEXEC)
        self.nursery = os.fork()
        if self.nursery == 0:
            for fd in (self.source, self.sink, self.link.detach(), log):
                os.close(fd)
            if self.relay is not None:
                os.environ |= {"OPENAI_BASE_URL": self.relay.url, "OPENAI_API_KEY": self.relay.session_token}
                self.relay.close()
            os.chdir(self.work + "/task")
            worker.nursery(self.theirs, log_end, header)
        self.theirs.close()
        os.close(log_end)
        ended = self.wait(log, header["seconds"], self.new_poll(log, working=False)[0])
        ended.result, ended.line = ended.line, b"0"
        self.reply(header, ended, self.place.restore())

    def do(self, header: dict[str, Any], blob: bytes) -> None:
        """One request: lay out its files, let a worker do it, collect what is due, clean up."""
        self.place.restore()
        at = header["request"]
        for path, size in header["files"]:
            target = f"{self.work}/{header['place']}/{path}"
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(blob[at : at + size])
            at += size
        ended = self.run(blob[: header["request"]], header["seconds"])
        full = self.full()
        fetched = [leftovers.fetch(self.work + "/task", path, self.max_answer) for path in header["want"]]
        wiped = header["place"] != "task" or self.place.restore()
        self.reply(header, ended, wiped, full, list(zip(header["want"], fetched, strict=True)))

    def run(self, request: bytes, seconds: float) -> Ended:
        """Hand a request to a new worker. Its result is read when nothing is left that could change it."""
        asked, result = os.memfd_create("request"), os.memfd_create("result")
        log, log_end = os.pipe2(os.O_CLOEXEC)
        try:
            worker.write_all(asked, request)
            os.lseek(asked, 0, os.SEEK_SET)
            fds = array.array("i", [asked, result, log_end])
            poll, token = self.new_poll(log, working=True)
            try:
                self.link.sendmsg([b"!" + token.encode()], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, fds)])
            finally:
                os.close(log_end)
            ended = self.wait(log, seconds, poll)
            os.lseek(result, 0, os.SEEK_SET)
            ended.result = leftovers.read_up_to(result, self.max_answer + 1)
            return ended
        except OSError:
            return Ended("lost")
        finally:
            os.close(asked)
            os.close(result)

    def new_poll(self, log: int, working: bool) -> tuple[select.poll, str]:
        """What `wait` watches, and the token with which this request may ask a language model (if any)."""
        poll = select.poll()
        poll.register(log, select.POLLIN)
        poll.register(self.link.fileno(), select.POLLIN)
        return poll, self.relay.begin(poll, working) if self.relay is not None else ""

    def wait(self, log: int, seconds: float, poll: select.poll) -> Ended:
        """Read the log until the nursery says a line, then kill what is left. Not `exit`: the nursery goes too."""
        started = time.monotonic()
        kept, line, how, link = Log(self.max_log), b"", "", self.link.fileno()
        while not how:
            left = started + seconds - time.monotonic()
            if left <= 0:
                how = "timeout"
            pause = 0.0 if self.relay is not None and self.relay.waiting else max(0.0, left) * 1000
            for fd, events in poll.poll(pause):
                if fd == link:
                    said = self.link.recv(1 << 16)
                    line += said
                    if line.endswith(b"\n"):
                        how = "exit"
                    elif not said or len(line) > self.max_answer:
                        how = "lost"
                elif fd == log:
                    if data := os.read(log, 1 << 16):
                        kept.add(data)
                    else:
                        poll.unregister(log)
                elif self.relay is not None:
                    self.relay.ready(fd, events)
            if self.relay is not None:
                self.relay.turn()
        ms = (time.monotonic() - started) * 1000
        clean = leftovers.kill_all_but(self.nursery if how == "exit" else 0)
        if self.relay is not None:
            self.relay.end()
        self.drain(log, kept)
        return Ended(how, line.removesuffix(b"\n"), kept.text(), ms, clean)

    def drain(self, log: int, kept: Log) -> None:
        """What was printed last, then close. Its writers are gone; were one not, a pipe's worth is enough."""
        os.set_blocking(log, False)
        try:
            for _ in range(16):
                if not (data := os.read(log, 1 << 16)):
                    break
                kept.add(data)
        except BlockingIOError:
            pass
        finally:
            os.close(log)

    def full(self) -> bool:
        """Whether the sized place is used up (never, where the writable place is a part of the host's disk)."""
        room = os.statvfs(self.work)
        sized = room.f_blocks * room.f_frsize <= self.disk
        return sized and (room.f_bavail * 100 < room.f_blocks or room.f_favail * 100 < room.f_files)

    def reply(
        self,
        header: dict[str, Any],
        ended: Ended,
        wiped: bool,
        full: bool = False,
        files: Sequence[tuple[str, tuple[bytes, str | None]]] = (),
    ) -> None:
        parts = [ended.result[: self.max_answer], ended.log, *(content for _, (content, _) in files)]
        told = {
            "op": header["op"],
            "id": header["id"],
            "ended": ended.how,
            "said": ended.line.decode(errors="replace")[:20],
            "ms": round(ended.ms, 3),
            "over": len(ended.result) > self.max_answer,
            "full": full,
            "clean": ended.clean and wiped,
            "result": len(parts[0]),
            "log": len(parts[1]),
            "files": [[path, odd or len(content)] for path, (content, odd) in files],
        }
        write_frame(self.sink, told, b"".join(parts))

    def take(self, header: dict[str, Any], blob: bytes) -> None:
        """Send every regular file below the genome's copy, one frame each, then name what was none."""

        def send(path: str, content: bytes) -> None:
            write_frame(self.sink, {"op": "file", "path": path}, content)

        harvest = leftovers.Harvest(send, header["caps"])
        harvest.walk(self.work + "/genome")
        write_frame(self.sink, {"op": "taken", "id": header["id"], "refused": harvest.refused})


def main() -> NoReturn:
    """Take the protocol's pipes away from where a genome reads and prints, then serve."""
    source, sink = os.dup(0), os.dup(1)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
    worker.prctl(PR_SET_CHILD_SUBREAPER, 1)
    worker.set_dumpable(False)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.dont_write_bytecode = True
    gc.disable()
    os.umask(0o022)
    hello, _ = read_frame(source)
    write_frame(sink, {"op": "hello", "protocol": PROTOCOL, "python": sys.version.split()[0]})
    Runner(source, sink, hello).serve()

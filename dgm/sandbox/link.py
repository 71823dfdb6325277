"""One open sandbox with a runner in it: the kernel's side of the protocol, request by request.

Everything that comes back is checked here for its form: exact keys, exact types, sizes that add up. What a request
means and what an answer is worth is known in `dgm.evaluation`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from dgm import runner
from dgm.domain import JSON, Files
from dgm.errors import AgentFailed, SandboxUnavailable, Status
from dgm.gateway.desk import MAX_BODY, Desk, Round
from dgm.sandbox import Limits, Sandbox
from dgm.sandbox.bait import ear
from dgm.sandbox.pipes import Channel, Late, Lost
from dgm.wire import MAX_HEADER, Frame, show

PROTOCOL = 1
GRACE = 2.0
"""Seconds that the kernel's clock gives on top of the runner's."""

START_SECONDS = 30.0
MAX_ENTRIES, MAX_DEPTH = 4_000, 32

_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}
_ASKING = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
"""Beside it where a model may be asked: else litellm, if somebody imports it, looks for a network for seven seconds."""

_ANSWER = {
    "op": str, "id": str, "ended": str, "said": str, "ms": float, "over": bool, "full": bool, "clean": bool,
    "result": int, "log": int, "files": list,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What the runner saw of one request. `result`, `log` and `files` are an agent's and not yet parsed."""

    ended: str  #: "exit", "timeout" or "lost"
    said: str  #: for "exit", the worker's exit code
    ms: float
    over: bool  #: the result was longer than is read
    full: bool  #: the writable place was used up
    clean: bool  #: nothing is left of the request
    result: bytes
    log: str
    files: Mapping[str, bytes]
    odd: Mapping[str, str]  #: files that were due and cannot be had, and why


class Link:
    """Opens a sandbox and starts a runner in it. Raises SandboxUnavailable, for nothing of an agent runs yet."""

    def __init__(
        self, sandbox: Sandbox, files: Files, limits: Limits, packages: bool, desk: Desk | None = None
    ) -> None:
        """With a `desk`, the inside is offered a language model, and what it asks goes there."""
        self._limits, self._desk, self._given_up = limits, desk, False
        self._answer, self._log = limits.answer_kb << 10, limits.log_kb << 10
        with ExitStack() as stack:
            self._session = stack.enter_context(sandbox.open(files, limits))
            self.base = self._session.base
            home = {"HOME": f"{self.base}/work/task", "TMPDIR": f"{self.base}/work/tmp"}
            self._process = self._session.start(
                runner.command(self._session.python(), packages), _ENVIRONMENT | home | (_ASKING if desk else {})
            )
            self._channel = Channel(self._process, ear(self._session))
            self._greet()
            self._stack = stack.pop_all()

    def _greet(self) -> None:
        hello = {"op": "hello", "base": self.base, "answer": self._answer, "log": self._log}
        if self._desk is not None:
            hello["gateway"] = {"calls": self._desk.at_once, "body": self._desk.max_body}
        prefix = runner.text(relay=self._desk is not None)
        deadline = time.monotonic() + START_SECONDS
        try:
            self._channel.send({**hello, "disk": self._limits.disk_mb << 20}, b"", deadline, prefix=prefix)
            header = self._channel.receive(deadline, 0).header
        except (Late, Lost, AgentFailed) as error:
            why = self._channel.errors() or type(error).__name__
            raise SandboxUnavailable(f"the sandbox does not start: {why}") from None
        if header.get("op") != "hello" or header.get("protocol") != PROTOCOL:
            raise SandboxUnavailable(f"the runner speaks another protocol: {header}")

    def load(self, entry: str | None, command: Sequence[str], seconds: float) -> Answer:
        """Import a genome's entry from /files/genome; without an entry, get ready to fork and no more."""
        root = f"{self.base}/files/genome"
        argv = [part.replace("{genome}", root) for part in command]
        return self._request({"op": "load", "root": root, "entry": entry, "command": argv}, b"", seconds, [])

    def work(
        self,
        request: bytes,
        seconds: float,
        files: Files,
        place: str = "task",
        want: Sequence[str] = (),
        about: str = "",
    ) -> Answer:
        """Let a worker do one request, given files in /work/`place`; fetch the files `want` from /work/task.

        Its model calls are made for the task `about`. Raises ModelUnavailable when one of them came to nothing through
        no fault of the agent; the sandbox must then be closed.
        """
        sizes = [[path, len(content)] for path, content in files.items()]
        header = {"op": "work", "request": len(request), "files": sizes, "place": place, "want": list(want)}
        blob = b"".join([request, *files.values()])
        if self._desk is None:
            return self._request(header, blob, seconds, want)
        with self._desk.serving(about) as calls:
            return self._request(header, blob, seconds, want, calls)

    def take(self, seconds: float) -> tuple[dict[str, bytes], list[str]]:
        """The regular files below /work/genome, and a line for each entry that is none or goes beyond a cap."""
        caps = {
            "bytes": self._limits.disk_mb << 20,
            "count": MAX_ENTRIES,
            "depth": MAX_DEPTH,
            "file": self._answer,
        }
        deadline, mark = time.monotonic() + seconds + GRACE, secrets.token_hex(8)
        self._send({"op": "take", "id": mark, "caps": caps}, b"", deadline)
        found: dict[str, bytes] = {}
        left = caps["bytes"]
        while True:
            frame = self._receive(deadline, min(left, self._answer))
            if frame.header.get("op") == "taken":
                return found, _refusals(frame.header, mark)
            path = frame.header.get("path")
            if set(frame.header) != {"op", "path"} or type(path) is not str or path in found or not _relative(path):
                raise AgentFailed(Status.TAMPERED, "a file that was not asked for")
            left -= len(frame.blob)
            if len(found) >= MAX_ENTRIES:
                raise AgentFailed(Status.TAMPERED, "more files than may be taken")
            found[path] = frame.blob

    def ending(self) -> Status | None:
        """The sandbox's own evidence of a limit that was met."""
        return self._session.ending()

    def abort(self) -> None:
        """From another thread: end the request under way, with SandboxUnavailable, for it is nobody's fault."""
        self._given_up = True
        self._process.kill()

    def close(self) -> None:
        self._stack.close()

    def _request(
        self,
        header: Mapping[str, JSON],
        blob: bytes,
        seconds: float,
        want: Sequence[str],
        calls: Round | None = None,
    ) -> Answer:
        mark, deadline = secrets.token_hex(8), time.monotonic() + seconds + GRACE
        self._send({**header, "id": mark, "seconds": seconds}, blob, deadline)
        max_blob = self._answer * (1 + len(want)) + self._log + 4_096
        if calls is None:
            frame = self._receive(deadline, max_blob)
        else:
            frame = self._serve(calls, deadline, max_blob)
        answer = _answer(frame, str(header["op"]), mark, want)
        if calls is not None:
            calls.check_end(late=answer.ended == "timeout")
        # Where `local` put its folder is chance: with it, equal runs would not leave equal records.
        place = self.base
        return replace(answer, result=answer.result.replace(place.encode(), b""), log=answer.log.replace(place, ""))

    def _serve(self, calls: Round, deadline: float, max_blob: int) -> Frame:
        """Serve model calls until the answer comes. Raises as `work`."""
        largest = max(max_blob, MAX_BODY)
        ahead = largest + MAX_HEADER
        try:
            while True:
                begins = self._channel.begins(deadline, calls.wake)
                for mark, reply in calls.finished():
                    header = {"op": "reply", "call": mark, "status": reply.status, "type": reply.kind}
                    self._channel.send(header, reply.body, deadline, ahead=ahead)
                calls.check()
                if not begins:
                    continue
                frame = self._channel.receive(deadline, largest)
                if not _called(frame, calls):
                    if len(frame.blob) > max_blob:
                        raise AgentFailed(Status.OUTPUT, f"a reply of {len(frame.blob)} bytes")
                    return frame
        except Late as error:
            calls.check_end(late=True)
            raise self._failure(error) from None
        except Lost as error:
            raise self._failure(error) from None

    def _send(self, header: Mapping[str, JSON], blob: bytes, deadline: float) -> None:
        try:
            self._channel.send(header, blob, deadline)
        except (Late, Lost) as error:
            raise self._failure(error) from None

    def _receive(self, deadline: float, max_blob: int) -> Frame:
        try:
            return self._channel.receive(deadline, max_blob)
        except (Late, Lost) as error:
            raise self._failure(error) from None

    def _failure(self, error: Late | Lost) -> AgentFailed | SandboxUnavailable:
        if self._given_up:
            return SandboxUnavailable("the work was given up")
        if isinstance(error, Late):
            return AgentFailed(self.ending() or Status.TIMEOUT, "the sandbox did not answer in time")
        return AgentFailed(self.ending() or Status.TAMPERED, "the runner was ended")


def _called(frame: Frame, calls: Round) -> bool:
    """Whether a frame is about a model call, which is then seen to. Raises AgentFailed for one of another form."""
    told = frame.header
    if told.get("op") not in ("call", "gone"):
        return False
    keys = {"op", "call", "path"} if told["op"] == "call" else {"op", "call"}
    if told.keys() != keys or not all(type(value) is str for value in told.values()):
        raise AgentFailed(Status.TAMPERED, "a model call of another form than was due")
    if told["op"] == "call":
        calls.take(told["call"], told["path"], frame.blob)
    else:
        calls.gone(told["call"])
    return True


def _answer(frame: Frame, op: str, mark: str, want: Sequence[str]) -> Answer:
    """The frame as an Answer. Raises AgentFailed(TAMPERED) for any other form."""
    told = frame.header
    typed = told.keys() == _ANSWER.keys() and all(type(told[key]) is kind for key, kind in _ANSWER.items())
    if not typed or (told["op"], told["id"]) != (op, mark) or told["ended"] not in ("exit", "timeout", "lost"):
        raise AgentFailed(Status.TAMPERED, "a reply of another form than was due")
    sizes = [told["result"], told["log"]]
    odd: dict[str, str] = {}
    for path, entry in zip(want, told["files"], strict=False):
        if type(entry) is not list or len(entry) != 2 or entry[0] != path or type(entry[1]) not in (int, str):
            raise AgentFailed(Status.TAMPERED, "a reply with files of another form than was due")
        if type(entry[1]) is str:
            odd[path] = entry[1]
        else:
            sizes.append(entry[1])
    if len(told["files"]) != len(want) or min(sizes) < 0 or sum(sizes) != len(frame.blob):
        raise AgentFailed(Status.TAMPERED, "a reply whose sizes do not add up")
    parts, at = [], 0
    for size in sizes:
        parts.append(frame.blob[at : at + size])
        at += size
    files = dict(zip((path for path in want if path not in odd), parts[2:], strict=True))
    return Answer(
        told["ended"], told["said"], told["ms"], told["over"], told["full"], told["clean"],
        parts[0], show(parts[1]), files, odd,
    )  # fmt: skip


def _refusals(header: Mapping[str, JSON], mark: str) -> list[str]:
    listed = header.get("refused")
    if set(header) != {"op", "id", "refused"} or header["id"] != mark or type(listed) is not list:
        raise AgentFailed(Status.TAMPERED, "a reply of another form than was due")
    if not all(type(row) is list and len(row) == 2 and all(type(part) is str for part in row) for row in listed):
        raise AgentFailed(Status.TAMPERED, "a reply of another form than was due")
    return [f"{path}: {why}" for path, why in listed]


def _relative(path: str) -> bool:
    return all(part not in ("", ".", "..") for part in path.split("/"))

"""Where the probes run: the sandboxes that they share, those that they have for themselves, and what a host can see.

A probe that leaves doubt about a shared sandbox costs it, and the next one gets a new one; so one probe's deeds
cannot reach another.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dgm.domain import JSON, CallOutcome, Files
from dgm.errors import SandboxUnavailable, Status
from dgm.evaluation.candidates import JudgeSession
from dgm.evaluation.session import AgentSession, Improved, Reply
from dgm.sandbox import Limits, Process, Sandbox, stale
from dgm.sandbox.engine import leftovers
from dgm.sandbox.engine.client import Engine

REMOVAL_SECONDS = 20.0
LIMITS = Limits(seconds=10, memory_mb=256, processes=32, disk_mb=32, answer_kb=256, log_kb=16)
PATIENCE = 30.0
"""Seconds to wait for a command that ought to end at once."""

INSIDE = Path(__file__).with_name("inside")
ARGUMENTS = 16, 1 << 16
"""How many long arguments the told program gets, and how long each is: a mebibyte in all."""

ODD_ARGUMENTS = ("", "two words", "new\nline 'and\" $quotes", "ünï")
ENVIRONMENT = {"PLAIN": "x", "EMPTY": "", "ODD": "a=b 'ü'\n$HOME"}


@dataclass(frozen=True, slots=True)
class Start:
    """How a half is started."""

    entry: str | None = "agent/task_agent.py:TaskAgent"
    command: tuple[str, ...] = ()
    packages: bool = False


_META = Start(entry="meta/task_agent.py:MetaAgent")


@dataclass(frozen=True, slots=True)
class Told:
    """What the program `inside/told.py` said of how it was started, and what came out of it besides."""

    report: Mapping[str, Any]
    sent: bytes
    out: bytes
    err: bytes
    code: int


class Bench:
    """The sandboxes of one check. A context manager."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._stack = ExitStack()

    @cached_property
    def agent(self) -> AgentSession:
        """The session that most probes share."""
        return self._stack.enter_context(self.session())

    @cached_property
    def judge(self) -> JudgeSession:
        return self._stack.enter_context(JudgeSession(self.sandbox, LIMITS))

    def session(self, more: Files | None = None, spec: Start | None = None, limits: Limits = LIMITS) -> AgentSession:
        """A session of one's own, not yet open: the probes as a task agent, with `more` files of a genome."""
        genome = {**probes("agent"), **(more or {})}
        return AgentSession(self.sandbox, genome, spec or Start(), "agent", limits)

    def ask(
        self, probe: str, seconds: float | None = None, session: AgentSession | None = None, **inputs: JSON
    ) -> Reply:
        """What `module.function` of the probes tells, as one task."""
        return ask(session or self.agent, probe, seconds, **inputs)

    def alone(self, probe: str, limits: Limits = LIMITS, **inputs: JSON) -> Reply:
        """The same in a sandbox of its own."""
        with self.session(limits=limits) as session:
            return ask(session, probe, **inputs)

    def improve(self, probe: str, files: Files, feedback: Files | None = None, limits: Limits = LIMITS) -> Improved:
        """What a function of `edits` leaves in a copy of `files`. Raises AgentFailed."""
        told = {"probe": probe.encode(), **(feedback or {})}
        with AgentSession(self.sandbox, probes("meta"), _META, "meta", limits, feedback=told) as session:
            return session.improve(files, 1, 2)

    def chooser(self) -> AgentSession:
        """A session of the half that chooses parents, not yet open."""
        return AgentSession(self.sandbox, probes("meta"), _META, "meta", LIMITS)

    def call(self, source: str, calls: Sequence[Sequence[JSON]], seconds: float = 1.0) -> list[JSON]:
        """For each call of a candidate's function `f` its value, or the status that it ended with."""
        return [_outcome(outcome) for outcome in self.judge.call(source, "f", calls, seconds)]

    def command(self, *argv: str) -> tuple[int, bytes, Status | None]:
        """A command in a sandbox of its own: its exit code, its standard error, and what ended the session."""
        with self.sandbox.open({}, LIMITS) as session:
            process = session.start(list(argv))
            code = process.wait(PATIENCE)
            return code, process.stderr.read(), session.ending()

    @cached_property
    def told(self) -> Told:
        """A program that was given half a mebibyte of input, a mebibyte of arguments and an environment."""
        with self.sandbox.open({}, LIMITS) as session:
            count, length = ARGUMENTS
            argv = [*session.python(), "-I", "-S", "-c", (INSIDE / "told.py").read_text(encoding="utf-8")]
            process = session.start([*argv, *["x" * length] * count, *ODD_ARGUMENTS], ENVIRONMENT)
            sent = "text: ä€😀\n".encode() + bytes(range(256)) * (1 << 13)
            out, err = converse(process, sent)
            line, _, rest = out.partition(b"\n")
            try:
                report = json.loads(line)
            except ValueError:
                raise SandboxUnavailable(f"the program did not start: {err.decode(errors='replace')}") from None
            return Told({**report, "base": session.base}, sent, rest, err, process.wait(PATIENCE))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def ask(session: AgentSession, probe: str, seconds: float | None = None, **inputs: JSON) -> Reply:
    """One probe as one task of an open session."""
    module, _, name = probe.partition(".")
    return session.task({**inputs, "module": module, "probe": name}, {"kind": "text"}, {}, 7, seconds)


def probes(half: str) -> dict[str, bytes]:
    """The probes as the half of a genome."""
    names = ("task_agent", "work", "bombs", "edits", "reach", "forge")
    return {f"{half}/{name}.py": (INSIDE / f"{name}.py").read_bytes() for name in names}


def converse(process: Process, sent: bytes) -> tuple[bytes, bytes]:
    """Write everything to a process and close its input; all that it says on both streams."""
    got: dict[str, bytes] = {}

    def write() -> None:
        try:
            view = memoryview(sent)
            while view:
                view = view[process.stdin.write(view) :]
            process.stdin.close()
        except BrokenPipeError:
            pass  # it reads no more; what it said tells why

    threads = [
        threading.Thread(target=write, daemon=True),
        threading.Thread(target=lambda: got.update(err=process.stderr.read()), daemon=True),
    ]
    for thread in threads:
        thread.start()
    parts = []
    while part := process.stdout.read(1 << 20):
        parts.append(part)
    for thread in threads:
        thread.join(PATIENCE)
    return b"".join(parts), got.get("err", b"")


def fresh_mark() -> str:
    """A number that stands in the command line of a process, so that it can be found on the host."""
    return f"0.{secrets.randbelow(10**12):012}"


def processes(mark: str) -> list[int]:
    """Living processes of this host with `mark` in their command lines."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                if mark.encode() in (place / "cmdline").read_bytes():
                    found.append(int(place.name))
            except OSError:
                continue  # it has just ended
    return found


def traces(sandbox: Sandbox) -> set[str]:
    """What this process has on the host, or in the engine, for the sessions that are open now."""
    if sandbox.name != "docker":
        return stale.of_process(os.getpid())
    engine = Engine(os.environ.get("DOCKER_HOST"))
    try:
        return {str(found["Id"]) for found in engine.containers(f"{leftovers.PID}={os.getpid()}")}
    finally:
        engine.close()


def remains(sandbox: Sandbox, before: set[str], mark: str) -> str:
    """ "" if nothing is left but what was there `before`, else what is. An engine may take a moment to remove a
    container in which nothing runs any more."""
    end = time.monotonic() + REMOVAL_SECONDS
    while (left := traces(sandbox) - before) and time.monotonic() < end:
        time.sleep(0.05)
    return differs(left, set(), "left") or differs(processes(mark), [], "left running")


def differs(got: object, wanted: object, what: str = "") -> str:
    """ "" if both are the same, else a sentence that shows both."""
    return "" if got == wanted else f"{what + ': ' if what else ''}{_short(got)} and not {_short(wanted)}"


def ended(reply: Reply, *wanted: Status) -> str:
    """ "" if a task ended with one of the statuses, else how it ended."""
    if reply.status in wanted:
        return ""
    said = reply.error or repr(reply.prediction)
    return f"{reply.status} and not {' or '.join(wanted)}: {said[:200]}"


def nothing(reply: Reply) -> str:
    """ "" if a probe of the walls could do nothing, else what it could do."""
    if reply.status != Status.OK:
        return ended(reply, Status.OK)
    found = reply.prediction
    return "possible: " + ", ".join(map(str, found))[:200] if found else ""


def _outcome(outcome: CallOutcome) -> JSON:
    return outcome.value if outcome.error is None else str(outcome.error)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."

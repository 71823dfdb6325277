"""What the kernel asks of code in a sandbox: an agent's halves, and candidates that a judge must execute.

A session opens its sandbox when it is first needed. When a request ends in a way that leaves doubt about the
sandbox (late, out of memory, tampered with, not clean), the whole sandbox is closed, and the next request gets a new
one (boundary rule B10). Whatever an agent does becomes a status; SandboxUnavailable and, where a
language model may be asked, ModelUnavailable are the errors that are not its own. Nothing here judges an answer.
"""

from __future__ import annotations

import json
import secrets
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from dgm.closing import Closing
from dgm.domain import JSON, CallOutcome, Files
from dgm.errors import AgentFailed, InfrastructureError, SandboxUnavailable, Status, UserError
from dgm.gateway.desk import Desk
from dgm.sandbox import Limits, Sandbox
from dgm.sandbox.link import Answer, Link
from dgm.wire import parse

_CLAIMABLE = {Status.WRONG, Status.INVALID, Status.OOM, Status.PIDS, Status.DISK}
"""What a worker may say of its own end."""


class Startable(Protocol):
    """How a half is started: the part of `dgm.genome.HalfSpec` that is needed here."""

    @property
    def entry(self) -> str | None: ...

    @property
    def command(self) -> tuple[str, ...]: ...

    @property
    def packages(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Reply:
    """How one task went. `prediction` and `files` count for something only if `status` is OK."""

    prediction: JSON = None
    files: Files = field(default_factory=dict)
    status: Status = Status.OK
    error: str = ""
    log: str = ""  #: what was printed: head and tail
    ms: float = 0.0  #: wall time of the task in the sandbox


@dataclass(frozen=True, slots=True)
class Improved:
    """What a meta agent left: the regular files of the edited copy, and what could not be taken."""

    summary: str
    files: Files
    log: str
    refused: list[str]


class _Sandboxed(Closing):
    """A sandbox that is opened when needed and closed when in doubt. A context manager."""

    def __init__(
        self, sandbox: Sandbox, files: Files, limits: Limits, packages: bool, desk: Desk | None = None
    ) -> None:
        self._desk = desk
        self._sandbox, self._files, self._limits, self._packages = sandbox, files, limits, packages
        self._open: Link | None = None

    def _link(self) -> Link:
        if self._open is None:
            link = Link(self._sandbox, self._files, self._limits, self._packages, self._desk)
            self._open = link
            try:
                self._begin(link)
            except (AgentFailed, SandboxUnavailable):
                self.close()
                raise
        return self._open

    def _begin(self, link: Link) -> None:
        raise NotImplementedError

    def _doubt(self, answer: Answer, ending: Status | None) -> None:
        """Close the sandbox unless the request ended without a trace."""
        if answer.ended != "exit" or not answer.clean or ending is not None:
            self.close()

    def abort(self) -> None:
        """From another thread: end the request that is under way, with SandboxUnavailable."""
        if (link := self._open) is not None:
            link.abort()

    def close(self) -> None:
        """End the sandbox and everything in it. May be called twice."""
        link, self._open = self._open, None
        if link is not None:
            link.close()


class AgentSession(_Sandboxed):
    """One half of a genome, started, in a sandbox that holds that half's files and nothing of ours.

    `genome` stands read-only in /files/genome and `feedback` in /files/feedback. A session belongs to one thread.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        genome: Files,
        spec: Startable,
        half: Literal["agent", "meta"],
        limits: Limits,
        feedback: Files | None = None,
        desk: Desk | None = None,
    ) -> None:
        """With a `desk`, this half may ask a language model (`dgm.gateway`); without, none is offered."""
        files = {f"genome/{path}": content for path, content in genome.items()}
        files |= {f"feedback/{path}": content for path, content in (feedback or {}).items()}
        super().__init__(sandbox, files, limits, spec.packages, desk)
        self._spec, self._half = spec, half
        self._broken: AgentFailed | None = None

    def load(self) -> None:
        """Start the entry. Raises AgentFailed if it does not start, the same each time; SandboxUnavailable."""
        self._link()

    def task(
        self,
        inputs: Mapping[str, JSON],
        answer: Mapping[str, JSON],
        files: Files,
        seed: int,
        seconds: float | None = None,
        name: str = "",
    ) -> Reply:
        """Let the task agent do one task. Raises SandboxUnavailable or ModelUnavailable alone; all else is the reply's
        status. Model calls are on record under the task's `name`, which no agent is told.

        `answer` says what is due (`{"kind": …}`); for the kind "files" the reply brings the files it names.
        """
        self._expect("agent")
        want = list(answer.get("files", ()))
        request = {"inputs": dict(inputs), "answer": dict(answer)}
        try:
            limit = seconds or self._limits.seconds
            answered, body = self._ask("task", request, seed, limit, files, want=want, about=name)
            prediction = _only(body, "prediction")
            for path, why in answered.odd.items():
                if why != "absent":
                    raise AgentFailed(Status.OUTPUT if why == "too large" else Status.INVALID, f"{path}: {why}")
        except _Failed as failure:
            return Reply(status=failure.status, error=failure.reason, log=failure.answer.log, ms=failure.answer.ms)
        except AgentFailed as failure:
            return Reply(status=failure.status, error=failure.reason)
        return Reply(prediction, answered.files, Status.OK, "", answered.log, answered.ms)

    def improve(self, genome: Files, iterations_left: int, seed: int) -> Improved:
        """Let the meta agent edit a copy of `genome`. Raises AgentFailed, SandboxUnavailable or ModelUnavailable."""
        self._expect("meta")
        link = self._link()
        request = {
            "genome": f"{link.base}/work/genome",
            "feedback": f"{link.base}/files/feedback",
            "iterations_left": iterations_left,
        }
        try:
            answered, body = self._ask("improve", request, seed, self._limits.seconds, genome, place="genome")
            summary = _only(body, "summary")
            files, refused = link.take(self._limits.seconds)
        finally:
            self.close()  # the edited copy is still in it
        return Improved(summary[:4_000] if type(summary) is str else "", files, answered.log, refused)

    def select(self, candidates: Sequence[Mapping[str, JSON]], seed: int) -> int:
        """Let the genome choose a parent among candidates, each with an "id".

        Raises AgentFailed or SandboxUnavailable.
        """
        self._expect("meta")
        request = {"candidates": [dict(candidate) for candidate in candidates]}
        _, body = self._ask("select", request, seed, self._limits.seconds, {})
        parent = _only(body, "parent")
        if type(parent) is not int or parent not in {candidate["id"] for candidate in candidates}:
            raise AgentFailed(Status.INVALID, "the chosen parent is no candidate")
        return parent

    def _expect(self, half: str) -> None:
        if self._half != half:
            raise ValueError(f"a session of the half {self._half!r} was asked what only {half!r} does")

    def _begin(self, link: Link) -> None:
        if self._broken is None:
            try:
                answer = link.load(self._spec.entry, self._spec.command, self._limits.seconds)
                body = _body(answer, link.ending())
                if body or answer.ended != "exit" or not answer.clean:
                    raise AgentFailed(Status.TAMPERED, "the entry broke the protocol when it was started")
            except AgentFailed as failure:
                self._broken = failure
        if self._broken is not None:
            raise AgentFailed(self._broken.status, self._broken.reason)

    def _link(self) -> Link:
        if self._broken is not None:
            raise AgentFailed(self._broken.status, self._broken.reason)
        return super()._link()

    def _ask(
        self,
        kind: str,
        request: Mapping[str, JSON],
        seed: int,
        seconds: float,
        files: Files,
        place: str = "task",
        want: Sequence[str] = (),
        about: str = "",
    ) -> tuple[Answer, dict[str, JSON]]:
        """One request to the genome: how it ended, and its answer without the id. Raises AgentFailed."""
        link = self._link()
        mark = secrets.token_hex(8)
        told = {"kind": kind, "id": mark, **request, "workdir": f"{link.base}/work/task", "seed": seed}
        if self._desk is not None:
            told["model"] = self._desk.model
        try:
            answer = link.work(json.dumps(told).encode() + b"\n", seconds, files, place, want, about)
            ending = link.ending()
        except (AgentFailed, InfrastructureError, UserError):
            self.close()
            raise
        if place == "task":  # an edited copy has still to be taken out, and its sandbox is closed in any case
            self._doubt(answer, ending)
        try:
            body = _body(answer, ending, Status.INVALID if self._spec.command else Status.TAMPERED)
            if body.pop("id", mark) != mark:
                raise AgentFailed(Status.TAMPERED, "an answer to another request")
            if type(error := body.pop("error", None)) is str and error:
                raise AgentFailed(Status.WRONG, error[:3_000])
        except AgentFailed as failure:
            raise _Failed(failure, answer) from None
        return answer, body


class JudgeSession(_Sandboxed):
    """Executes candidates for a judge (`dgm.domain.JudgeSandbox`) where no agent runs. Belongs to one thread."""

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        super().__init__(sandbox, {}, limits, packages=False)

    def call(
        self, source: str, function: str, calls: Sequence[Sequence[JSON]], seconds: float = 1.0
    ) -> list[CallOutcome]:
        """As `dgm.domain.JudgeSandbox.call`. After a call that ends the process, the rest run in a fresh one.

        Raises SandboxUnavailable.
        """
        outcomes: list[CallOutcome] = []
        while len(outcomes) < len(calls):
            outcomes += self._round(source, function, calls[len(outcomes) :], seconds)
        return outcomes

    def _begin(self, link: Link) -> None:
        """Nothing of a candidate is there yet: what fails now is ours."""
        try:
            answer = link.load(None, (), self._limits.seconds)
        except AgentFailed as failure:
            raise SandboxUnavailable(f"the judge's sandbox does not start: {failure.reason}") from None
        if answer.ended != "exit":
            raise SandboxUnavailable(f"the judge's sandbox does not start: {answer.ended}")

    def _round(self, source: str, function: str, calls: Sequence[Sequence[JSON]], seconds: float) -> list[CallOutcome]:
        """The outcomes of one process: at least one, at most as many as there are calls."""
        request = {
            "kind": "call",
            "source": source,
            "function": function,
            "calls": [list(args) for args in calls],
        }
        try:
            link = self._link()
            told = {**request, "seconds": seconds, "seed": 0, "workdir": f"{link.base}/work/task"}
            answer = link.work(json.dumps(told).encode(), seconds * (len(calls) + 1) + 1.0, {})
            ending = link.ending()
            cut = _cut_short(answer, ending)
        except AgentFailed as failure:
            self.close()
            return [CallOutcome(error=failure.status)] * len(calls)
        except SandboxUnavailable:
            self.close()
            raise
        self._doubt(answer, ending)
        *lines, _ = answer.result.split(b"\n")
        if len(lines) > len(calls) + 1:
            return [CallOutcome(error=Status.TAMPERED)] * len(calls)
        outcomes = [_outcome(line) for line in lines]
        if not outcomes:
            return [CallOutcome(error=cut)] * len(calls)
        loaded, *done = outcomes
        if loaded.error is not None:
            return [loaded] * len(calls)
        if len(done) == len(calls):
            return done
        lost = len(calls) - len(done) if answer.ended == "timeout" else 1  # it had disarmed its own alarm
        return [*done, *[CallOutcome(error=cut)] * lost]


class _Failed(AgentFailed):
    """A failure of which the runner has told how it went."""

    def __init__(self, failure: AgentFailed, answer: Answer) -> None:
        super().__init__(failure.status, failure.reason)
        self.answer = answer


def _body(answer: Answer, ending: Status | None, malformed: Status = Status.TAMPERED) -> dict[str, JSON]:
    """The object that a worker left. Raises AgentFailed with the status that fits how it ended."""
    if answer.over:
        raise AgentFailed(Status.OUTPUT, "the answer is longer than is read")
    if answer.ended == "timeout":
        raise AgentFailed(ending or Status.TIMEOUT, "still running when its time was up")
    if answer.ended == "lost" or not answer.result.strip() or answer.said != "0":
        return _explained(answer, ending)
    try:
        body = parse(answer.result)
    except AgentFailed as failure:
        raise AgentFailed(ending or malformed, f"the answer is {failure.reason}") from None
    if not isinstance(body, dict):
        raise AgentFailed(ending or malformed, "the answer is no object")
    return body if "status" not in body else _claimed(body, answer, ending)


def _explained(answer: Answer, ending: Status | None) -> dict[str, JSON]:
    """Raise what explains a worker that left no answer."""
    if ending is not None:
        raise AgentFailed(ending, "ended by the sandbox")
    if answer.full or answer.said == str(-signal.SIGXFSZ):
        raise AgentFailed(Status.DISK, "the writable place is full")
    if answer.ended == "lost":
        raise AgentFailed(Status.TAMPERED, "the process that forks for each task was ended or does not answer")
    raise AgentFailed(Status.WRONG, f"ended without an answer (exit code {answer.said})")


def _claimed(body: Mapping[str, JSON], answer: Answer, ending: Status | None) -> dict[str, JSON]:
    """Raise what a worker says of its own failure, unless there is evidence of a cause."""
    if body.keys() != {"status", "error"} or body["status"] not in _CLAIMABLE or type(body["error"]) is not str:
        raise AgentFailed(Status.TAMPERED, "a status of another form than was due")
    status = Status(body["status"])
    if status == Status.WRONG and answer.full:
        status = Status.DISK
    raise AgentFailed(ending or status, body["error"][:3_000])


def _only(body: Mapping[str, JSON], key: str) -> JSON:
    if body.keys() != {key}:
        raise AgentFailed(Status.INVALID, f"the answer must hold {key!r} and nothing else")
    return body[key]


def _outcome(line: bytes) -> CallOutcome:
    """One line of a candidate's process."""
    try:
        body = parse(line)
    except AgentFailed as failure:
        return CallOutcome(error=failure.status)
    if body == {}:
        return CallOutcome()
    if isinstance(body, dict) and body.keys() == {"value"}:
        return CallOutcome(body["value"])
    if isinstance(body, dict) and body.keys() == {"status", "error"} and body["status"] in _CLAIMABLE:
        return CallOutcome(error=Status(body["status"]))
    return CallOutcome(error=Status.TAMPERED)


def _cut_short(answer: Answer, ending: Status | None) -> Status:
    """Why a candidate's process ended before its last call."""
    if answer.over:
        return Status.OUTPUT
    if ending is not None:
        return ending
    if answer.ended == "timeout" or answer.said == str(-signal.SIGALRM):
        return Status.TIMEOUT
    if answer.full:
        return Status.DISK
    return Status.TAMPERED if answer.ended == "lost" else Status.WRONG

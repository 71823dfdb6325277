"""What the kernel asks of the halves of a genome in a sandbox: a task, an edit, a choice.

A session opens its sandbox when it is first needed. When a request ends in a way that leaves doubt about the
sandbox (late, out of memory, tampered with, not clean), the whole sandbox is closed, and the next request gets a new
one (boundary rule B10). Whatever an agent does becomes a status; SandboxUnavailable and, where a
language model may be asked, ModelUnavailable are the errors that are not its own. Nothing here judges an answer.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from dgm.closing import Closing
from dgm.domain import JSON, Files
from dgm.errors import AgentFailed, InfrastructureError, SandboxUnavailable, Status, UserError
from dgm.evaluation.replies import Failed, body_of, only
from dgm.gateway.desk import Desk
from dgm.sandbox import Limits, Sandbox
from dgm.sandbox.link import Answer, Link


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


class Sandboxed(Closing):
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


class AgentSession(Sandboxed):
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
            prediction = only(body, "prediction")
            for path, why in answered.odd.items():
                if why != "absent":
                    raise AgentFailed(Status.OUTPUT if why == "too large" else Status.INVALID, f"{path}: {why}")
        except Failed as failure:
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
            summary = only(body, "summary")
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
        parent = only(body, "parent")
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
                body = body_of(answer, link.ending())
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
            body = body_of(answer, ending, Status.INVALID if self._spec.command else Status.TAMPERED)
            if body.pop("id", mark) != mark:
                raise AgentFailed(Status.TAMPERED, "an answer to another request")
            if type(error := body.pop("error", None)) is str and error:
                raise AgentFailed(Status.WRONG, error[:3_000])
        except AgentFailed as failure:
            raise Failed(failure, answer) from None
        return answer, body

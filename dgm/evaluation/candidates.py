"""Candidates that a judge must execute: their functions are called in a sandbox where no agent runs."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence

from dgm.domain import JSON, CallOutcome
from dgm.errors import AgentFailed, SandboxUnavailable, Status
from dgm.evaluation.replies import CLAIMABLE
from dgm.evaluation.session import Sandboxed
from dgm.sandbox import Limits, Sandbox
from dgm.sandbox.link import Answer, Link
from dgm.wire import parse


class JudgeSession(Sandboxed):
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
    if isinstance(body, dict) and body.keys() == {"status", "error"} and body["status"] in CLAIMABLE:
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

"""What a worker's answer is worth: every byte of it is a claim (`dgm.runner.worker`), how it ended is evidence."""

from __future__ import annotations

import signal
from collections.abc import Mapping

from dgm.domain import JSON
from dgm.errors import AgentFailed, Status
from dgm.sandbox.link import Answer
from dgm.wire import parse

CLAIMABLE = {Status.WRONG, Status.INVALID, Status.OOM, Status.PIDS, Status.DISK}
"""What a worker may say of its own end."""


class Failed(AgentFailed):
    """A failure of which the runner has told how it went."""

    def __init__(self, failure: AgentFailed, answer: Answer) -> None:
        super().__init__(failure.status, failure.reason)
        self.answer = answer


def body_of(answer: Answer, ending: Status | None, malformed: Status = Status.TAMPERED) -> dict[str, JSON]:
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


def only(body: Mapping[str, JSON], key: str) -> JSON:
    if body.keys() != {key}:
        raise AgentFailed(Status.INVALID, f"the answer must hold {key!r} and nothing else")
    return body[key]


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
    if body.keys() != {"status", "error"} or body["status"] not in CLAIMABLE or type(body["error"]) is not str:
        raise AgentFailed(Status.TAMPERED, "a status of another form than was due")
    status = Status(body["status"])
    if status == Status.WRONG and answer.full:
        status = Status.DISK
    raise AgentFailed(ending or status, body["error"][:3_000])

"""The one door to language models: who asks, what comes back, and what an upstream is. The protocol.

A call comes from a sandbox as a frame on its session's pipes (`desk`), is checked (`form`), paid for from a budget
(`budget`, `prices`), looked up in the record (`cache`), asked of an `Upstream` with tries again after faults (`faults`,
`outage`), recorded and answered (`service`). Two upstreams: `http` speaks the OpenAI form itself, `hosted` goes through
litellm, in a process of its own (`process`). Keys are read by whoever makes an upstream and live in that object alone
(boundary rule B7).

Text only: no images, no sound, no tools that the provider itself runs, for by those an agent could reach the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from dgm.domain import JSON
from dgm.errors import ModelUnavailable, UserError

COMPLETIONS, MODELS = "/v1/chat/completions", "/v1/models"

NANO = 1_000_000_000
"""Nano-dollars in a dollar: all money is an integer of them."""


class Role(StrEnum):
    """For what a model is asked."""

    AGENT = "agent"  #: a task agent works on a task
    EXAM = "exam"  #: the same on test, which no proposal's limit holds up
    META = "meta"  #: a meta agent makes a proposal
    JUDGE = "judge"  #: a judge asks
    PROBE = "probe"  #: the gateway itself looks whether the provider answers


@dataclass(frozen=True, slots=True)
class Scope:
    """Who asks. Samples are counted within proposal, role and task."""

    role: Role
    agent: int | None = None  #: whose code asks: for META the parent
    proposal: int | None = None  #: for which proposal; it bears the cost
    task: str = ""  #: the kernel's name of the task; empty where there is none


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call, as the provider counts them."""

    prompt: int
    completion: int


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer in the form of OpenAI's `chat.completion`. `usage` is None where the provider tells none."""

    body: Mapping[str, JSON]
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back into the sandbox as an HTTP response."""

    status: int
    body: bytes
    kind: str = "application/json"


class Upstream(Protocol):
    """A provider. May be asked by many threads at once."""

    def complete(self, request: Mapping[str, JSON]) -> Completion:
        """Ask once, without trying again. Raises Fault, Rejected or Denied, and nothing else."""
        ...

    def close(self) -> None:
        """Give connections back. May be called twice."""
        ...


class Fault(Exception):
    """The provider's failure, or the network's: to be tried again.

    `billed`: the provider may have charged for it. `suspect`: a request that is itself the cause would look like this.
    """

    def __init__(
        self, reason: str, *, retry_after: float | None = None, billed: bool = False, suspect: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason, self.retry_after, self.billed, self.suspect = reason, retry_after, billed, suspect


class Rejected(Exception):
    """The agent's own fault: it is told, as an HTTP error in OpenAI's form."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message

    def __reduce__(self) -> tuple[object, ...]:
        """So that it can be sent from one process to another."""
        return type(self), (self.status, self.code, self.message)


class Denied(UserError):
    """The provider does not let us in, or does not know the model: a person must fix the key or the name."""


class HeldUp(ModelUnavailable):
    """A call of the very work that is under way came to nothing by the provider: it was not another's that did."""


class BudgetSpent(ModelUnavailable):
    """The run's own budget does not allow another call: what was under way is not scored, and the run ends."""

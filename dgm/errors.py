"""Every error of the kernel. The first branch is *whose fault it is*, and that decides what happens next.

DgmError
├── UserError            the person's: one sentence, exit code 2, nothing changed
├── AgentFailed          the agent's: recorded with a status, scored zero, the run goes on
├── InfrastructureError  ours or the host's: retried, never scored
│   ├── SandboxUnavailable
│   ├── ModelUnavailable
│   └── NoVerdict        a judge's model did not answer in the form that is due; that one verdict is missing
└── JudgeFailed          the domain's: stops the run, exit code 1
"""

from __future__ import annotations

import errno
from enum import StrEnum


def disk_is_full(error: BaseException) -> bool:
    """Whether what the system refused is room: the person's to mend, whatever was being read or written."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


class Status(StrEnum):
    """How one task, proposal or check ended. All but OK and INFRA are the agent's own doing."""

    OK = "ok"  #: done; the judge said what it is worth
    WRONG = "wrong"  #: an answer of the right form that is worth nothing, or none at all
    TIMEOUT = "timeout"  #: still running when its time was up
    OOM = "oom"  #: asked for more memory than it may have
    PIDS = "pids"  #: asked for more processes than it may have
    DISK = "disk"  #: filled what it may write
    OUTPUT = "output"  #: answered or printed more than is read
    INVALID = "invalid"  #: an answer that is not of the form that was due
    FORBIDDEN = "forbidden"  #: tried what the boundary refuses
    TAMPERED = "tampered"  #: broke the protocol or the process that speaks it
    INFRA = "infra"  #: our fault: missing, never zero


class DgmError(Exception):
    """The root. Never raised itself."""


class UserError(DgmError):
    """A person must fix something; the message is one sentence that says what would be right."""


class AgentFailed(DgmError):
    """The agent's code did not do its part."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(f"{status}: {reason}")
        self.status = status
        self.reason = reason

    def __reduce__(self) -> tuple[object, ...]:
        """So that it can be sent from one process to another."""
        return type(self), (self.status, self.reason)


class InfrastructureError(DgmError):
    """Something of ours or of the host's failed; the work may be tried again."""


class SandboxUnavailable(InfrastructureError):
    """The sandbox could not be started or was lost through no fault of the agent."""


class ModelUnavailable(InfrastructureError):
    """The language model's provider did not answer."""


class NoVerdict(InfrastructureError):
    """The model that a judge asks gave no verdict of the form that is due, however often it was asked."""


class JudgeFailed(DgmError):
    """A judge raised or gave a verdict that is none: the domain has a defect."""

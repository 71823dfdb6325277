"""Where code that we did not write runs. The protocol; the backends are the modules beside this one.

A backend opens a `Session`: one isolated world with a read-only `/genome`-like file set, one writable place,
no network and hard limits. A failed command is a result; a failed sandbox is `SandboxUnavailable`.
The end of a session is the end of everything in it (boundary rule B10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Protocol, Self, runtime_checkable

from dgm.domain import Files
from dgm.errors import Status


@dataclass(frozen=True, slots=True)
class Limits:
    """What one session may use. Limits live in the kernel; nothing inside can change them."""

    seconds: float = 60.0  #: life of one request (task, improve), in seconds of the kernel's monotonic clock
    memory_mb: int = 1024  #: all processes of the session together where a cgroup holds, else each
    processes: int = 64  #: processes and threads alive at once
    disk_mb: int = 256  #: everything writable together
    answer_kb: int = 1024  #: one reply frame; each file taken out counts as well
    log_kb: int = 64  #: of what is printed per request, head and tail are kept
    cpus: float = 1.0  #: cores


class Process(Protocol):
    """A started command with binary pipes, each with a descriptor of its own that can be polled."""

    stdin: BinaryIO
    stdout: BinaryIO
    stderr: BinaryIO

    def poll(self) -> int | None:
        """Exit code, negative signal number, or None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int: ...

    def kill(self) -> None: ...


class Session(Protocol):
    """One open sandbox. A context manager; `close` may be called twice and never raises for a dead sandbox."""

    base: str  #: prefix of the inside's paths: "" where the sandbox has its own root, a host path for `local`

    def start(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> Process:
        """Start the session's one command inside, with an emptied environment plus `env`, in the writable directory
        `base + "/work"`. The files given to `open` stand read-only below `base + "/files"`.
        Raises SandboxUnavailable, also for a second command."""
        ...

    def python(self) -> Sequence[str]:
        """The inside's interpreter as the beginning of an argv: the image's or the system's, never ours."""
        ...

    def ending(self) -> Status | None:
        """Why the session died, from evidence the inside cannot forge (cgroup counters, exit state):
        OOM, PIDS, DISK or TIMEOUT; None if nothing says so."""
        ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Sandbox(Protocol):
    """A backend."""

    name: str
    holds: frozenset[str]  #: which of the boundary rules B4, B7, B8, B10 it holds (`local` holds none of them)

    def open(self, files: Files, limits: Limits) -> Session:
        """Raises SandboxUnavailable when the host cannot give a sandbox."""
        ...

    def caveats(self) -> Sequence[str]:
        """What this backend cannot hold on this machine, a sentence each; said once at the start of a run."""
        ...


@runtime_checkable
class Foreseeing(Protocol):
    """A backend that can begin ahead of need."""

    def expect(self, limits: Limits) -> None:
        """Sandboxes with these limits will be asked for soon."""
        ...

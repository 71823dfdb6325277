"""One container: made, locked down, filled with files, watched and removed. Never used for two sessions.

Its first process is the warden, of another user than agents are. So the files that it wrote cannot be
changed by an agent, and what it reads from the control groups cannot be forged by one. Its end, which no
agent can bring about but by want of memory, is the container's end: the engine then removes it, also when
the kernel is dead.
"""

from __future__ import annotations

import contextlib
import functools
import json
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dgm.domain import Files
from dgm.errors import SandboxUnavailable, Status
from dgm.sandbox import Limits, seccomp
from dgm.sandbox.engine import leftovers
from dgm.sandbox.engine.client import Engine
from dgm.sandbox.engine.process import Executed
from dgm.sandbox.engine.stream import STDOUT, Stream
from dgm.sandbox.pipes import Late, Lost

PYTHON = "/usr/local/bin/python3"
AGENT, WARDEN = "65532:65532", "65531:65531"
LIFE = 24 * 3600
"""Seconds after which a container ends whatever happens: longer than any session."""

UNFILLED = 3600
"""Seconds after which one ends that was given no files: an engine that is killed while it starts a container may know
nothing of it any more, and then holds its input open for ever."""

FRESH = UNFILLED / 2
"""Seconds for which a container that was started ahead of need may wait."""

FILES_MB = 64
"""Room for a session's files. Where they need more, the container is made for them."""

START_SECONDS, ASK_SECONDS, END_SECONDS = 60.0, 2.0, 1.0
_EXTRA_PROCESSES = 1  # the warden
_CPU_PERIOD = 100_000


class Container:
    """A running container with an empty `/files`; `fill` it, then `run` the agent's command."""

    def __init__(self, engine: Engine, image: str, limits: Limits, files_mb: int, labels: Mapping[str, str]) -> None:
        """Start it. Raises SandboxUnavailable when the engine cannot."""
        self._engine = engine
        self._process: Executed | None = None
        self._stream: Stream | None = None
        self._ended = self._gone = False
        self._ending = threading.Lock()
        self._born = time.monotonic()
        command = [PYTHON, "-I", "-S", "-c", _warden(), str(UNFILLED), str(LIFE)]
        settings = {
            "user": WARDEN,
            "stdin_open": True,
            "hostname": "sandbox",
            "working_dir": "/work",
            "labels": dict(labels) | leftovers.labels(LIFE),
        }
        self.id = engine.create(image, command, settings, _host_config(limits, files_mb))
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self._stream = engine.attach(self.id)
            engine.start(self.id)
            undo.pop_all()

    def waits(self) -> bool:
        """Whether it can be filled: it is fresh, and its warden lives and has not said a word."""
        return self._stream is not None and self._stream.silent() and time.monotonic() - self._born < FRESH

    def fill(self, files: Files) -> None:
        """Put the session's files below `/files`. Raises SandboxUnavailable."""
        table = json.dumps([[path, len(content)] for path, content in files.items()]).encode()
        package = b"".join([len(table).to_bytes(4, "big"), table, *files.values()])
        deadline = time.monotonic() + START_SECONDS
        try:
            self._warden.send(package, deadline)
            told = self._hear(deadline)
        except (Late, Lost) as error:
            why = "it is late" if isinstance(error, Late) else "it has ended"
            raise SandboxUnavailable(f"the container takes no files: {why}") from None
        if told != {"ready": True}:
            raise SandboxUnavailable(f"the container takes no files: {told.get('error')}")

    def run(self, argv: Sequence[str], env: Mapping[str, str]) -> Executed:
        """Start the one command as the agent, in `/work`, with no other environment than `env`.

        Raises SandboxUnavailable when the container is gone or has had its command.
        """
        if self._process is not None or self._ended:
            raise SandboxUnavailable("a session runs one command, and this one has had its own")
        emptied = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in env.items())]
        command, stream = self._engine.execute(self.id, [*emptied, *argv], AGENT, "/work")
        self._process = Executed(self._engine, command, stream, self.end)
        return self._process

    def ending(self) -> Status | None:
        """As `Session.ending`. Raises SandboxUnavailable if the container was ended by no agent's doing."""
        if self._ended:
            return None
        deadline = time.monotonic() + ASK_SECONDS
        try:
            self._warden.send(b"?", deadline)
            told = self._hear(deadline)
        except Late:
            self._ended = True  # starved of its share of the processor: it will not be asked again
            return None
        except Lost:
            if self._engine.ran_out_of_memory(self.id):
                return Status.OOM
            raise SandboxUnavailable("the container was ended by its engine, or with it") from None
        if told["oom"]:
            return Status.OOM
        if told["pids"]:
            return Status.PIDS
        return Status.DISK if told["full"] else None

    def end(self) -> None:
        """End all that is in the container, which is then removed. For any thread, and at any time: the pipes of its
        command are left to whoever reads them, who finds them at their end. No error without an engine."""
        with self._ending:
            if self._gone:
                return
            self._gone = self._ended = True
            with contextlib.suppress(SandboxUnavailable):
                remove = self._engine.bury if self._warden_left() else self._engine.remove
                remove(self.id)

    def close(self) -> None:
        """`end` it, and give back its pipes. May be called twice."""
        self.end()
        if self._stream is not None:
            self._stream.close()
        if self._process is not None:
            self._process.abandon()

    def _warden_left(self) -> bool:
        """Let the warden go, and with it everything; whether it went in time. An engine takes longer to kill it."""
        if self._stream is None:
            return False
        deadline = time.monotonic() + END_SECONDS
        self._stream.hang_up()
        try:
            while True:
                self._stream.receive(deadline)
        except Late:
            return False
        except Lost:
            return True

    @property
    def _warden(self) -> Stream:
        if self._stream is None:
            raise SandboxUnavailable("the container was not started")
        return self._stream

    def _hear(self, deadline: float) -> dict[str, Any]:
        """The warden's next line; what it says on standard error is why it dies."""
        line = b""
        while not line.endswith(b"\n"):
            kind, data = self._warden.receive(deadline)
            if kind != STDOUT:
                why = data.decode(errors="replace")[-500:].strip()
                raise SandboxUnavailable(f"the container does not start: {why}")
            line += data
        return dict(json.loads(line))


def files_mb(files: Files) -> int:
    """Megabytes that the files need in a tmpfs, where each takes whole pages; at least FILES_MB."""
    pages = sum(-(-len(content) // 4096) + 1 for content in files.values())
    return max(FILES_MB, (pages * 4096 >> 20) + 8)


@functools.cache
def _warden() -> str:
    return Path(__file__).with_name("warden.py").read_text(encoding="utf-8")


def _host_config(limits: Limits, files_mb: int) -> dict[str, Any]:
    """What holds a container. All that can be written is sized, and what is written counts as memory."""
    memory = (limits.memory_mb + limits.disk_mb + files_mb) << 20
    inodes = 4_096 + 64 * limits.disk_mb
    return {
        "auto_remove": True,
        "network_mode": "none",
        "dns": ["127.0.0.1"],  # or the host's own resolvers could be read
        "dns_search": ["."],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true", f"seccomp={seccomp.PROFILE.read_text(encoding='utf-8')}"],
        "read_only": True,
        "tmpfs": {
            "/work": f"size={limits.disk_mb}m,nr_inodes={inodes},mode=0700,uid=65532,gid=65532,exec",
            "/files": f"size={files_mb}m,mode=0755,uid=65531,gid=65531,exec",
        },
        "ipc_mode": "none",
        "pids_limit": limits.processes + _EXTRA_PROCESSES,
        "mem_limit": memory,
        "memswap_limit": memory,
        "cpu_period": _CPU_PERIOD,
        "cpu_quota": round(limits.cpus * _CPU_PERIOD),
        "log_config": {"Type": "none", "Config": {}},
        "ulimits": [
            {"Name": name, "Soft": value, "Hard": value}
            for name, value in (
                ("core", 0),
                ("msgqueue", 0),
                ("nofile", 1024),
                ("fsize", max(limits.disk_mb, files_mb) << 20),
            )
        ],
    }

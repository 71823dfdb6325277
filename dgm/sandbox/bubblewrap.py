"""The backend `bubblewrap`: namespaces made by `bwrap`, a seccomp filter, and control groups where there are any.

Inside are the system's programs (read-only), the session's files (read-only) and one sized tmpfs; no network, no
home, no other process, no device that remembers. `/tmp` and `/dev/shm` are places in that tmpfs.

A decision that would surprise: when we are root, bwrap starts as another user. A root that only maps itself to a
user inside keeps root's power over files that the kernel shows in /proc/sys, and no limit on processes binds it.
"""

from __future__ import annotations

import functools
import os
import platform
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import dgm
from dgm.closing import Closing
from dgm.domain import Files
from dgm.errors import SandboxUnavailable, Status
from dgm.sandbox import Limits, cgroup, interpreter, seccomp
from dgm.sandbox.world import Supervised, World

NOBODY = 65_532
"""The user and group of a sandbox when we are root: one that owns nothing."""

_DEVICES = ("null", "zero", "full", "random", "urandom")
_ETC = ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d")
_JAVA = "java-*-openjdk"  #: below /etc too: without its settings no Java of Debian's starts
_USERS = {
    "passwd": b"agent:x:%d:%d::/work:/bin/sh\n",
    "group": b"agent:x:%d:\n",
}
_HOSTS = b"127.0.0.1 localhost\n::1 localhost\n"


class BubblewrapSession(Closing):
    """A session of `Bubblewrap`: a world with its own root, whose `/files` and `/work` are the session's."""

    base = ""

    def __init__(self, files: Files, limits: Limits) -> None:
        self._limits = limits
        root = os.getuid() == 0
        self._uid = NOBODY if root else os.getuid()
        self._python = interpreter.find(NOBODY if root else None)
        self._filter = os.memfd_create("seccomp", 0)
        try:
            os.write(self._filter, seccomp.program())
            os.lseek(self._filter, 0, os.SEEK_SET)
            self._world = World(limits, NOBODY if root else None, slack_mb=limits.disk_mb, descriptors=[self._filter])
            users = {f"{name}": text.replace(b"%d", str(self._uid).encode()) for name, text in _USERS.items()}
            self._world.write("etc", {**users, "hosts": _HOSTS})
            self._world.write("files", files)
        except ValueError as error:
            os.close(self._filter)
            raise SandboxUnavailable(str(error)) from error
        except SandboxUnavailable:
            os.close(self._filter)
            raise

    def python(self) -> Sequence[str]:
        return (str(self._python),)

    def start(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> Supervised:
        held = self._world.groups.controllers
        rlimits = {
            "RLIMIT_CORE": 0,
            "RLIMIT_FSIZE": self._limits.disk_mb << 20,
            "RLIMIT_NOFILE": 1024,
            "RLIMIT_MSGQUEUE": 0,
        }
        if "memory" not in held:
            rlimits["RLIMIT_AS"] = self._limits.memory_mb << 20
        inner = [] if "pids" in held else _process_limit(self._limits.processes)
        bwrap = [_program(), *self._world_arguments(), *_environment(env or {}), "--", *inner, *argv]
        return self._world.start(bwrap, {}, "/", NOBODY if os.getuid() == 0 else None, rlimits)

    def _world_arguments(self) -> Iterator[str]:
        """bwrap's arguments, in the order in which it builds the world."""
        yield from (
            "--unshare-all",
            "--unshare-user",
            "--die-with-parent",
            "--new-session",
            "--cap-drop",
            "ALL",
        )
        yield from ("--hostname", "sandbox", "--uid", str(self._uid), "--gid", str(self._uid))
        bound = [Path("/usr"), *_own_prefix(self._python)]
        for path in bound:
            yield from ("--ro-bind", str(path), str(path))
        for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
            yield from _root_entry(Path("/", name))
        for hidden in _hidden(bound):
            yield from ("--tmpfs", str(hidden), "--remount-ro", str(hidden))
        yield from ("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dir", "/dev")
        for name in _DEVICES:
            yield from ("--dev-bind", f"/dev/{name}", f"/dev/{name}")
        for name, target in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
            yield from ("--symlink", f"/proc/self/fd{target}", f"/dev/{name}")
        yield from ("--symlink", "/work/shm", "/dev/shm", "--symlink", "/work/tmp", "/tmp")
        for name in (*_ETC, *sorted(path.name for path in Path("/etc").glob(_JAVA))):
            yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
        for name in (*_USERS, "hosts"):
            yield from ("--ro-bind", str(self._world.folder / "etc" / name), f"/etc/{name}")
        yield from ("--ro-bind", str(self._world.folder / "files"), "/files")
        yield from ("--size", str(self._limits.disk_mb << 20), "--tmpfs", "/work", "--chdir", "/work")
        yield from ("--remount-ro", "/", "--seccomp", str(self._filter))

    def ending(self) -> Status | None:
        return self._world.groups.ending()

    def close(self) -> None:
        self._world.close()
        if self._filter >= 0:
            os.close(self._filter)
            self._filter = -1


class Bubblewrap:
    """Runs code in namespaces of its own; needs the program `bwrap` and a kernel that lets us use it."""

    name = "bubblewrap"
    holds = frozenset({"B4", "B7", "B8", "B10"})

    def open(self, files: Files, limits: Limits) -> BubblewrapSession:
        return BubblewrapSession(files, limits)

    def caveats(self) -> Sequence[str]:
        held = cgroup.plan().controllers
        lines = []
        if "memory" not in held:
            lines.append(
                "bubblewrap limits the memory of each process, not of all together: no memory control group can be made"
            )
        if "pids" not in held and not _process_limit(1):
            lines.append("bubblewrap does not limit the number of processes: no pids control group can be made")
        if "cpu" not in held:
            lines.append("bubblewrap does not limit processor shares: no cpu control group can be made")
        return lines

    def trouble(self) -> str | None:
        """Why no sandbox can be opened here, or None after one has been opened and closed again."""
        try:
            with self.open({}, Limits(seconds=20, memory_mb=256)) as session:
                process = session.start(["/bin/true"])
                if process.wait(20) == 0:
                    return None
                return os.read(process.stderr.fileno(), 2_000).decode(errors="replace").strip() or "bwrap fails"
        except (SandboxUnavailable, TimeoutError) as error:
            return str(error)


@functools.cache
def _program() -> str:
    found = shutil.which("bwrap")
    if found is None:
        raise SandboxUnavailable("the program bwrap is not installed (package bubblewrap)")
    return found


def _environment(env: Mapping[str, str]) -> Iterator[str]:
    yield "--clearenv"
    for name, value in env.items():
        yield from ("--setenv", name, value)


def _root_entry(path: Path) -> Iterator[str]:
    """A folder of the root as it is on the host: a link into /usr, or a folder of its own."""
    if path.is_symlink():
        yield from ("--symlink", str(path.readlink()), str(path))
    elif path.is_dir():
        yield from ("--ro-bind", str(path), str(path))


def _own_prefix(python: Path) -> Iterator[Path]:
    """The installation of an interpreter that is not below /usr."""
    if Path("/usr") not in python.parents:
        yield python.parent.parent


def _hidden(bound: Sequence[Path]) -> Iterator[Path]:
    """Where this program itself is installed, if it can be seen: its judges know what agents may not."""
    package = Path(dgm.__file__).resolve().parent
    if any(folder in package.parents for folder in bound):
        yield package


def _process_limit(processes: int) -> list[str]:
    """A prefix that limits processes where no control group does.

    It must be set inside, where the count is the namespace's own; before Linux 5.14 it would be the user's whole.
    """
    release = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])
    tool = "/usr/bin/prlimit"
    if release < (5, 14) or not Path(tool).exists():
        return []
    return [tool, f"--nproc={processes}:{processes}", "--"]

"""A container engine of a test's own, which it may kill: nobody else's containers are in it.

Needs `dockerd` and an engine that answers already, from which the images come. Everything it starts is known by its
folder, which stands in its command lines, and by its process; nothing is found by name.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dgm.sandbox.engine import warden
from dgm.wire import show

OPTIONS = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"]
SECONDS = 60.0
WARDEN = Path(warden.__file__).read_bytes()


class PrivateEngine:
    """One engine with its data below `folder`. `host` is its address as in DOCKER_HOST."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.host = folder, f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        for left in ("docker.pid", "exec/containerd/containerd.pid"):
            (self.folder / left).unlink(missing_ok=True)
        places = ["--data-root", "data", "--exec-root", "exec", "--pidfile", "docker.pid"]
        command = ["dockerd", *(str(self.folder / p) if n % 2 else p for n, p in enumerate(places))]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-H", self.host, *OPTIONS], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        end = time.monotonic() + SECONDS
        while self.docker("version").returncode != 0:
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < end, "the engine does not answer"
            time.sleep(0.1)

    def stop(self, how: signal.Signals) -> None:
        """End it, politely or not, and what it has started itself."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(SECONDS)
        end = time.monotonic() + SECONDS
        while left := self._own("containerd"):
            assert time.monotonic() < end, "containerd does not end"
            for pid in left:
                _kill(pid)
            time.sleep(0.05)

    def docker(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["docker", "-H", self.host, *words], capture_output=True, text=True, check=False)

    def containers(self, *options: str) -> list[str]:
        """Ids; with `-a` those that do not run as well."""
        return self.docker("ps", "-q", "--no-trunc", *options).stdout.split()

    def fill(self, images: list[str]) -> None:
        """Take images over from the engine that the environment names."""
        with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saved:
            loaded = subprocess.run(
                ["docker", "-H", self.host, "load"], stdin=saved.stdout, capture_output=True, check=False
            )
        assert loaded.returncode == 0, loaded.stderr.decode()

    def shims(self) -> list[int]:
        """The processes that hold a container each; one whose engine was killed at the wrong moment stays without."""
        return [pid for pid in self._own("") if b"shim" in _command(pid)[0]]

    def held(self) -> list[int]:
        """The first processes of containers: the children of shims."""
        shims = set(self.shims())
        return [pid for pid, parent in _parents().items() if parent in shims]

    def inside(self) -> list[str]:
        """Those in which something of a run is, by number and command. One that still waits for its engine's word to
        begin, or for files, waits long where the engine was killed at that moment, and no engine knows of it then."""
        commands = {pid: show(b" ".join(_command(pid))).strip()[:200] for pid in self.held()}
        waiting = {pid for pid, command in commands.items() if command == "runc init" or _empty(pid)}
        return [f"{pid} {command}" for pid, command in commands.items() if pid not in waiting]

    def _own(self, name: str) -> list[int]:
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            words = _command(int(place.name))
            if str(self.folder).encode() in b" ".join(words) and words[0].endswith(name.encode()):
                found.append(int(place.name))
        return found


@contextmanager
def private_engine(folder: Path, images: list[str]) -> Iterator[PrivateEngine]:
    """An engine that holds `images`, ended with all that it started."""
    folder.mkdir(parents=True)
    engine = PrivateEngine(folder)
    engine.start()
    try:
        engine.fill(images)
        yield engine
    finally:
        for container in engine.containers("-a"):
            engine.docker("rm", "-f", container)
        engine.stop(signal.SIGTERM)
        for pid in (*engine.held(), *engine.shims()):
            _kill(pid)
        for mount in _mounts(folder):
            subprocess.run(["umount", "-l", mount], check=False)


def _mounts(folder: Path) -> list[str]:
    lines = Path("/proc/mounts").read_text().splitlines()
    return [line.split()[1] for line in reversed(lines) if line.split()[1].startswith(str(folder))]


def _parents() -> dict[int, int]:
    """Process to its parent."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            found[int(place.name)] = int((place / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    return found


def _command(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return [b""]


def _empty(pid: int) -> bool:
    """Whether it is the first process of a container that was given no files."""
    try:
        return WARDEN in _command(pid) and not any(Path(f"/proc/{pid}/root/files").iterdir())
    except OSError:
        return False


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)

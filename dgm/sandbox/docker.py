"""The backend `docker`: a container for each session, on any engine that speaks docker's API.

Inside are the image's programs (read-only), the session's files (another user's) and one sized tmpfs; no
network, no capability, no host folder, no other process but the warden (see `dgm.sandbox.engine`). Our
seccomp profile and the engine's own limits hold it. Files go in and come out through pipes, so the engine
may be on another machine.

A decision that would surprise: the container's first process is ours, and an agent's commands are started
beside it. A command that runs late is not ended alone, which an engine cannot do, but with the whole
container.

What it does not cover. There is no /dev/shm, so what needs one (the locks of Python's multiprocessing) fails.
An engine ignores the names in our profile that its libseccomp has not heard of (2.5.4: statmount, listmount,
open_tree_attr). Engines behind TLS or ssh cannot be used. Podman, rootless engines and control groups of
version 2 are provided for, but untested.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from dgm.closing import Closing
from dgm.domain import Files
from dgm.errors import SandboxUnavailable, Status
from dgm.sandbox import Limits
from dgm.sandbox.engine import image, leftovers
from dgm.sandbox.engine.client import Engine
from dgm.sandbox.engine.container import PYTHON, Container, files_mb
from dgm.sandbox.engine.image import BASE, Image
from dgm.sandbox.engine.process import Executed
from dgm.sandbox.engine.warm import Warm

RUN_LABEL = "dgm.run"
_LIMITS = {"MemoryLimit": "memory", "PidsLimit": "processes", "CpuCfsQuota": "processor shares"}


class DockerSession(Closing):
    """A session of `Docker`: one container, which nobody had before and nobody has after."""

    base = ""

    def __init__(self, container: Container) -> None:
        self._container = container

    def python(self) -> Sequence[str]:
        return (PYTHON,)

    def start(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> Executed:
        """Raises SandboxUnavailable when the container is gone or has had its one command."""
        return self._container.run(argv, env or {})

    def ending(self) -> Status | None:
        """Raises SandboxUnavailable when the container was ended by something that no agent can do."""
        return self._container.ending()

    def close(self) -> None:
        self._container.close()


class Docker(Closing):
    """Runs code in containers. The first `open` removes what dead kernels left, and builds the image."""

    name = "docker"
    holds = frozenset({"B4", "B7", "B8", "B10"})

    def __init__(
        self,
        host: str | None = None,
        image: Image = Image(),  # noqa: B008  (a frozen value)
        run: str = "",
        ahead: int = 0,
        build: bool = True,
        say: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
    ) -> None:
        """`host` as in DOCKER_HOST; `run` is a label for people; `say` takes what building the image prints.
        `ahead` containers of each kind start before they are needed; `close` removes those that were not.
        Without `build`, an image that is not there is a reason to be unavailable."""
        self._host, self._image, self._run, self._build, self._say = host, image, run, build, say
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._others: dict[str, Docker] = {}
        self._tag: str | None = None
        self._warm = Warm(self._container, ahead) if ahead else None

    def open(self, files: Files, limits: Limits) -> DockerSession:
        needed = files_mb(files)
        container = self._warm.take(limits, needed) if self._warm else self._container(limits, needed)
        try:
            container.fill(files)
        except SandboxUnavailable:
            container.close()
            raise
        return DockerSession(container)

    def expect(self, limits: Limits) -> None:
        """Start some sandboxes that will be asked for soon, if any are to start ahead of need."""
        if self._warm is not None:
            self._warm.expect(limits)

    def lacking(self, images: Iterable[str]) -> Sequence[str]:
        """Which of these images the engine does not have. Raises SandboxUnavailable."""
        engine = self._connected()
        return [image for image in images if not engine.has_image(image)]

    def within(self, image: str) -> Docker:
        """The same with another image's programs, under a thin layer of ours, which is built where it is not there: a
        Python for the runner, and no git history, in which later commits may lie. `close` closes it as well."""
        with self._lock:
            if image not in self._others:
                self._others[image] = Docker(self._host, Image(image, history=False), self._run, say=self._say)
            return self._others[image]

    def caveats(self) -> Sequence[str]:
        try:
            told = self._connected().info()
        except SandboxUnavailable as error:
            return [str(error)]
        lines = [
            f"docker does not limit {what}: the engine's machine has no control group for it"
            for key, what in _LIMITS.items()
            if not told.get(key)
        ]
        if not any("seccomp" in option for option in told.get("SecurityOptions") or ()):
            lines.append("docker refuses no system call: the engine was built without seccomp")
        return lines

    def trouble(self) -> str | None:
        """Why no sandbox can be opened here, or None. An image that may be built is built."""
        try:
            self._provided(self._connected())
        except SandboxUnavailable as error:
            return str(error)
        return None

    def reap(self) -> Sequence[str]:
        """Remove the containers that dead kernels left; their ids. Raises SandboxUnavailable."""
        return leftovers.reap(self._connected())

    def close(self) -> None:
        """Remove the containers that were started ahead, and hang up. May be called twice."""
        for other in self._others.values():
            other.close()
        if self._warm is not None:
            self._warm.close()
        if self._engine is not None:
            self._engine.close()

    def _container(self, limits: Limits, room_mb: int) -> Container:
        engine, tag = self._ready()
        return Container(engine, tag, limits, room_mb, {RUN_LABEL: self._run})

    def _ready(self) -> tuple[Engine, str]:
        engine = self._connected()
        with self._lock:
            if self._tag is None:
                leftovers.reap(engine)
                self._tag = self._provided(engine)
            return engine, self._tag

    def _provided(self, engine: Engine) -> str:
        """The tag of the image, which is there from now on."""
        if self._build:
            return image.provide(engine, self._image, self._say)
        if not engine.has_image(self._image.tag):
            raise SandboxUnavailable(f"the engine has no image {self._image.tag}; --sandbox docker builds it")
        return self._image.tag

    def _connected(self) -> Engine:
        with self._lock:
            if self._engine is None:
                self._engine = Engine(self._host)
            return self._engine


def from_environment(run: str = "", ahead: int = 0, build: bool = True) -> Docker:
    """The backend as DOCKER_HOST, DGM_SANDBOX_BASE (an image to build ours on) and DGM_SANDBOX_PACKAGES (Debian
    packages besides, such as "nodejs g++") say, if they are set."""
    base = os.environ.get("DGM_SANDBOX_BASE") or BASE
    packages = tuple(os.environ.get("DGM_SANDBOX_PACKAGES", "").split())
    return Docker(os.environ.get("DOCKER_HOST"), Image(base, packages), run, ahead, build)

"""Where code that we did not write can run: a container engine with our image, bubblewrap, control groups.

One of docker and bubblewrap is enough, and the offline seeds need neither; so each is optional by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from dgm.doctor.finding import Finding
from dgm.errors import SandboxUnavailable
from dgm.sandbox import cgroup
from dgm.sandbox.bubblewrap import Bubblewrap
from dgm.sandbox.engine.client import HOW_TO_GET_ONE, Engine
from dgm.sandbox.engine.image import BASE, Image

WANTED = ("memory", "pids", "cpu")


def findings() -> Iterator[Finding]:
    docker = list(engine())
    yield from docker
    yield (wrapped := bubblewrap())
    yield control_groups()
    yield sandbox(all(finding.ok for finding in docker), wrapped.ok)


def engine() -> Iterator[Finding]:
    """Whether an engine answers, and whether our image is there; the image alone where the engine is not."""
    image = Image(os.environ.get("DGM_SANDBOX_BASE") or BASE)
    try:
        found = Engine(os.environ.get("DOCKER_HOST"))
    except SandboxUnavailable as error:
        yield Finding("container engine", False, False, str(error).split("; install one")[0], HOW_TO_GET_ONE)
        yield Finding("sandbox image", False, False, "no engine to ask", "start an engine first")
        return
    try:
        told = found.info()
        version = f"{told.get('ServerVersion', 'unknown version')} at {found.host}"
        yield Finding("container engine", True, False, version)
        there = found.has_image(image.tag)
        remedy = "" if there else "`dgm sandbox check docker` builds it and tries it out"
        yield Finding("sandbox image", there, False, image.tag if there else f"no {image.tag}", remedy)
    except SandboxUnavailable as error:
        yield Finding("container engine", False, False, str(error), "see the engine's own log")
    finally:
        found.close()


def bubblewrap() -> Finding:
    """Whether a sandbox of bubblewrap opens: one is opened and closed."""
    trouble = Bubblewrap().trouble()
    remedy = "install bubblewrap (Debian: apt install bubblewrap), and let users make namespaces"
    return Finding("bubblewrap", trouble is None, False, trouble or "opens", remedy if trouble else "")


def control_groups() -> Finding:
    """Which limits hold for all processes of a bubblewrap or local sandbox together."""
    held = cgroup.plan().controllers
    lacking = [name for name in WANTED if name not in held]
    found = ", ".join(name for name in WANTED if name in held) or "none can be made"
    remedy = f"run where a group for {', '.join(lacking)} can be made, or use docker, whose engine makes its own"
    return Finding("control groups", not lacking, False, found, remedy if lacking else "")


def sandbox(docker: bool, wrapped: bool) -> Finding:
    """What `--sandbox auto` would take."""
    name = "docker" if docker else "bubblewrap" if wrapped else ""
    if name:
        return Finding("sandbox", True, False, f"auto takes {name}")
    found = "auto takes local, which is none: only the offline seeds run"
    return Finding("sandbox", False, False, found, "mend bubblewrap or docker above to run agents that a model wrote")

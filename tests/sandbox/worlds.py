"""Small genomes for the sandbox tests, and what a test can see of the host."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from dgm.evaluation.session import AgentSession, Reply
from dgm.sandbox import Limits, Sandbox, cgroup
from dgm.sandbox.bubblewrap import Bubblewrap
from dgm.sandbox.docker import DockerSession
from dgm.sandbox.docker import from_environment as Docker
from dgm.sandbox.local import Local

LIMITS = Limits(seconds=10, memory_mb=256, processes=32, disk_mb=32, answer_kb=256, log_kb=16)

local = pytest.param(Local, id="local")
bubblewrap = pytest.param(Bubblewrap, id="bubblewrap", marks=pytest.mark.needs("bubblewrap"))
docker = pytest.param(Docker, id="docker", marks=[pytest.mark.needs("docker"), pytest.mark.slow])
EVERY_BACKEND = [local, bubblewrap, docker]
ISOLATING_BACKENDS = [bubblewrap]


@dataclass(frozen=True)
class Start:
    """How a half is started."""

    entry: str | None = "agent/task_agent.py:TaskAgent"
    command: tuple[str, ...] = ()
    packages: bool = False


META = Start(entry="meta/meta_agent.py:MetaAgent")


def task_agent(body: str, top: str = "") -> dict[str, bytes]:
    """A genome whose task agent has this `forward` (inputs are the name `inputs`)."""
    return {"agent/task_agent.py": _module("TaskAgent", "inputs", body, top)}


def meta_agent(body: str, top: str = "") -> dict[str, bytes]:
    """A genome whose meta agent has this `forward`."""
    return {"meta/meta_agent.py": _module("MetaAgent", "repo_path, eval_path, iterations_left", body, top)}


def _module(name: str, parameters: str, body: str, top: str) -> bytes:
    return (
        "import os, sys, time, signal, socket, subprocess, random, json, ctypes, threading\n"
        f"{textwrap.dedent(top)}\n"
        f"class {name}:\n"
        "    def __init__(self, model, chat_history_file): self.chat = chat_history_file\n"
        f"    def forward(self, {parameters}):\n"
        f"{textwrap.indent(textwrap.dedent(body), '        ')}\n"
    ).encode()


def agent_session(backend: Sandbox, genome: dict[str, bytes], **limits: Any) -> AgentSession:
    return AgentSession(backend, genome, Start(), "agent", replace(LIMITS, **limits))


def solve(backend: Sandbox, body: str, *, top: str = "", inputs: Any = None, **limits: Any) -> Reply:
    """What one task comes to, in a session of its own."""
    with agent_session(backend, task_agent(body, top), **limits) as session:
        return ask(session, **(inputs or {}))


def ask(session: AgentSession, **inputs: Any) -> Reply:
    return session.task(inputs, {"kind": "text"}, {}, 7)


def processes(marker: str) -> list[int]:
    """Processes of the host with `marker` in their command line."""
    return [
        int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and marker.encode() in _read(p / "cmdline")
    ]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def traces(session: AgentSession) -> list[Path]:
    """What an open session has on the host: its folder and its control groups, or its container's first process."""
    assert session._open is not None
    opened = session._open._session
    if isinstance(opened, DockerSession):
        container = opened._container
        return [Path("/proc", str(container._engine._api.inspect_container(container.id)["State"]["Pid"]))]
    world = opened._world  # type: ignore[attr-defined]
    return [world.folder, *world.groups.paths]


def held(backend: Sandbox, controller: str) -> bool:
    """Whether a control group holds here, so that both backends can be held to a limit."""
    return controller in cgroup.plan().controllers or backend.name != "local"

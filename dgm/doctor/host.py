"""What every run needs of the machine: two Pythons, git, and a place to write."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dgm.doctor.finding import Finding
from dgm.errors import SandboxUnavailable
from dgm.sandbox import interpreter

OLDEST = (3, 11)
ROOM_GB = 1.0
"""Free space below which a run may not be able to finish; a run of 40 proposals writes some tens of megabytes."""


def findings() -> Iterator[Finding]:
    yield python()
    yield agents_python()
    yield git()
    yield room("disk", Path.cwd())
    yield room("temporary folder", Path(tempfile.gettempdir()))


def python() -> Finding:
    """The interpreter that runs dgm."""
    oldest = ".".join(map(str, OLDEST))
    found = f"{platform.python_version()} at {sys.executable}"
    return Finding("python", sys.version_info >= OLDEST, True, found, f"run dgm with Python {oldest} or newer")


def agents_python() -> Finding:
    """The interpreter that agents run on outside of containers: the system's."""
    try:
        return Finding("python for agents", True, True, str(interpreter.find(None)))
    except SandboxUnavailable as error:
        return Finding("python for agents", False, True, str(error), "install the system's python3, 3.11 or newer")


def git() -> Finding:
    """Genomes are kept in git; its program is called."""
    remedy = "install git (Debian: apt install git)"
    program = shutil.which("git")
    if program is None:
        return Finding("git", False, True, "not installed", remedy)
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    if said.returncode:
        return Finding("git", False, True, f"{program} does not work: {said.stderr.strip()}", remedy)
    return Finding("git", True, True, said.stdout.strip().removeprefix("git version "))


def room(name: str, folder: Path) -> Finding:
    """Whether a folder can be written to, with at least ROOM_GB gigabytes free."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".dgm-doctor-"):
            free = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        return Finding(name, False, True, f"{folder}: {error.strerror}", "choose a folder that you may write to")
    found = f"{free:.1f} GB free at {folder}"
    return Finding(name, free >= ROOM_GB, True, found, "" if free >= ROOM_GB else f"free {ROOM_GB:.0f} GB")

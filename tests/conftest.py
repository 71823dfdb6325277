"""What all tests share: resources that may be absent, and where real data lies.

A test marked `needs("bubblewrap")` or `needs("data")` is skipped with a reason where the resource is absent, and
fails instead when the environment variable DGM_REQUIRE names it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("DGM_DATA") or REPOSITORY.parent / "shared" / "data")

settings.register_profile("anywhere", deadline=None)  # how fast a machine is says nothing of what is right
settings.load_profile("anywhere")


@cache
def missing(resource: str) -> str | None:
    """Why a resource is absent here, or None if it is there."""
    if resource == "data":
        return None if DATA.is_dir() else "no real data: set DGM_DATA to the folder that holds it"
    if resource == "bubblewrap":
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            return "bubblewrap is not installed"
        works = subprocess.run(
            [bwrap, "--ro-bind", "/", "/", "--unshare-all", "true"], capture_output=True, check=False
        )
        return None if works.returncode == 0 else f"bubblewrap does not work here: {works.stderr.decode().strip()}"
    if resource == "docker":
        from dgm.sandbox.docker import from_environment

        required = resource in os.environ.get("DGM_REQUIRE", "").split()
        with from_environment(build=required) as docker:
            return docker.trouble()
    if resource == "chromium":
        if importlib.util.find_spec("playwright") is None:
            return "the Python package playwright is not installed"
        return None if shutil.which("chromium") else "Chromium is not installed"
    if resource == "node":
        return None if shutil.which("node") else "Node is not installed"
    if resource in ("mujoco", "ray", "submitit"):
        found = importlib.util.find_spec(resource) is not None
        return None if found else f"the Python package {resource} is not installed"
    raise ValueError(f"needs({resource!r}): there is no such resource")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for resource in marker.args:
            if (why := missing(resource)) is not None:
                if resource in os.environ.get("DGM_REQUIRE", "").split():
                    pytest.fail(f"required here, but {why}", pytrace=False)
                pytest.skip(why)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data; mark the test with needs("data")."""
    return DATA


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY

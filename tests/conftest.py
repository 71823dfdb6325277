"""What all tests share: resources that may be absent, where real data lies, and in which order files are handed out.

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

LONGEST = (
    "docs/test_tutorials.py",
    "e2e/test_strategies.py",
    "e2e/test_models.py",
    "packaging/test_wheel.py",
    "domains/test_scripted_runs.py",
    "domains/test_hostile.py",
    "domains/test_reward.py",
    "e2e/test_attacks.py",
    "e2e/test_kill.py",
    "domains/test_polyglot.py",
    "sandbox/test_check.py",
    "sandbox/test_contract.py",
    "experiment/test_command.py",
    "e2e/test_loop.py",
    "domains/test_new_and_check.py",
    "steering/test_through_the_run.py",
    "seeds/test_rewards.py",
    "seeds/test_adapt.py",
)
"""Files whose tests take longest together: they are handed out first, so that no worker is left with one at the end."""

settings.register_profile("dgm", max_examples=50, deadline=None)  # how fast a machine is says nothing of what is right
settings.load_profile("dgm")


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


def pytest_itemcollected(item: pytest.Item) -> None:
    if any("docker" in marker.args for marker in item.iter_markers("needs")):
        item.add_marker("docker")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {REPOSITORY / "tests" / name: at for at, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


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

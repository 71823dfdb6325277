"""The executors, and one cluster of Ray for all tests that need one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgm.sitting import start
from dgm.sitting.run import Run
from tests.e2e.conftest import World

from .cluster import Nodes


@pytest.fixture
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory(prefix="executor-") as folder:
        made = World(Path(folder))
        yield made
        for run in made.open_runs:
            run.close()


@pytest.fixture(scope="session")
def nodes() -> Iterator[Nodes]:
    """Two nodes of Ray."""
    with Nodes.start(2) as started:
        yield started


def through(
    world: World, executor: str, agent: str, meta: str, *, workers: int = 1, code: str | None = None, **search: object
) -> Run:
    """A new run on an executor."""
    config = world.config(agent, meta, **search)
    if code is not None:
        config = config.model_copy(update={"domains": (world.domain("other", code),)})
    place = config.place.model_copy(update={"executor": executor, "workers": workers})
    run = start.create(
        world.folder / f"run{len(world.open_runs)}", config.model_copy(update={"place": place}), lambda _: None
    )
    world.open_runs.append(run)
    return run

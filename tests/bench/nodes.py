"""Two nodes of Ray against one: proposals whose meta agents sleep, so that only waiting is shared out.

The nodes are Ray processes on this machine with two CPUs each, as Ray counts them. Each is warm: it has made proposals
of the same run before.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dgm import loop
from tests.bench.figures import Figure, timed
from tests.e2e.conftest import World
from tests.executor.cluster import Nodes
from tests.executor.conftest import through

PROPOSALS, SLEEP, WORKERS = 12, 6, 4
SLEEPS = f"""
import time
time.sleep({SLEEP})
place = Path(repo_path, "agent/threshold.txt")
place.write_text(str(int(place.read_text()) + 1))
return "slept"
"""


def throughput() -> Iterator[Figure]:
    """Nothing where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        return
    with Nodes.start(1) as nodes, tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        agent, meta = world.agent(), world.meta_doing(SLEEPS)
        took = []
        for _ in range(2):
            with through(world, f"ray:{nodes.address}", agent, meta, workers=WORKERS, proposals=1_000) as run:
                for proposals in (WORKERS, PROPOSALS):  # the first round warms it
                    last = run.next_number() + proposals
                    with timed() as time:
                        loop.evolve(run, lambda _: None, lambda until=last, run=run: run.next_number() >= until)
                took.append(time.seconds)
            nodes.add()
    one, two = took
    work = f"{PROPOSALS} proposals that sleep {SLEEP} s each, {WORKERS} in flight: {one:.1f} s on one node of 2 CPUs"
    yield Figure("throughput.ray.nodes_2.ratio", one / two, f"{work}, {two:.1f} s on two", ">= 1.7")

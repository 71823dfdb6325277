"""Made-up archives as views, and the tree of the published golden vector."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dgm.archive.columns import Columns, Row
from dgm.archive.sourcetable import SourceTable
from dgm.archive.tasktable import TaskTable
from dgm.archive.view import View


@dataclass(frozen=True)
class Agent:
    """What a test says about one agent. `passed`: the numbers of the tasks it passes."""

    id: int
    parent: int | None
    scores: Sequence[float]
    children: int = 0
    working: int | None = None
    passed: Sequence[int] = ()
    source: bytes = b"answer = 1"


def view(agents: Sequence[Agent], number: int | None = None, tasks: int = 0) -> View:
    """The view of an archive that holds these agents. Every agent has a verdict on tasks 0 to `tasks` - 1."""
    results, sources = TaskTable(), SourceTable()
    for agent in agents:
        results.add(agent.id, [("d", str(t), float(t in agent.passed)) for t in range(tasks)])
        sources.add(agent.id, {"agent.py": agent.source})
    working = [agent.children if agent.working is None else agent.working for agent in agents]
    domains = [f"domain{i}" for i in range(len(agents[0].scores))]
    columns = Columns.of(
        domains,
        [
            Row(a.id, a.parent, a.scores, children=a.children, working_children=w)
            for a, w in zip(agents, working, strict=True)
        ],
    )
    return columns.view(agents[-1].id + 1 if number is None else number, results.tasks, sources.sources)


def drawn(
    n: int, seed: int = 0, domains: int = 1, tasks: int = 12, unmeasured: float = 0.0, number: int | None = None
) -> View:
    """A random archive: a random tree, scores on a coarse grid (so that there are equal ones), random sources."""
    rng = random.Random(seed)
    agents = []
    for i in range(n):
        missing = rng.random() < unmeasured
        agents.append(
            Agent(
                id=i,
                parent=rng.randrange(i) if i else None,
                scores=[float("nan") if missing else rng.randrange(11) / 10 for _ in range(domains)],
                children=(children := rng.choice((0, 0, 1, 2, 5, 12))),
                working=rng.randint(0, children),
                passed=[t for t in range(tasks) if rng.random() < 0.3],
                source=" ".join(rng.choice(("a", "b = 1", "c + d", "e(f)")) for _ in range(20)).encode(),
            )
        )
    return view(agents, number, tasks)


GOLDEN_TREE = [
    Agent(0, None, [0.0], 1),
    Agent(1, 0, [0.5], 2, passed=[0, 1]),
    Agent(2, 1, [0.6], 3, passed=[0, 1, 2], source=b"answer = 2"),
    Agent(3, 1, [0.07], 0, passed=[5], source=b"answer = answer * 3"),
    Agent(4, 2, [0.62], 0, passed=[0, 2, 3], source=b"answer = 4 + 4"),
    Agent(6, 2, [0.55], 0, passed=[4], source=b"print(answer)"),
]
"""Root 0.0; 1 at .5; 2 at .6; 3 at .7 on 10 of 100 tasks; 4 at .62; 5 does not work; 6 at .55."""


def golden() -> View:
    """The tree of the golden vector, with some results task by task and sources besides."""
    return view(GOLDEN_TREE, tasks=7)


def ids(view: View, probabilities: np.ndarray) -> list[int]:
    """The agents that can be drawn."""
    return view.id[probabilities > 0].tolist()

"""Agents judged by their descendants: growth and clades.

A tree is given as `parents`, every agent's id to its parent's (None for the root), and `scores`, the ids that have a
score to it. Failed proposals are agents without a score; nothing hangs on the order of ids.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

Parents = Mapping[int, int | None]
Scores = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Clade:
    """An agent with all its descendants."""

    size: int  #: agents in it, failed ones included
    scored: int  #: of these, those with a score
    depth: int  #: generations below its first agent
    best: float | None
    mean: float | None


def growth(parents: Parents, scores: Scores, decay: float = 0.6, least: int = 3) -> dict[int, float]:
    """G(i) of every scored agent with `least` scored descendants or more (Hyperagents): the mean over these
    descendants j of (a_j - a_i) * decay^distance(i, j)."""
    lifted, weight = dict.fromkeys(parents, 0.0), dict.fromkeys(parents, 0.0)
    count = dict.fromkeys(parents, 0)
    for agent in reversed(_downward(parents)):
        parent = parents[agent]
        if parent is not None:
            own = agent in scores
            lifted[parent] += decay * (lifted[agent] + (scores[agent] if own else 0.0))
            weight[parent] += decay * (weight[agent] + own)
            count[parent] += count[agent] + own
    return {
        agent: (lifted[agent] - scores[agent] * weight[agent]) / count[agent]
        for agent in sorted(parents)
        if agent in scores and count[agent] >= least
    }


def clades(parents: Parents, scores: Scores) -> dict[int, Clade]:
    """Every agent's clade, by id."""
    size, depth = dict.fromkeys(parents, 1), dict.fromkeys(parents, 0)
    scored = {agent: int(agent in scores) for agent in parents}
    total = {agent: scores.get(agent, 0.0) for agent in parents}
    best = {agent: scores.get(agent, -math.inf) for agent in parents}
    for agent in reversed(_downward(parents)):
        parent = parents[agent]
        if parent is not None:
            size[parent] += size[agent]
            scored[parent] += scored[agent]
            total[parent] += total[agent]
            depth[parent] = max(depth[parent], depth[agent] + 1)
            best[parent] = max(best[parent], best[agent])
    return {
        agent: Clade(
            size[agent],
            scored[agent],
            depth[agent],
            best[agent] if scored[agent] else None,
            total[agent] / scored[agent] if scored[agent] else None,
        )
        for agent in sorted(parents)
    }


def _downward(parents: Parents) -> list[int]:
    """All agents, each after its parent. Raises ValueError for an agent whose line does not end at a root."""
    below: dict[int | None, list[int]] = {}
    for agent in sorted(parents):
        below.setdefault(parents[agent], []).append(agent)
    order = list(below.get(None, ()))
    for agent in order:  # grows while it is read
        order.extend(below.get(agent, ()))
    if len(order) != len(parents):
        raise ValueError(f"{len(parents) - len(order)} agents descend from no root")
    return order

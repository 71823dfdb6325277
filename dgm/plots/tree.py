"""The tree: generations from left to right, working agents coloured by their mean, the way to the best drawn thick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dgm import results
from dgm.archive import AgentRecord, Archive
from dgm.archive.lineage import lineage
from dgm.errors import UserError
from dgm.exchange.exports.graph import Graph
from dgm.plots import canvas

if TYPE_CHECKING:
    from dgm.plots.canvas import Figure

NAMED = 60
"""Agents up to which each has its number beside it; of more, only those on the way to the best."""


def draw(archive: Archive, domain: str | None = None) -> Figure:
    """All proposals; coloured by the mean over the domains, or by one of them. Raises UserError for a domain that no
    agent was measured in."""
    graph = Graph.of(archive)
    if domain is not None and domain not in graph.domains:
        raise UserError(f"{archive.name} has no scores in {domain}; its domains are {', '.join(graph.domains)}")
    agents = archive.agents()
    place = layout(agents)
    if lost := [child for parent, child, _ in graph.edges() if not {parent, child} <= place.keys()]:
        raise UserError(f"{archive.name} is damaged: agent {lost[0]} does not descend from the root; see `dgm verify`")
    best = frozenset(lineage(agents, results.best_per_domain(archive)[domain])) if domain else graph.best
    depth, leaves = (max(axis) for axis in zip(*place.values(), strict=True))
    size = (min(12.0, 3.5 + 0.55 * depth), min(14.0, 2.4 + 0.24 * leaves))
    figure, axes = canvas.figure(size=size)
    for parent, child, kind in graph.edges():
        thick = parent in best and child in best and kind == "parent"
        (x0, y0), (x1, y1) = place[parent], place[child]
        axes.plot(
            [x0, x0 + 0.4, x1], [y0, y1, y1], zorder=1 + thick, lw=2 if thick else 0.8,
            ls=":" if kind == "parent2" else "-", color=canvas.COLOURS[1] if thick else canvas.LIGHT,
        )  # fmt: skip
    means = {a.id: graph.means[a.id].get(domain) if domain else graph.mean(a.id) for a in agents}
    known = [i for i in means if means[i] is not None]
    dots = axes.scatter(
        [place[i][0] for i in known], [place[i][1] for i in known], c=[means[i] for i in known], cmap=canvas.MAPPING,
        s=46 if len(agents) <= NAMED else 14, zorder=3, edgecolors="black", linewidths=0.5,
    )  # fmt: skip
    for kind, mark in (("works, not measured in full", "o"), ("gave no agent", "x")):
        rest = [a.id for a in agents if a.id not in known and a.admission.works == (mark == "o")]
        if rest:
            look = {"facecolors": "white", "edgecolors": canvas.GREY} if mark == "o" else {"color": canvas.GREY}
            xs, ys = [place[i][0] for i in rest], [place[i][1] for i in rest]
            axes.scatter(xs, ys, s=18, marker=mark, zorder=3, label=kind, **look)
    for agent in agents:
        if agent.id in best or len(agents) <= NAMED:
            x, y = place[agent.id]
            weight = "bold" if agent.id in best else "normal"
            axes.annotate(f"#{agent.id}", (x, y), (5, 4), textcoords="offset points", fontsize=7, fontweight=weight)
    axes.set_xlabel("generation")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(False)
    axes.invert_yaxis()
    axes.xaxis.get_major_locator().set_params(integer=True)
    if known:
        figure.colorbar(dots, ax=axes, label=f"mean val score, {domain or 'all domains'}", shrink=0.8)
    if axes.get_legend_handles_labels()[1]:
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
    figure.suptitle(f"{canvas.plain(archive.name)}: who descends from whom (thick: the way to the best)", fontsize=10)
    return figure


def layout(agents: Sequence[AgentRecord]) -> Mapping[int, tuple[float, float]]:
    """Agent to generation and row: every leaf has a row of its own, a parent stands amid its children."""
    children: dict[int, list[int]] = {agent.id: [] for agent in agents}
    depth = {agents[0].id: 0}
    for agent in agents[1:]:
        if agent.parent is not None:
            children.setdefault(agent.parent, []).append(agent.id)
    order = [agents[0].id]
    stack = [agents[0].id]
    rows: dict[int, float] = {}
    while stack:  # depth first, without recursion
        at = stack.pop()
        if not children[at]:
            rows[at] = float(len(rows))
        for child in reversed(children[at]):
            depth[child] = depth[at] + 1
            stack.append(child)
            order.append(child)
    for at in sorted(order, key=lambda i: -depth[i]):
        if children[at]:
            rows[at] = (rows[children[at][0]] + rows[children[at][-1]]) / 2
    return {i: (float(depth[i]), rows[i]) for i in order}

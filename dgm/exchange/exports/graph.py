"""The tree of an archive as a graph for other programs: DOT, GraphML and JSON.

One node per proposal with its outcome and the means it is chosen by; edges lead from parent to child, and from a
second parent where there is one. Everything an agent wrote is escaped for the format it stands in; characters that XML
cannot hold are written out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from dgm import results
from dgm.archive import AgentRecord, Archive
from dgm.archive.lineage import lineage
from dgm.reporting.text import one_line, printable

FORMAT = 1
MAX_SUMMARY = 500


@dataclass(frozen=True)
class Graph:
    """What is drawn. `means` are by domain; `best` are the agents on the way to the best one for all."""

    name: str
    agents: list[AgentRecord]
    means: dict[int, dict[str, float]]
    domains: list[str]
    best: frozenset[int]

    @classmethod
    def of(cls, archive: Archive) -> Graph:
        scores = results.chosen_scores(archive)
        agents = archive.agents()
        means = {a.id: {d: by[a.id].mean for d, by in scores.items() if a.id in by} for a in agents}
        best = frozenset(lineage(agents, results.best_overall(archive)))
        return cls(archive.name, agents, means, sorted(scores), best)

    def edges(self) -> Iterator[tuple[int, int, str]]:
        """Parent, child and the kind of edge."""
        for agent in self.agents:
            for parent, kind in ((agent.parent, "parent"), (agent.parent2, "parent2")):
                if parent is not None:
                    yield parent, agent.id, kind

    def mean(self, agent: int) -> float | None:
        """Over the domains; None unless the agent has a score in each."""
        means = self.means[agent]
        return sum(means.values()) / len(means) if means and len(means) == len(self.domains) else None


def dot(graph: Graph) -> str:
    """For Graphviz: `dot -Tsvg`. Works are filled by their mean, the way to the best is drawn thick."""
    lines = [f"digraph {_dot(graph.name)} {{", '  node [shape=circle, style=filled, fontname="Helvetica"];']
    for agent in graph.agents:
        mean = graph.mean(agent.id)
        label = f"#{agent.id}" + (f"\\n{mean:.3f}" if mean is not None else "")
        shade = "#ffffff" if mean is None else _shade(mean)
        look = f'fillcolor="{shade}"' + (", penwidth=3" if agent.id in graph.best else "")
        look += "" if agent.admission.works else ', shape=point, color="#999999"'
        tip = _dot(f"{agent.admission}: {one_line(agent.summary or agent.reason, MAX_SUMMARY)}")
        lines.append(f'  {agent.id} [label="{label}", {look}, tooltip={tip}];')
    for parent, child, kind in graph.edges():
        look = " [style=dashed]" if kind == "parent2" else " [penwidth=3]" if {parent, child} <= graph.best else ""
        lines.append(f"  {parent} -> {child}{look};")
    return "\n".join([*lines, "}", ""])


def graphml(graph: Graph) -> str:
    """For Gephi, yEd and networkx."""
    keys = {"admission": "string", "status": "string", "author": "string", "created": "double", "best": "boolean"}
    keys |= {"summary": "string", "mean": "double"} | {f"val.{domain}": "double" for domain in graph.domains}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">']
    for key, kind in keys.items():
        lines.append(f'<key id={_attribute(key)} for="node" attr.name={_attribute(key)} attr.type="{kind}"/>')
    lines.append('<key id="kind" for="edge" attr.name="kind" attr.type="string"/>')
    lines.append(f'<graph id={_attribute(graph.name)} edgedefault="directed">')
    for agent in graph.agents:
        values: dict[str, object] = {
            "admission": agent.admission,
            "status": agent.status,
            "author": agent.author,
            "created": repr(agent.created),
            "best": str(agent.id in graph.best).lower(),
            "summary": one_line(agent.summary, MAX_SUMMARY),
            "mean": graph.mean(agent.id),
            **{f"val.{domain}": mean for domain, mean in graph.means[agent.id].items()},
        }
        lines.append(f'<node id="{agent.id}">')
        lines += [
            f"<data key={_attribute(key)}>{_text(str(value))}</data>"
            for key, value in values.items()
            if value not in (None, "")
        ]
        lines.append("</node>")
    for parent, child, kind in graph.edges():
        lines.append(f'<edge source="{parent}" target="{child}"><data key="kind">{kind}</data></edge>')
    return "\n".join([*lines, "</graph>", "</graphml>", ""])


def as_json(graph: Graph) -> str:
    """Nodes and links, as D3 and networkx read them."""
    nodes = [
        {
            "id": agent.id,
            "parent": agent.parent,
            "parent2": agent.parent2,
            "admission": str(agent.admission),
            "status": str(agent.status),
            "author": agent.author,
            "created": agent.created,
            "summary": agent.summary,
            "best": agent.id in graph.best,
            "mean": graph.mean(agent.id),
            "val": graph.means[agent.id],
        }
        for agent in graph.agents
    ]
    links = [{"source": parent, "target": child, "kind": kind} for parent, child, kind in graph.edges()]
    value = {"format": FORMAT, "name": graph.name, "domains": graph.domains, "nodes": nodes, "links": links}
    return json.dumps(value, indent=1, allow_nan=False) + "\n"


def _dot(text: str) -> str:
    """A quoted string of the DOT language."""
    return '"' + printable(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _text(text: str) -> str:
    return escape(printable(text))


def _attribute(text: str) -> str:
    return quoteattr(printable(text))


def _shade(mean: float) -> str:
    """White to blue, dark enough at 1 to tell and light enough to read black text on."""
    red, green, blue = (round(255 - mean * (255 - end)) for end in (86, 180, 233))
    return f"#{red:02x}{green:02x}{blue:02x}"

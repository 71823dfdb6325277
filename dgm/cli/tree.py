"""The tree of an archive as text that fits a width.

Working agents stand in the tree; proposals that gave none are counted behind their parent. A branch that
would begin too far to the right is drawn below, from the left margin, so that any lineage stays readable.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dgm import results
from dgm.archive import Admission, AgentRecord, Archive, ScoreRecord
from dgm.archive.lineage import lineage
from dgm.cli import printing
from dgm.reporting.report import at_most, boundary_note, children_of, story
from dgm.reporting.text import printable
from dgm.sitting.settings import config_of

if TYPE_CHECKING:
    from rich.text import Text

STEP = 3
"""Columns by which a child stands to the right of its parent."""


@dataclass(frozen=True, slots=True)
class Connectors:
    """How branches are drawn."""

    middle: str
    last: str
    through: str
    ends: str = "   "


DRAWN = Connectors("├─ ", "└─ ", "│  ")
ASCII = Connectors("|- ", "`- ", "|  ")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the tree; `best` says that it is on the way to the best agent."""

    text: str
    best: bool = False


@dataclass(frozen=True)
class Tree:
    """What is to be drawn. `means` stand behind an agent's number, `titles` say what it is the best of."""

    agents: Sequence[AgentRecord]
    means: Mapping[int, str]
    titles: Mapping[int, str]
    lineage: frozenset[int]
    width: int
    connectors: Connectors = DRAWN
    left_out: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    """Agent to the outcomes of those proposals made from it that are not among `agents`."""

    def lines(self) -> Iterator[Line]:
        """The tree from the root, then the branches that did not fit, each under a line that says so."""
        children = children_of(self.agents)
        later: list[int] = []
        yield from self._walk(self.agents[:1], children, later)
        while later:
            parent = later.pop(0)
            yield Line("")
            yield Line(f"from #{parent}:")
            yield from self._walk(_working(children, parent), children, later)

    def _walk(
        self, tops: Sequence[AgentRecord], children: Mapping[int, Sequence[AgentRecord]], later: list[int]
    ) -> Iterator[Line]:
        """Depth first, without recursion: a lineage may be longer than Python's stack allows."""
        drawn = self.connectors
        follows = {drawn.middle: drawn.through, drawn.last: drawn.ends}
        stack = [(top, "", "") for top in reversed(tops)]
        while stack:
            agent, lead, branch = stack.pop()
            below = _working(children, agent.id)
            fits = len(lead) + STEP <= self.width // 3
            if below and not fits:
                later.append(agent.id)
            yield self._line(agent, lead + branch, children.get(agent.id, ()), bool(below) and not fits)
            inner = lead + follows.get(branch, "")
            for i, child in enumerate(reversed(below if fits else ())):
                stack.append((child, inner, drawn.middle if i else drawn.last))

    def _line(self, agent: AgentRecord, lead: str, children: Sequence[AgentRecord], later: bool) -> Line:
        best = agent.id in self.lineage
        parts = [f"{'*' if best else ' '} {lead}#{agent.id}", self.means.get(agent.id, "")]
        if agent.id in self.titles:
            parts.append(f"best {self.titles[agent.id]}")
        buried = Counter(str(child.admission) for child in children if not child.admission.works)
        buried.update(self.left_out.get(agent.id, {}))
        if buried:
            parts.append("+ " + ", ".join(f"{n} {kind}" for kind, n in sorted(buried.items())))
        if later:
            parts.append("(goes on below)")
        parts.append(story(agent))
        return Line(cut("  ".join(part for part in parts if part), self.width), best)


def _working(children: Mapping[int, Sequence[AgentRecord]], agent: int) -> list[AgentRecord]:
    return [child for child in children.get(agent, ()) if child.admission.works]


def cut(line: str, width: int) -> str:
    """`line` in at most `width` terminal cells, an ellipsis where it was cut."""
    from rich.cells import cell_len, set_cell_size

    return line if cell_len(line) <= width else set_cell_size(line, width - 1).rstrip() + "…"


def of(archive: Archive, width: int, connectors: Connectors, every: bool = False) -> Tree:
    """The tree of an archive: val means per domain, and what each agent is the best of. Of a large one, unless `every`
    agent is to stand in it, the way to the best agent."""
    splits = archive.ask.splits()
    titles: dict[int, str] = {}
    for domain, agent in sorted(results.best_per_domain(archive).items()):
        titles[agent] = f"{titles[agent]}, {domain}" if agent in titles else domain
    overall = results.best_overall(archive)
    if len(splits) > 1:
        titles[overall] = f"{titles[overall]}, for all" if overall in titles else "for all"
    way = archive.ask.lineage(overall)
    alone = not every and at_most(archive) is not None
    agents = list(archive.ask.agents(way).values()) if alone else archive.agents()
    scores = archive.ask.scores([agent.id for agent in agents])
    known = {i: {(s.domain, s.split): s for s in scores[i] if s.n} for i in scores}
    means = {i: " ".join(_mean(known[i].get(pair)) for pair in splits.items()) for i in known}
    left_out = {i: _others(archive, i, child) for i, child in pairwise([*way, -1])} if alone else {}
    return Tree(agents, means, titles, frozenset(way), width, connectors, left_out)


def _others(archive: Archive, agent: int, child: int) -> dict[str, int]:
    """The outcomes of an agent's children but for one that works."""
    outcomes = archive.ask.outcomes_below(agent)
    outcomes.subtract([Admission.ADMITTED] if child >= 0 else [])
    return {str(outcome): n for outcome, n in outcomes.items() if n}


def _mean(score: ScoreRecord | None) -> str:
    """Three digits of a full measurement, two and a mark of one that is not."""
    if score is None:
        return "-".center(5)
    return f"{score.mean:.3f}" if score.n == score.total else f"~{score.mean:.2f}"


def show(archive: Archive, every: bool = False) -> None:
    """Print the tree on stdout, as wide as the terminal (COLUMNS, or 100, in a pipe)."""
    drawn = sys.stdout.isatty()
    tree = of(archive, shutil.get_terminal_size((100, 24)).columns, DRAWN if drawn else ASCII, every)
    domains = ", ".join(archive.ask.splits())
    marks = "~ on some of the tasks; " if any("~" in mean for mean in tree.means.values()) else ""
    printing.say(f"Tree (val means: {domains}; {marks}* leads to the best agent)")
    out = printing.console() if drawn else None
    for line in tree.lines():
        if out is None:
            printing.say(line.text)
        else:
            out.print(coloured(line), soft_wrap=True)
    if left := archive.visible()[0] + 1 - len(tree.agents):
        printing.say(f"{left} more agents are counted only: dgm tree {printable(archive.name)} --all")
    if note := boundary_note(config_of(archive)):
        printing.say(note, style="yellow")


_LINE = re.compile(
    r"(?P<lead>[* ] [│├└─ |`-]*)(?P<id>#\d+)(?P<means>(?:  ?(?:[01]\.\d{3}|~[01]\.\d\d|  -  ))*)(?P<rest>.*)", re.DOTALL
)
_MEAN = re.compile(r"[01]\.\d{2,3}")
_TITLE = re.compile(r"^  best [^+]*?(?=  |$)")
_BURIED = re.compile(r"  \+ [0-9a-z, ]*?(?=  |$)")


def coloured(line: Line) -> Text:
    """A line for a terminal: the way to the best is green, means go from orange to blue, and words stand back."""
    from rich.text import Text

    text = Text(printable(line.text))
    found = _LINE.match(text.plain)
    if found is None:
        text.stylize("dim")
        return text
    text.stylize("dim", *found.span("lead"))
    text.stylize("bold green" if line.best else "bold", *found.span("id"))
    for mean in _MEAN.finditer(found["means"]):
        at = found.start("means")
        text.stylize(_shade(float(mean[0])), at + mean.start(), at + mean.end())
    at, rest = found.span("rest")
    text.stylize("dim", at, rest)
    for pattern, style in ((_TITLE, "not dim bold green"), (_BURIED, "not dim yellow")):
        if part := pattern.search(found["rest"]):
            text.stylize(style, at + part.start(), at + part.end())
    return text


def _shade(mean: float) -> str:
    """Orange through grey to blue, which people with any colour vision tell apart."""
    steps = ("#d55e00", "#cf8140", "#a8a8a8", "#6ba3d0", "#0072b2")
    return steps[min(4, int(mean * 5))]


def tree_json(archive: Archive) -> dict[str, Any]:
    """Every proposal with its parent, the way to the best agent, and the best of each domain."""
    overall = results.best_overall(archive)
    agents = archive.agents()
    return {
        "agents": [{"id": a.id, "parent": a.parent, "admission": str(a.admission)} for a in agents],
        "best": results.best_per_domain(archive),
        "overall": overall,
        "lineage": list(lineage(agents, overall)),
    }

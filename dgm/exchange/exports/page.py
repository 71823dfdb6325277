"""One HTML file of a run that needs nothing else: no script, no font, no picture from elsewhere, and nothing that acts.

Everything that came from an agent is escaped, control characters are written out, and a policy in the head forbids the
page to load or run anything. Long patches are cut; the bundle has them whole. Transcripts are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from dgm import results
from dgm.archive import AgentRecord, Archive
from dgm.archive.lineage import lineage
from dgm.exchange.exports import curve
from dgm.exchange.exports.markup import head, said, table
from dgm.reporting import report, text

MAX_PATCH = 20_000
MAX_AGENTS = 2_000
"""Agents with a section of their own; of a longer run the others stand in the table alone."""


def html(archive: Archive) -> str:
    """The page. Its size grows with the agents, about 25 kB each at most."""
    return "\n".join(_page(archive)) + "\n"


def _page(archive: Archive) -> Iterator[str]:
    yield head(archive.name)
    yield f"<h1>{said(archive.name)}</h1><p>{'<br>'.join(map(said, report.config_lines(archive)))}</p>"
    yield "<h2>Outcome</h2>"
    yield table(report.final_table(archive))
    yield "<h2>Progress</h2>"
    yield curve.svg(archive)
    domains = ", ".join(sorted(results.chosen_scores(archive)))
    yield f"<h2>Tree</h2><p>Val means: {said(domains)}. The way to the best agent is set off.</p>"
    yield from _tree(archive)
    yield "<h2>Agents</h2>"
    yield table(report.agents_table(archive))
    agents = archive.agents()
    for agent in agents[:MAX_AGENTS]:
        yield from _agent(archive, agent)
    if len(agents) > MAX_AGENTS:
        yield f"<p>{len(agents) - MAX_AGENTS} more agents stand in the table alone.</p>"
    yield "</body></html>"


def _agent(archive: Archive, agent: AgentRecord) -> Iterator[str]:
    yield f'<section class="agent" id="a{agent.id}"><h3>#{agent.id} {said(str(agent.admission))}</h3>'
    yield "<p>" + "<br>".join(map(said, report.agent_lines(archive, agent)[1:])) + "</p>"
    yield table(report.scores_table(archive, agent.id))
    if agent.commit and agent.parent is not None:
        patch = archive.patch(agent.id, MAX_PATCH)
        yield f"<details><summary>what it changed in #{agent.parent}</summary><pre>{_patch(patch)}</pre></details>"
    yield "</section>"


def _tree(archive: Archive) -> Iterator[str]:
    """Nested lists, built without recursion: a lineage may be longer than Python's stack."""
    agents = archive.agents()
    children = report.children_of(agents)
    best = frozenset(lineage(agents, results.best_overall(archive)))
    scores = results.chosen_scores(archive)
    yield '<div class="wide"><ul class="tree">'
    stack: list[AgentRecord | str] = [agents[0]]
    while stack:
        at = stack.pop()
        if isinstance(at, str):
            yield at
            continue
        means = " ".join(f"{scores[d][at.id].mean:.3f}" if at.id in scores[d] else "–" for d in sorted(scores))
        kind = ' class="best"' if at.id in best else ""
        line = f'<a href="#a{at.id}">#{at.id}</a> {means} <span class="said">{said(report.story(at, 120))}</span>'
        yield f'<li{kind}><div class="line">{line}</div>'
        below = [child for child in children.get(at.id, ()) if child.admission.works]
        if below:
            yield "<ul>"
        stack += ["</ul></li>" if below else "</li>", *reversed(below)]
    yield "</ul></div>"


def _patch(patch: str) -> str:
    return "\n".join(_patch_lines(text.lines(patch)))


def _patch_lines(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        kind = {"+": "plus", "-": "minus", "@": "at"}.get(line[:1])
        shown = escape(text.printable(line, keep="\t"))
        yield f'<span class="{kind}">{shown}</span>' if kind else shown

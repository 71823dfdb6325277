"""What an archive says, as tables for people and as JSON for programs. It only reads, and computes no
score of its own but the paired gain on test.

The JSON of `show` differs between two runs of the same configuration below `times` alone: no commit hash, no
place or name of the archive and no clock stand anywhere else in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dgm import results, statistics
from dgm.archive import Admission, AgentRecord, Archive, ProposalRecord, ScoreRecord
from dgm.config import RunConfig
from dgm.domain import Split
from dgm.reporting import columns, text
from dgm.reporting.table import Table
from dgm.results import ROOT, Row
from dgm.sandbox.local import Local
from dgm.sitting.settings import config_of
from dgm.statistics import Score

FORMAT = 1
MANY, NEWEST = 1_000, 100
"""Of an archive with more than so many agents, so many are listed."""
BOUNDARY = frozenset({"B4", "B7", "B8", "B10"})
"""The boundary rules that depend on the sandbox."""


UNHELD = f"boundary not held: {', '.join(sorted(BOUNDARY - Local.holds, key=lambda rule: int(rule[1:])))}"


def boundary_note(config: RunConfig) -> str:
    """What to print beside every table of a run without a sandbox; empty for the others."""
    return UNHELD if config.place.sandbox == Local.name else ""


def gain(archive: Archive, domain: str, agent: int) -> Score | None:
    """The paired mean difference of an agent and the root on the test tasks that both were given."""
    mine, base = (
        {v.task: v.score for v in archive.verdicts(who, domain, Split.TEST) if v.score is not None}
        for who in (agent, ROOT)
    )
    both = sorted(set(mine) & set(base))
    return statistics.mean_difference([mine[task] - base[task] for task in both]) if both else None


def final_table(archive: Archive) -> Table:
    """The outcome: per domain the root and the best agent on val and on test, then the one agent for all."""
    outcome = results.results(archive)
    rows = [_final_row(archive, row, row.domain) for row in outcome.rows]
    if len(outcome.rows) > 1:
        rows += [_final_row(archive, row, f"{row.domain} (one for all)") for row in outcome.overall_rows]
    return Table(
        columns.FINAL.heads(),
        rows,
        title="Chosen on val, reported on test: mean [95 % interval] n",
        right=frozenset({"agent"}),
        wraps=frozenset(columns.FINAL.heads()[2:]),
        note=boundary_note(config_of(archive)),
    )


def _final_row(archive: Archive, row: Row, label: str) -> list[str]:
    scores = [text.score(s) for s in (row.root_val, row.val, row.root_test, row.test)]
    return [label, f"#{row.agent}", *scores, text.gain(gain(archive, row.domain, row.agent))]


def agents_table(archive: Archive, limit: int | None = None) -> Table:
    """One line for each proposal, or for the `limit` newest: what became of it and its val means."""
    splits = archive.ask.splits()
    domains = sorted(splits)
    agents = archive.ask.newest(limit)
    ids = [agent.id for agent in agents]
    scores, children, seconds = archive.ask.scores(ids), archive.ask.counts(ids), archive.ask.seconds_of(ids)
    rows = []
    for agent in agents:
        chosen = [_chosen(scores[agent.id], domain, splits) for domain in domains]
        rows.append(
            [
                f"#{agent.id}",
                "" if agent.parent is None else f"#{agent.parent}",
                str(agent.admission),
                *map(text.mean, chosen),
                str(children[agent.id]),
                f"{seconds[agent.id]:.1f}",
                story(agent),
            ]
        )
    return Table(
        columns.AGENTS.heads({"DOMAIN": domains}),
        rows,
        title="Agents (val means)" if limit is None else f"The newest {len(rows)} agents (val means)",
        right=frozenset({"id", "parent", "children", "seconds", *domains}),
        wraps=frozenset({"summary"}),
        note=boundary_note(config_of(archive)),
    )


def at_most(archive: Archive) -> int | None:
    """How many agents are listed of an archive unless all are asked for; None: all of them."""
    return NEWEST if archive.visible()[0] >= MANY else None


def story(agent: AgentRecord, limit: int = 200) -> str:
    """What an agent's maker says of it, or why there is none; one harmless line."""
    if agent.admission.works or agent.admission == Admission.UNCHANGED:
        return text.one_line(agent.summary or agent.reason, limit)
    return text.one_line(f"{agent.status}: {agent.reason}", limit)


def config_lines(archive: Archive) -> list[str]:
    """The configuration in a few lines."""
    config = config_of(archive)
    search, origin, control = config.search, config.origin, config.control
    begins = f"genome {origin.genome}" if origin.genome else f"agent {origin.agent}, meta {origin.meta}"
    budget = [f"{search.proposals} proposals"]
    budget += [f"{search.evaluations} evaluations"] if search.evaluations is not None else []
    budget += [f"{search.seconds:g} s"] if search.seconds is not None else []
    budget += [f"patience {search.patience}"] if search.patience is not None else []
    with_data = [f"{d} (data {config.data[d]})" if d in config.data else d for d in config.domains]
    how = search.selector if search.strategy == "staged" else search.strategy
    lines = [
        f"{archive.name}: {sum(archive.ask.outcomes().values()) - 1} proposals made",
        f"domains: {', '.join(with_data)}",
        f"begins with: {begins}; evolves: {', '.join(search.evolve)}",
        f"search: {how}, {', '.join(budget)}, random seed {search.random_seed}",
        f"sandbox: {config.place.sandbox}, {config.place.sessions} sessions",
    ]
    if (control.feedback, control.train_labels) != ("full", "true"):
        lines.append(f"control: feedback {control.feedback}, train labels {control.train_labels}")
    return [text.printable(line) for line in lines]


def agent_lines(archive: Archive, agent: AgentRecord) -> list[str]:
    """The head of one agent's page."""
    way = archive.ask.lineage(agent.id)
    below = archive.ask.agents(archive.ask.children(agent.id))
    children = [child for _, child in sorted(below.items())]
    proposal = archive.proposal(agent.id)
    lines = [
        f"{archive.name}#{agent.id}: {agent.admission}",
        f"status: {agent.status}" + (f" ({text.one_line(agent.reason, 500)})" if agent.reason else ""),
        f"summary: {text.one_line(agent.summary, 2000) or text.MISSING}",
        f"lineage: {' > '.join(f'#{step}' for step in way)}",
        f"children: {', '.join(f'#{child.id} {child.admission}' for child in children) or 'none'}",
        f"changed: {', '.join(map(text.printable, agent.changed)) or 'nothing'}",
        f"tree: {agent.tree or text.MISSING}",
        f"made: {text.moment(agent.created)} in {text.duration(proposal.seconds)}; improving took "
        f"{text.duration(proposal.improve_seconds)}, evaluating {text.duration(proposal.evaluate_seconds)}",
    ]
    if proposal.selector:
        lines.append(f"parent chosen: by {proposal.selector} with key {proposal.key} at #{proposal.archive_version}")
    return lines


def files_table(archive: Archive, agent: AgentRecord) -> Table:
    """The files of an agent with their sizes."""
    files = archive.files(agent.id)
    changed = set(agent.changed)
    rows = [
        [text.printable(path), str(len(data)), "changed" if path in changed else ""] for path, data in files.items()
    ]
    return Table(columns.FILES.heads(), rows, title=f"{len(files)} files", right=frozenset({"bytes"}))


def lineage_table(archive: Archive, agents: Sequence[AgentRecord]) -> Table:
    """The steps of a lineage, root first."""
    splits = archive.ask.splits()
    domains = sorted(splits)
    rows = []
    for agent in agents:
        scores = archive.scores(agent.id)
        rows.append(
            [
                f"#{agent.id}",
                *(text.mean(_chosen(scores, domain, splits)) for domain in domains),
                "" if agent.parent is None else ", ".join(map(text.printable, agent.changed)),
                story(agent),
            ]
        )
    return Table(
        columns.LINEAGE.heads({"DOMAIN": domains}),
        rows,
        title="Lineage (val means)",
        right=frozenset({"id", *domains}),
        wraps=frozenset({"changed", "summary"}),
        note=boundary_note(config_of(archive)),
    )


def scores_table(archive: Archive, agent: int) -> Table:
    """All scores of one agent."""
    rows = [[s.domain, str(s.split), text.score(s)] for s in ordered(archive.scores(agent))]
    return Table(columns.SCORES.heads(), rows, title="Scores", note=boundary_note(config_of(archive)))


def show_json(archive: Archive) -> dict[str, Any]:
    """All of an archive's records, stable between runs of equal configuration."""
    scores = scores_by_agent(archive)
    proposals = {proposal.id: proposal for proposal in archive.proposals()}
    return {
        "archive": {"format": FORMAT, "agents": len(archive.agents())},
        "config": config_of(archive).model_dump(mode="json"),
        "agents": [agent_json(a, proposals[a.id], scores.get(a.id, ())) for a in archive.agents()],
    }


def agent_json(agent: AgentRecord, proposal: ProposalRecord, scores: Sequence[ScoreRecord]) -> dict[str, Any]:
    """One agent of `show_json`. Seconds are wall time, `created` is seconds since 1970."""
    return {
        "id": agent.id,
        "parent": agent.parent,
        "admission": str(agent.admission),
        "status": str(agent.status),
        "reason": agent.reason,
        "tree": agent.tree,
        "summary": agent.summary,
        "changed": list(agent.changed),
        "scores": [
            {"domain": s.domain, "split": str(s.split), "n": s.n, "total": s.total} | _interval(s)
            for s in ordered(scores)
        ],
        "selection": {
            "selector": proposal.selector,
            "key": proposal.key,
            "archive_version": proposal.archive_version,
        },
        "times": {
            "created": agent.created,
            "seconds": proposal.seconds,
            "improve_seconds": proposal.improve_seconds,
            "evaluate_seconds": proposal.evaluate_seconds,
        },
    }


def best_json(archive: Archive) -> dict[str, Any]:
    """Per domain the best agent, with it and the root on val and test; then the one agent for all domains."""
    outcome = results.results(archive)
    return {
        "domains": {row.domain: _row_json(archive, row) for row in outcome.rows},
        "overall": {
            "agent": outcome.overall,
            "domains": {row.domain: _row_json(archive, row) for row in outcome.overall_rows},
        },
    }


def _row_json(archive: Archive, row: Row) -> dict[str, Any]:
    return {
        "agent": row.agent,
        "best": {"val": measured(row.val), "test": measured(row.test)},
        "root": {"val": measured(row.root_val), "test": measured(row.root_test)},
        "gain": measured(gain(archive, row.domain, row.agent)),
    }


def measured(score: ScoreRecord | Score | None) -> dict[str, Any] | None:
    """`{mean, n, low, high}`, or None for what was never measured."""
    return None if score is None or score.n == 0 else {"n": score.n} | _interval(score)


def _interval(score: ScoreRecord | Score) -> dict[str, float]:
    return {"mean": score.mean, "low": score.low, "high": score.high}


def scores_by_agent(archive: Archive) -> dict[int, list[ScoreRecord]]:
    """Every agent's scores, in one reading."""
    grouped: dict[int, list[ScoreRecord]] = {}
    for agent, score in archive.all_scores():
        grouped.setdefault(agent, []).append(score)
    return grouped


def ordered(scores: Sequence[ScoreRecord]) -> list[ScoreRecord]:
    """By domain, then train, val, test."""
    order = list(Split)
    return sorted(scores, key=lambda s: (s.domain, order.index(Split(s.split))))


def children_of(agents: Sequence[AgentRecord]) -> Mapping[int, list[AgentRecord]]:
    """Agent to the proposals that were made from it, in order, failed ones included."""
    children: dict[int, list[AgentRecord]] = {}
    for agent in agents:
        if agent.parent is not None:
            children.setdefault(agent.parent, []).append(agent)
    return children


def _chosen(scores: Sequence[ScoreRecord], domain: str, splits: Mapping[str, Split]) -> ScoreRecord | None:
    """The score that selection uses: val, or train where the domain has no val."""
    return next((s for s in scores if (s.domain, s.split) == (domain, splits[domain])), None)

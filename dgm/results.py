"""What a run came to: chosen on val, reported on test, always with n and an interval.

Pure functions over the archive's records. The agent chosen for a domain is the one with the best val mean among
those that were fully evaluated; of equals, the oldest. "One for all" has the best mean over the domains. While a
strategy that measures bit by bit has fully evaluated nobody, it is by the lower end of the interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dgm.archive import AgentRecord, ScoreRecord
from dgm.domain import Split

ROOT = 0


class Asked(Protocol):
    """Single questions to an archive; `dgm.archive.lookups.Lookups` is one."""

    def splits(self) -> dict[str, Split]: ...

    def best(self, domain: str, split: Split, /) -> int | None: ...

    def best_overall(self, splits: dict[str, Split], /) -> int | None: ...


class Scored(Protocol):
    """What is asked of an archive here; `dgm.archive.Archive` is one."""

    @property
    def ask(self) -> Asked: ...

    def agents(self) -> Sequence[AgentRecord]: ...

    def all_scores(self) -> Sequence[tuple[int, ScoreRecord]]: ...

    def scores(self, agent: int, /) -> Sequence[ScoreRecord]: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One domain's line of the final table. A score is None where it was never measured."""

    domain: str
    agent: int
    root_val: ScoreRecord | None
    root_test: ScoreRecord | None
    val: ScoreRecord | None
    test: ScoreRecord | None


@dataclass(frozen=True, slots=True)
class Results:
    """The final table: the best agent of each domain, and the one agent for all of them."""

    rows: Sequence[Row]
    overall: int
    overall_rows: Sequence[Row]


def chosen_scores(archive: Scored) -> dict[str, dict[int, ScoreRecord]]:
    """Domain to agent to the score it is chosen by: the full ones of `choosing_scores`, or all where none is."""
    chosen = choosing_scores(archive)
    full = {d: {a: s for a, s in scores.items() if s.n == s.total} for d, scores in chosen.items()}
    return {d: full[d] or chosen[d] for d in chosen}


def choosing_scores(archive: Scored) -> dict[str, dict[int, ScoreRecord]]:
    """Domain to agent to its score on val, or on train in a domain that has no val, on however many tasks."""
    by_split: dict[tuple[str, str], dict[int, ScoreRecord]] = {}
    works = {agent.id for agent in archive.agents() if agent.admission.works}
    for agent, score in archive.all_scores():
        if score.split != Split.TEST and score.n and agent in works:
            by_split.setdefault((score.domain, score.split), {})[agent] = score
    domains = sorted({domain for domain, _ in by_split})
    return {d: by_split.get((d, Split.VAL)) or by_split.get((d, Split.TRAIN), {}) for d in domains}


def worth(score: ScoreRecord) -> float:
    """What agents are compared by: the mean of a full measurement, the lower end of the interval of another."""
    return score.mean if score.n == score.total else score.low


def best_per_domain(archive: Scored) -> dict[str, int]:
    """Domain to the agent with the highest mean on the split that chooses; the older of equals."""
    chosen: dict[str, int] = {}
    for domain, split in archive.ask.splits().items():
        best = archive.ask.best(domain, split)
        if best is None:  # nobody was measured fully
            scores = chosen_scores(archive)[domain]
            best = min(scores, key=lambda agent: (-worth(scores[agent]), agent))
        chosen[domain] = best
    return chosen


def best_overall(archive: Scored) -> int:
    """The agent with the highest mean over the domains, among those measured in all of them."""
    if (best := archive.ask.best_overall(archive.ask.splits())) is not None:
        return best
    scores = chosen_scores(archive)  # nobody was measured fully everywhere
    everywhere = set.intersection(*map(set, scores.values())) if scores else set()
    means = {agent: sum(worth(by_agent[agent]) for by_agent in scores.values()) / len(scores) for agent in everywhere}
    return min(means, key=lambda agent: (-means[agent], agent), default=ROOT)


def finalists(archive: Scored) -> list[int]:
    """The agents that test is measured for: the root, the best of each domain, the best for all; by id."""
    return sorted({ROOT, best_overall(archive), *best_per_domain(archive).values()})


def results(archive: Scored) -> Results:
    """The final table of an archive, of a running one as well."""
    overall = best_overall(archive)
    rows = [_row(archive, domain, agent) for domain, agent in sorted(best_per_domain(archive).items())]
    return Results(rows, overall, [_row(archive, row.domain, overall) for row in rows])


def _row(archive: Scored, domain: str, agent: int) -> Row:
    def score(of: int, split: Split) -> ScoreRecord | None:
        return next((s for s in archive.scores(of) if s.domain == domain and s.split == split), None)

    return Row(
        domain,
        agent,
        score(ROOT, Split.VAL),
        score(ROOT, Split.TEST),
        score(agent, Split.VAL),
        score(agent, Split.TEST),
    )

"""All agents of an archive in memory, for whoever wants to see every one of them: figures, exports, long tables.

Loaded when it is first asked for and kept up to date with each record. Pure bookkeeping: nothing here reads or writes a
file. A proposal needs none of it (`lookups`, `standing`).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence

from dgm.archive.model import AgentRecord, Candidate, ScoreRecord
from dgm.domain import Split


class Population:
    """Agents with their scores and the numbers of their children."""

    def __init__(self, agents: Iterable[AgentRecord] = (), scores: Iterable[tuple[int, ScoreRecord]] = ()) -> None:
        self._agents: dict[int, AgentRecord] = {}
        self._order: list[int] = []
        self._scores: dict[int, list[ScoreRecord]] = {}
        self._children: dict[int, int] = {}
        self._working: dict[int, int] = {}
        self._domains: dict[str, Split] = {}
        self._candidates: dict[int, Candidate] = {}
        for agent in agents:
            self.add(agent, ())
        for owner, score in scores:
            self.add_scores(owner, (score,))

    def add(self, agent: AgentRecord, scores: Sequence[ScoreRecord]) -> None:
        """A new agent. Its parent's numbers grow with it."""
        self._agents[agent.id] = agent
        insort(self._order, agent.id)
        if agent.parent is not None:
            self._children[agent.parent] = self.children(agent.parent) + 1
            self._working[agent.parent] = self._working.get(agent.parent, 0) + agent.admission.works
            self._candidates.pop(agent.parent, None)
        self.add_scores(agent.id, scores)

    def add_scores(self, agent: int, scores: Sequence[ScoreRecord]) -> None:
        """More scores of an agent."""
        kept = {(score.domain, score.split): score for score in (*self._scores.get(agent, ()), *scores)}
        self._scores[agent] = [kept[key] for key in sorted(kept)]
        self._candidates.pop(agent, None)
        for score in scores:
            self._note_domain(score)

    def _note_domain(self, score: ScoreRecord) -> None:
        """Parents are chosen on val, on train in a domain where val was never measured, and never on test."""
        known = self._domains.get(score.domain)
        if score.split == Split.TEST or known in (Split.VAL, score.split):
            return
        self._domains[score.domain] = Split(score.split)
        self._candidates.clear()

    def agents(self) -> list[AgentRecord]:
        """All, by id."""
        return [self._agents[i] for i in self._order]

    def get(self, agent: int) -> AgentRecord | None:
        return self._agents.get(agent)

    def children(self, agent: int) -> int:
        """How many proposals were made from an agent, failed ones included."""
        return self._children.get(agent, 0)

    def scores(self, agent: int) -> list[ScoreRecord]:
        """An agent's, in the order of domain and split."""
        return list(self._scores.get(agent, ()))

    def all_scores(self) -> list[tuple[int, ScoreRecord]]:
        """Every score with its agent, by agent's id."""
        return [(agent, score) for agent in self._order for score in self._scores.get(agent, ())]

    def candidates(self) -> list[Candidate]:
        """The agents that work, by id."""
        return [self._candidate(i) for i in self._order if self._agents[i].admission.works]

    def _candidate(self, agent: int) -> Candidate:
        if agent not in self._candidates:
            record = self._agents[agent]
            by_split = {(score.domain, score.split): score.scaled for score in self._scores.get(agent, ())}
            self._candidates[agent] = Candidate(
                agent,
                record.parent,
                {domain: by_split.get((domain, split), 0.0) for domain, split in sorted(self._domains.items())},
                self.children(agent),
                self._working.get(agent, 0),
                record.admission,
            )
        return self._candidates[agent]

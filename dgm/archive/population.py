"""The agents of an archive in memory, as selection, feedback and tables want to see them.

Loaded once from the records and kept up to date with each record, so that a proposal costs the same in an
archive of a hundred thousand agents. Pure bookkeeping: nothing here reads or writes a file.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from dgm.archive.model import AgentRecord, Candidate, ScoreRecord
from dgm.domain import Split

if TYPE_CHECKING:
    from dgm.archive.columns import Columns, Row
    from dgm.archive.view import Ints, Sources, Tasks, View


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
        self._columns: Columns | None = None  # made when a view is first asked for, kept up to date from then on
        self.evaluations = 0  #: verdicts on train and val, of all agents together
        self.revision = 0  #: grows when results change of agents that were there already
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
            if self._columns is not None:
                self._columns.proposed(agent.parent, agent.admission.works)
        self._note_scores(agent.id, scores)
        if self._columns is not None and agent.admission.works:
            self._columns.add(self._row(agent))

    def add_scores(self, agent: int, scores: Sequence[ScoreRecord]) -> None:
        """More scores of an agent."""
        self._note_scores(agent, scores)
        if any(score.split != Split.TEST for score in scores):
            self.revision += 1
            if self._columns is not None and self._agents[agent].admission.works:
                row = self._row(self._agents[agent])
                self._columns.measured(agent, row.scores, row.successes, row.trials)

    def _note_scores(self, agent: int, scores: Sequence[ScoreRecord]) -> None:
        kept = {(score.domain, score.split): score for score in self._scores.get(agent, ())}
        for score in scores:
            before = kept.get((score.domain, score.split))
            self.evaluations += 0 if score.split == Split.TEST else score.n - (before.n if before else 0)
            kept[score.domain, score.split] = score
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
        self._columns = None
        self.revision += 1

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

    def next_id(self) -> int:
        """The smallest number that no proposal has. Without gaps, this is the number of agents."""
        missing = self.missing()
        return missing[0] if missing else len(self._order)

    def highest(self) -> int:
        """The largest number that a proposal has; -1 without any."""
        return self._order[-1] if self._order else -1

    def missing(self) -> tuple[int, ...]:
        """Numbers below the highest that no proposal has, ascending: those in flight, or lost in a kill."""
        left, above, found = self.highest() + 1 - len(self._order), self.highest() + 1, list[int]()
        for number in reversed(self._order):  # gaps are near the end
            if len(found) == left:
                break
            found.extend(range(above - 1, number, -1))
            above = number
        else:
            found.extend(range(above - 1, -1, -1))
        return tuple(reversed(found))

    def splits(self) -> Mapping[str, Split]:
        """Domain to the split that parents are chosen on, in the order of the names."""
        return dict(sorted(self._domains.items()))

    def view(self, number: int, tasks: Callable[[Ints], Tasks], sources: Callable[[Ints], Sources]) -> View:
        """The agents that work as columns, for the selection of proposal `number`."""
        if self._columns is None:
            from dgm.archive.columns import Columns  # here, because numpy takes a tenth of a second

            working = (agent for agent in self._agents.values() if agent.admission.works)
            self._columns = Columns(sorted(self._domains), map(self._row, working))
        return self._columns.view(number, tasks, sources)

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

    def _row(self, agent: AgentRecord) -> Row:
        from dgm.archive.columns import Row

        chosen = {s.domain: s for s in self._scores.get(agent.id, ()) if self._domains.get(s.domain) == s.split}
        scores = [chosen[domain].scaled if domain in chosen else 0.0 for domain in sorted(self._domains)]
        # Rounded to a power of two, so that sums over clades are exact in whatever order they are made.
        successes = round(sum(score.mean * score.n for score in chosen.values()) * 2**20) / 2**20
        trials = float(sum(score.n for score in chosen.values()))
        return Row(
            agent.id, agent.parent, scores, successes, trials, self.children(agent.id), self._working.get(agent.id, 0)
        )

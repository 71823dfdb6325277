"""What is known of an open archive without asking its rows again.

Each part is made when it is first asked for. A writer keeps it up to date with each record; a reader makes it again
when the archive has grown. Not covered: single questions (`lookups`), which cost the same at any size.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, TypeVar

from dgm.archive.details import Details
from dgm.archive.lookups import Lookups
from dgm.archive.model import AgentRecord, ScoreRecord, VerdictRecord
from dgm.archive.population import Population
from dgm.archive.records import Records
from dgm.domain import Split

if TYPE_CHECKING:
    from dgm.archive.standing import Standing
    from dgm.archive.view import View

T = TypeVar("T")


class Memory:
    """Of one open archive. Safe to use from several threads; `lock` is also held from the writing of rows until they
    are told here, so that nothing is counted twice."""

    def __init__(
        self, records: Records, lookups: Lookups, details: Details, lock: threading.RLock, *, writes: bool
    ) -> None:
        self._records, self._lookups, self._details, self._lock = records, lookups, details, lock
        self._writes = writes
        self._revision = records.revision()
        self._population: Population | None = None
        self._standing: Standing | None = None
        self._evaluations: int | None = None
        self._visible = lookups.visible() if writes else (-1, ())  # a reader asks each time

    def let_go(self) -> None:
        """The archive is no longer ours to write: what is kept here may be out of date from now on."""
        self._writes = False

    # Asked

    def agent(self, agent: int) -> AgentRecord | None:
        """One agent, None where there is none with this id."""
        with self._lock:
            known = self._current(self._population)
            return self._lookups.agent(agent) if known is None else known.get(agent)

    def scores(self, agent: int) -> list[ScoreRecord]:
        """An agent's scores, in the order of domain and split."""
        with self._lock:
            known = self._current(self._population)
            return self._lookups.scores([agent])[agent] if known is None else known.scores(agent)

    def everyone(self) -> Population:
        """All agents with their scores."""
        with self._lock:
            known = self._current(self._population)
            if known is None:
                self._population = known = Population(self._records.agents(), self._records.scores())
            return known

    def visible(self) -> tuple[int, tuple[int, ...]]:
        """The highest number on record, and the smaller ones that are not."""
        return self._visible if self._writes else self._lookups.visible()

    def next_id(self) -> int:
        """The smallest number that is not recorded."""
        highest, missing = self.visible()
        return missing[0] if missing else highest + 1

    def evaluations(self) -> int:
        """How many verdicts on train and val there are, of all agents together."""
        if not self._writes:
            return self._lookups.evaluations()
        with self._lock:
            if self._evaluations is None:
                self._evaluations = self._lookups.evaluations()
            return self._evaluations

    def view(self, number: int | None) -> View:
        """The agents that work as columns, for the selection of proposal `number`, or of the next one."""
        from dgm.archive.standing import Standing  # here, because numpy takes a tenth of a second

        with self._lock:
            standing = self._current(self._standing)
            if standing is None or standing.stale:
                self._standing = standing = Standing.read(self._records)
            return self._shown(standing, self.next_id() if number is None else number)

    def as_of(self, seen: Collection[int], number: int) -> View:
        """The view that proposal `number` had if it could see the agents `seen`, as their results stand now."""
        from dgm.archive.standing import Standing

        with self._lock:
            everyone = self.everyone()
            past = Standing.of(
                [agent for agent in everyone.agents() if agent.id in seen],
                [pair for pair in everyone.all_scores() if pair[0] in seen],
            )
            return self._shown(past, number)

    def _shown(self, standing: Standing, number: int) -> View:
        return standing.view(number, lambda ids: self._details.tasks(ids, standing), self._details.sources)

    # Told

    def born(self, agent: AgentRecord, scores: Sequence[ScoreRecord], verdicts: Sequence[VerdictRecord]) -> None:
        """An agent has been recorded."""
        self._visible = _with(self._visible, agent.id)
        self._count(verdicts)
        if self._population is not None:
            self._population.add(agent, scores)
        if self._standing is not None:
            self._standing.add(agent, scores)

    def measured(self, agent: int, scores: Sequence[ScoreRecord], verdicts: Sequence[VerdictRecord]) -> None:
        """Further results of an agent that was there already have been recorded."""
        self._count(verdicts)
        if self._population is not None:
            self._population.add_scores(agent, scores)
        record = self.agent(agent)
        if self._standing is not None and record is not None and any(s.split != Split.TEST for s in scores):
            self._standing.measured(record, self.scores(agent))

    def _count(self, verdicts: Sequence[VerdictRecord]) -> None:
        if self._evaluations is not None:
            self._evaluations += sum(v.split != Split.TEST and v.score is not None for v in verdicts)

    def _current(self, known: T | None) -> T | None:
        """What is kept, None where it holds no longer."""
        if known is None or self._writes or (now := self._records.revision()) == self._revision:
            return known
        self._revision, self._population, self._standing = now, None, None
        return None


def _with(visible: tuple[int, tuple[int, ...]], number: int) -> tuple[int, tuple[int, ...]]:
    """What is visible once `number` is recorded."""
    highest, missing = visible
    if number < highest:
        return highest, tuple(one for one in missing if one != number)
    return number, (*missing, *range(highest + 1, number))

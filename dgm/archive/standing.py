"""Where the agents of an archive stand, as the columns of a `View`: made in a few passes over arrays when a view is
first asked for, and kept up to date with each record from then on.

A proposal so costs nearly the same in an archive of a hundred thousand agents. Not covered: reading rows (`Standing.of`
takes them as they are), results task by task and sources (`details`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from dgm.archive.columns import Columns, Row
from dgm.archive.model import AgentRecord, ScoreRecord
from dgm.archive.records import Records
from dgm.archive.view import Floats, Ints, Sources, Tasks, View
from dgm.domain import Split

Born: TypeAlias = tuple[int, int, bool]
"""An agent's id, its parent's (-1 for the root), and whether it works."""
Measure: TypeAlias = tuple[int, int, int, float]
"""An agent's id, n, total and mean of a score."""
Measures: TypeAlias = Mapping[tuple[str, str], Sequence[Measure]]
"""Domain and split to scores."""


class Standing:
    """Columns of all agents that work. Not safe to use from several threads; the views that it gives are."""

    def __init__(self, agents: Sequence[Born], scores: Measures) -> None:
        """`scores` on test are passed over."""
        self.revision = 0  #: grows when results change of agents that were there already
        self.stale = False  #: whether a domain is chosen on another split from now on: make a new one
        self._splits: dict[str, Split] = {}
        for domain, split in sorted(scores):
            if split != Split.TEST and scores[domain, split]:
                self._splits[domain] = Split(split)  # val comes after train
        self._columns = _columns(agents, {d: scores[d, s] for d, s in self._splits.items()})

    @classmethod
    def of(cls, agents: Iterable[AgentRecord], scores: Iterable[tuple[int, ScoreRecord]]) -> Standing:
        """From records."""
        grouped: dict[tuple[str, str], list[Measure]] = {}
        for agent, s in scores:
            grouped.setdefault((s.domain, s.split), []).append((agent, s.n, s.total, s.mean))
        born = [(a.id, -1 if a.parent is None else a.parent, a.admission.works) for a in agents]
        return cls(born, grouped)

    @classmethod
    def read(cls, records: Records) -> Standing:
        """From all rows of an archive."""
        born = "SELECT id, coalesce(parent, -1), admission IN ('root', 'admitted') FROM agents"
        agents: list[Born] = records.ask(born, None)
        scores: dict[tuple[str, str], list[Measure]] = {}
        for domain, name in records.ask("SELECT id, name FROM domains", None):
            for split in (Split.VAL, Split.TRAIN):  # train is of no account where there is val
                query = "SELECT agent, n, total, mean FROM scores WHERE domain = ? AND split = ?"
                if found := records.ask(query, None, (domain, str(split))):
                    scores[name, split] = found
                    break
        return cls(agents, scores)

    @property
    def splits(self) -> Mapping[str, Split]:
        """Domain to the split that parents are chosen on, val or, where it was never measured, train; by name."""
        return self._splits

    def view(self, number: int, tasks: Callable[[Ints], Tasks], sources: Callable[[Ints], Sources]) -> View:
        """The agents that work as columns, for the selection of proposal `number`."""
        return self._columns.view(number, tasks, sources)

    def add(self, agent: AgentRecord, scores: Sequence[ScoreRecord]) -> None:
        """A new agent. Its parent's numbers grow with it."""
        if self._unsettled(scores):
            return
        if agent.parent is not None:
            self._columns.proposed(agent.parent, agent.admission.works)
        if agent.admission.works:
            self._columns.add(self._row(agent.id, agent.parent, scores))

    def measured(self, agent: AgentRecord, scores: Sequence[ScoreRecord]) -> None:
        """All scores of an agent that is here and has got some more, other than on test."""
        self.revision += 1
        if not self._unsettled(scores) and agent.admission.works:
            row = self._row(agent.id, agent.parent, scores)
            self._columns.measured(agent.id, row.scores, row.successes, row.trials)

    def _unsettled(self, scores: Sequence[ScoreRecord]) -> bool:
        """Whether scores change by what parents are chosen; all columns are then to be made again."""
        for score in scores:
            known = self._splits.get(score.domain)
            self.stale |= score.split != Split.TEST and known not in (Split.VAL, score.split)
        return self.stale

    def _row(self, agent: int, parent: int | None, scores: Sequence[ScoreRecord]) -> Row:
        mine = {s.domain: s for s in scores if self._splits.get(s.domain) == s.split}
        chosen = {domain: mine[domain] for domain in self._splits if domain in mine}
        successes = sum(score.mean * score.n for score in chosen.values())
        return Row(
            agent,
            parent,
            [chosen[domain].scaled if domain in chosen else 0.0 for domain in self._splits],
            round(successes * _PARTS) / _PARTS,
            float(sum(score.n for score in chosen.values())),
        )


_PARTS = 2**20
"""Successes are rounded to such parts, so that sums over clades are exact in whatever order they are made."""


def _columns(agents: Sequence[Born], scores: Mapping[str, Sequence[Measure]]) -> Columns:
    """What `Standing._row` says of each agent, for all of them at once."""
    born = np.array(agents, np.int64).reshape(-1, 3)
    born = born[np.argsort(born[:, 0], kind="stable")]
    ids, parents = born[born[:, 2] == 1, :2].T.copy()
    made = born[born[:, 1] >= 0]
    rows, n = np.searchsorted(ids, made[:, 1]), len(ids)
    children = np.bincount(rows, minlength=n)
    working = np.bincount(rows, weights=made[:, 2], minlength=n).astype(np.int64)
    scaled, successes, trials = np.zeros((len(scores), n)), np.zeros(n), np.zeros(n)
    for row, measures in zip(scaled, scores.values(), strict=True):
        agent, count, total, mean = np.array(measures, np.float64).reshape(-1, 4).T
        at = np.minimum(np.searchsorted(ids, agent), max(n - 1, 0))
        works = ids[at] == agent  # scores of others, of quarantined agents, are of no account here
        at, count, total, mean = at[works], count[works], total[works], mean[works]
        row[at] = np.divide(mean * count, total, out=np.zeros_like(mean), where=total > 0)
        successes[at] += mean * count
        trials[at] += count
    floats = np.stack([_quality(scaled), np.rint(successes * _PARTS) / _PARTS, trials])
    return Columns(tuple(scores), np.stack([ids, parents, children, working]), floats, scaled)


def _quality(scores: Floats) -> Floats:
    """`Row.quality` of every column."""
    count, n = scores.shape
    if not count:
        return np.full(n, math.nan)
    if count <= 2:  # one addition is rounded as an exact sum is
        mean: Floats = scores.sum(axis=0) / count
        return mean
    return np.array([math.fsum(values) / count for values in scores.T.tolist()])

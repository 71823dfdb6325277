"""The columns of a `View`, kept up to date agent by agent.

Adding an agent or its results costs a few array writes and one step per ancestor, for what is summed over clades;
nothing is counted again. Not covered: where records come from (`population`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dgm.archive.view import Floats, Ints, Sources, Tasks, View

T = TypeVar("T", np.int64, np.float64)

_ID, _PARENT, _CHILDREN, _WORKING, _CLADE = range(5)
_QUALITY, _SUCCESSES, _TRIALS, _CLADE_SUCCESSES, _CLADE_TRIALS = range(5)


@dataclass(frozen=True, slots=True)
class Row:
    """One agent that works, as it enters the columns."""

    id: int
    parent: int | None
    scores: Sequence[float]  #: one per domain; NaN for a missing one
    successes: float = 0.0  #: sum of the verdicts behind `scores`
    trials: float = 0.0  #: their number
    children: int = 0
    working_children: int = 0

    @property
    def quality(self) -> float:
        """The mean over the domains, the same in whatever order they stand; NaN without any."""
        return math.fsum(self.scores) / len(self.scores) if self.scores else math.nan


class Columns:
    """All agents that work, by id. Not safe to use from several threads; the views that it gives are."""

    def __init__(self, domains: Sequence[str], ints: Ints, floats: Floats, scores: Floats) -> None:
        """`ints` has the rows id (ascending), parent (-1 for the root), children and working children; `floats` has
        quality, successes and trials; `scores` one for each domain. Each has a column for every agent."""
        self.domains = tuple(domains)
        self._size: int = ints.shape[1]
        capacity = max(64, 2 * self._size)
        self._ints = np.zeros((5, capacity), np.int64)
        self._floats = np.zeros((5, capacity))
        self._scores = np.zeros((len(self.domains), capacity))
        self._ints[:4, : self._size], self._ints[_CLADE, : self._size] = ints, 1
        self._floats[:3, : self._size], self._floats[3:, : self._size] = floats, floats[1:]
        self._scores[:, : self._size] = scores
        self._sum_clades()
        self._shown = False  # whether a view looks at these very arrays

    @classmethod
    def of(cls, domains: Sequence[str], rows: Iterable[Row]) -> Columns:
        """From `rows` in any order, each parent among them; their counts of children are as given."""
        start = sorted(rows, key=lambda row: row.id)
        ints = [(r.id, -1 if r.parent is None else r.parent, r.children, r.working_children) for r in start]
        floats = [(r.quality, r.successes, r.trials) for r in start]
        return cls(
            domains,
            np.array(ints, np.int64).reshape(-1, 4).T,
            np.array(floats).reshape(-1, 3).T,
            np.array([row.scores for row in start], np.float64).reshape(-1, len(domains)).T,
        )

    def __len__(self) -> int:
        return self._size

    def proposed(self, parent: int, works: bool) -> None:
        """Count a proposal made from `parent`, whatever became of it."""
        self._part()
        at = self._row(parent)
        self._ints[_CHILDREN, at] += 1
        self._ints[_WORKING, at] += works

    def add(self, row: Row) -> None:
        """A new agent, whose parent is here."""
        self._part()
        if self._size == self._ints.shape[1]:
            self._ints, self._floats = _doubled(self._ints), _doubled(self._floats)
            self._scores = _doubled(self._scores)
        at, n = int(np.searchsorted(self._ids, row.id)), self._size
        for columns in (self._ints, self._floats, self._scores):  # an agent that was overtaken goes between
            columns[:, at + 1 : n + 1] = columns[:, at:n]
        self._size += 1
        self._write(at, row)
        path = self._path(at)
        self._ints[_CLADE, path[1:]] += 1
        self._add_results(path[1:], row.successes, row.trials)

    def measured(self, agent: int, scores: Sequence[float], successes: float, trials: float) -> None:
        """The results of an agent that is here, all of them: they take the place of what was known."""
        self._part()
        at = self._row(agent)
        more = successes - self._floats[_SUCCESSES, at], trials - self._floats[_TRIALS, at]
        row = Row(agent, None, scores)
        self._scores[:, at] = scores
        self._floats[[_QUALITY, _SUCCESSES, _TRIALS], at] = row.quality, successes, trials
        self._add_results(self._path(at), *more)

    def view(self, number: int, tasks: Callable[[Ints], Tasks], sources: Callable[[Ints], Sources]) -> View:
        """A snapshot for proposal `number`. `tasks` and `sources` are asked for the ids in it, if need be."""
        self._shown, n = True, self._size
        ints, floats, scores = self._ints[:, :n], self._floats[:, :n], self._scores[:, :n]
        for columns in (ints, floats, scores):
            columns.setflags(write=False)
        ids = ints[_ID]
        return View(
            number=number,
            domains=self.domains,
            id=ids,
            parent=ints[_PARENT],
            scores=scores.T,
            quality=floats[_QUALITY],
            children=ints[_CHILDREN],
            working_children=ints[_WORKING],
            clade=ints[_CLADE],
            successes=floats[_SUCCESSES],
            trials=floats[_TRIALS],
            clade_successes=floats[_CLADE_SUCCESSES],
            clade_trials=floats[_CLADE_TRIALS],
            read_tasks=lambda: tasks(ids),
            read_sources=lambda: sources(ids),
        )

    def _part(self) -> None:
        """Before a change: leave to the views what they look at, and go on with a copy."""
        if self._shown:
            self._ints, self._floats, self._scores = self._ints.copy(), self._floats.copy(), self._scores.copy()
            self._shown = False

    @property
    def _ids(self) -> Ints:
        return self._ints[_ID, : self._size]

    def _row(self, agent: int) -> int:
        at = int(np.searchsorted(self._ids, agent))
        if at == self._size or self._ids[at] != agent:
            raise ValueError(f"agent {agent} is none that works")
        return at

    def _path(self, at: int) -> list[int]:
        """The rows from one agent's up to the root's."""
        path = [at]
        while (parent := int(self._ints[_PARENT, path[-1]])) >= 0:
            path.append(self._row(parent))
        return path

    def _write(self, at: int, row: Row) -> None:
        parent = -1 if row.parent is None else row.parent
        self._ints[:, at] = row.id, parent, row.children, row.working_children, 1
        self._floats[:, at] = row.quality, row.successes, row.trials, row.successes, row.trials
        self._scores[:, at] = row.scores

    def _add_results(self, rows: list[int], successes: float, trials: float) -> None:
        self._floats[_CLADE_SUCCESSES, rows] += successes
        self._floats[_CLADE_TRIALS, rows] += trials

    def _sum_clades(self) -> None:
        """Sum up the tree once, leaves first. An agent's id may be below its parent's: order by descent then."""
        n = self._size
        above = np.where(self._ints[_PARENT, :n] < 0, -1, np.searchsorted(self._ids, self._ints[_PARENT, :n]))
        order = range(n) if np.all(above < np.arange(n)) else _downward(above.tolist())
        parents = above.tolist()
        sums = (self._ints[_CLADE], self._floats[_CLADE_SUCCESSES], self._floats[_CLADE_TRIALS])
        clade, successes, trials = (column[:n].tolist() for column in sums)
        for row in reversed(order):
            parent = parents[row]
            if parent >= 0:
                clade[parent] += clade[row]
                successes[parent] += successes[row]
                trials[parent] += trials[row]
        for column, totals in zip(sums, (clade, successes, trials), strict=True):
            column[:n] = totals


def _downward(parents: list[int]) -> list[int]:
    """The rows of a tree so that each stands after its parent's; -1 has those without."""
    below: dict[int, list[int]] = {}
    for row, parent in enumerate(parents):
        below.setdefault(parent, []).append(row)
    order = list(below.get(-1, ()))
    for row in order:  # grows while it is read
        order.extend(below.get(row, ()))
    return order


def _doubled(columns: NDArray[T]) -> NDArray[T]:
    """A copy with room for twice as many agents."""
    return np.concatenate([columns, np.zeros_like(columns)], axis=1)

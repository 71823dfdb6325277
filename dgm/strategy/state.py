"""What a strategy knows: who descends from whom, how everybody did so far, what is under way and what is left.

Columns, one entry per agent that works, in the order in which they came to be; kept up to date by events, each of
which costs a few array writes and one step per ancestor. The same class serves the real loop and the simulator, so
a strategy cannot tell them apart. Results are those of the split that agents are chosen on; the results that a meta
agent is shown are apart from it and no business of a strategy.

Not covered: where events come from, and whether an agent may be a parent for other reasons than its results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dgm.archive.view import Floats, Ints, Sources, Tasks, View

T = TypeVar("T", np.int64, np.float64)
R = TypeVar("R")

_START = 64


@dataclass(frozen=True, slots=True)
class Expand:
    """Make a child of `parent`, with the help of `mate` where there is one; both are ids of agents."""

    parent: int
    mate: int | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """Run the next tasks of an agent that it has not run: so many in each domain."""

    agent: int
    tasks: tuple[int, ...]

    @property
    def count(self) -> int:
        return sum(self.tasks)


Action = Expand | Measure


class State:
    """The search as it stands. Not safe to use from several threads.

    Agents are known by id from outside and by row in the arrays: `row` and `id` translate.
    """

    def __init__(
        self,
        tasks: Sequence[int],
        *,
        prices: Sequence[float] | None = None,
        budget: float = math.inf,
        domains: Sequence[str] | None = None,
    ) -> None:
        """`tasks`: how many each domain has, D >= 1 of them. `prices`: what one evaluation costs in each (1).
        `budget`: what all evaluations together may cost."""
        self.tasks: Ints = np.array(tasks, np.int64)
        self.prices: Floats = np.ones(len(tasks)) if prices is None else np.array(prices, np.float64)
        self.domains = tuple(domains) if domains is not None else tuple(f"domain{i}" for i in range(len(tasks)))
        self.budget, self.spent = float(budget), 0.0
        self.evaluations = 0  #: tasks that have a verdict, of all agents together
        self.proposals = 0  #: ended ones, failed ones included
        self.expanding = 0  #: proposals under way
        self.read_tasks: Callable[[Ints], Tasks] | None = None  #: see `View.tasks`
        self.read_sources: Callable[[Ints], Sources] | None = None
        self._rows: dict[int, int] = {}
        self._size = 0
        self._ints = np.zeros((6, _START), np.int64)
        self._sums = np.zeros((5, _START))
        self._results = np.zeros((3, len(tasks), _START))

    def __len__(self) -> int:
        return self._size

    # What a strategy reads; arrays of shape (n,), or (D, n) where it says so. They are windows: do not write to them.

    @property
    def id(self) -> Ints:
        return self._ints[0, : self._size]

    @property
    def parent(self) -> Ints:
        """The parent's row; -1 for the root."""
        return self._ints[1, : self._size]

    @property
    def children(self) -> Ints:
        """Proposals made from it, failed ones and those under way included."""
        return self._ints[2, : self._size]

    @property
    def working_children(self) -> Ints:
        return self._ints[3, : self._size]

    @property
    def clade(self) -> Ints:
        """Agents among itself and its descendants."""
        return self._ints[4, : self._size]

    @property
    def depth(self) -> Ints:
        """Generations from the root."""
        return self._ints[5, : self._size]

    @property
    def successes(self) -> Floats:
        """Sum of its verdicts, by domain: (D, n)."""
        return self._results[0, :, : self._size]

    @property
    def trials(self) -> Floats:
        """Tasks that it has a verdict on, by domain: (D, n)."""
        return self._results[1, :, : self._size]

    @property
    def pending(self) -> Floats:
        """Tasks that it is at work on, by domain: (D, n)."""
        return self._results[2, :, : self._size]

    @property
    def total_successes(self) -> Floats:
        """`successes` over all domains."""
        return self._sums[2, : self._size]

    @property
    def total_trials(self) -> Floats:
        """`trials` over all domains."""
        return self._sums[3, : self._size]

    @property
    def total_left(self) -> Floats:
        """`left` over all domains."""
        return self._sums[4, : self._size]

    @property
    def clade_successes(self) -> Floats:
        """`successes` over all domains and its clade."""
        return self._sums[0, : self._size]

    @property
    def clade_trials(self) -> Floats:
        return self._sums[1, : self._size]

    @property
    def left(self) -> Floats:
        """Tasks that it has neither run nor begun, by domain: (D, n)."""
        return self.tasks[:, None] - self.trials - self.pending

    def left_of(self, row: int) -> Floats:
        """`left` of one agent: (D,)."""
        return self.tasks - self._results[1, :, row] - self._results[2, :, row]

    @property
    def affordable(self) -> float:
        """What is left of the budget; infinite without one."""
        return self.budget - self.spent

    def row(self, agent: int) -> int:
        """Raises KeyError for an agent that does not work or is not known."""
        return self._rows[agent]

    def means(self) -> Floats:
        """Mean over the domains of its mean verdict in those where it has one; NaN without any."""
        if len(self.tasks) == 1:
            return _quotient(self.successes[0], self.trials[0])
        known = self.trials > 0
        rates = np.divide(self.successes, self.trials, out=np.zeros_like(self.trials), where=known)
        return _quotient(rates.sum(axis=0), known.sum(axis=0))

    def scaled(self, planned: Ints | None = None) -> Floats:
        """By domain the mean of the verdicts where, of `planned` tasks in each (all), those not run count as zero,
        (D, n); NaN where it has no verdict."""
        goal = self.tasks if planned is None else planned
        meant = np.maximum(goal[:, None], self.trials)
        return np.where(self.trials > 0, self.successes / meant, np.nan)

    def view(self, planned: Ints | None = None) -> View:
        """The same for a selector (`dgm.selection`), with scores as `scaled` gives them."""
        scores, rows = self.scaled(planned), self.parent
        parents = np.where(rows >= 0, self.id[rows], -1)
        arrays = {
            "id": self.id,
            "parent": parents,
            "quality": scores.mean(axis=0),
            "children": self.children,
            "working_children": self.working_children,
            "clade": self.clade,
            "successes": self.total_successes,
            "trials": self.total_trials,
            "clade_successes": self.clade_successes,
            "clade_trials": self.clade_trials,
            "scores": scores.T,
        }
        for array in arrays.values():
            array.setflags(write=False)
        ids = self.id.copy()
        return View(
            number=self.proposals + self.expanding + 1,
            domains=self.domains,
            read_tasks=lambda: _read(self.read_tasks, ids, "results task by task"),
            read_sources=lambda: _read(self.read_sources, ids, "sources"),
            **arrays,
        )

    # Events

    def add(self, agent: int, parent: int | None) -> None:
        """A working agent, the root first. Its proposal, if one was begun, has ended with it."""
        if self._size == self._ints.shape[1]:
            self._ints, self._sums, self._results = _doubled(self._ints), _doubled(self._sums), _doubled(self._results)
        row = self._size
        at = -1 if parent is None else self._rows[parent]
        self._size += 1
        self._rows[agent] = row
        self._sums[4, row] = self.tasks.sum()
        self._ints[:, row] = agent, at, 0, 0, 1, 0 if at < 0 else self._ints[5, at] + 1
        if at >= 0:
            self._ints[3, at] += 1
            self._ints[4, self._ancestors(row)[1:]] += 1

    def begun(self, action: Action) -> None:
        """An action is under way. What it may cost is not counted as spent before it ends."""
        if isinstance(action, Expand):
            self._ints[2, self._rows[action.parent]] += 1
            self.expanding += 1
            return
        row = self._rows[action.agent]
        for domain, count in enumerate(action.tasks):
            self._results[2, domain, row] += count
        self._sums[4, row] -= action.count

    def expanded(self, parent: int, child: int | None) -> None:
        """A proposal that was begun has ended, with a working child or None."""
        self.expanding -= 1
        self.proposals += 1
        if child is not None:
            self.add(child, parent)

    def measured(self, action: Measure, successes: Sequence[float], trials: Sequence[int] | None = None) -> None:
        """Results of tasks that were begun, by domain: sums of verdicts, and how many there are where results are
        missing (all that were begun). A missing result may be asked for again."""
        row, ran = self._rows[action.agent], action.tasks if trials is None else trials
        for domain, (asked, came, won) in enumerate(zip(action.tasks, ran, successes, strict=True)):
            self._results[2, domain, row] -= asked
            self._results[0, domain, row] += won
            self._results[1, domain, row] += came
            self.spent += float(self.prices[domain]) * came
        total, many = math.fsum(successes), sum(ran)
        self.evaluations += many
        self._sums[2:, row] += total, many, action.count - many
        for at in self._ancestors(row):
            self._sums[0, at] += total
            self._sums[1, at] += many

    def _ancestors(self, row: int) -> list[int]:
        """Its row and those of its ancestors, up to the root."""
        path, parents = [row], self._ints[1]
        while (row := parents.item(row)) >= 0:
            path.append(row)
        return path


def _quotient(values: Floats, counts: Floats | Ints) -> Floats:
    """NaN where there is nothing to divide by."""
    quotient: Floats = np.divide(values, counts, out=np.full(len(values), np.nan), where=counts > 0)
    return quotient


def _doubled(columns: NDArray[T]) -> NDArray[T]:
    return np.concatenate([columns, np.zeros_like(columns)], axis=-1)


def _read(reader: Callable[[Ints], R] | None, agents: Ints, what: str) -> R:
    if reader is None:
        raise ValueError(f"this search keeps no {what}, which the selector asks for")
    return reader(agents)

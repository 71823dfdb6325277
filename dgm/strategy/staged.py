"""Staged evaluation: every child is measured at once, on more tasks if it does well on the first ones.

As published. Hyperagents (HA): 10 tasks in every domain, then all of them when every domain's score is above zero.
Darwin Goedel Machine (DGM): 10 tasks; 50 more at 40 % or above; in the paper 140 more for the best two. What was not
run counts as zero, so an agent that was stopped is hardly ever chosen. Parents are drawn by any selector of
`dgm.selection`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dgm.archive.view import Floats, Ints
from dgm.selection import Selector, choose, choose_mate
from dgm.strategy.state import Action, Expand, Measure, State


@dataclass(frozen=True, slots=True)
class Step:
    """One stage: how many tasks of each domain an agent has run when it has passed it, and who may go beyond."""

    tasks: int | None  #: None for all
    gate: float = 0.0  #: least mean in every domain
    above: bool = False  #: whether the mean must lie above the gate
    top: int | None = None  #: only so many of the best that have come so far


HA = (Step(10, 0.0, above=True), Step(None))
DGM = (Step(10, 0.4), Step(60, top=2), Step(200))


@dataclass(frozen=True)
class Staged:
    """Expand, measure the child as far as it gets, expand again."""

    select: Selector
    stages: tuple[Step, ...] = HA

    def next(self, state: State, draws: np.random.Generator) -> Action:
        if (due := self._due(state)) is not None:
            return due
        view = state.view(self._goals(state)[-1])
        parent = choose(view, self.select, draws)
        return Expand(parent, choose_mate(view, self.select, parent, draws))

    def final(self, state: State) -> int:
        """The highest score, what was not run counting as zero; the older of equals."""
        return int(state.id[int(self._scores(state).argmax())])

    def _goals(self, state: State) -> list[Ints]:
        """How many tasks of each domain have been run at the end of each stage."""
        return [state.tasks if s.tasks is None else np.minimum(s.tasks, state.tasks) for s in self.stages]

    def _scores(self, state: State) -> Floats:
        """Mean over the domains, -1 where something was never run."""
        scores: Floats = np.nan_to_num(state.scaled(self._goals(state)[-1]).mean(axis=0), nan=-1.0)
        return scores

    def _due(self, state: State) -> Measure | None:
        """The rest of a stage that somebody has begun or may begin, the oldest first; None where all is done."""
        ran = state.trials + state.pending
        goals = self._goals(state)
        open_ = np.ones(len(state), np.bool_)
        for number, goal in enumerate(goals):
            done = (ran >= goal[:, None]).all(axis=0)
            rows, open_ = np.flatnonzero(open_ & ~done), open_ & done
            if number and len(rows):
                before = goals[number - 1][:, None]
                begun = (ran[:, rows] > before).any(axis=0)
                passed = (state.pending[:, rows] == 0).all(axis=0) & self._passed(state, rows, number - 1)
                rows = rows[begun | passed]
            if len(rows):
                tasks = (goal - ran[:, rows[0]]).clip(0)
                return Measure(int(state.id[rows[0]]), tuple(int(n) for n in tasks))
        return None

    def _passed(self, state: State, rows: Ints, number: int) -> NDArray[np.bool_]:
        """Who of those that stand at the end of a stage may go on."""
        step = self.stages[number]
        means = (state.successes[:, rows] / state.trials[:, rows].clip(1)).min(axis=0)
        passed: NDArray[np.bool_] = means > step.gate if step.above else means >= step.gate
        if step.top is not None:
            scores = self._scores(state)
            passed &= scores[rows] >= np.sort(scores)[-min(step.top, len(scores))]
        return passed

"""Our own strategy: many children on little evidence, and a second opinion from the tree.

Four decisions, each with its reason. The figures were chosen on worlds of the families of `dgm bench search`, none of
them among those that are reported.

1. A child is measured at once, on three tasks. Most children are worth nothing; three tasks tell most of these, and
   whoever passed one of them is worth a closer look. Staged evaluation spends a hundred tasks on the same question.
2. There are N^0.7 agents after N evaluations, so that evidence and children grow together (the Huxley-Goedel Machine
   has N^0.6; more children pay because the next point shares evidence between them).
3. Who is measured more: a draw from the belief in each agent's own score, the highest one. The belief starts at the
   parent's, since a child is mostly its parent's code, and gives way to its own results: a Kalman filter down the
   tree. A newborn is so not taken for average, and a lucky one is held against its descent. The same belief, less
   one standard deviation, decides on the final agent.
4. Who is expanded: a draw from the results of each whole clade, the highest one, as in the Huxley-Goedel Machine. It
   sticks to the clade that is ahead, which is a trap where that clade leads nowhere. So one proposal in eight goes
   down the tree from the root instead: at each agent a draw for itself and one for the clade of each of its
   children, and on into the highest, until an agent is ahead of all its children. There a clade competes with its
   few siblings and not with the hundreds of leaves of a rich one, so that a poor one has its turn.

Not covered: who makes a good mate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dgm.archive.view import Floats
from dgm.strategy.state import Action, Expand, Measure, State

_GENERATIONS = 4
"""How far up the filter looks: whoever is further up has no say beside those between."""


@dataclass(frozen=True)
class Treewise:
    """See the module."""

    batch: int = 3  #: tasks of one measurement, shared out over the domains, at least one in each
    alpha: float = 0.7  #: N^alpha agents after N evaluations
    descents: float = 0.125  #: part of the proposals that go down the tree
    step: float = 0.1  #: by how much a child's score is expected to differ from its parent's, a standard deviation
    caution: float = 1.0  #: standard deviations taken off in the final choice

    def next(self, state: State, draws: np.random.Generator) -> Action:
        left = state.total_left
        begun = state.tasks.sum() - left
        for row in np.flatnonzero((begun < self.batch) & (left > 0))[:1]:
            return self._measure(state, int(row))
        open_ = np.flatnonzero(left > 0)
        if state.evaluations**self.alpha >= len(state) - 1 + state.expanding or not len(open_):
            go_down = draws.random() < self.descents
            return Expand(int(state.id[_down(state, draws) if go_down else _best_clade(state, draws)]))
        mean, sd = self.belief(state)
        return self._measure(state, int(open_[(mean + sd * draws.standard_normal(len(state)))[open_].argmax()]))

    def final(self, state: State) -> int:
        mean, sd = self.belief(state)
        return int(state.id[int((mean - self.caution * sd).argmax())])

    def belief(self, state: State) -> tuple[Floats, Floats]:
        """Mean and standard deviation of every agent's own score: a child's prior is its parent's posterior, wider by
        `step`; the root's is 0.5 +- 0.5."""
        trials = state.total_trials
        seen = state.means()
        seen[np.isnan(seen)] = 0.0
        rate = (state.total_successes + 1) / (trials + 2)
        precision = trials / (rate * (1 - rate))
        up = state.parent.copy()
        up[0] = 0
        mean, variance = rate, rate * (1 - rate) / (trials + 3)
        for _ in range(_GENERATIONS):
            prior, wide = mean[up], variance[up] + self.step**2
            prior[0], wide[0] = 0.5, 0.25
            gain = wide * precision / (1 + wide * precision)
            mean, variance = prior + gain * (seen - prior), (1 - gain) * wide
        return mean, np.sqrt(variance)

    def _measure(self, state: State, row: int) -> Measure:
        each = -(-self.batch // len(state.tasks))
        return Measure(int(state.id[row]), tuple(int(n) for n in np.minimum(each, state.left_of(row))))


def _best_clade(state: State, draws: np.random.Generator) -> int:
    """The row whose clade draws the highest, among those that have succeeded at something; any row if none has."""
    rows = np.flatnonzero(state.total_successes > 0)
    if not len(rows):
        return int(draws.integers(len(state)))
    won, ran = state.clade_successes[rows], state.clade_trials[rows]
    return int(rows[draws.beta(1 + won, 1 + ran - won).argmax()])


def _down(state: State, draws: np.random.Generator) -> int:
    """The row at which a walk from the root ends that always goes where it draws the highest."""
    row = 0
    while True:
        below = np.flatnonzero((state.parent == row) & (state.clade_trials > 0))
        own, ran = state.total_successes[row], state.total_trials[row]
        won = np.append(state.clade_successes[below], own)
        lost = np.append(state.clade_trials[below], ran) - won
        best = int(draws.beta(1 + won, 1 + lost).argmax())
        if best == len(below):
            return row
        row = int(below[best])

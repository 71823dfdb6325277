"""Huxley-Goedel Machine (arXiv 2510.21614): expand or measure, task by task, by Thompson sampling over clades.

Two things are done otherwise than in its code: a clade's results are summed along the tree and never written into an
agent's own, and where no agent has succeeded at anything the search goes on, uniformly, instead of stopping.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dgm.analysis.metrics import best_belief
from dgm.archive.view import Floats
from dgm.strategy.state import Action, Expand, Measure, State


@dataclass(frozen=True)
class Huxley:
    """The defaults are those of the paper."""

    alpha: float = 0.6  #: how many agents N evaluations carry: N^alpha
    beta: float = 1.0  #: how fast the draws harden as the budget runs out; 0 as in the released code
    epsilon: float = 0.05  #: the percentile of belief that decides on the final agent

    def next(self, state: State, draws: np.random.Generator) -> Action:
        tau = self._tau(state)
        able = np.flatnonzero(state.total_left > 0)
        if not len(able) or state.evaluations**self.alpha >= len(state) - 1 + state.expanding:
            rows = np.flatnonzero(state.total_successes > 0)
            if not len(rows):
                return Expand(int(state.id[draws.integers(len(state))]))
            won, ran = state.clade_successes[rows], state.clade_trials[rows]
            return Expand(int(state.id[rows[_highest(won, ran, tau, draws)]]))
        row = able[_highest(state.total_successes[able], state.total_trials[able], tau, draws)]
        return Measure(int(state.id[row]), _one(state.left_of(row), draws))

    def final(self, state: State) -> int:
        """Best belief: the highest epsilon-percentile of Beta(1 + successes, 1 + failures)."""
        won, ran = state.total_successes, state.total_trials
        # The percentile is between one and two deviations below the mean: few agents can have the highest one.
        a, b = 1 + won, 1 + ran - won
        mean = a / (a + b)
        spread = np.sqrt(mean * (1 - mean) / (a + b + 1))
        near = mean - 2 * spread
        rows = np.flatnonzero(mean - spread >= near.max())
        rows = rows[np.argsort(-near[rows], kind="stable")]
        return int(state.id[rows[best_belief(won[rows].tolist(), ran[rows].tolist(), self.epsilon)]])

    def _tau(self, state: State) -> float:
        if math.isinf(state.budget):
            return 1.0
        return float((state.budget / max(state.affordable, 1.0)) ** self.beta)


def _highest(won: Floats, ran: Floats, tau: float, draws: np.random.Generator) -> int:
    return int(draws.beta(tau * (1 + won), tau * (1 + ran - won)).argmax())


def _one(left: Floats, draws: np.random.Generator) -> tuple[int, ...]:
    """One of the tasks that are left, each as likely."""
    if len(left) == 1:
        return (1,)
    chosen = int(left.cumsum().searchsorted(draws.random() * left.sum(), side="right"))
    return tuple(int(at == chosen) for at in range(len(left)))

"""Choosing the language model that makes a proposal, by improvement per dollar.

ShinkaEvolve's idea (arXiv 2509.19349): each model is an arm of a bandit whose reward is how far a child is above both
its parent and the root, if it is. Old rewards count less by a factor for each later proposal. What differs here: the
reward is divided by the model's mean cost before the arms are compared, so that a model at a tenth of the price need
only improve a tenth as often. Pure: a choice follows from the record and a random generator.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

DISCOUNT = 0.95
EXPLORE = 1.0
CHEAPEST = 0.001
"""What counts as the least cost, in that of all models together: what costs nothing is not infinitely good."""


@dataclass(frozen=True, slots=True)
class Pull:
    """One proposal that a model made. `reward` in [0, 1]: max(0, child - max(parent, root)), 0 for one that failed;
    `cost` in any unit of money, at least 0."""

    model: str
    reward: float
    cost: float


def choose_model(models: Sequence[str], weights: Sequence[float], pulls: Sequence[Pull], rng: random.Random) -> str:
    """The model of the next proposal. `pulls` are the earlier ones, the oldest first; those of other models count for
    nothing. A model that was never tried goes first, drawn by weight among such."""
    tried = {pull.model for pull in pulls}
    if untried := [i for i, model in enumerate(models) if model not in tried]:
        return models[rng.choices(untried, [weights[i] for i in untried])[0]]
    indices = upper_bounds(models, pulls)
    best = max(indices)
    return rng.choice([model for model, index in zip(models, indices, strict=True) if index == best])


def upper_bounds(models: Sequence[str], pulls: Sequence[Pull]) -> list[float]:
    """For each model, each of which has a pull: its reward per cost, 1 for the best of them, plus what is to be gained
    from trying it: sqrt(2 ln N / n) with discounted counts."""
    ages = range(len(pulls) - 1, -1, -1)
    count = dict.fromkeys(models, 1e-12)  # what was tried long ago is all but forgotten, and never divides by zero
    reward, cost = dict.fromkeys(models, 0.0), dict.fromkeys(models, 0.0)
    for pull, age in zip(pulls, ages, strict=True):
        if pull.model in count:
            share = DISCOUNT**age
            count[pull.model] += share
            reward[pull.model] += share * pull.reward
            cost[pull.model] += share * pull.cost
    mean_cost = sum(cost.values()) / sum(count.values())
    dear = {m: cost[m] / count[m] / mean_cost if mean_cost else 1.0 for m in models}  # 1: as dear as all together
    worth = {m: reward[m] / count[m] / max(dear[m], CHEAPEST) for m in models}
    top, total = max(worth.values()) or 1.0, max(sum(count.values()), math.e)
    return [worth[m] / top + EXPLORE * math.sqrt(2 * math.log(total) / count[m]) for m in models]

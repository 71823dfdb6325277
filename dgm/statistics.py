"""Scores: a mean never without its n and its 95 % interval.

Pass/fail results get Wilson's interval (Wilson 1927), graded ones the percentile bootstrap of the mean; a single graded
result says nothing of how much others differ from it, so its interval is the whole range.
Missing results (infrastructure faults) are not zeros: leave them out of `values` before you call.
"""

from __future__ import annotations

import math
import random
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054
"""The 97.5th percentile of the standard normal distribution."""
DIFFERENCES = (-1.0, 1.0)
"""Where the difference of two scores lies."""


@dataclass(frozen=True, slots=True)
class Score:
    """`mean` of `n` verdicts in [0, 1], with its 95 % interval; `total` tasks were meant to be judged."""

    mean: float
    n: int
    low: float
    high: float
    total: int


def wilson(successes: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval for a proportion; (0, 1) when nothing was measured."""
    if n == 0:
        return 0.0, 1.0
    p = successes / n
    centre = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, min(p, (centre - spread) / scale)), min(1.0, max(p, (centre + spread) / scale))


def bootstrap(
    values: Sequence[float], resamples: int = 1000, seed: int = 42, span: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    """Percentile bootstrap of the mean, 95 %, deterministic for equal input; all of `span`, in which values lie, for
    fewer than two: resampling one value gives that value alone."""
    if len(values) < 2:
        return span
    rng, n = random.Random(seed), len(values)
    means = sorted(math.fsum(rng.choices(values, k=n)) / n for _ in range(resamples))
    return means[int(0.025 * resamples)], means[min(resamples - 1, int(0.975 * resamples))]


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean of `values`: Wilson's when all are 0 or 1, else the bootstrap's."""
    if all(value in (0.0, 1.0) for value in values):
        return wilson(round(math.fsum(values)), len(values))
    return bootstrap(values)


def score(values: Sequence[float], total: int) -> Score:
    """The score of verdicts `values`, each in [0, 1], out of `total` tasks meant."""
    mean = math.fsum(values) / len(values) if values else 0.0
    low, high = interval(values)
    return Score(mean, len(values), low, high, total)


def mean_difference(differences: Sequence[float], resamples: int = 2000, seed: int = 42) -> Score:
    """Mean of paired differences of scores, each in [-1, 1], with its percentile-bootstrap interval."""
    low, high = bootstrap(differences, resamples, seed, DIFFERENCES)
    return Score(math.fsum(differences) / max(1, len(differences)), len(differences), low, high, len(differences))


def balanced_accuracy(by_class: Mapping[Hashable, Sequence[float]]) -> Score:
    """Mean of the classes' mean scores, each class weighing the same.

    The interval combines the classes' own ones by square and add (Newcombe 1998), so that it keeps a width where
    all of a class is right or wrong: mean - 1/K sqrt(sum of (p_k - low_k)^2), likewise above.
    """
    groups = [values for values in by_class.values() if values]
    n = sum(map(len, groups))
    if not groups:
        return Score(0.0, 0, 0.0, 1.0, 0)
    means = [math.fsum(values) / len(values) for values in groups]
    mean = math.fsum(means) / len(means)
    bounds = [interval(values) for values in groups]
    below = math.hypot(*(p - low for p, (low, _) in zip(means, bounds, strict=True))) / len(groups)
    above = math.hypot(*(high - p for p, (_, high) in zip(means, bounds, strict=True))) / len(groups)
    return Score(mean, n, max(0.0, mean - below), min(1.0, mean + above), n)

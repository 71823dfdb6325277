"""The A/A check: one agent measured several times, to see how much of a difference is no difference at all.

What varies between repetitions is the agent's own randomness, its model's and the judge's. That the tasks are a
sample adds to it and is what the interval of a single score is for. Not covered: running anything.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from dgm.analysis.comparison import LEVEL, mcnemar
from dgm.statistics import DIFFERENCES, Z95, bootstrap


@dataclass(frozen=True, slots=True)
class Noise:
    """What K repetitions on the same n tasks came to; all of it in the unit of the verdicts, 0 to 1."""

    repeats: int
    n: int
    means: tuple[float, ...]  #: one for each repetition
    mean: float
    changing: float  #: part of the tasks whose verdicts are not all the same
    sd: float  #: standard deviation of a repetition's mean by the agent's own randomness
    within: float  #: two means of one agent differ by less than this in 95 % of cases
    alarms: int  #: pairs of repetitions of which one is called better, at the level of 5 %
    pairs: int


def noise(runs: Sequence[Mapping[str, float]]) -> Noise:
    """From each repetition's verdicts by task; tasks that some repetition has no verdict on are left out. Raises
    ValueError for fewer than two repetitions, or no task in all of them."""
    shared = sorted(set.intersection(*(set(run) for run in runs))) if runs else []
    if len(runs) < 2 or not shared:
        raise ValueError("an A/A check needs two repetitions with a task in common")
    by_task = [[run[task] for run in runs] for task in shared]
    # Variances within tasks are pooled: with few repetitions that says more than the scatter of the means.
    sd = math.sqrt(math.fsum(map(_variance, by_task))) / len(shared)
    means = tuple(math.fsum(run[task] for task in shared) / len(shared) for run in runs)
    verdicts = [_alarm([a[task] - b[task] for task in shared]) for a, b in combinations(runs, 2)]
    return Noise(
        repeats=len(runs),
        n=len(shared),
        means=means,
        mean=math.fsum(means) / len(means),
        changing=sum(min(values) < max(values) for values in by_task) / len(shared),
        sd=sd,
        within=Z95 * math.sqrt(2) * sd,
        alarms=sum(verdicts),
        pairs=len(verdicts),
    )


def _alarm(differences: Sequence[float]) -> bool:
    """Whether one repetition would be called better than the other, as a child is than its parent (`comparison`)."""
    if set(differences) <= {-1.0, 0.0, 1.0}:
        return mcnemar(differences.count(1.0), differences.count(-1.0)) < LEVEL
    low, high = bootstrap(differences, span=DIFFERENCES)
    return low > 0 or high < 0


def _variance(values: Sequence[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)

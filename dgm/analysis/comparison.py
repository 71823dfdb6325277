"""Is it better, or is it noise? Tests between an agent and its parent, and between variants over repeated runs.

Exact where it can be. Not covered: corrections for many comparisons; say how many were made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dgm.statistics import Score, mean_difference

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Paired:
    """A child against its parent on the tasks that both were judged on."""

    difference: Score  #: mean of child less parent, its n and 95 % interval
    p: float | None  #: two-sided, exact; None for graded verdicts, where the interval decides
    better: bool  #: beyond noise, at the level of 5 %


def paired(child: Mapping[str, float], parent: Mapping[str, float]) -> Paired:
    """Compare verdicts by task: the exact McNemar test for pass or fail, else the paired bootstrap's interval."""
    shared = sorted(child.keys() & parent.keys())
    differences = [child[task] - parent[task] for task in shared]
    difference = mean_difference(differences) if shared else Score(0.0, 0, -1.0, 1.0, 0)
    if {value for task in shared for value in (child[task], parent[task])} <= {0.0, 1.0}:
        p = mcnemar(differences.count(1.0), differences.count(-1.0))
        return Paired(difference, p, p < LEVEL and difference.mean > 0)
    return Paired(difference, None, difference.low > 0)


def mcnemar(gained: int, lost: int) -> float:
    """The exact two-sided p of as uneven a split between tasks gained and lost, if either were as likely; 1 when
    nothing changed."""
    n = gained + lost
    tail = sum(math.comb(n, k) for k in range(min(gained, lost) + 1))
    return min(1.0, float(2 * tail / 2**n))


@dataclass(frozen=True, slots=True)
class Median:
    """The median of repeated runs with its 95 % interval, which a single run does not have."""

    median: float
    interval: tuple[float, float] | None
    n: int


def median(values: Sequence[float], resamples: int = 1000, seed: int = 42) -> Median:
    """Median and percentile bootstrap of the median, as Hyperagents reports them: NumPy's RandomState(42). Raises
    ValueError for no values."""
    import numpy as np  # here, because it takes a tenth of a second that most commands do not need

    if not values:
        raise ValueError("no values have no median")
    if len(values) == 1:  # resampling one value gives that value alone: an interval without a width
        return Median(float(values[0]), None, 1)
    samples = np.random.RandomState(seed).choice(values, (resamples, len(values)))
    low, high = np.percentile(np.median(samples, axis=1), [2.5, 97.5])
    return Median(float(np.median(values)), (float(low), float(high)), len(values))


@dataclass(frozen=True, slots=True)
class Wilcoxon:
    """A one-sided signed-rank test: do the differences lie above zero?"""

    statistic: float  #: sum of the ranks of the differences above zero
    p: float
    smallest: float  #: the least p that so many differences can give, 1 / 2^n: below it nothing can be shown
    n: int  #: differences that are not zero


def wilcoxon(differences: Sequence[float]) -> Wilcoxon:
    """Exact, also with ties, which share their mean rank; differences of zero are left out, as by Wilcoxon.
    Sizes that differ by less than 1e-12 are ties: they do by rounding alone."""
    values = sorted((rounded for d in differences if (rounded := round(d, 12))), key=abs)
    n = len(values)
    # Twice the ranks are whole numbers: the distribution of their sum over all 2^n signs can be counted.
    twice = [_twice_rank(values, i) for i in range(n)]
    statistic = sum(rank for rank, value in zip(twice, values, strict=True) if value > 0)
    ways = {0: 1}
    for rank in twice:
        more = dict(ways)
        for total, count in ways.items():
            more[total + rank] = more.get(total + rank, 0) + count
        ways = more
    p = sum(count for total, count in ways.items() if total >= statistic) / 2**n
    return Wilcoxon(statistic / 2, p, 1 / 2**n, n)


@dataclass(frozen=True, slots=True)
class Exact:
    """A two-sided exact test between two groups of runs."""

    p: float
    smallest: float  #: the least p that so many runs can give: at or above the level nothing can be shown
    n: tuple[int, ...]  #: differences that are not zero, or the sizes of the two groups


def signed_rank(differences: Sequence[float]) -> Exact:
    """Wilcoxon's signed-rank test of paired runs: do the differences lie to one side of zero? Twice the smaller of
    both one-sided p, so at least 2 / 2^n."""
    above, below = wilcoxon(differences), wilcoxon([-d for d in differences])
    return Exact(min(1.0, 2 * min(above.p, below.p)), min(1.0, 2 * above.smallest), (above.n,))


def rank_sum(first: Sequence[float], second: Sequence[float]) -> Exact:
    """The exact rank-sum test (Mann-Whitney) of runs that are not paired; ties share their mean rank. Values that
    differ by less than 1e-12 are ties."""
    values = sorted([round(v, 12) for v in (*first, *second)])
    twice = [2 * values.index(v) + values.count(v) + 1 for v in values]  # whole numbers, see wilcoxon
    n, total = len(first), len(values)
    statistic = sum(twice[values.index(round(v, 12))] for v in first)
    # ways[k]: sum of twice the ranks of k runs to the number of choices that give it
    ways: list[dict[int, int]] = [{0: 1}, *({} for _ in range(n))]
    for rank in twice:
        for k in range(n, 0, -1):
            for before, count in ways[k - 1].items():
                ways[k][before + rank] = ways[k].get(before + rank, 0) + count
    choices = math.comb(total, n)
    low = sum(count for value, count in ways[n].items() if value <= statistic) / choices
    high = sum(count for value, count in ways[n].items() if value >= statistic) / choices
    return Exact(min(1.0, 2 * min(low, high)), min(1.0, 2 / choices), (n, total - n))


def least_repeats(comparisons: int, paired: bool = True) -> int:
    """The fewest repeats with which anything can be shown in so many comparisons together: the first n whose least p,
    2 / 2^n of the signed-rank test, or 2 / C(2n, n) of the rank-sum test of two groups of n, is below the level when it
    is multiplied by the number of comparisons, as Holm's correction does with the smallest p."""
    n = 1
    while comparisons * 2 >= LEVEL * (2**n if paired else math.comb(2 * n, n)):
        n += 1
    return n


def holm(ps: Sequence[float]) -> list[float]:
    """The p values of a family of tests, each raised so that all together err with at most the level (Holm 1979)."""
    order = sorted(range(len(ps)), key=lambda i: ps[i])
    adjusted, highest = [1.0] * len(ps), 0.0
    for at, i in enumerate(order):
        highest = max(highest, min(1.0, (len(ps) - at) * ps[i]))
        adjusted[i] = highest
    return adjusted


def median_difference(first: Sequence[float], second: Sequence[float], resamples: int = 1000, seed: int = 42) -> Median:
    """The median of unpaired runs less another's, with the percentile bootstrap's interval, each group resampled by
    itself; without one where a group is a single run. Raises ValueError for no values."""
    import numpy as np  # here, because it takes a tenth of a second that most commands do not need

    if not first or not second:
        raise ValueError("no values have no median")
    value, n = float(np.median(first) - np.median(second)), min(len(first), len(second))
    if n == 1:
        return Median(value, None, n)
    rng = np.random.RandomState(seed)
    one, two = (np.median(rng.choice(v, (resamples, len(v))), axis=1) for v in (first, second))
    low, high = np.percentile(one - two, [2.5, 97.5])
    return Median(value, (float(low), float(high)), n)


def _twice_rank(values: Sequence[float], at: int) -> int:
    """Twice the mean rank, from 1, of one of some values that are sorted by size."""
    size = abs(values[at])
    below = sum(abs(value) < size for value in values)
    equal = sum(abs(value) == size for value in values)
    return 2 * below + equal + 1

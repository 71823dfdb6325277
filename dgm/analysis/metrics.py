"""One run in numbers: how fast it got better, what that took, and what the agent chosen at its end is worth.

Series have one entry per agent in the order of proposals, the root first; None where there is no score. Not covered:
what a model call costs (give the dollars as `costs`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from dgm.archive import AgentRecord, Archive
from dgm.domain import Split
from dgm.results import chosen_scores

if TYPE_CHECKING:
    from dgm.archive.view import Floats

ROOT = 0


@dataclass(frozen=True, slots=True)
class Series:
    """A run, agent by agent."""

    val: list[float | None]  #: the score that agents are chosen by; None unless it is complete
    test: list[float | None]
    verdicts: list[int]  #: task evaluations on train and val; results taken over from a twin count as if made

    @classmethod
    def of(cls, archive: Archive, domain: str | None = None) -> Series:
        """Of one domain, or of the mean over all: the score of an agent that has one in each."""
        chosen = {d: scores for d, scores in chosen_scores(archive).items() if domain in (None, d)}
        test: dict[str, dict[int, float]] = {d: {} for d in chosen}
        for agent, score in archive.split_scores(Split.TEST):
            if score.domain in test:
                test[score.domain][agent] = score.mean
        val = {d: {agent: score.mean for agent, score in scores.items()} for d, scores in chosen.items()}
        ids = [agent.id for agent in archive.agents()]
        work = dict.fromkeys(ids, 0)
        for agent, score in archive.all_scores():
            work[agent] += score.n if score.split != Split.TEST and domain in (None, score.domain) else 0
        return cls([_mean(val, i) for i in ids], [_mean(test, i) for i in ids], [work[i] for i in ids])


def best_so_far(values: Sequence[float | None]) -> list[float | None]:
    """The highest value up to each place; None before the first."""
    best: list[float | None] = []
    for value in values:
        before = best[-1] if best else None
        best.append(before if value is None else value if before is None else max(before, value))
    return best


def area(values: Sequence[float | None]) -> float | None:
    """Area under best-so-far divided by its length: its mean from the first value on, in the unit of the values.
    None without any."""
    reached = [value for value in best_so_far(values) if value is not None]
    return math.fsum(reached) / len(reached) if reached else None


def cost_to_target(values: Sequence[float | None], costs: Sequence[float], target: float) -> float | None:
    """What all agents up to the first that reaches `target` cost together, itself included: evaluations, dollars or
    seconds, as `costs` are. None if none reaches it."""
    if len(values) != len(costs):
        raise ValueError(f"{len(values)} values, but {len(costs)} costs")
    for at, value in enumerate(values):
        if value is not None and value >= target:
            return math.fsum(costs[: at + 1])
    return None


def working_share(agents: Iterable[AgentRecord]) -> float | None:
    """The part of all proposals, 0 to 1, that gave a working child; None without a proposal."""
    works = [agent.admission.works for agent in agents if agent.id != ROOT]
    return sum(works) / len(works) if works else None


def imp_at_k(val: Sequence[float | None], test: Sequence[float | None], k: int) -> float | None:
    """imp@k (Hyperagents): test score of the best of the first k children, chosen on val, less the first agent's.

    For the gain of a frozen meta half from a fresh root. Below zero when every child is worse. None where no child
    has a val score, or a test score that is due is missing.
    """
    children = [i for i in range(1, min(k, len(val) - 1) + 1) if val[i] is not None]
    if not children or k < 1:
        return None
    after, before = test[max(children, key=lambda i: (val[i] or 0.0, -i))], test[0]
    return None if after is None or before is None else after - before


def best_belief(successes: Sequence[float], trials: Sequence[float], epsilon: float = 0.05) -> int:
    """The agent one can believe in most (Huxley-Goedel Machine): the place with the highest epsilon-percentile of
    Beta(1 + successes, 1 + failures), so that a few lucky tasks are not enough; the first of equals."""
    best, bar = 0, -1.0
    for at, (won, n) in enumerate(zip(successes, trials, strict=True)):
        a, b = 1 + won, 1 + n - won
        if bar < 0 or beta_cdf(bar, a, b) < epsilon - 1e-12:  # its percentile lies beyond the bar
            best, bar = at, beta_quantile(epsilon, a, b)
    return best


@lru_cache(maxsize=10_000)  # a search asks again and again for the same few counts
def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with P(X <= x) = p for X ~ Beta(a, b), by bisection to the last bit; a, b > 0."""
    low, high = 0.0, 1.0
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if beta_cdf(middle, a, b) < p else (low, middle)
    return middle


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (Abramowitz and Stegun 26.5.8) in Lentz's
    form; about 12 digits."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # there the fraction of the mirror image converges faster
        return 1 - beta_cdf(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / _nonzero(1 + term * d), _nonzero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return min(1.0, front * value)


@dataclass(frozen=True, slots=True)
class BestOfN:
    """The best of many on the tasks it was chosen on, and what is left of its score without that luck."""

    agent: int  #: its place among those given
    seen: float  #: its mean on the tasks
    corrected: float  #: the mean to expect on other tasks of the kind
    low: float  #: 95 % interval of `corrected`
    high: float


def best_of_n(results: Floats, resamples: int = 1000, seed: int = 42) -> BestOfN:
    """Correct the score of the best of n agents for having been chosen as the best.

    `results` has shape (agents, tasks), verdicts in [0, 1], at least two tasks. By bootstrap (Tsamardinos et al.
    2018): choose on tasks drawn with replacement, measure on those that were not drawn; of equals the first.
    """
    import numpy as np  # here, because it takes a tenth of a second that most commands do not need

    results = np.asarray(results, np.float64)
    agents, tasks = results.shape
    if not agents or tasks < 2:
        raise ValueError("the best of n needs an agent and two tasks")
    draws = np.random.RandomState(seed).multinomial(tasks, np.full(tasks, 1 / tasks), resamples)
    draws = draws[(draws == 0).any(axis=1)]
    winners = (np.round(results @ draws.T, 9)).argmax(axis=0)
    out = draws == 0
    scores = (results[winners] * out).sum(axis=1) / out.sum(axis=1)
    best = int(np.round(results.mean(axis=1), 12).argmax())
    low, high = np.percentile(scores, [2.5, 97.5])
    return BestOfN(best, float(results[best].mean()), float(scores.mean()), float(low), float(high))


def results_table(archive: Archive, domain: str) -> tuple[list[int], Floats]:
    """The agents that were measured on all tasks of the split that chooses in `domain`, by id, and their verdicts,
    shape (agents, tasks); a task that some agent has no verdict on is left out."""
    import numpy as np

    rows = {}
    for agent, score in sorted(chosen_scores(archive).get(domain, {}).items()):
        verdicts = archive.verdicts(agent, domain, score.split)
        rows[agent] = {verdict.task: verdict.score for verdict in verdicts if verdict.score is not None}
    shared = sorted(set.intersection(*map(set, rows.values()))) if rows else []
    table = np.array([[row[task] for task in shared] for row in rows.values()], np.float64)
    return list(rows), table.reshape(len(rows), len(shared))


def _mean(by_domain: dict[str, dict[int, float]], agent: int) -> float | None:
    if not by_domain or any(agent not in scores for scores in by_domain.values()):
        return None
    return math.fsum(scores[agent] for scores in by_domain.values()) / len(by_domain)


def _nonzero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300

"""The state of a search, from the records of its run.

`built` makes it, `take_over` keeps it up to date; results are taken over as they stand, so that a search which was cut
off and built again goes on exactly like one that was not. Not covered: test results, which no search sees, and
train results where a domain has val.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

from dgm.archive import Archive, ScoreRecord
from dgm.domain import Split
from dgm.strategy.state import Expand, Measure, State

Results = Sequence[tuple[int, float]]
"""Number of verdicts and their sum, for each domain of a state."""

_FINEST = 2**20
"""Sums are rounded to multiples of 1 / this, so that they are exact in whatever order they are made."""


@dataclass(frozen=True, slots=True)
class Known:
    """One proposal that has ended."""

    id: int
    parent: int | None
    works: bool
    results: Results = ()


def state_of(archive: Archive, tasks: Mapping[str, int], splits: Mapping[str, Split]) -> State:
    """Who is there and how each did.

    `tasks`: how many each domain has on the split that chooses, which `splits` names; the order of the domains is
    that of `tasks`. Nothing is under way."""
    return built(
        tasks,
        (
            Known(a.id, a.parent, a.admission.works, results_of(archive.scores(a.id), tasks, splits))
            for a in archive.agents()
        ),
    )


def built(tasks: Mapping[str, int], known: Iterable[Known]) -> State:
    """A state with everything that is known, and nothing under way. The same whatever the order of `known`."""
    state = State(list(tasks.values()), domains=list(tasks))
    for one in _downward(known):
        if one.parent is None:
            state.add(one.id, None)
        else:
            state.begun(Expand(one.parent))
            state.expanded(one.parent, one.id if one.works else None)
        if one.works:
            take_over(state, one.id, one.results)
    return state


def results_of(scores: Iterable[ScoreRecord], tasks: Iterable[str], splits: Mapping[str, Split]) -> Results:
    """An agent's results on the splits that choose."""
    by_domain = {s.domain: s for s in scores if splits.get(s.domain) == s.split}
    return [
        (s.n, round(s.mean * s.n * _FINEST) / _FINEST) if (s := by_domain.get(domain)) else (0, 0.0) for domain in tasks
    ]


def take_over(state: State, agent: int, results: Results) -> None:
    """Let an agent have `results`, and no fewer than it had; what is under way stays so."""
    row = state.row(agent)
    more = [
        (n - int(had), total - float(won))
        for (n, total), had, won in zip(results, state.trials[:, row], state.successes[:, row], strict=False)
    ]
    if any(n for n, _ in more):
        done = Measure(agent, tuple(n for n, _ in more))
        state.begun(done)
        state.measured(done, [total for _, total in more])


def _downward(known: Iterable[Known]) -> list[Known]:
    """By number, but each after its parent: with several workers an agent's number may be below its parent's."""
    below: dict[int | None, list[Known]] = {}
    for one in known:
        below.setdefault(one.parent, []).append(one)
    order: list[Known] = []
    ready = [(one.id, one) for one in below.get(None, ())]
    while ready:
        _, one = heappop(ready)
        order.append(one)
        for child in below.get(one.id, ()):
            heappush(ready, (child.id, child))
    return order

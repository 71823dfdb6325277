"""Which tasks an agent is put through: at birth, stage by stage, and on test once it has been chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from dgm.domain import Split
from dgm.domains import LoadedDomain, Stage
from dgm.evaluation.bench import Bench, Job, Result
from dgm.evaluation.measured import Measured, measured

Evaluation = Callable[[Bench, Sequence[LoadedDomain]], Measured]
"""What an agent is put through when it is born."""


def first(bench: Bench, domains: Sequence[LoadedDomain], val: int = 0) -> Measured:
    """The train tasks of the first stage: what a child is known by until a strategy wants to know more."""
    jobs = [
        Job(domain, split, task)
        for domain in domains
        for split, count in ((Split.TRAIN, domain.stages[0].train), (Split.VAL, val))
        for task in domain.splits[split][:count]
    ]
    return measured(bench.run(jobs), domains, 1)


def at_birth(strategy: str) -> Evaluation:
    """What a child is put through when it is born, in a run with this strategy."""
    return staged if strategy == "staged" else first


def of_the_root(strategy: str) -> Evaluation:
    """What the root is put through. A task of val at least, so that the archive says from the start what chooses."""
    return staged if strategy == "staged" else partial(first, val=1)


def staged(bench: Bench, domains: Sequence[LoadedDomain]) -> Measured:
    """Train and val, stage by stage.

    Stage k of all domains is done before stage k+1 of any; it is reached only when every domain's mean train
    score of the stage before is at least its gate. Gates look at train alone, so val is done last: a session that has
    seen a task of val is given none of train.
    """
    plans = {domain.name: domain.stages for domain in domains}
    depth = max(map(len, plans.values()))
    results: list[Result] = []
    for number in range(depth):
        results += bench.run(_new_jobs(domains, Split.TRAIN, number, number))
        if number + 1 < depth and not _passed(results, plans, number):
            break
    results += bench.run(_new_jobs(domains, Split.VAL, 0, number))
    return measured(results, domains, number + 1)


def test(bench: Bench, domains: Sequence[LoadedDomain]) -> Measured:
    """All test tasks: only for an agent that has been chosen."""
    return measured(bench.run([Job(d, Split.TEST, task) for d in domains for task in d.splits[Split.TEST]]), domains)


test.__test__ = False  # type: ignore[attr-defined]  # no test, whatever pytest thinks of the name


def _new_jobs(domains: Sequence[LoadedDomain], split: Split, first: int, last: int) -> list[Job]:
    """The tasks of a split that the stages from `first` to `last` add to those before; the last stage goes on."""
    return [
        Job(domain, split, task)
        for domain in domains
        for task in domain.splits[split][_wanted(domain, split, first - 1) : _wanted(domain, split, last)]
    ]


def _wanted(domain: LoadedDomain, split: Split, number: int) -> int:
    """How many tasks of a split have been done after stage `number`, none before stage 0."""
    reached = domain.stages[: number + 1]
    return max((stage.train if split == Split.TRAIN else stage.val for stage in reached), default=0)


def _passed(results: Sequence[Result], plans: Mapping[str, Sequence[Stage]], number: int) -> bool:
    for name, stages in plans.items():
        scores = [r.verdict.score for r in results if r.domain == name and r.split == Split.TRAIN and not r.missing]
        gate = stages[number].gate if number < len(stages) - 1 else 0.0
        if scores and sum(scores) / len(scores) < gate:
            return False
    return True

"""What the runs of an experiment came to: the gain on test, over the root, of the agent that was chosen on val."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dgm.archive import Archive
from dgm.domain import Split
from dgm.experiment.journal import Journal
from dgm.experiment.plan import Plan
from dgm.results import ROOT, best_overall, best_per_domain
from dgm.sitting.settings import config_of

ONE = "one for all"
"""In place of a domain: the one agent with the best mean over all domains, by the mean over them."""


@dataclass(frozen=True, slots=True)
class Gain:
    """One run in one domain, on test; scores in [0, 1]."""

    agent: int
    root: float
    chosen: float
    n: int  #: test tasks

    @property
    def value(self) -> float:
        return self.chosen - self.root


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run that has ended."""

    name: str
    variant: str
    repeat: int
    seed: int
    sandbox: str
    ended: str  #: why: a word of `dgm.loop.evolve`
    proposals: int
    seconds: float  #: of all its proposals
    usd: float  #: of all its model calls
    gains: Mapping[str, Gain]  #: by domain and, where there are several, ONE; without those not measured on test


def outcomes(plan: Plan, folder: Path) -> Iterator[Outcome]:
    """Of the runs that have ended, in the plan's order."""
    journal = Journal.of(folder)
    for run in plan.runs:
        end = journal.ended.get(run.name)
        if end is None:
            continue
        with Archive.open(folder / run.name) as archive:
            yield Outcome(
                name=run.name,
                variant=run.variant,
                repeat=run.repeat,
                seed=run.seed,
                sandbox=config_of(archive).place.sandbox,
                ended=str(end["ended"]),
                proposals=archive.next_id() - 1,
                seconds=sum(proposal.seconds for proposal in archive.proposals()),
                usd=spent(folder / run.name),
                gains=gains(archive),
            )


def gains(archive: Archive) -> dict[str, Gain]:
    """Of one run."""
    tests = {(agent, score.domain): score for agent, score in archive.split_scores(Split.TEST)}
    chosen = best_per_domain(archive)
    rows = {
        domain: Gain(agent, tests[ROOT, domain].mean, tests[agent, domain].mean, tests[agent, domain].n)
        for domain, agent in chosen.items()
        if (ROOT, domain) in tests and (agent, domain) in tests
    }
    one = best_overall(archive)
    if len(chosen) > 1 and all((agent, domain) in tests for agent in (ROOT, one) for domain in chosen):
        root, best = (statistics.fmean(tests[agent, domain].mean for domain in chosen) for agent in (ROOT, one))
        rows[ONE] = Gain(one, root, best, sum(tests[one, domain].n for domain in chosen))
    return rows


def spent(path: Path) -> float:
    """Dollars that a run's model calls cost, what may have been charged for lost answers included."""
    from dgm.gateway import NANO, cache
    from dgm.gateway.budget import NOTHING

    if not (path / cache.NAME).is_file():
        return 0.0
    with cache.CallStore(path, write=False) as store:
        return sum(store.spent(), NOTHING).nano / NANO

"""The variants of an experiment beside its baseline: medians, differences, and what may be concluded.

Runs of the same repeat are compared with each other where variants have the same seeds, by the exact signed-rank test;
else the groups by the exact rank-sum test. All tests are two-sided, and Holm's correction is for all comparisons of
the table together. A variant is compared in the domains that it has in common with the baseline.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dgm.analysis.comparison import (
    LEVEL,
    Exact,
    Median,
    holm,
    least_repeats,
    median,
    median_difference,
    rank_sum,
    signed_rank,
)
from dgm.experiment.outcome import ONE, Gain, Outcome
from dgm.experiment.plan import Plan


@dataclass(frozen=True, slots=True)
class Contrast:
    """A variant less the baseline, in one domain."""

    difference: Median
    test: Exact
    adjusted: float  #: p, corrected for all comparisons of the table
    paired: bool
    alike: bool  #: all pairs tie, or all runs of both groups

    @property
    def tied(self) -> int | None:
        """Pairs that tie, which the test leaves out; None for groups."""
        return self.difference.n - self.test.n[0] if self.paired else None

    @property
    def shown(self) -> bool:
        """Whether there is a difference, beyond what luck gives at 5 %."""
        return self.adjusted < LEVEL


@dataclass(frozen=True, slots=True)
class Line:
    """One variant in one domain."""

    variant: str
    domain: str
    gains: tuple[Gain, ...]  #: one for each run
    repeats: tuple[int, ...]  #: of these runs
    root: float  #: median over the runs, as the next two
    chosen: float
    gain: Median
    contrast: Contrast | None = None  #: None for the baseline, and where there is nothing to compare


def lines(plan: Plan, outcomes: Sequence[Outcome]) -> list[Line]:
    """All variants that have an ended run, the baseline first; in each the domains by name, ONE last."""
    found = [line for variant in plan.variants for line in _lines(variant, outcomes)]
    base = {line.domain: line for line in found if line.variant == plan.experiment.baseline}
    compared = {
        at: _contrast(line, base[line.domain], plan.experiment.paired)
        for at, line in enumerate(found)
        if line.domain in base and line.variant != plan.experiment.baseline
    }
    known = {at: contrast for at, contrast in compared.items() if contrast is not None}
    adjusted = holm([contrast.test.p for contrast in known.values()])
    for (at, contrast), p in zip(known.items(), adjusted, strict=True):
        found[at] = replace(found[at], contrast=replace(contrast, adjusted=p))
    return found


def conclusions(found: Sequence[Line], baseline: str) -> list[str]:
    """In sentences: what differs from the baseline, what does not, and what could not have been shown at all."""
    compared = [(line, line.contrast) for line in found if line.contrast is not None]
    if not compared:
        return [f"Nothing is compared: no other variant has a measured run to set beside one of {baseline}."]
    shown = [(line, c) for line, c in compared if c.shown]
    others = [(line, c) for line, c in compared if not c.shown]
    below, above = ([line for line, c in shown if (c.difference.median > 0) is up] for up in (False, True))
    many = f"{len(compared)} comparisons" if len(compared) > 1 else "one comparison"
    said = [
        f"At {LEVEL:.0%}, two-sided, corrected (Holm) for {many} with {baseline}: "
        f"below it: {_named(below)}; above it: {_named(above)}; not shown to differ: {_named([o for o, _ in others])}."
    ]
    if alike := [line for line, c in others if c.alike]:
        said.append(f"No run differs at all from {baseline} in {_named(alike)}: these did the same.")
    # Of those that are left, even the first to be tested cannot pass.
    if hopeless := [(line, c) for line, c in others if not c.alike and c.test.smallest * len(others) >= LEVEL]:
        said.append(_too_few(hopeless, len(others)))
    return said


def _too_few(hopeless: Sequence[tuple[Line, Contrast]], comparisons: int) -> str:
    one = hopeless[0][1]
    needed, made = least_repeats(comparisons, one.paired), max(c.difference.n for _, c in hopeless)
    runs = ("pairs of runs" if one.paired else "runs of each") + " that differ"
    family = f"{comparisons} comparisons take" if comparisons > 1 else "one comparison takes"
    return (
        "Too few runs differ to show anything, whatever the differences, in "
        f"{_named([line for line, _ in hopeless])}: p is {min(c.test.smallest for _, c in hopeless):.2g} there at "
        f"least, uncorrected; {family} at least {needed} {runs}"
        + (f", so at least {needed} repeats." if made < needed else ".")
    )


def _lines(variant: str, outcomes: Sequence[Outcome]) -> list[Line]:
    mine = [outcome for outcome in outcomes if outcome.variant == variant]
    domains = sorted({domain for outcome in mine for domain in outcome.gains}, key=lambda d: (d == ONE, d))
    made = []
    for domain in domains:
        runs = [(outcome.repeat, outcome.gains[domain]) for outcome in mine if domain in outcome.gains]
        gains = tuple(gain for _, gain in runs)
        roots, chosen = (statistics.median(values) for values in ([g.root for g in gains], [g.chosen for g in gains]))
        value = median([g.value for g in gains])
        made.append(Line(variant, domain, gains, tuple(repeat for repeat, _ in runs), roots, chosen, value))
    return made


def _contrast(line: Line, base: Line, paired: bool) -> Contrast | None:
    if not paired:
        mine, theirs = [g.value for g in line.gains], [g.value for g in base.gains]
        alike = len({round(value, 12) for value in (*mine, *theirs)}) == 1
        return Contrast(median_difference(mine, theirs), rank_sum(mine, theirs), 1.0, False, alike)
    other = dict(zip(base.repeats, base.gains, strict=True))
    both = [(gain, other[at]) for at, gain in zip(line.repeats, line.gains, strict=True) if at in other]
    if not both:
        return None
    differences = [mine.value - theirs.value for mine, theirs in both]
    test = signed_rank(differences)
    return Contrast(median(differences), test, 1.0, True, test.n == (0,))


def _named(some: Sequence[Line]) -> str:
    """`labels-permuted (coding, review), one-fit (coding)`; `none` for none."""
    by_variant: dict[str, list[str]] = {}
    for line in some:
        by_variant.setdefault(line.variant, []).append(line.domain)
    return ", ".join(f"{variant} ({', '.join(domains)})" for variant, domains in by_variant.items()) or "none"

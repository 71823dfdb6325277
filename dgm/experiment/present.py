"""An experiment's results as tables for people and as JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dgm.analysis.comparison import Median
from dgm.experiment.contrast import Contrast, Line, conclusions
from dgm.experiment.outcome import Outcome
from dgm.experiment.plan import Plan
from dgm.reporting import columns, report, text
from dgm.reporting.table import Table
from dgm.sandbox.local import Local

CUT = {"budget": "its budget was spent", "seconds": "its time was up", "patience": "its patience was at an end"}
"""Ends before all proposals were made."""


def main_table(plan: Plan, lines: Sequence[Line], name: str) -> Table:
    """A line for each variant and domain, with the test against the baseline."""
    baseline = plan.experiment.baseline
    versus = f"less {baseline} [95 %]"
    among = "pairs" if plan.experiment.paired else "runs"
    rows = []
    for line in lines:
        cells = [line.variant, line.domain, str(len(line.gains)), f"{line.root:.3f}", f"{line.chosen:.3f}"]
        cells.append(text.signed(line.gain.median, line.gain.interval))
        if (contrast := line.contrast) is not None:
            cells += [text.signed(contrast.difference.median, contrast.difference.interval), _among(contrast)]
            cells += [f"{p:.4f}" for p in (contrast.test.p, contrast.adjusted, contrast.test.smallest)]
        else:
            cells += [text.MISSING] * 5
        rows.append(cells)
    how = "run by run with the same seed, signed-rank test" if plan.experiment.paired else "as groups, rank-sum test"
    return Table(
        columns.EXPERIMENT.heads({"less BASELINE [95 %]": [versus], "pairs or runs": [among]}),
        rows,
        title=f"{name}: medians over n runs of the gain on test, over the root, of the agent chosen on val",
        right=frozenset({"n", "root", "chosen", "p", "p (Holm)", "least p"}),
        note=f"compared {how}, exact and two-sided; p (Holm) is corrected for all comparisons, and decides; least p is "
        "the smallest p that so many runs that differ can give",
        keys=2,
    )


def runs_table(outcomes: Sequence[Outcome]) -> Table:
    """A line for each run."""
    rows = []
    for o in outcomes:
        cost = f"${o.usd:.4f}" if o.usd else text.MISSING
        gains = ", ".join(f"{domain} {gain.value:+.3f} (#{gain.agent})" for domain, gain in o.gains.items())
        rows.append([o.name, o.ended, str(o.proposals), text.duration(o.seconds), cost, gains])
    right = frozenset({"proposals", "time", "cost"})
    return Table(columns.RUNS.heads(), rows, title="Runs", right=right, wraps=frozenset({"gains on test"}))


def sentences(
    plan: Plan, lines: Sequence[Line], outcomes: Sequence[Outcome], left_out: Sequence[str] = ()
) -> list[str]:
    """What may be concluded, and what stands against it. `left_out`: runs that have ended and that the plan has not."""
    if not outcomes:
        said = [f"None of the {len(plan.runs)} runs has ended, so there is nothing to show yet."]
        return said + _left_out(left_out)
    baseline = plan.experiment.baseline
    if len(plan.variants) > 1:
        said = conclusions(lines, baseline)
    else:
        said = [f"Nothing is compared: {baseline} is the only variant."]
    if missing := len(plan.runs) - len(outcomes):
        said.append(f"{missing} of {len(plan.runs)} runs have not ended; what is above is preliminary.")
    for ended, why in CUT.items():
        if cut := [o.name for o in outcomes if o.ended == ended]:
            said.append(f"Cut short, for {why}: {', '.join(cut)}.")
    if open_ := [o.name for o in outcomes if o.sandbox == Local.name]:
        said.append(report.UNHELD + (f" in {', '.join(open_)}" if len(open_) < len(outcomes) else ""))
    if untested := [o.name for o in outcomes if not o.gains]:
        said.append(f"Not measured on test, and so left out: {', '.join(untested)}.")
    return said + _left_out(left_out)


def _left_out(runs: Sequence[str]) -> list[str]:
    """Nobody is to show some of what was made without saying so."""
    if not runs:
        return []
    by_variant = Counter(name.rpartition("-")[0] for name in runs)
    told = ", ".join(f"{variant} ({n} run{'s' if n > 1 else ''})" for variant, n in by_variant.items())
    return [f"Left out, though made and ended in the same folder, for the file no longer has them: {told}."]


def as_json(
    plan: Plan, lines: Sequence[Line], outcomes: Sequence[Outcome], name: str, left_out: Sequence[str] = ()
) -> dict[str, Any]:
    """All of it."""
    return {
        "experiment": name,
        "baseline": plan.experiment.baseline,
        "paired": plan.experiment.paired,
        "runs_planned": len(plan.runs),
        "variants": {
            variant: {line.domain: _line_json(line) for line in lines if line.variant == variant}
            for variant in plan.variants
        },
        "runs": [_run_json(outcome) for outcome in outcomes],
        "conclusions": sentences(plan, lines, outcomes, left_out),
    }


def _line_json(line: Line) -> dict[str, Any]:
    told: dict[str, Any] = {
        "n": len(line.gains),
        "root": line.root,
        "chosen": line.chosen,
        "gain": _median_json(line.gain),
        "test_tasks": line.gains[0].n,
    }
    if (contrast := line.contrast) is not None:
        told["less_baseline"] = {
            **_median_json(contrast.difference),
            "n": contrast.difference.n,
            "tied": contrast.tied,
            "p": contrast.test.p,
            "smallest_p": contrast.test.smallest,
            "p_holm": contrast.adjusted,
            "shown": contrast.shown,
        }
    return told


def _run_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "run": outcome.name,
        "variant": outcome.variant,
        "seed": outcome.seed,
        "ended": outcome.ended,
        "proposals": outcome.proposals,
        "seconds": outcome.seconds,
        "usd": outcome.usd,
        "gains": {
            domain: {"agent": gain.agent, "root": gain.root, "chosen": gain.chosen, "gain": gain.value, "n": gain.n}
            for domain, gain in outcome.gains.items()
        },
    }


def _median_json(value: Median) -> dict[str, float | None]:
    low, high = value.interval or (None, None)
    return {"median": value.median, "low": low, "high": high}


def _among(contrast: Contrast) -> str:
    """`8, 2 tied`, or the sizes of two groups: `5 and 5`."""
    if contrast.tied is None:
        return " and ".join(map(str, contrast.test.n))
    return f"{contrast.difference.n}, {contrast.tied} tied" if contrast.tied else str(contrast.difference.n)

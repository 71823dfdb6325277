"""Does offline evolution gain anything, and beside which controls? The README's tables are made by this.

    python -m tests.bench.offline gains        built-in tasks: the search and its four controls, 5 seeds
    python -m tests.bench.offline real         real data: 5-fold cross-fitting, QuixBugs, the same controls
    python -m tests.bench.offline random-rule  ten domains whose rules are drawn at test time
    python -m tests.bench.offline improver     does evolving the meta half help, over paired seeds, and imp@k

Every number comes from test tasks that nothing was chosen on. A gain is the test score of the agent that is best on
val, minus the root's. Each is an experiment (`dgm experiment`) that is kept below --into and goes on where it was
cut off. The work of each line is fixed by this file, not by options.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from dgm.analysis.comparison import median
from dgm.archive import Archive
from dgm.domain import Split
from dgm.domains import DataRef, load
from dgm.experiment.conduct import conduct, left
from dgm.experiment.outcome import ONE, Outcome, outcomes
from dgm.experiment.plan import Plan, Planned, parse
from dgm.reporting.text import signed
from dgm.results import ROOT, best_overall, best_per_domain
from dgm.statistics import balanced_accuracy, mean_difference
from dgm.testing import random_rule_domain

DOMAINS = ("coding", "review", "grading")
EXPERIMENTS = Path(__file__).parents[2] / "docs" / "experiments"
CONTROLS, ABLATION = (EXPERIMENTS / f"{name}.toml" for name in ("controls", "ablation"))
RULES = """
baseline = "evolved"
repeats = 10
[run]
domains = ["{into}/rules/rule{{seed}}"]
search.proposals = 40
place.sessions = 1
[variant.evolved]
"""
IMP = """
baseline = "initial"
repeats = {repeats}
first_seed = 1000
[run]
place.sessions = 1
search = {{ selector = "root", evolve = ["agent"], proposals = 20 }}
[variant.initial]
[variant.evolved]
origin.meta = "{into}/improvers/{{seed}}#best"
"""


class Lines:
    """A line on stderr for each run that ends."""

    def begin(self, run: Planned) -> None: ...

    def notice(self, run: Planned, line: str) -> None: ...

    def proposal(self, run: Planned, number: int) -> None: ...

    def turn(self) -> None: ...

    def end(self, run: Planned, why: str) -> None:
        print(f"  {run.name}: {why}", file=sys.stderr, flush=True)


def made(folder: Path, text: str, processes: int) -> tuple[Plan, list[Outcome]]:
    """An experiment, made or gone on with, and what its runs came to."""
    plan = parse(text, folder.name, folder)
    if left(plan, folder):
        conduct(plan, folder, processes, Lines())
    return plan, list(outcomes(plan, folder))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def gains(into: Path, processes: int) -> None:
    """Built-in tasks, five seeds that nothing was tuned on."""
    plan, found = made(into / "builtin", CONTROLS.read_text(), processes)
    rows = []
    for variant in plan.variants:
        mine = [outcome.gains for outcome in found if outcome.variant == variant]
        for domain in (*DOMAINS, ONE):
            runs = [gains[domain] for gains in mine]
            value = median([gain.value for gain in runs])
            rows.append(
                (
                    variant.replace("-", " "),
                    domain,
                    f"{statistics.median(gain.root for gain in runs):.3f}",
                    f"{statistics.median(gain.chosen for gain in runs):.3f}",
                    f"{max(gain.chosen for gain in runs):.3f}",
                    signed(value.median, value.interval),
                    str(runs[0].n),
                )
            )
    table(("search", "domain", "root", "best on val", "highest", "median gain [95 %]", "test tasks"), rows)


def random_rule(into: Path, processes: int) -> None:
    """Ten domains, each with a rule drawn from fresh entropy, so that no seed was tuned on it."""
    chosen = into / "rules.json"
    if not chosen.exists():
        into.mkdir(parents=True, exist_ok=True)
        chosen.write_text(json.dumps([int.from_bytes(os.urandom(4), "big") for _ in range(10)]))
    says = []
    for number, drawn in enumerate(json.loads(chosen.read_text())):
        folder = into / "rules" / f"rule{number}"
        if folder.exists():
            shutil.rmtree(folder)
        says.append(random_rule_domain(folder, drawn))
    _, found = made(into / "rule", RULES.format(into=into), processes)
    by_rule = [outcome.gains[f"rule{outcome.seed}"] for outcome in found]
    rows = [
        (says[at], f"{gain.root:.3f}", f"{gain.chosen:.3f}", f"{gain.value:+.3f}", str(gain.n))
        for at, gain in enumerate(by_rule)
    ]
    table(("rule", "root", "best on val", "gain", "test tasks"), rows)
    value = median([gain.value for gain in by_rule])
    print(f"\nmedian gain {signed(value.median, value.interval)} over {len(by_rule)} rules")


def real(into: Path, processes: int) -> None:
    """Grading and review by 5-fold cross-fitting, QuixBugs as test alone; the same controls. A repeat is a fold."""
    data = Path(os.environ.get("DGM_DATA", "../shared/data")).resolve()
    text = CONTROLS.read_text().replace("first_seed = 20", "first_seed = 1")
    files = {
        "grading": f"{data}/grading/gsm8k_solutions.jsonl.gz@{{seed}}/5",
        "review": f"{data}/review/iclr2022.jsonl.gz@{{seed}}/5",
        "coding": f"{data}/coding",
    }
    told = "".join(f"data.{domain} = {json.dumps(file)}\n" for domain, file in files.items())
    plan, _ = made(into / "real", text.replace("[run]\n", f"[run]\n{told}"), processes)
    rows = []
    for variant in plan.variants:
        folds = [run for run in plan.runs if run.variant == variant]
        for domain in DOMAINS:
            pooled = [pool(into / "real" / run.name, run.config.data[domain], domain) for run in folds]
            scores = (pooled_score([fold[i] for fold in pooled]) for i in range(3))
            rows.append((variant.replace("-", " "), domain, *scores))
    print("Balanced accuracy, over all folds pooled; coding: share of QuixBugs repaired, over five runs.\n")
    table(("search", "domain", "root", "best on val", "one for all"), rows)


Pairs = list[tuple[str, float]]
"""A class and a score for each test task; one class where there are no labels."""


def pool(path: Path, data: str, domain: str) -> tuple[Pairs, Pairs, Pairs]:
    """Test verdicts of the root, of the domain's best on val, and of the one agent for all."""
    loaded = load(domain, DataRef.parse(data))
    labelled = loaded.spec.answer.kind == "label"
    label_of = {t.id: str(t.hidden["label"]) if labelled else "" for t in loaded.splits[Split.TEST]}
    with Archive.open(path) as archive:
        agents = (ROOT, best_per_domain(archive)[domain], best_overall(archive))
        a, b, c = (
            [(label_of[v.task], v.score) for v in archive.verdicts(i, domain, Split.TEST) if v.score is not None]
            for i in agents
        )
        return a, b, c


def pooled_score(folds: Iterable[Pairs]) -> str:
    by_class: dict[str, list[float]] = {}
    for label, value in (pair for fold in folds for pair in fold):
        by_class.setdefault(label, []).append(value)
    s = balanced_accuracy(by_class)
    return f"{s.mean:.3f} [{s.low:.3f}, {s.high:.3f}] n={s.n}"


def improver(into: Path, processes: int) -> None:
    """Paired runs with and without an evolving meta half (the ablation's), then imp@k of the evolved meta halves.

    What an improver can do is measured with other random seeds than those with which it evolved.
    """
    plan, found = made(into / "ablation", ABLATION.read_text(), processes)
    report("evolve agent,meta minus evolve agent", found, "full", "no-self-improvement")
    full = [run for run in plan.runs if run.variant == "full"]
    links = into.resolve() / "improvers"
    links.mkdir(exist_ok=True)
    for run in full:
        link = links / str(1000 + run.repeat)
        link.unlink(missing_ok=True)
        link.symlink_to(into.resolve() / "ablation" / run.name)
    _, found = made(into / "imp", IMP.format(repeats=len(full), into=into.resolve()), processes)
    report("imp@20 of the evolved meta half minus imp@20 of the initial one", found, "evolved", "initial")


def report(title: str, found: Sequence[Outcome], first: str, second: str) -> None:
    """The paired difference of two variants, its 95 % bootstrap interval, and the seeds that 80 % power takes."""
    one, two = ([per_domain(o) for o in found if o.variant == variant] for variant in (first, second))
    rows = []
    for key in (*DOMAINS, "mean"):
        differences = [a[key] - b[key] for a, b in zip(one, two, strict=True)]
        s = mean_difference(differences)
        spread = statistics.stdev(differences)
        needed = math.ceil(((1.96 + 0.84) * spread / s.mean) ** 2) if s.mean else None
        means = (f"{statistics.fmean(values[key] for values in group):+.3f}" for group in (one, two))
        rows.append((key, *means, f"{s.mean:+.3f} [{s.low:+.3f}, {s.high:+.3f}]", str(s.n), str(needed)))
    print(f"\n{title}\n")
    table(("domain", "first", "second", "paired difference [95 %]", "seeds", "seeds for 80 % power"), rows)


def per_domain(outcome: Outcome) -> dict[str, float]:
    """Domain to gain on test; "mean" over the domains."""
    values = {domain: outcome.gains[domain].value for domain in DOMAINS}
    return {**values, "mean": statistics.fmean(values.values())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("gains", "real", "random-rule", "improver"))
    parser.add_argument("--into", type=Path, default=Path("archive/bench"))
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    what = {"gains": gains, "real": real, "random-rule": random_rule, "improver": improver}[given.what]
    what(given.into, given.processes)


if __name__ == "__main__":
    main()

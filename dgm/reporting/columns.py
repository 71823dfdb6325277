"""What every column means of every table that is printed or exported.

A `Table` takes its head from here, so no column goes without an explanation; the documentation's page of tables is made
of the same words. A name in capitals stands for as many columns as there are domains, or whatever it names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NewType

Heads = NewType("Heads", tuple[str, ...])
"""The head of a table; made by `Columns.heads` alone."""

_SCORE = "Mean of the verdicts, [95 % interval], and n, the tasks judged; n=20/150 where only some of 150 were"
DOMAIN = "Name of the domain"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one table. `where` is the command that shows it, `what` a row of it."""

    where: str
    what: str
    meanings: Mapping[str, str]

    def heads(self, named: Mapping[str, Sequence[str]] | None = None) -> Heads:
        """The names in their order; those in `named` replaced by what they stand for."""
        known = named or {}
        return Heads(tuple(head for name in self.meanings for head in known.get(name, (name,))))


AGENTS = Columns(
    "dgm show NAME",
    "a proposal",
    {
        "id": "Number of the agent: NAME#ID",
        "parent": "The agent that it was made from; empty for the root",
        "admission": "What became of the proposal",
        "DOMAIN": "Mean val score in each domain, with (n/total) where only some tasks were judged; - where none was",
        "children": "Proposals made from it, failed ones included",
        "seconds": "Wall time of the proposal, improving and evaluating",
        "summary": "What the meta agent says of its edit; of one that failed, why",
    },
)
FINAL = Columns(
    "dgm best NAME, and at the end of dgm run and dgm show NAME",
    "a domain; where there are several, then the same of the one agent that is best for all",
    {
        "domain": f"{DOMAIN}; (one for all) marks the agent with the best mean over all of them",
        "agent": "The agent that was chosen, on val",
        "root val": f"The root on val. {_SCORE}",
        "best val": "The chosen agent on val, likewise: too high by having been chosen for it",
        "root test": "The root on test, likewise",
        "best test": "The chosen agent on test, likewise",
        "gain on test": "Mean over the tasks of the chosen agent's score less the root's, paired, [95 % interval]",
    },
)
LINEAGE = Columns(
    "dgm lineage NAME#ID",
    "an agent on the way from the root",
    {
        "id": "Number of the agent",
        "DOMAIN": "Mean val score in each domain, as by dgm show",
        "changed": "Files that differ from its parent's",
        "summary": "What the meta agent says of its edit",
    },
)
SCORES = Columns(
    "dgm show NAME#ID",
    "a split of a domain on which the agent was measured",
    {"domain": DOMAIN, "split": "train, val or test", "score": _SCORE},
)
FILES = Columns(
    "dgm show NAME#ID",
    "a file of the agent",
    {"file": "Path within the genome", "bytes": "Its size", "": "changed: it differs from the parent's"},
)
EVALUATION = Columns(
    "dgm eval NAME#ID",
    "a domain",
    {
        "domain": DOMAIN,
        "split": "train, val or test; all: every task of a file given by --data",
        "score": _SCORE,
        "balanced accuracy": "Mean of the accuracies within each label, every label weighing the same, likewise; "
        "- where answers are no labels",
        "endings": "How many tasks ended how",
    },
)
REPEATED = Columns(
    "dgm eval NAME#ID --repeat K",
    "a domain",
    {
        "domain": DOMAIN,
        "split": "train, val or test",
        "n": "Tasks that were judged in every repetition",
        "mean": "Mean of the K means",
        "means": "The lowest and the highest of the K means",
        "tasks that change": "Part of the tasks whose score is not the same in all repetitions",
        "sd of the mean": "Standard deviation of one mean, from the variances within tasks",
        "noise 95 %": "Two means of this one agent differ by at most so much in 95 % of cases",
        "false alarms": "Of all pairs of repetitions, those of which a test at 5 % calls one better",
    },
)
ENSEMBLES = Columns(
    "dgm ensemble NAME",
    "a rule in a domain",
    {
        "domain": DOMAIN,
        "rule": "best: the best agent's answer; majority: the most frequent; weighted: by each agent's accuracy",
        "members": "Agents whose answers are put together",
        "score": _SCORE,
    },
)
ESTIMATE = Columns(
    "dgm run … --estimate",
    "a kind of work, then the sum and the most it can come to",
    {
        "work": "What is asked of a model; expected: all of it; worst: what the budget allows",
        "times": "How often",
        "calls": "Calls to a model",
        "tokens": "Tokens, of prompts and of answers",
        "cost": "Dollars, by the prices known or given",
    },
)
EXPERIMENT = Columns(
    "dgm experiment FILE.toml, and its report",
    "a variant in a domain",
    {
        "variant": "Its name in the file; the baseline first",
        "domain": f"{DOMAIN}; one for all: the agent with the best mean over all of them, by that mean",
        "n": "Runs that have ended and were measured on test",
        "root": "Test score of the root, the median over the runs",
        "chosen": "Test score of the agent chosen on val, the median over the runs",
        "gain [95 %]": "chosen less root: the median over the runs, and from two runs on its bootstrap interval",
        "less BASELINE [95 %]": "The gain less the baseline's, likewise: the median of the differences run by run "
        "where the seeds are the same, else the difference of the medians",
        "pairs or runs": "Pairs of runs that are compared, and of these the tied ones, which the test leaves out; or "
        "the sizes of two groups",
        "p": "Two-sided and exact: signed-rank test of pairs, rank-sum test of groups",
        "p (Holm)": "p corrected for all comparisons of the table; below 0.05 a difference counts as shown",
        "least p": "The smallest p that so many runs that differ can give",
    },
)
RUNS = Columns(
    "the report of dgm experiment",
    "a run that has ended",
    {
        "run": "Its name: dgm show EXPERIMENT/RUN",
        "ended": "Why: all proposals were made, or its budget, time or patience was at an end",
        "proposals": "How many were made",
        "time": "Of all its proposals together",
        "cost": "Of all its model calls; - where there were none",
        "gains on test": "Of each domain the chosen agent's test score less the root's, and its number",
    },
)
SEARCH = Columns(
    "dgm bench search",
    "a landscape",
    {
        "landscape": "A family of ours, or a file",
        "STRATEGY": "Task evaluations until the agent that would be handed over is truly at the target and stays "
        "so: the median over the seeds, the part of the runs that got there, [95 % interval of the median]",
    },
)
SEARCHERS = Columns(
    "dgm bench search without --quick, or with --selector",
    "a strategy, or a selector with Hyperagents' stages",
    {
        "strategy": "Its name",
        "LANDSCAPE": "Median of the evaluations to the target, as above",
        "proposals": "Children made in a run: the median over the landscapes",
    },
)
SEEDS = Columns(
    "dgm seed list",
    "a seed",
    {
        "for": "The option that takes it",
        "name": "What to give to that option",
        "asks a model": "Whether it needs --model or --meta-model",
        "description": "What it does",
    },
)
SELECTORS = Columns(
    "dgm selector list", "a selector", {"name": "What to give to --selector", "rule": "How it chooses a parent"}
)
DOMAINS = Columns(
    "dgm domain list",
    "a domain",
    {
        "name": "What to give to --domain",
        "version": "Of its tasks and judge; scores of two versions are not comparable",
        "answer": "What an agent gives: a label, a number, a text or files",
        "tasks": "How many: train + val + test",
        "description": "What is asked",
    },
)
FINDINGS = Columns(
    "dgm domain check DOMAIN",
    "a finding",
    {
        "": "How grave it is: error, warning or note",
        "check": "What was looked at",
        "found": "What is so",
        "what to do": "How to mend it",
    },
)
DATA_SETS = Columns(
    "dgm domain fetch DOMAIN",
    "a public data set that the domain can load",
    {
        "set": "What to give as SET",
        "name": "What it is called where it comes from",
        "licence": "Its licence, as its publisher says",
        "rows": "How many there are, and of what",
    },
)

PRINTED = (
    AGENTS, FINAL, LINEAGE, SCORES, FILES, EVALUATION, REPEATED, ENSEMBLES, ESTIMATE, EXPERIMENT, RUNS, SEARCH,
    SEARCHERS, SEEDS, SELECTORS, DOMAINS, FINDINGS, DATA_SETS,
)  # fmt: skip
"""Every table that is printed."""

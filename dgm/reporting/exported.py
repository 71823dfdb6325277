"""What every column of the tables that `dgm export` writes means, and every key of the JSON that most programs read.

The tables take their heads from here; the documentation's page of tables is made of the same words.
"""

from __future__ import annotations

from dgm.reporting.columns import DOMAIN, Columns

_RUN = {"run": "Name of the archive"}
OF_EXPERIMENT = {
    "variant": "The run's variant",
    "repeat": "Which repeat of the variant it is, from 1; equal numbers have equal seeds where variants are paired",
}
"""Stand behind `run` where an experiment is exported."""
_AGENT_SPLIT = {"agent": "Its number", "domain": DOMAIN, "split": "train, val or test"}
EXPORTED = {
    "agents": Columns(
        "--table agents",
        "a proposal",
        {
            **_RUN,
            "id": "Number of the agent",
            "parent": "The agent that it was made from; empty for the root",
            "parent2": "The second parent, where there is one",
            "admission": "What became of the proposal",
            "status": "How it ended: ok, or whose fault it was that it failed",
            "reason": "Why, in words",
            "author": "Who made it, where it was not the parent's meta agent",
            "created": "When it was recorded: seconds since 1970, UTC",
            "tree": "The git tree of the genome; empty without one",
            "commit": "The git commit",
            "changed": "Files that differ from the parent's, as a JSON list",
            "summary": "What the meta agent says of its edit",
            "selector": "The rule that chose the parent",
            "seconds": "Wall time of the proposal",
            "improve_seconds": "of it, improving",
            "evaluate_seconds": "of it, evaluating",
            "stage": "Stages of the evaluation that were made",
            "note": "What else is to be said of the proposal",
        },
    ),
    "scores": Columns(
        "--table scores",
        "an agent on a split of a domain",
        {
            **_RUN,
            **_AGENT_SPLIT,
            "n": "Tasks that were judged",
            "total": "Tasks that were to be judged",
            "mean": "Mean of the n verdicts, 0 to 1",
            "low": "Lower end of its 95 % interval (Wilson's for pass or fail, else the bootstrap's)",
            "high": "Upper end",
        },
    ),
    "verdicts": Columns(
        "--table verdicts",
        "an agent on a task",
        {
            **_RUN,
            **_AGENT_SPLIT,
            "task": "Name of the task",
            "score": "0 to 1; empty where it is missing by no fault of the agent",
            "status": "How the task ended",
            "ms": "Milliseconds that the agent took",
        },
    ),
}
"""The tables of `dgm export --csv` and `--parquet`."""
NODES = Columns(
    "`nodes` of --graph-json",
    "a proposal",
    {name: EXPORTED["agents"].meanings[name] for name in ("id", "parent", "parent2", "admission", "status", "author")}
    | {
        "created": EXPORTED["agents"].meanings["created"],
        "summary": EXPORTED["agents"].meanings["summary"],
        "best": "Whether it is on the way to the agent that is best for all domains",
        "mean": "Mean of `val` over the domains; null where one is missing",
        "val": "Domain to the mean score that the agent is chosen by",
    },
)
LINKS = Columns(
    "`links` of --graph-json",
    "a parent and a child",
    {"source": "Number of the parent", "target": "Number of the child", "kind": "parent or parent2"},
)
GRAPH = Columns(
    "--graph-json",
    "the file",
    {
        "format": "Version of this form",
        "name": "Name of the archive",
        "domains": "Its domains",
        "nodes": "A list, see below",
        "links": "A list, see below",
    },
)

_INTERVAL = {"mean": "Of the verdicts", "low": "Lower end of the 95 % interval", "high": "Upper end"}
BEST_KEYS = Columns(
    "dgm best NAME --json",
    "a key",
    {
        "domains": "Domain to the agent that is best in it, with the keys below",
        "overall": "The one agent for all: its number as `agent`, and `domains` as above",
        "agent": "Its number",
        "best": "The chosen agent on `val` and on `test`",
        "root": "The root on `val` and on `test`",
        "val": "A score: n, mean, low, high; null where nothing was measured",
        "test": "A score likewise",
        "gain": "On test, the agent less the root, paired by task: n, mean, low, high; null without",
        "n": "Tasks that were judged",
        **_INTERVAL,
    },
)
SHOW_KEYS = Columns(
    "dgm show NAME --json; of its agents also dgm show NAME#ID --json and dgm lineage NAME#ID --json",
    "a key",
    {
        "archive": "`format`, the version of this form, and `agents`, how many there are",
        "format": "See `archive`",
        "config": "The configuration, as in a configuration file",
        "agents": "Every proposal, the root first, with the keys below",
        **{
            name: EXPORTED["agents"].meanings[name]
            for name in ("id", "parent", "admission", "status", "reason", "tree", "summary")
        },
        "changed": "Files that differ from the parent's",
        "scores": "A list with `domain`, `split`, `n`, `total`, `mean`, `low` and `high`",
        **{name: EXPORTED["scores"].meanings[name] for name in ("domain", "split", "n", "total")},
        **_INTERVAL,
        "selection": "How the parent was chosen, from what was on record: the next three",
        "selector": "The rule",
        "key": "The random key",
        "archive_version": "The newest proposal that it could see",
        "times": "The next four; nothing else differs between two runs of the same configuration and seed",
        **{n: EXPORTED["agents"].meanings[n] for n in ("created", "seconds", "improve_seconds", "evaluate_seconds")},
    },
)
SEARCH_KEYS = Columns(
    "dgm bench search --json",
    "a key",
    {
        "ratio_to_score_child_prop": "Our evaluations to the target over those of score_child_prop with Hyperagents' "
        "stages, the median over the landscapes; below 1 is better",
        "ratios": "Every other strategy to how many evaluations we need in proportion to it",
        "overall": "In `ratios`: the median over the landscapes",
        "ratio": "Our median over the other's",
        "low": "Lower end of the 95 % interval from resampled seeds; null for a single seed",
        "high": "Upper end",
        "before": "Seeds on which we got to the target first",
        "after": "Seeds on which the other did",
        "default": "Which strategy is ours",
        "seeds": "The first and the last",
        "landscapes": "Landscape to what follows; in `ratios` to ratio, low, high, before and after",
        "target": "True score to be reached",
        "budget": "What a run may spend",
        "contestants": "Strategy to what follows",
        "evaluations": "Cost of the task evaluations to the target, the median over the seeds",
        "reached": "Part of the runs that got there",
        "proposals": "Children made in a run, the median",
    },
)
KEYS = (BEST_KEYS, SHOW_KEYS, SEARCH_KEYS)
"""The keys of the JSON that most programs read; names of domains, strategies and landscapes are keys besides."""

"""The arguments and options of the commands as annotated types, with their help and what Tab offers.

A default stands in square brackets where it is the configuration's own: an option that is not given must not
overrule a `--config` file.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dgm.cli import completion


class SplitName(StrEnum):
    """The splits; spelt out here because `dgm.domain` is not imported before a command is called."""

    TEST = "test"
    VAL = "val"
    TRAIN = "train"


Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="The archive: archive/NAME, or a path.", autocompletion=completion.archives),
]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="A new archive: archive/NAME, or a path.")]
Agent = Annotated[
    str,
    typer.Argument(
        metavar="NAME#ID",
        help="An agent of an archive; in place of ID also best or growth.",
        autocompletion=completion.agents,
    ),
]
OtherAgent = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME#ID]",
        help="Another agent, also of another archive. Without it: the first one's parent.",
        autocompletion=completion.agents,
    ),
]
NameOrAgent = Annotated[
    str,
    typer.Argument(
        metavar="NAME[#ID]", help="An archive, or one of its agents, as #17 or #best.", autocompletion=completion.agents
    ),
]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Trackers = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        metavar="T",
        help="Mirror the run to mlflow, wandb or opentelemetry while it goes; repeat for more. [none]",
    ),
]
Calls = Annotated[
    bool, typer.Option("--calls", help="Of an agent: what it and its maker asked of language models, and the replies.")
]
Every = Annotated[bool, typer.Option("--all", help="Every agent, also of an archive with more than 1,000.")]
RunJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout and progress on stderr.")]
NoTest = Annotated[bool, typer.Option("--no-test", help="Do not measure the chosen agents on test at the end.")]

Domains = Annotated[
    list[str] | None,
    typer.Option(
        "--domain",
        metavar="D",
        help="Name or folder of a domain; repeat for more. [coding, review and grading]",
        autocompletion=completion.domains,
    ),
]
MeasuredDomains = Annotated[
    list[str] | None,
    typer.Option(
        "--domain",
        metavar="D",
        help="Only this domain, or one the run never had; repeat for more. [the run's]",
        autocompletion=completion.domains,
    ),
]
Proposals = Annotated[
    int | None, typer.Option("--proposals", metavar="N", min=0, help="Children to attempt in all. [40]")
]
Seconds = Annotated[
    float | None,
    typer.Option("--seconds", metavar="S", help="Start no proposal after S seconds of running in all."),
]
Patience = Annotated[
    int | None,
    typer.Option("--patience", metavar="N", min=1, help="Stop after N proposals without a better val mean."),
]
RandomSeed = Annotated[
    int | None,
    typer.Option("--random-seed", metavar="K", help="Everything random is drawn from it. [0]"),
]
AgentSource = Annotated[
    str | None,
    typer.Option(
        "--agent",
        metavar="SRC",
        help="The half that solves tasks: seed, directory, ARCHIVE#ID, ARCHIVE#best or ARCHIVE#growth. [rules]",
        autocompletion=completion.agent_seeds,
    ),
]
MetaSource = Annotated[
    str | None,
    typer.Option(
        "--meta",
        metavar="SRC",
        help="The half that edits genomes: seed, directory, ARCHIVE#ID, ARCHIVE#best or ARCHIVE#growth. [mutation]",
        autocompletion=completion.meta_seeds,
    ),
]
Genome = Annotated[
    str | None,
    typer.Option("--genome", metavar="DIR", help="A directory with its own genome.toml, instead of both halves."),
]
Evolve = Annotated[
    str | None,
    typer.Option(
        "--evolve",
        metavar="HALVES",
        help="What may change: agent, meta, and select (the genome chooses parents). [agent,meta]",
    ),
]
Strategy = Annotated[
    str | None,
    typer.Option(
        "--strategy",
        metavar="S",
        help="What comes next: staged measures each child at once; treewise and hgm choose between a new child and more"
        " evidence, task by task. [treewise with --evaluations and no --selector, else staged]",
        autocompletion=completion.strategies,
    ),
]
Evaluations = Annotated[
    int | None,
    typer.Option("--evaluations", metavar="N", help="End after N verdicts on train and val, of all agents together."),
]
Selector = Annotated[
    str | None,
    typer.Option(
        "--selector",
        metavar="S",
        help="Who becomes a parent. [score_child_prop]",
        autocompletion=completion.selectors,
    ),
]
Integrity = Annotated[
    str | None,
    typer.Option(
        "--integrity", metavar="P", help="A child with integrity flags: flag, quarantine or reject it. [flag]"
    ),
]
Sandbox = Annotated[
    str | None,
    typer.Option("--sandbox", metavar="B", help="Where agents run: auto, docker, bubblewrap or local. [auto]"),
]
Sessions = Annotated[
    int | None,
    typer.Option("--sessions", metavar="N", min=1, help="Sandboxes that evaluate one child at the same time. [2]"),
]
Workers = Annotated[
    str | None,
    typer.Option(
        "--workers", metavar="N", help="Proposals in flight at a time, or auto. One is reproducible bit for bit. [1]"
    ),
]
Executor = Annotated[
    str | None,
    typer.Option(
        "--executor",
        metavar="E",
        help="Where proposals are made and evaluated: local, ray[:auto or :HOST:PORT] or slurm[:KEY=VALUE,…]. [local]",
    ),
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="M",
        help="A language model for the task agent, and for the meta agent if none is named; repeat for more. "
        "The halves are then the seeds llm.",
    ),
]
MeasuredModels = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="M", help="Another language model for the agent; repeat for more. [its run's]"),
]
MetaModels = Annotated[
    list[str] | None,
    typer.Option(
        "--meta-model",
        metavar="M[=W]",
        help="A language model for the meta agent; of several, each proposal draws one by weight. [--model's]",
    ),
]
JudgeModel = Annotated[
    str | None,
    typer.Option(
        "--judge-model",
        metavar="M",
        help="The language model of the judges that ask one; no agent can reach it. [none]",
    ),
]
ModelUrl = Annotated[
    str | None,
    typer.Option(
        "--model-url",
        metavar="URL",
        help="An OpenAI-compatible server (its key in OPENAI_API_KEY, if it needs one). [the model's own provider]",
    ),
]
ModelDraw = Annotated[
    str | None,
    typer.Option(
        "--model-draw",
        metavar="D",
        help="How one of several meta models is drawn: by weight, or bandit: by improvement per dollar. [weight]",
    ),
]
Price = Annotated[
    list[str] | None,
    typer.Option(
        "--price",
        metavar="M=IN/OUT",
        help="Dollars per million tokens of a model without a known price; unknown=0 for local ones. Repeat for more.",
    ),
]
BudgetUsd = Annotated[
    float | None,
    typer.Option("--budget-usd", metavar="X", min=0, help="The most that model calls may cost in all, in dollars."),
]
BudgetTokens = Annotated[
    int | None,
    typer.Option("--budget-tokens", metavar="N", min=0, help="The most tokens that model calls may take in all."),
]
Cache = Annotated[
    bool | None,
    typer.Option("--cache", help="Answer a model call that was made before from the record.", show_default=False),
]
Replay = Annotated[
    str | None,
    typer.Option(
        "--replay",
        metavar="NAME",
        help="Make this archive's run again from its recorded calls, without a provider and with its configuration.",
        autocompletion=completion.archives,
    ),
]
Estimate = Annotated[
    bool, typer.Option("--estimate", help="Say what the run would cost, the expected and the worst, and end.")
]
Data = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        metavar="DOMAIN=FILE",
        help="Real data for a domain; FILE@k/K takes the k-th of K folds as test. Repeat for more.",
    ),
]
MeasuredData = Annotated[
    list[str] | None,
    typer.Option("--data", metavar="DOMAIN=FILE", help="Measure the domain on this file, unsplit; repeat for more."),
]
Split = Annotated[
    SplitName | None,
    typer.Option("--split", metavar="S", help="test, val or train. [test; with --data the whole file]"),
]
Feedback = Annotated[
    str | None,
    typer.Option("--feedback", metavar="F", help="A control: full, or withheld from meta agents. [full]"),
]
TrainLabels = Annotated[
    str | None,
    typer.Option("--train-labels", metavar="L", help="A control: true, or permuted among the train tasks. [true]"),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        help="A configuration, such as another run's dgm.toml; options given come before it.",
    ),
]

"""`dgm eval`: measure an agent again, on a split of its run or on a file its run never saw. Not recorded."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from dgm.cli import parameters

app = typer.Typer()

Repeat = Annotated[
    int | None,
    typer.Option("--repeat", metavar="K", min=2, help="Measure it K times with other seeds, and show the noise."),
]


@app.command(
    "eval",
    epilog="\b\nExamples:\n  dgm eval 'first#17'\n  dgm eval 'first#17' --split val --domain review\n"
    "  dgm eval 'first#17' --data grading=new.jsonl\n  dgm eval 'first#best' --repeat 10",
)
def evaluate(
    target: parameters.Agent,
    split: parameters.Split = None,
    data: parameters.MeasuredData = None,
    domain: parameters.MeasuredDomains = None,
    repeat: Repeat = None,
    json: parameters.Json = False,
) -> None:
    """Measure an agent again, also on data its run never saw.

    It works in its run's sandbox. Shown are the mean with its interval and how its tasks ended. Labels
    are the true ones, also for a run whose train labels were permuted. With --repeat the agent is measured several
    times with other seeds, and what is shown is the noise: how far its means lie apart by themselves.
    """
    from dgm.cli import evaluation, repeating, tables
    from dgm.cli.options import data_files

    plan = evaluation.plan(target, split.value if split else None, data_files(data or ()) or {}, domain or ())
    for notice in plan.notices if not json else ():
        tables.say(notice)
    if repeat is not None:
        found = repeating.measure(plan, repeat, lambda done: print(f"{done} of {repeat}", file=sys.stderr, flush=True))
        if json:
            tables.say_json(repeating.as_json(target, plan, found))
        else:
            tables.show(repeating.as_table(plan, found))
        return
    measured = evaluation.measure(plan)
    if json:
        tables.say_json(evaluation.as_json(target, plan, measured))
    else:
        tables.show(evaluation.as_table(plan, measured))

"""`dgm eval`: measure an agent again, on a split of its run or on a file its run never saw. The archive stays as it
is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dgm.cli import parameters

app = typer.Typer()

Repeat = Annotated[
    int | None,
    typer.Option("--repeat", metavar="K", min=2, help="Measure it K times with other seeds, and show the noise."),
]
Record = Annotated[
    Path | None,
    typer.Option(
        "--record", metavar="DIR", help="Keep what models are asked in DIR, and go on from what is there. [not kept]"
    ),
]


@app.command(
    "eval",
    epilog="\b\nExamples:\n  dgm eval 'first#17'\n  dgm eval 'first#17' --split val --domain review\n"
    "  dgm eval 'first#17' --data grading=new.jsonl\n  dgm eval 'first#best' --repeat 10\n"
    "  dgm eval 'notices#best' --judge-model gpt-4o --budget-usd 1",
)
def evaluate(
    target: parameters.Agent,
    split: parameters.Split = None,
    data: parameters.MeasuredData = None,
    domain: parameters.MeasuredDomains = None,
    repeat: Repeat = None,
    model: parameters.MeasuredModels = None,
    judge_model: parameters.JudgeModel = None,
    model_url: parameters.ModelUrl = None,
    price: parameters.Price = None,
    budget_usd: parameters.BudgetUsd = None,
    budget_tokens: parameters.BudgetTokens = None,
    record: Record = None,
    json: parameters.Json = False,
) -> None:
    """Measure an agent again, also on data its run never saw.

    It works in its run's sandbox. Shown are the mean with its interval and how its tasks ended. Labels
    are the true ones, also for a run whose train labels were permuted. With --repeat the agent is measured several
    times with other seeds, and what is shown is the noise: how far its means lie apart by themselves. Models, prices
    and budget are the run's where none are given; --judge-model is needed where a domain's judge asks one.
    """
    from dgm.cli import evaluation, printing, repeating
    from dgm.cli.answering import Told
    from dgm.cli.options import data_files

    told = Told(model or (), judge_model, model_url, price or (), budget_usd, budget_tokens, record)
    files = data_files(data or ()) or {}
    plan = evaluation.plan(target, split.value if split else None, files, domain or (), told, printing.tell)
    for notice in plan.notices if not json else ():
        printing.say(notice)
    if repeat is not None:
        found = repeating.measure(plan, repeat, lambda done: printing.tell(f"{done} of {repeat}"))
        if json:
            printing.say_json(repeating.as_json(target, plan, found))
        else:
            printing.show(repeating.as_table(plan, found))
        return
    measured = evaluation.measure(plan)
    if json:
        printing.say_json(evaluation.as_json(target, plan, measured))
    else:
        printing.show(evaluation.as_table(plan, measured))

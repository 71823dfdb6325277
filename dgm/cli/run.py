"""`dgm run` and `dgm resume`: the search itself, with its progress and its final tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dgm.cli import parameters
from dgm.cli.errors import INTERRUPTED, Stop, stoppable

if TYPE_CHECKING:
    from dgm.archive import AgentRecord
    from dgm.cli.progress import Progress
    from dgm.config import RunConfig
    from dgm.sitting.run import Run

app = typer.Typer()

ENDINGS = {
    "finished": "finished already; `--proposals N` makes it longer",
    "proposals": "all proposals are made",
    "evaluations": "all evaluations are made; `--evaluations N` allows more",
    "seconds": "the time is up; `--seconds S` allows more",
    "patience": "no better val mean for as long as its patience lasts; `--patience N` allows more",
    "stopped": "stopped; `dgm resume` goes on",
    "budget": "the budget is spent; `--budget-usd X` raises it",
}


@app.command(
    "run",
    epilog="\b\nExamples:\n  dgm run first\n  dgm run papers --domain review --proposals 20 --random-seed 7\n"
    "  dgm run real --data grading=solutions.jsonl@1/5 --domain grading\n"
    "  dgm run smart --model gpt-4o-mini --budget-usd 5",
)
def run_command(
    context: typer.Context,
    name: parameters.NewName,
    domain: parameters.Domains = None,
    proposals: parameters.Proposals = None,
    seconds: parameters.Seconds = None,
    patience: parameters.Patience = None,
    random_seed: parameters.RandomSeed = None,
    agent: parameters.AgentSource = None,
    meta: parameters.MetaSource = None,
    genome: parameters.Genome = None,
    evolve: parameters.Evolve = None,
    strategy: parameters.Strategy = None,
    evaluations: parameters.Evaluations = None,
    selector: parameters.Selector = None,
    integrity: parameters.Integrity = None,
    sandbox: parameters.Sandbox = None,
    executor: parameters.Executor = None,
    sessions: parameters.Sessions = None,
    workers: parameters.Workers = None,
    data: parameters.Data = None,
    model: parameters.Models = None,
    meta_model: parameters.MetaModels = None,
    judge_model: parameters.JudgeModel = None,
    model_url: parameters.ModelUrl = None,
    model_draw: parameters.ModelDraw = None,
    price: parameters.Price = None,
    budget_usd: parameters.BudgetUsd = None,
    budget_tokens: parameters.BudgetTokens = None,
    cache: parameters.Cache = None,
    replay: parameters.Replay = None,
    estimate: parameters.Estimate = False,
    feedback: parameters.Feedback = None,
    train_labels: parameters.TrainLabels = None,
    config: parameters.Config = None,
    track: parameters.Trackers = None,
    no_test: parameters.NoTest = False,
    json: parameters.RunJson = False,
) -> None:
    """Evolve agents and show what came of it.

    Makes an archive, searches, measures the chosen agents on test, prints the table and the tree.
    Ctrl-C stops at once; `dgm resume NAME` goes on.
    """
    from dgm.cli import options
    from dgm.cli.naming import archive_of
    from dgm.cli.options import replayed, resolve
    from dgm.cli.progress import progress
    from dgm.exchange import trackers
    from dgm.sitting import start

    path = archive_of(name)
    told = options.told(context.params)
    resolved = resolve(config, told) if replay is None else replayed(archive_of(replay), config, told)
    if estimate:
        _estimate(resolved, json)
        return
    trackers.check(track or ())
    with _resumable(name, path) as stop:
        with progress(json) as shown:
            ended = _search(start.create(path, resolved, shown.notice), shown, stop, track or (), test=not no_test)
        _tell(path, ended, json)


@app.command(
    "resume",
    epilog="\b\nExamples:\n  dgm resume first\n  dgm resume first --proposals 80\n"
    "  dgm resume first --executor ray:auto --workers 16",
)
def resume_command(
    name: parameters.Name,
    proposals: parameters.Proposals = None,
    evaluations: parameters.Evaluations = None,
    seconds: parameters.Seconds = None,
    patience: parameters.Patience = None,
    budget_usd: parameters.BudgetUsd = None,
    executor: parameters.Executor = None,
    workers: parameters.Workers = None,
    track: parameters.Trackers = None,
    no_test: parameters.NoTest = False,
    json: parameters.RunJson = False,
) -> None:
    """Go on with a run that was stopped, killed, or is to be longer. Needs no option."""
    from dgm.cli import options
    from dgm.cli.naming import archive_of
    from dgm.cli.progress import progress
    from dgm.sitting import start

    path = archive_of(name)
    given = {
        "proposals": proposals,
        "evaluations": evaluations,
        "seconds": seconds,
        "patience": patience,
        "usd": budget_usd,
        "executor": executor,
        "workers": options.workers(workers, thinking=False),
    }
    changes: dict[str, object] = {key: value for key, value in given.items() if value is not None}
    if not changes and _unpaused(path):
        print(f"{name}: goes on")
        return
    if not changes and _finished(path):
        _tell(path, "finished", json)
        return
    with _resumable(name, path) as stop:
        with progress(json) as shown:
            ended = _search(start.reopen(path, shown.notice, changes), shown, stop, track or (), test=not no_test)
        _tell(path, ended, json)


def _search(run: Run, shown: Progress, stop: Stop, track: Sequence[str], test: bool) -> str:
    """Search until a budget is spent, measure on test; why the search ended, as a word of `loop.evolve`.

    Raises KeyboardInterrupt when it was stopped, with what was nearly done recorded.
    """
    from dgm import loop
    from dgm.exchange import trackers
    from dgm.gateway import BudgetSpent

    with run, trackers.mirror(track, run.archive, shown.notice) as mirror:
        tell = shown.start(run)

        def recorded(agent: AgentRecord) -> None:
            tell(agent)
            mirror.proposal(agent)

        def tested(agent: int) -> None:
            shown.tested(agent)
            mirror.tested(agent)

        stop.gentle = True
        ended = loop.evolve(run, recorded, lambda: stop.asked)
        stop.heeded()
        if stop.asked:
            raise KeyboardInterrupt
        stop.gentle = False
        if test and ended != "stopped":
            shown.notice("measuring the chosen agents on test")
            try:
                loop.test(run, tested)
            except BudgetSpent:
                ended = "budget"
    return ended


def _estimate(config: RunConfig, json: bool) -> None:
    """What a run would cost, before anything is spent."""
    from dgm.cli import printing
    from dgm.cli.estimate import as_json, as_table, estimate

    costs = estimate(config)
    if json:
        printing.say_json(as_json(costs))
    else:
        printing.show(as_table(costs))


def _unpaused(path: Path) -> bool:
    """Whether a run was going on and paused, and has now been asked to go on."""
    from dgm import steering
    from dgm.archive import Archive

    if not steering.running(path):
        return False
    with Archive.open(path) as archive:
        paused = steering.state(archive).paused
    if paused or any(asked.action == steering.Action.PAUSE for asked in steering.pending(path)):
        steering.request(path, steering.Action.RESUME)
        return True
    return False


def _finished(path: Path) -> bool:
    """Whether all proposals are made and all that is reported is measured; found out without writing."""
    from dgm.archive import Archive
    from dgm.results import results
    from dgm.sitting.settings import config_of

    with Archive.open(path) as archive:
        if archive.next_id() <= config_of(archive).search.proposals:
            return False
        outcome = results(archive)
        return all(row.test and row.root_test for row in (*outcome.rows, *outcome.overall_rows))


def _tell(path: Path, ended: str, json: bool) -> None:
    """The final table and the tree, or all of it as JSON."""
    from dgm.archive import Archive
    from dgm.cli import calls, printing, tree
    from dgm.reporting import report

    with Archive.open(path) as archive:
        if json:
            printing.say_json({"ended": ended, **report.best_json(archive)})
            return
        for line in (f"{path.name}: {ENDINGS[ended]}", *calls.spent(archive)):
            printing.say(line)
        printing.say()
        printing.show(report.final_table(archive))
        printing.say()
        tree.show(archive)


@contextmanager
def _resumable(name: str, path: Path) -> Iterator[Stop]:
    """Turn an interruption into exit code 130 and a line that says how to go on."""
    try:
        with stoppable() as stop:
            yield stop
    except KeyboardInterrupt:
        there = (path / "archive.db").is_file()
        how = f"go on with `dgm resume {name}`" if there else "no archive was made yet"
        print(f"dgm: stopped; {how}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None

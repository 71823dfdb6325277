"""`dgm experiment`: variants of a run, each repeated, made and compared as one."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from dgm.cli import parameters
from dgm.cli.errors import INTERRUPTED, stoppable

if TYPE_CHECKING:
    from dgm.experiment.plan import Plan, Planned

app = typer.Typer()

File = Annotated[Path, typer.Argument(metavar="FILE.toml", help="The experiment: its variants, repeats and baseline.")]
Into = Annotated[
    str | None,
    typer.Option("--into", metavar="NAME", help="Where its runs are kept: archive/NAME, or a path. [the file's name]"),
]
Processes = Annotated[int, typer.Option("--processes", metavar="N", min=1, help="Runs at the same time.")]
Only = Annotated[
    bool, typer.Option("--table", help="Make no run: only the table and the report, of the runs that have ended.")
]


@app.command(
    epilog="\b\nExamples:\n  dgm experiment ablation.toml --processes 2\n  dgm experiment ablation.toml --table --json"
)
def experiment(
    file: File,
    into: Into = None,
    processes: Processes = 1,
    table: Only = False,
    json: parameters.RunJson = False,
) -> None:
    """Make and compare the runs of an experiment.

    Each variant is repeated with several random seeds. What is shown is the gain on test of the agent chosen on val,
    and its difference from the baseline with an exact test. Run it again to go on after an interruption: finished runs
    are not made again. Each run is an archive, NAME/VARIANT-SEED; the report is NAME/report.html.
    """
    from dgm.cli.naming import archive_of
    from dgm.cli.options import in_keys
    from dgm.experiment import conduct
    from dgm.experiment.plan import read

    folder = archive_of(into or file.stem)
    plan = read(file, folder)
    left = conduct.left(plan, folder)
    if table:
        conduct.refuse_fewer(plan, folder, file)
    else:
        stream = sys.stderr if json else sys.stdout
        try:
            with stoppable(), in_keys():
                conduct.conduct(plan, folder, processes, _Progress(plan, folder, len(left), processes, stream))
        except KeyboardInterrupt:
            print("dgm: stopped; the same command goes on", file=sys.stderr)
            raise typer.Exit(INTERRUPTED) from None
    _show(plan, folder, json)


def _show(plan: Plan, folder: Path, json: bool) -> None:
    from dgm.cli import printing
    from dgm.experiment import conduct, contrast, page, present
    from dgm.experiment.outcome import outcomes

    found = list(outcomes(plan, folder))
    lines = contrast.lines(plan, found)
    report, left_out = page.write(plan, folder, lines, found) if found else None, conduct.left_out(plan, folder)
    if json:
        printing.say_json(present.as_json(plan, lines, found, folder.name, left_out))
        return
    if lines:
        printing.show(present.main_table(plan, lines, folder.name))
    for sentence in present.sentences(plan, lines, found, left_out):
        printing.say(sentence)
    if report is not None:
        printing.say(f"report: {report}; look into the runs with `dgm view {folder}`")


def time_left(whole: Sequence[float], spent: Sequence[float], waiting: int, processes: int) -> float | None:
    """Seconds until all runs have ended: those under way, on which `spent` went so far, and those that wait; None
    where none is left, or none was made whole yet. One that was gone on with says nothing of how long one takes."""
    if not whole or not (spent or waiting):
        return None
    each = statistics.fmean(whole)
    work = waiting * each + sum(max(0.0, each - seconds) for seconds in spent)
    return work / min(processes, waiting + len(spent))


class _Progress:
    """A line for each run that ends, and beneath on a terminal, or every half minute elsewhere, what is under way."""

    def __init__(self, plan: Plan, folder: Path, left: int, processes: int, stream: TextIO) -> None:
        self._total, self._done = len(plan.runs), len(plan.runs) - left
        self._folder, self._processes = folder, processes
        self._stream, self._live = stream, sys.stderr.isatty()
        self._active: dict[str, tuple[int, int]] = {}
        self._noticed: set[str] = set()
        self._began: dict[str, float] = {}  # of what is under way, where this sitting makes it from its first proposal
        self._whole: list[float] = []  # seconds of the runs that this sitting made whole
        self._said = time.monotonic()

    def begin(self, run: Planned) -> None:
        from dgm.archive import database

        if not (self._folder / run.name / database.NAME).is_file():
            self._began[run.name] = time.monotonic()
        self._active[run.name] = (0, run.config.search.proposals)

    def notice(self, run: Planned, line: str) -> None:
        """What a sandbox has to say is said once, not by each run."""
        if line not in self._noticed and not line.startswith("measuring"):
            self._noticed.add(line)
            self._say(f"{run.name}: {line}")

    def proposal(self, run: Planned, number: int) -> None:
        self._active[run.name] = (number, run.config.search.proposals)

    def end(self, run: Planned, why: str) -> None:
        del self._active[run.name]
        self._done += 1
        if (began := self._began.pop(run.name, None)) is not None:
            self._whole.append(time.monotonic() - began)
        self._say(f"{self._done}/{self._total} runs  {run.name} has ended: {why}{self._ahead()}")

    def turn(self) -> None:
        now = time.monotonic()
        if now - self._said < (1 if self._live else 30):
            return
        self._said = now
        under_way = ", ".join(f"{name} {number}/{of}" for name, (number, of) in self._active.items())
        line = f"{self._done}/{self._total} runs; {under_way}"
        if self._live:
            print(f"\r{line[:110]}\x1b[K", end="", file=sys.stderr, flush=True)
        else:
            self._say(line)

    def _ahead(self) -> str:
        from dgm.reporting.text import duration

        now = time.monotonic()
        spent = [now - self._began.get(name, now) for name in self._active]
        left = time_left(self._whole, spent, self._total - self._done - len(spent), self._processes)
        return "" if left is None else f"; about {duration(left)} left"

    def _say(self, line: str) -> None:
        from dgm.reporting.text import printable

        if self._live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        print(printable(line), file=self._stream, flush=True)

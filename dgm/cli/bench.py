"""`dgm bench search`: every strategy on landscapes with known truth. No agents, no sandbox, no model."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from dgm.cli import parameters

if TYPE_CHECKING:
    from dgm.analysis.comparison import Median
    from dgm.landscapes.benchmark import Board, Cell
    from dgm.reporting.table import Table

app = typer.Typer()
bench_app = typer.Typer(help="Benchmarks that need no agents.", no_args_is_help=True)
app.add_typer(bench_app, name="bench", epilog="\b\nExample:\n  dgm bench search --quick")

QUICK_SEEDS, SEEDS = 6, 40

Landscapes = Annotated[
    list[str] | None,
    typer.Option(
        "--landscape",
        metavar="L",
        help="A family of ours, a .toml file with the facts of a landscape, or a .py file with world(seed); repeat for"
        " more. [all of ours]",
    ),
]
Selectors = Annotated[
    list[str] | None,
    typer.Option("--selector", metavar="S", help="Compare this selector as well, with staged evaluation; repeat."),
]
Quick = Annotated[bool, typer.Option("--quick", help=f"The four main strategies alone, on {QUICK_SEEDS} seeds.")]
Seeds = Annotated[int | None, typer.Option("--seeds", metavar="N", min=2, help=f"How many seeds. [{SEEDS}]")]
First = Annotated[
    int, typer.Option("--first-seed", metavar="K", min=0, help="The first of them; below 1000 is for tuning.")
]
Processes = Annotated[
    int | None, typer.Option("--processes", metavar="N", min=1, help="At the same time. [one per processor]")
]


@bench_app.command(
    "search",
    epilog="\b\nExamples:\n  dgm bench search --quick\n  dgm bench search --landscape mine.toml --json",
)
def search(
    quick: Quick = False,
    landscape: Landscapes = None,
    selector: Selectors = None,
    seeds: Seeds = None,
    first_seed: First = 1000,
    processes: Processes = None,
    json: parameters.Json = False,
) -> None:
    """Compare search strategies on synthetic landscapes.

    Counted is what the task evaluations cost until the agent that a strategy would hand over is, by its true score,
    at the landscape's target and stays there. All strategies meet the same landscapes with the same seeds. Shown are
    medians with 95 % intervals. A `.py` file is run as it is, on this machine.
    """
    from dgm.cli import printing
    from dgm.landscapes import benchmark, contest
    from dgm.landscapes.families import FAMILIES

    chosen = range(first_seed, first_seed + (seeds or (QUICK_SEEDS if quick else SEEDS)))
    landscapes = list(dict.fromkeys(landscape or FAMILIES))
    with_progress = _Progress()
    board = benchmark.run(contest.chosen(quick, selector or ()), landscapes, chosen, processes, with_progress)
    with_progress.end()
    if json:
        printing.say_json(benchmark.as_json(board))
        return
    printing.show(_main_table(board))
    for line in _ratio_lines(board):
        printing.say(line)
    if len(board.contestants) > len(contest.MAIN):
        printing.show(_others_table(board))


def _main_table(board: Board) -> Table:
    """A line for each landscape: the main strategies with intervals and how often they got there."""
    from dgm.analysis.comparison import median
    from dgm.landscapes.contest import MAIN
    from dgm.reporting import columns
    from dgm.reporting.table import Table

    rows = []
    for at in board.landscapes:
        cells = [board.cell(name, at) for name in MAIN]
        medians = [median(cell.spent.tolist()) for cell in cells]
        rows.append([at, *(_reached(m, cell) for m, cell in zip(medians, cells, strict=True))])
    seeds = f"seeds {board.seeds.start} to {board.seeds.stop - 1}"
    return Table(
        columns.SEARCH.heads({"STRATEGY": MAIN}),
        rows,
        title=f"Evaluations to the target: median, part of the runs that got there, [95 % interval]; {seeds}",
        note="A run that did not get there counts with the whole budget of its landscape (10000 in ours), and so does a"
        " median where most did not; a ratio to it is an upper bound.",
    )


def _reached(middle: Median, cell: Cell) -> str:
    """`378 98% [240, 604]`, the interval on a line of its own."""
    line = f"{middle.median:.0f} {cell.reached:.0%}"
    return line if middle.interval is None else f"{line}\n[{middle.interval[0]:.0f}, {middle.interval[1]:.0f}]"


def _ratio_lines(board: Board) -> list[str]:
    """How much less we need, and where we are behind."""
    from dgm.landscapes.contest import MAIN, OURS

    lines = []
    for name in MAIN[1:]:
        overall = board.overall(name)
        worst = max(board.landscapes, key=lambda at: board.ratio(name, at).value)
        most, duel = board.ratio(name, worst), board.duel(name, worst)
        lines.append(
            f"{OURS} needs {overall.value:.2f} [{overall.low:.2f}, {overall.high:.2f}] of the evaluations of {name},"
            f" median over the landscapes; the highest ratio is {most.value:.2f} [{most.low:.2f}, {most.high:.2f}], in"
            f" {worst}, where {OURS} needs less on {duel.before} of {len(board.seeds)} seeds and more on {duel.after}"
        )
    return lines


def _others_table(board: Board) -> Table:
    """A line for each contestant with its medians."""
    import numpy as np

    from dgm.reporting import columns
    from dgm.reporting.table import Table

    rows = []
    for name in board.contestants:
        cells = [board.cell(name, at) for at in board.landscapes]
        proposals = float(np.median([cell.proposals for cell in cells]))
        rows.append([name, *(f"{np.median(cell.spent):.0f}" for cell in cells), f"{proposals:.0f}"])
    right = frozenset([*board.landscapes, "proposals"])
    return Table(
        columns.SEARCHERS.heads({"LANDSCAPE": board.landscapes}),
        rows,
        right=right,
        title="Evaluations to the target, medians; a selector by its name is with Hyperagents' stages, 10 and all",
    )


class _Progress:
    """A line on stderr that is written over on a terminal, and every ten seconds elsewhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began, self._said = clock, clock(), clock()

    def __call__(self, done: int, of: int) -> None:
        now, live = self._clock(), sys.stderr.isatty()
        if now - self._said < (0.2 if live else 10):
            return
        self._said = now
        left = (now - self._began) / done * (of - done)
        line = f"{done} of {of} runs, about {left:.0f} s left"
        print(f"\r{line}\x1b[K" if live else line, end="" if live else "\n", file=sys.stderr, flush=True)

    def end(self) -> None:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

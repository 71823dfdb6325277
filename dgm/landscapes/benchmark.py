"""All contestants on all landscapes with the same seeds, and what came of it: medians with intervals, and ratios.

The measure is the cost of the task evaluations until the agent that would be handed over is, by its true score, at
the target (`simulate`). A run that did not get there counts with all that it spent, which is less than it would have
needed: a ratio to a contestant that often fails is an upper bound. A median is not moved by what failed runs count, as
long as more than half got there; but where many fail it lies between those that got there at once and those that never
did, and jumps from one to the other with a few seeds. There a `Duel`, seed by seed, says more.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from dgm.analysis.comparison import median
from dgm.archive.view import Floats, Ints
from dgm.landscapes.contest import BASELINE, BEST_STAGES, HGM, OURS, contestant
from dgm.landscapes.files import load
from dgm.landscapes.simulate import Outcome, simulate

FIRST_SEED = 1000
RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Cell:
    """One contestant on one landscape over all seeds."""

    contestant: str
    landscape: str
    outcomes: tuple[Outcome, ...]

    @property
    def spent(self) -> Floats:
        return np.array([o.spent for o in self.outcomes])

    @property
    def reached(self) -> float:
        """Part of the runs that got to the target."""
        return float(np.mean([o.reached for o in self.outcomes]))

    @property
    def proposals(self) -> float:
        """Median number of proposals."""
        return float(np.median([o.proposals for o in self.outcomes]))


@dataclass(frozen=True, slots=True)
class Ratio:
    """Our evaluations over another's with the 95 % interval from resampled seeds; below 1 is better."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Duel:
    """On how many seeds we got to the target before another, and after it; on the others neither or both at once."""

    before: int
    after: int


@dataclass(frozen=True)
class Board:
    """All that was measured."""

    seeds: range
    landscapes: Sequence[str]
    contestants: Sequence[str]
    cells: dict[tuple[str, str], Cell]

    def cell(self, name: str, landscape: str) -> Cell:
        return self.cells[name, landscape]

    def ratio(self, other: str, landscape: str) -> Ratio:
        """Our median over the other's, on one landscape."""
        return self._ratio(other, [landscape])

    def overall(self, other: str) -> Ratio:
        """The median over the landscapes of `ratio`."""
        return self._ratio(other, self.landscapes)

    def duel(self, other: str, landscape: str) -> Duel:
        """Who got there first, seed by seed; a run that did not get there is later than any that did."""
        ours, theirs = (
            [outcome.spent if outcome.reached else np.inf for outcome in self.cell(name, landscape).outcomes]
            for name in (OURS, other)
        )
        return Duel(
            sum(a < b for a, b in zip(ours, theirs, strict=True)), sum(a > b for a, b in zip(ours, theirs, strict=True))
        )

    def _ratio(self, other: str, landscapes: Sequence[str]) -> Ratio:
        draws = np.random.RandomState(42).randint(len(self.seeds), size=(RESAMPLES, len(self.seeds)))
        draws[0] = np.arange(len(self.seeds))  # the seeds as they are
        ratios = np.median([self._medians(OURS, at, draws) / self._medians(other, at, draws) for at in landscapes], 0)
        low, high = np.percentile(ratios, [2.5, 97.5])
        return Ratio(float(ratios[0]), float(low), float(high))

    def _medians(self, name: str, landscape: str, draws: Ints) -> Floats:
        medians: Floats = np.median(self.cell(name, landscape).spent[draws], axis=1)
        return medians


def run(
    names: Sequence[str],
    landscapes: Sequence[str],
    seeds: range,
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Board:
    """Run all of it, on `workers` processes (as many as there are processors); `progress(runs done, of all)` is called
    now and then. Raises UserError for a landscape or contestant that there is not."""
    for name in names:
        contestant(name)
    for landscape in landscapes:
        load(landscape)(seeds[0])
    jobs = [(name, landscape, seed) for seed in seeds for landscape in landscapes for name in names]
    outcomes: dict[tuple[str, str], list[Outcome]] = {(n, at): [] for n in names for at in landscapes}
    for done, (job, outcome) in enumerate(zip(jobs, _outcomes(jobs, workers), strict=True), 1):
        outcomes[job[:2]].append(outcome)
        progress(done, len(jobs))
    cells = {key: Cell(*key, tuple(found)) for key, found in outcomes.items()}
    return Board(seeds, list(landscapes), list(names), cells)


def _outcomes(jobs: Sequence[tuple[str, str, int]], workers: int | None) -> Iterator[Outcome]:
    """In the order of the jobs."""
    workers = workers or os.cpu_count() or 1
    if workers == 1:
        yield from map(_one, jobs)
        return
    # Spawned, not forked: a fork copies locks that other threads may hold.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_one, jobs, chunksize=4)


def _one(job: tuple[str, str, int]) -> Outcome:
    name, landscape, seed = job
    return simulate(load(landscape)(seed), contestant(name), seed)


def as_json(board: Board) -> dict[str, object]:
    """For programs. The board has the baseline among its contestants."""
    return {
        "ratio_to_score_child_prop": board.overall(BASELINE).value,
        "ratios": {name: _ratios(board, name) for name in board.contestants if name != OURS},
        "default": OURS,
        "seeds": [board.seeds.start, board.seeds.stop - 1],
        "landscapes": {at: _landscape(board, at) for at in board.landscapes},
    }


def _ratios(board: Board, name: str) -> dict[str, object]:
    by_landscape = {}
    for at in board.landscapes:
        duel = board.duel(name, at)
        by_landscape[at] = _interval(board.ratio(name, at)) | {"before": duel.before, "after": duel.after}
    return {"overall": _interval(board.overall(name)), "landscapes": by_landscape}


def _interval(ratio: Ratio) -> dict[str, float]:
    return {"ratio": ratio.value, "low": ratio.low, "high": ratio.high}


def _landscape(board: Board, landscape: str) -> dict[str, object]:
    world = load(landscape)(board.seeds[0])
    rows = {}
    for name in board.contestants:
        cell = board.cell(name, landscape)
        m = median(cell.spent.tolist())
        low, high = m.interval or (None, None)
        rows[name] = {
            "evaluations": m.median,
            "low": low,
            "high": high,
            "reached": cell.reached,
            "proposals": cell.proposals,
        }
    return {"target": world.target, "budget": world.budget, "contestants": rows}


__all__ = ["BASELINE", "BEST_STAGES", "FIRST_SEED", "HGM", "OURS", "Board", "Cell", "Ratio", "as_json", "run"]

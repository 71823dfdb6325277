"""The benchmark counts what it says it counts."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from dgm.errors import UserError
from dgm.landscapes import benchmark, contest
from dgm.landscapes.benchmark import Board, Cell, Duel
from dgm.landscapes.families import FAMILIES
from dgm.landscapes.files import load
from dgm.landscapes.model import Landscape, Line
from dgm.landscapes.simulate import Outcome, Search, simulate
from dgm.landscapes.world import World
from dgm.strategy.state import Action, Expand, Measure, State

SURE = Landscape(lines=(Line(step=0.3, step_sd=0.0),), failed=0.0, target=0.55, budget=400)
"""Every child is better than its parent; the grandchildren of the root are at the target."""


@dataclass
class Chain:
    """Measures one task, then goes on from the newest; hands over the `lag`-th newest, a fickle one mostly the root."""

    lag: int = 1
    fickle: bool = False

    def next(self, state: State, draws: np.random.Generator) -> Action:
        if state.total_trials[-1] == 0:
            return Measure(int(state.id[-1]), (1,))
        return Expand(int(state.id[-1]))

    def final(self, state: State) -> int:
        if self.fickle and random.Random(state.evaluations).random() < 0.75:
            return 0
        return int(state.id[max(0, len(state) - self.lag)])


def test_the_target_counts_when_the_agent_handed_over_is_truly_at_it() -> None:
    assert simulate(World(SURE, 1), Chain(), 0) == Outcome(3.0, 2, True, pytest.approx(0.8, abs=0.1))
    assert simulate(World(SURE, 1), Chain(lag=11), 0).spent == 13


def test_what_is_handed_over_by_luck_and_taken_back_does_not_count() -> None:
    outcome = simulate(World(SURE, 1), Chain(fickle=True), 0)
    assert not outcome.reached
    assert outcome.spent == 400


def test_a_strategy_that_never_measures_is_given_up() -> None:
    class Breeder(Chain):
        def next(self, state: State, draws: np.random.Generator) -> Action:
            return Expand(0)

    assert simulate(World(SURE, 1), Breeder(), 0) == Outcome(0.0, 400, False, 0.0)


def test_results_come_in_the_order_of_the_tasks_and_sum_up_to_the_agent() -> None:
    search = Search(World(FAMILIES["cost"], 2))
    for tasks in ((1, 2, 0), (59, 58, 60)):
        action = Measure(0, tasks)
        search.state.begun(action)
        search.state.measured(action, search._results(action))
    assert search.state.total_successes[0] == search.nodes[0].results.sum()
    assert search.state.spent == 60 * 0.25 + 60 * 0.25 + 60 * 2


@pytest.mark.parametrize("name", contest.everybody())
def test_everybody_can_search_every_kind_of_landscape(name: str) -> None:
    for family in ("fragile", "cost"):
        world = World(FAMILIES[family].model_copy(update={"budget": 300}), 0)
        outcome = simulate(world, contest.contestant(name), 0)
        assert 0 < outcome.truth < 1
        assert outcome.proposals >= 1


def board(ours: list[float], theirs: list[float]) -> Board:
    cells = {
        (name, at): Cell(name, at, tuple(Outcome(factor * x, 1, True, 0.5) for x in spent))
        for name, spent in ((contest.OURS, ours), (contest.BASELINE, theirs))
        for at, factor in (("a", 1.0), ("b", 5.0))
    }
    return Board(range(1000, 1000 + len(ours)), ["a", "b"], [contest.OURS, contest.BASELINE], cells)


def test_the_ratio_is_that_of_the_medians_with_an_interval_around_it() -> None:
    ratio = board([10, 20, 30, 40, 50], [100, 100, 60, 20, 60]).overall(contest.BASELINE)
    assert ratio.value == 0.5
    assert ratio.low < 0.5 < ratio.high
    same = board([10, 10, 10], [20, 20, 20]).ratio(contest.BASELINE, "a")
    assert (same.value, same.low, same.high) == (0.5, 0.5, 0.5)


def test_a_run_that_did_not_get_there_is_later_than_any_that_did() -> None:
    def cell(name: str, *found: tuple[float, bool]) -> Cell:
        return Cell(name, "a", tuple(Outcome(spent, 1, reached, 0.5) for spent, reached in found))

    ours = cell(contest.OURS, (10, True), (900, True), (1001, False), (1000, False), (70, True), (50, True))
    theirs = cell(contest.HGM, (20, True), (1000, False), (999, True), (1001, False), (70, True), (40, True))
    cells = {(name, "a"): each for name, each in ((contest.OURS, ours), (contest.HGM, theirs))}
    assert Board(range(6), ["a"], [contest.OURS, contest.HGM], cells).duel(contest.HGM, "a") == Duel(2, 2)


@pytest.mark.slow
def test_all_meet_the_same_seeds_and_processes_change_nothing() -> None:
    names, families = [contest.OURS, contest.BASELINE], ["flat"]
    one = benchmark.run(names, families, range(3), workers=1)
    two = benchmark.run(names, families, range(3), workers=2)
    assert one == two
    assert benchmark.as_json(one)["ratio_to_score_child_prop"] == one.overall(contest.BASELINE).value


def test_foreign_landscapes_come_as_toml_or_python(tmp_path: Path) -> None:
    toml = tmp_path / "mine.toml"
    toml.write_text("target = 0.3\nbudget = 500\n[[lines]]\nstep = 0.1\n")
    code = tmp_path / "mine.py"
    code.write_text(
        "from dgm.landscapes.model import Landscape\nfrom dgm.landscapes.world import World\n"
        "def world(seed):\n    return World(Landscape(target=0.3, budget=500), seed)\n"
    )
    found = benchmark.run([contest.OURS], [str(toml), str(code)], range(2), workers=1)
    assert all(found.cell(contest.OURS, str(path)).spent.max() <= 510 for path in (toml, code))


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("absent", None, "no family"),
        ("absent.toml", None, "cannot be read"),
        ("empty.py", "x = 1", "gives no world"),
        ("odd.py", "def", "gives no world"),
        ("number.py", "def world(seed):\n    return 3", "has no counts, prices, target, budget, root, child"),
        ("failing.py", "def world(seed):\n    return {}[seed]", r"gives no world\(seed\): KeyError: 0"),
    ],
)
def test_a_landscape_that_cannot_be_had_is_refused(tmp_path: Path, name: str, text: str | None, wrong: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=wrong):
        load(str(tmp_path / name) if "." in name else name)


def test_a_selector_that_there_is_not_is_refused_before_anything_runs() -> None:
    with pytest.raises(UserError, match="there is no 'nobody'"):
        benchmark.run(["nobody"], ["flat"], range(2))

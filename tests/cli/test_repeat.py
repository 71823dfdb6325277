"""`dgm eval --repeat`: an agent that does the same each time has no noise, one that guesses has, and both are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dgm.config import Models, RunConfig, Spending
from tests.cli.worlds import RUN, dgm, snapshot, world

Call = Callable[..., Any]
GUESSING = """\
import random


class TaskAgent:
    def __init__(self, model, chat_history_file):
        pass

    def forward(self, inputs):
        return random.choice(["even", "odd"]), []
"""


@pytest.fixture(scope="module")
def guessing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose only agent guesses. Read it only."""
    where = world(tmp_path_factory.mktemp("guessing"))
    (where / "a/task_agent.py").write_text(GUESSING)
    done = dgm(where, "run", "one", *RUN, "--proposals", "0")
    assert done.returncode == 0, done.stderr
    return where


def test_an_agent_that_always_does_the_same_has_no_noise_and_that_is_said(finished: Path, call: Call) -> None:
    before = snapshot(finished)
    done = call(finished, "eval", "one#best", "--repeat", "3")
    assert done.code == 0
    assert "parity: no noise; every task came to the same in all 3 repetitions" in done.out
    assert "\nfalse alarms: pairs of repetitions" in done.out, "the column is explained below the table"
    assert "boundary not held" in done.out
    assert done.err == "1 of 3\n2 of 3\n3 of 3\n"
    assert snapshot(finished) == before, "nothing is recorded"


def test_an_agent_that_guesses_shows_how_far_its_means_lie_apart(guessing: Path, call: Call) -> None:
    told = json.loads(call(guessing, "eval", "one#0", "--repeat", "4", "--json").out)["domains"]["parity"]
    assert (told["repeats"], told["n"], told["pairs"]) == (4, 12, 6)
    assert len(set(told["means"])) > 1
    assert 0.5 < told["changing"] <= 1
    assert told["sd"] == pytest.approx((0.25 / 12) ** 0.5, rel=0.3), "the spread of a mean of twelve guesses"
    assert told["within"] == pytest.approx(1.96 * 2**0.5 * told["sd"], rel=1e-3)
    assert "a smaller difference between two agents says nothing" in told["says"]


def test_the_first_repetition_is_the_runs_own_measurement(guessing: Path, call: Call) -> None:
    told = json.loads(call(guessing, "eval", "one#0", "--repeat", "2", "--json").out)["domains"]["parity"]
    once = json.loads(call(guessing, "eval", "one#0", "--json").out)["domains"]["parity"]
    best = json.loads(call(guessing, "best", "one", "--json").out)["domains"]["parity"]["root"]["test"]
    assert told["means"][0] == once["score"]["mean"] == best["mean"]


def test_once_is_no_repetition(finished: Path, call: Call) -> None:
    done = call(finished, "eval", "one#0", "--repeat", "1")
    assert done.code == 2 and "--repeat" in done.err


def test_repetitions_share_the_budget() -> None:
    from dgm.cli.answering import share

    models = Models(agent=("m",), budget=Spending(usd=6, tokens=100))
    assert share(models, 3) == Models(agent=("m",), budget=Spending(usd=2, tokens=33))
    assert share(RunConfig().models, 3) == RunConfig().models

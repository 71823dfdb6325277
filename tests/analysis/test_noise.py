"""How much of a difference is no difference at all."""

from __future__ import annotations

import random

import numpy as np
import pytest

from dgm.analysis.noise import noise


def repeated(chances: list[float], repeats: int, seed: int = 0) -> list[dict[str, float]]:
    rng = random.Random(seed)
    return [{f"t{i}": float(rng.random() < p) for i, p in enumerate(chances)} for _ in range(repeats)]


def test_an_agent_that_always_does_the_same_has_no_noise() -> None:
    found = noise([{"a": 1.0, "b": 0.0}] * 3)
    assert (found.changing, found.sd, found.within, found.alarms, found.pairs) == (0.0, 0.0, 0.0, 0, 3)
    assert found.means == (0.5, 0.5, 0.5)


def test_the_spread_is_that_of_the_agents_own_randomness() -> None:
    chances = [i / 199 for i in range(200)]
    truth = float(np.sqrt(np.mean([p * (1 - p) for p in chances]) / 200))
    found = noise(repeated(chances, repeats=20))
    assert found.sd == pytest.approx(truth, rel=0.1)
    assert np.std(found.means, ddof=1) == pytest.approx(truth, rel=0.5)


def test_nineteen_of_twenty_differences_between_repetitions_lie_within() -> None:
    found = noise(repeated([0.3] * 100, repeats=40))
    differences = [abs(a - b) for i, a in enumerate(found.means) for b in found.means[:i]]
    assert np.mean([d < found.within for d in differences]) == pytest.approx(0.95, abs=0.04)
    assert found.alarms / found.pairs < 0.08


def test_graded_verdicts_have_noise_and_few_alarms() -> None:
    rng = random.Random(3)
    runs = [{f"t{i}": min(1.0, max(0.0, rng.gauss(0.5, 0.1))) for i in range(50)} for _ in range(6)]
    found = noise(runs)
    assert found.changing == 1.0
    assert found.sd == pytest.approx(0.1 / 50**0.5, rel=0.15)
    assert found.alarms <= 3


def test_a_task_without_a_verdict_in_some_repetition_is_left_out() -> None:
    found = noise([{"a": 1.0, "b": 0.0, "c": 1.0}, {"a": 1.0, "c": 0.0}])
    assert (found.n, found.means, found.changing) == (2, (1.0, 0.5), 0.5)


@pytest.mark.parametrize("runs", [[], [{"a": 1.0}], [{"a": 1.0}, {"b": 1.0}]])
def test_nothing_to_compare_is_no_check(runs: list[dict[str, float]]) -> None:
    with pytest.raises(ValueError, match="two repetitions"):
        noise(runs)

"""The model that improves most per dollar is asked most, and none is forgotten."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from dgm.selection.bandit import Pull, choose_model, upper_bounds

MODELS = ("small", "large")
EQUAL = (1.0, 1.0)


def play(chance: dict[str, float], cost: dict[str, float], rounds: int, seed: int = 1) -> Counter[str]:
    rng, pulls = random.Random(seed), list[Pull]()
    for _ in range(rounds):
        model = choose_model(MODELS, EQUAL, pulls, rng)
        pulls.append(Pull(model, 0.1 if rng.random() < chance[model] else 0.0, cost[model]))
    return Counter(pull.model for pull in pulls)


def test_a_model_that_improves_more_often_at_the_same_price_is_asked_more() -> None:
    asked = play({"small": 0.05, "large": 0.6}, {"small": 1.0, "large": 1.0}, 300)
    assert asked["large"] > 1.5 * asked["small"] > 0


def test_a_cheap_model_that_improves_half_as_often_at_a_tenth_of_the_price_is_asked_more() -> None:
    asked = play({"small": 0.3, "large": 0.6}, {"small": 0.1, "large": 1.0}, 300)
    assert asked["small"] > asked["large"] > 0


def test_models_that_were_never_tried_go_first() -> None:
    pulls = [Pull("small", 1.0, 0.001)] * 5
    assert choose_model(MODELS, EQUAL, pulls, random.Random(0)) == "large"


def test_free_models_are_compared_by_improvement_alone() -> None:
    one, two = upper_bounds(MODELS, [Pull("small", 0.2, 0.0), Pull("large", 0.4, 0.0)] * 3)
    assert two > one


@given(
    st.lists(st.tuples(st.sampled_from([*MODELS, "gone"]), st.floats(0, 1), st.floats(0, 1e9)), max_size=40),
    st.integers(),
)
@example([("small", 1.0, 0.0), ("large", 0.0, 1.2e-308)], 0)  # costs that all but vanish are costs
def test_any_history_gives_one_of_the_models_and_the_same_again(
    rows: list[tuple[str, float, float]], seed: int
) -> None:
    pulls = [Pull(*row) for row in rows]
    chosen = choose_model(MODELS, EQUAL, pulls, random.Random(seed))
    assert chosen in MODELS
    assert choose_model(MODELS, EQUAL, pulls, random.Random(seed)) == chosen

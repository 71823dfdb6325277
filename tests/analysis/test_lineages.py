"""Growth and clades against their definitions, on trees of any shape."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.analysis.lineages import Clade, clades, growth

TREE = {0: None, 1: 0, 2: 1, 3: 1, 4: 2, 5: 2, 6: 0}
SCORES = {0: 0.2, 1: 0.3, 2: 0.7, 3: 0.3, 4: 0.8, 6: 0.1}  # 5 failed


def test_growth_is_the_discounted_mean_gain_of_descendants() -> None:
    # From 1: 2 at distance 1, 3 at 1, 4 at 2.
    assert growth(TREE, SCORES)[1] == pytest.approx((0.6 * 0.4 + 0.6 * 0.0 + 0.36 * 0.5) / 3)


def test_an_agent_with_few_descendants_has_no_growth() -> None:
    assert growth(TREE, SCORES).keys() == {0, 1}
    assert growth(TREE, SCORES, least=1).keys() == {0, 1, 2}


def test_a_clade_counts_all_that_descend() -> None:
    found = clades(TREE, SCORES)
    assert found[2] == Clade(size=3, scored=2, depth=1, best=0.8, mean=pytest.approx(0.75))
    assert found[5] == Clade(size=1, scored=0, depth=0, best=None, mean=None)
    assert (found[0].size, found[0].depth) == (7, 3)


def test_a_broken_line_is_refused() -> None:
    with pytest.raises(ValueError, match="2 agents descend from no root"):
        growth({0: None, 1: 2, 2: 1}, {})


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_growth_is_what_its_formula_says_for_any_tree(seed: int) -> None:
    rng = random.Random(seed)
    order = rng.sample(range(100), rng.randint(1, 25))  # ids say nothing about descent
    parents = {agent: rng.choice(order[:at]) if at else None for at, agent in enumerate(order)}
    scores = {agent: rng.random() for agent in order if rng.random() < 0.7}

    def distance(ancestor: int, agent: int | None) -> int | None:
        steps = 0
        while agent is not None and agent != ancestor:
            agent, steps = parents[agent], steps + 1
        return None if agent is None else steps

    for agent, value in growth(parents, scores, least=2).items():
        below = {j: d for j in scores if (d := distance(agent, j))}
        assert len(below) >= 2
        gains = [(scores[j] - scores[agent]) * 0.6**d for j, d in below.items()]
        assert value == pytest.approx(sum(gains) / len(gains))
    assert sum(clade.size == 1 for clade in clades(parents, scores).values()) == len(set(order) - set(parents.values()))

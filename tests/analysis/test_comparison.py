"""Tests of significance against published values and against counting every case."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.analysis.comparison import (
    Exact,
    holm,
    mcnemar,
    median,
    median_difference,
    paired,
    rank_sum,
    signed_rank,
    wilcoxon,
)

few = settings(max_examples=40, deadline=None)


def test_the_published_median_and_its_interval_come_out() -> None:
    # Hyperagents, paper review, DGM-H, five runs.
    found = median([0.68, 0.71, 0.59, 0.75, 0.75])
    assert (found.median, found.interval, found.n) == (0.71, (0.59, 0.75), 5)
    with pytest.raises(ValueError, match="no values"):
        median([])


def test_a_single_run_has_no_interval() -> None:
    assert median([0.4]).interval is None
    assert median_difference([0.4], [0.1, 0.2, 0.3]).interval is None
    assert median_difference([0.1, 0.2, 0.3], [0.4]).interval is None


def test_one_graded_task_shows_no_child_to_be_better() -> None:
    found = paired({"t": 0.9}, {"t": 0.4})
    assert (found.difference.low, found.difference.high, found.better) == (-1.0, 1.0, False)


def test_five_runs_can_show_no_less_than_one_in_32() -> None:
    found = wilcoxon([0.1, 0.4, 0.2, 0.3, 0.05])
    assert found.p == found.smallest == 1 / 32
    assert found.statistic == 15


def test_ties_by_rounding_are_ties() -> None:
    assert wilcoxon([0.1 + 0.2, -0.3, 0.0]).p == wilcoxon([1.0, -1.0]).p == 0.75
    assert wilcoxon([]).p == 1


@few
@given(st.lists(st.integers(-4, 4), max_size=9))
def test_the_signed_rank_test_counts_every_choice_of_signs(differences: list[int]) -> None:
    sizes = sorted(abs(d) for d in differences if d)
    ranks = [sizes.index(s) + (sizes.count(s) + 1) / 2 for s in sizes]
    mine = sum(sizes.index(d) + (sizes.count(d) + 1) / 2 for d in differences if d > 0)
    all_ = [
        sum(r for r, s in zip(ranks, signs, strict=True) if s) for signs in itertools.product((0, 1), repeat=len(sizes))
    ]
    found = wilcoxon(differences)
    assert found.statistic == mine
    assert found.p == pytest.approx(sum(total >= mine for total in all_) / len(all_))


def test_mcnemar_gives_the_exact_tail() -> None:
    assert mcnemar(8, 1) == pytest.approx(20 / 512)
    assert mcnemar(1, 8) == mcnemar(8, 1)
    assert mcnemar(3, 3) == mcnemar(0, 0) == 1


def test_a_child_that_gains_two_tasks_is_not_better_beyond_noise() -> None:
    parent = {f"q{i}": float(i < 10) for i in range(60)}
    lucky = parent | {"q20": 1.0, "q21": 1.0}
    assert not paired(lucky, parent).better
    strong = parent | {f"q{i}": 1.0 for i in range(20, 32)}
    assert paired(strong, parent).better
    assert paired(strong, parent).difference.mean == pytest.approx(0.2)
    assert not paired(parent, strong).better


def test_only_tasks_that_both_were_judged_on_count() -> None:
    found = paired({"a": 1.0, "b": 1.0}, {"b": 0.0, "c": 1.0})
    assert (found.difference.n, found.difference.mean) == (1, 1.0)
    assert not paired({"a": 1.0}, {"b": 0.0}).better


def test_graded_verdicts_are_better_when_their_interval_is() -> None:
    rng = random.Random(5)
    parent = {f"q{i}": rng.uniform(0.2, 0.6) for i in range(40)}
    up = {task: value + rng.uniform(0.05, 0.15) for task, value in parent.items()}
    found = paired(up, parent)
    assert found.better
    assert found.p is None
    assert not paired(parent, up).better


def test_a_signed_rank_test_of_both_sides_says_what_it_can_show_at_least() -> None:
    up = signed_rank([0.1, 0.4, 0.2, 0.3, 0.05])
    assert up == signed_rank([-0.1, -0.4, -0.2, -0.3, -0.05])
    assert (up.p, up.smallest, up.n) == (1 / 16, 1 / 16, (5,))
    assert signed_rank([0.0, 0.0]) == Exact(1.0, 1.0, (0,))
    assert signed_rank([0.1, 0.0]).smallest == 1.0, "one difference can show nothing"


@few
@given(st.lists(st.integers(0, 4), min_size=1, max_size=5), st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_the_rank_sum_test_counts_every_choice_of_runs(first: list[int], second: list[int]) -> None:
    values = sorted(first + second)
    rank = {v: values.index(v) + (values.count(v) + 1) / 2 for v in values}
    mine = sum(rank[v] for v in first)
    all_ = [sum(rank[v] for v in chosen) for chosen in itertools.combinations(values, len(first))]
    low, high = (sum(test(total) for total in all_) / len(all_) for test in (mine.__ge__, mine.__le__))
    found = rank_sum(first, second)
    assert found.p == pytest.approx(min(1.0, 2 * min(low, high)))
    assert found.smallest == min(1.0, 2 / len(all_))
    assert found.p == pytest.approx(rank_sum(second, first).p)


def test_holms_correction_is_the_published_one() -> None:
    # Holm 1979: the smallest p times the number of tests, the next times one less, never decreasing.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_medians_of_unpaired_groups_are_resampled_by_themselves() -> None:
    found = median_difference([0.5, 0.6, 0.7], [0.1, 0.1, 0.1, 0.2])
    assert found.median == pytest.approx(0.5)
    assert found.interval is not None
    assert found.interval[0] >= 0.3 and found.interval[1] <= 0.6
    assert found.n == 3
    with pytest.raises(ValueError, match="no values"):
        median_difference([], [0.1])

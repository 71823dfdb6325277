"""Intervals against known values and against what an interval must be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.statistics import balanced_accuracy, bootstrap, interval, mean_difference, score, wilson


def test_wilson_gives_the_textbook_interval_for_81_of_263() -> None:
    # Newcombe 1998, table I: 81/263, Wilson without continuity correction: 0.2553 to 0.3662.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_wilson_gives_the_textbook_interval_for_none_of_20() -> None:
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_nothing_measured_says_nothing() -> None:
    empty = score([], total=10)
    assert (empty.n, empty.low, empty.high) == (0, 0.0, 1.0)


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=300))
def test_the_interval_of_pass_and_fail_holds_the_mean(values: list[float]) -> None:
    low, high = interval(values)
    assert 0 <= low <= sum(values) / len(values) <= high <= 1


@settings(deadline=None)
@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_one_graded_verdict_leaves_the_whole_range(value: float) -> None:
    assert interval([value]) == (0.0, 1.0)
    assert (mean_difference([value]).low, mean_difference([value]).high) == (-1.0, 1.0)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=60))
def test_the_bootstrap_stays_within_the_values_and_repeats(values: list[float]) -> None:
    low, high = bootstrap(values, resamples=100)
    assert min(values) - 1e-12 <= low <= high <= max(values) + 1e-12
    assert (low, high) == bootstrap(values, resamples=100)


def test_more_tasks_make_a_narrower_interval() -> None:
    few, many = score([0.0, 1.0] * 20, 40), score([0.0, 1.0] * 200, 400)
    assert many.high - many.low < few.high - few.low


def test_balanced_accuracy_weighs_classes_not_tasks() -> None:
    lopsided = balanced_accuracy({"accept": [1.0] * 90, "reject": [0.0] * 10})
    assert lopsided.mean == 0.5
    assert lopsided.n == 100


def test_one_answer_to_everything_still_has_an_interval() -> None:
    lopsided = balanced_accuracy({"accept": [1.0] * 90, "reject": [0.0] * 10})
    # Half of Wilson's bounds for 90 of 90 and for 0 of 10: nothing is known better than its class.
    assert lopsided.low == pytest.approx(0.5 - (1 - 0.9591) / 2, abs=1e-3)
    assert lopsided.high == pytest.approx(0.5 + 0.2775 / 2, abs=1e-3)


def test_a_paired_difference_may_be_negative() -> None:
    difference = mean_difference([-0.2, -0.1, -0.3, -0.15])
    assert difference.high < 0
    assert difference.mean == pytest.approx(-0.1875)

"""What scores show: overfitting and leaks are flagged, noise and honest gains are not."""

from __future__ import annotations

import random

import pytest

from dgm import statistics
from dgm.archive import ScoreRecord, VerdictRecord
from dgm.domain import Split
from dgm.errors import Status
from dgm.evaluation.measured import Measured
from dgm.integrity import Flag, Kind, Policy, examine, ruling, scores


def score(split: str, passed: int, n: int, domain: str = "d") -> ScoreRecord:
    s = statistics.score([1.0] * passed + [0.0] * (n - passed), n)
    return ScoreRecord(domain, split, n, n, s.mean, s.low, s.high)


def pair(train: int, val: int, n: int = 100) -> list[ScoreRecord]:
    return [score("train", train, n), score("val", val, n)]


def kinds(child: list[ScoreRecord], parent: list[ScoreRecord]) -> list[Kind]:
    return [flag.kind for flag in scores.examine(parent, child)]


def test_an_agent_that_has_train_by_heart_is_flagged() -> None:
    assert kinds(pair(100, 50), pair(50, 50)) == [Kind.GAP]


def test_a_gap_that_the_parent_had_is_not_the_childs() -> None:
    assert kinds(pair(100, 52), pair(100, 50)) == []


def test_a_gain_on_val_that_train_does_not_explain_is_flagged() -> None:
    assert kinds(pair(50, 95), pair(50, 50)) == [Kind.JUMP]


def test_a_gain_on_both_however_large_is_what_the_search_is_for() -> None:
    assert kinds(pair(98, 96), pair(10, 12)) == []


def test_few_tasks_are_no_ground_and_test_scores_count_for_nothing() -> None:
    assert kinds(pair(9, 0, 9), pair(0, 0, 9)) == []
    assert kinds([score("train", 50, 100), score("test", 0, 100)], pair(50, 50)) == []


def test_chance_alone_flags_hardly_anybody() -> None:
    """A thousand pairs of agents that are equally good on train and val, each measured by luck."""
    rng = random.Random(3)

    def lucky(p: float) -> list[ScoreRecord]:
        return [score(split, sum(rng.random() < p for _ in range(n)), n) for split, n in (("train", 60), ("val", 80))]

    flagged = sum(bool(kinds(lucky(p), lucky(p))) for p in (rng.uniform(0.05, 0.95) for _ in range(1_000)))
    assert flagged <= 3


def test_a_broken_protocol_counts_when_there_is_more_of_it_than_before() -> None:
    def verdicts(tampered: int) -> Measured:
        statuses = [Status.TAMPERED] * tampered + [Status.WRONG] * 3
        return Measured(verdicts=[VerdictRecord("d", Split.VAL, f"{i}", 0.0, s, 1) for i, s in enumerate(statuses)])

    assert [flag.kind for flag in examine({}, {}, verdicts(0), verdicts(2))] == [Kind.TAMPERED]
    assert examine({}, {}, verdicts(2), verdicts(2)) == []


@pytest.mark.parametrize("policy", list(Policy))
def test_a_policy_acts_on_flags_alone(policy: Policy) -> None:
    assert ruling(policy, []) == Policy.FLAG
    assert ruling(policy, [Flag(Kind.GAP, "")]) == policy

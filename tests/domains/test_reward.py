"""Reward design: what is trained with decides, and a reward that is none is worth nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from dgm.domain import JSON, Artifact, CallOutcome, Split, Status, Task, Verdict
from dgm.evaluation.candidates import JudgeSession
from dgm.sandbox import Limits
from dgm.sandbox.bubblewrap import Bubblewrap
from tests.domains.folders import part, shipped

BY_HAND = "def reward(obs, action, info):\n    return -info['x_velocity']\n"
STEP = {"obs": [0.0], "action": [0.0], "info": {"x": 0.0}}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[JudgeSession]:
    with JudgeSession(Bubblewrap(), Limits(seconds=60, memory_mb=512)) as session:
        yield session


class Says:
    """A sandbox that answers with a value, whatever it is asked."""

    def __init__(self, value: JSON) -> None:
        self.value = value

    def call(
        self, source: str, function: str, calls: Sequence[Sequence[JSON]], seconds: float = 1.0
    ) -> list[CallOutcome]:
        return [CallOutcome(self.value)]


def task_of(name: str) -> Task:
    return next(task for split in Split for task in shipped("reward").splits[split] if task.id == name)


def test_the_test_goal_is_none_of_the_others() -> None:
    domain = shipped("reward")
    goals = {split: {task.inputs["goal"] for task in domain.splits[split]} for split in Split}
    assert not goals[Split.TEST] & (goals[Split.TRAIN] | goals[Split.VAL])
    for task in (task for split in Split for task in domain.splits[split]):
        assert "measure" not in task.inputs
        compile(task.files["reward.py"], "reward.py", "exec")


def test_a_goal_is_trained_for_several_times_and_an_agent_is_not_told_which() -> None:
    domain = shipped("reward")
    for split, goals in ((Split.TRAIN, 3), (Split.VAL, 2), (Split.TEST, 1)):
        tasks = domain.splits[split]
        assert len({task.inputs["goal"] for task in tasks}) == goals
        assert len({task.inputs["goal"] for task in tasks[:goals]}) == goals, "each first part has every goal"
        assert len({(task.hidden["goal"], task.hidden["training"]) for task in tasks}) == len(tasks) >= 2 * goals
        for task in tasks:
            others = [other for other in tasks if other.inputs["goal"] == task.inputs["goal"]]
            assert {(str(other.inputs), str(other.files)) for other in others} == {(str(task.inputs), str(task.files))}


@pytest.mark.slow
@pytest.mark.needs("bubblewrap", "mujoco")
def test_one_reward_trained_with_twice_is_two_results_and_each_can_be_had_again(sandbox: JudgeSession) -> None:
    artifact = Artifact(files={"reward.py": BY_HAND.encode()})

    def judged(name: str) -> Verdict:
        return shipped("reward").judge(task_of(name), artifact, sandbox)

    first, second = judged("cheetah-backward-1"), judged("cheetah-backward-2")
    assert first.metrics["reached"] != second.metrics["reached"]
    assert first == judged("cheetah-backward-1")


@pytest.mark.parametrize(
    "value",
    [
        None, True, 1.0, "1", [], [[]], [[1.0]], [[1.0, True], [1.0]], [[1.0, "2"], [1.0]], [[1.0, 2.0], None],
        [[1.0, 2.0], [1e10]], [[1.0, 2.0, 3.0], [1.0]], {"rewards": [[1.0, 2.0], [3.0]]}, [[1.0, 2.0], [3.0], [4.0]],
        [[10**400, 1], [1]], [[1.0, None], [1.0]], [[[1.0], 2.0], [1.0]], [{}, {}], "[[1.0]]", [[-1e300, 1], [1]],
    ],
)  # fmt: skip
def test_what_is_no_number_for_each_step_is_invalid(value: JSON) -> None:
    shipped("reward")
    module = part("reward", "told")
    domain = __import__("sys").modules[module.__name__.rpartition(".")[0]]
    with pytest.raises(domain._NoReward) as caught:
        domain._rewards("", [[STEP, STEP], [STEP]], Says(value))
    assert caught.value.status is Status.INVALID
    assert domain._rewards("", [[STEP, STEP], [STEP]], Says([[1, 2.5], [3]])) == [[1.0, 2.5], [3.0]]


@pytest.mark.slow
@pytest.mark.needs("bubblewrap", "mujoco")
def test_a_reward_for_the_goal_beats_the_usual_one(sandbox: JudgeSession) -> None:
    domain, task = shipped("reward"), task_of("swimmer-backward-1")
    usual = domain.judge(task, Artifact(files=task.files), sandbox)
    better = domain.judge(task, Artifact(files={"reward.py": BY_HAND.encode()}), sandbox)
    assert usual.score == 0.0
    assert better.score > 0.5


@pytest.mark.slow
@pytest.mark.needs("bubblewrap", "mujoco")
@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("", Status.WRONG),
        ("def reward(obs, action, info):\n    return float('nan')\n", Status.INVALID),
        ("def reward(obs, action, info):\n    while True: pass\n", Status.TIMEOUT),
        ("import os\nos._exit(0)\n", Status.WRONG),
        ("def reward(obs, action, info):\n    return 'much'\n", Status.INVALID),
        ("def _rewards(t):\n    return 1\ndef reward(*a):\n    return 10**400\n", Status.INVALID),
    ],
)
def test_a_reward_that_is_none_is_worth_nothing(source: str, status: Status, sandbox: JudgeSession) -> None:
    verdict = shipped("reward").judge(
        task_of("swimmer-backward-1"), Artifact(files={"reward.py": source.encode()}), sandbox
    )
    assert (verdict.score, verdict.status) == (0.0, status)

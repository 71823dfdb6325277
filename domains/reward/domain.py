"""Reward design: the agent writes `reward(obs, action, info)`, a policy is trained with it, and what it does is scored.

An agent sees what the body is to do, what `obs`, `action` and `info` hold, and a `reward.py` that gives the body's
usual reward (that of gymnasium, for going forward). The judge trains with the artifact (`dgm.domain.mujoco`: the
physics on the host, the reward in the sandbox) and scores what no reward can see: how well the trained policy reaches
the goal. Train and val have other goals than the one test goal, jumping, as published for a real robot's body.

One reward trained with twice, from other random numbers, gives two policies, and one may fail where the other is
perfect. So each goal is several tasks that differ in nothing but what the trainer draws (`TRAININGS`): what is chosen
on, and what is reported, is a mean over trainings, and its interval tells how far they lie apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dgm.domain import JSON, Artifact, CallOutcome, JudgeSandbox, Split, Status, Task, UserError, Verdict
from dgm.domain.mujoco import Goal, Trainer, Trajectory

from .told import BODIES, CALLER, INFO, STUB

TRAININGS = {Split.TRAIN: 2, Split.VAL: 3, Split.TEST: 5}
"""Of each goal."""
FILE = "reward.py"
LARGEST = 50_000  #: bytes of a reward
SECONDS = 10.0  #: for the rewards of one iteration
SEED, APART = 7, 100  #: of the first training, and between two; within one the trainer counts on
UPRIGHT = (("terminate_when_unhealthy", False),)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A goal, in words and measured."""

    words: str
    goal: Goal


GOALS: Mapping[Split, Mapping[str, Wanted]] = {
    Split.TRAIN: {
        "cheetah-backward": Wanted(
            "The cheetah runs backwards, to negative x, as far as it can.",
            Goal("HalfCheetah-v5", "backward", 0.0, 1.5),
        ),
        "hopper-backward": Wanted(
            "The hopper moves backwards, to negative x, as far as it can.",
            Goal("Hopper-v5", "backward", 0.0, 4.0, settings=UPRIGHT),
        ),
        "swimmer-backward": Wanted(
            "The swimmer swims to negative x, as far as it can.", Goal("Swimmer-v5", "backward", 0.0, 1.5, seconds=6.0)
        ),
    },
    Split.VAL: {
        "walker-backward": Wanted(
            "The walker goes backwards, to negative x, as far as it can.",
            Goal("Walker2d-v5", "backward", 0.0, 1.5, settings=UPRIGHT),
        ),
        "swimmer-sideways": Wanted(
            "The swimmer swims to positive y, to the left of where it first looks, as far as it can.",
            Goal("Swimmer-v5", "leftward", 0.0, 1.5, seconds=6.0),
        ),
    },
    Split.TEST: {
        "hopper-jump": Wanted(
            "The hopper jumps: the torso is to come as high above the ground as possible.",
            Goal("Hopper-v5", "highest", 1.28, 1.75, settings=UPRIGHT),
        ),
    },
}


class Domain:
    """Tasks with inputs `{"goal", "observation", "action", "info"}` and the file `reward.py`; due is that file."""

    def __init__(self, data: Path | None = None, fold: object = None) -> None:
        """The tasks are built in. Raises UserError for a data file."""
        if data is not None:
            raise UserError(f"{data}: the reward domain has its tasks built in and reads no file; leave --data out")

    def tasks(self, split: Split) -> Sequence[Task]:
        """Of all goals the first training, then of all the second, and so on."""
        return [
            _task(name, wanted, number) for number in range(TRAININGS[split]) for name, wanted in GOALS[split].items()
        ]

    def judge_in(self, task: Task, artifact: Artifact, sandbox: JudgeSandbox) -> Verdict:
        """The score of the policy trained with the artifact. The metric `reached` is in the goal's own unit."""
        raw = artifact.files.get(FILE)
        if raw is None:
            return Verdict(0.0, Status.WRONG, f"no {FILE}")
        if len(raw) > LARGEST:
            return Verdict(0.0, Status.INVALID, f"{FILE} is larger than {LARGEST} bytes")
        try:
            source = raw.decode("utf-8")
        except UnicodeDecodeError:
            return Verdict(0.0, Status.INVALID, f"{FILE} is not UTF-8")
        wanted = next(goals[task.hidden["goal"]] for goals in GOALS.values() if task.hidden["goal"] in goals)
        trainer = Trainer(wanted.goal, SEED + APART * task.hidden["training"])
        try:
            policy = trainer.train(lambda trajectories: _rewards(source, trajectories, sandbox))
            score, reached = trainer.success(policy)
        except _NoReward as failure:
            return Verdict(0.0, failure.status, failure.why)
        finally:
            trainer.close()
        status = Status.OK if score > 0 else Status.WRONG
        return Verdict(score, status, f"reached {reached:.3f}", {"reached": reached})


class _NoReward(Exception):
    """The artifact gave no reward that one could train with."""

    def __init__(self, status: Status, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def _rewards(source: str, trajectories: Sequence[Trajectory], sandbox: JudgeSandbox) -> list[list[float]]:
    """The reward of every step, checked. Raises _NoReward."""
    outcome: CallOutcome = sandbox.call(f"{source}\n\n{CALLER}", "_rewards", [[list(trajectories)]], SECONDS)[0]
    if outcome.error is not None:
        raise _NoReward(outcome.error, "the reward was not given")
    told = outcome.value
    if not isinstance(told, list) or [_count(row) for row in told] != [len(steps) for steps in trajectories]:
        raise _NoReward(Status.INVALID, "the reward must be one number for each step")
    if any(abs(value) > 1e9 for row in told for value in row):
        raise _NoReward(Status.INVALID, "a reward beyond 1e9")
    return [[float(value) for value in row] for row in told]


def _count(row: JSON) -> int:
    """How many numbers a row has; -1 for anything but a list of numbers."""
    return len(row) if isinstance(row, list) and all(type(value) in (int, float) for value in row) else -1


def _task(name: str, wanted: Wanted, number: int) -> Task:
    inputs = {"goal": wanted.words, **BODIES[wanted.goal.body], "info": INFO}
    hidden = {"measure": wanted.goal.measure, "goal": name, "training": number}
    return Task(f"{name}-{number + 1}", inputs, {FILE: STUB.encode()}, hidden)

"""For the judge of reward design: bodies of MuJoCo, a small trainer, and how well a trained policy does.

The physics run here, on the host, and know nothing of the reward; the reward runs in the judge's sandbox and knows
nothing of the goal. In between go trajectories (observations, actions, infos) one way and numbers the other, so an
artifact is never imported and never sees how it is scored. The trainer is the cross-entropy method (Rubinstein 1999)
over linear policies with a clock, seeded and fixed. Needs the extra `dgm[reward]` (gymnasium with MuJoCo, NumPy),
imported when a body is made; floating-point results may differ between versions of MuJoCo and kinds of processors.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dgm import extras
from dgm.domain import JSON, UserError

POPULATION, ELITE, ITERATIONS = 20, 6, 12
EPISODES = 3  #: of the final measurement, each from another start
SPREAD, LEAST_SPREAD = 1.0, 0.15  #: standard deviation of the weights drawn: at first, and at least
PERIODS = (0.4, 0.8)  #: seconds of the clocks that a policy sees beside its observation

Step = dict[str, JSON]
"""`{"obs": [numbers], "action": [numbers], "info": {name: number}}`"""
Trajectory = list[Step]
Rewards = Callable[[Sequence[Trajectory]], Sequence[Sequence[float]]]
"""The reward of each step of each trajectory."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a policy is to do, and how that is measured: `measure` over a trajectory, `poor` is 0 and `good` is 1."""

    body: str  #: the name in gymnasium
    measure: str  #: one of MEASURES
    poor: float
    good: float
    seconds: float = 3.0  #: length of an episode
    settings: tuple[tuple[str, Any], ...] = ()


def _distance(steps: Trajectory) -> float:
    return float(steps[-1]["info"]["x"] - steps[0]["info"]["x"])


MEASURES: Mapping[str, Callable[[Trajectory], float]] = {
    "forward": _distance,
    "backward": lambda steps: -_distance(steps),
    "highest": lambda steps: max(step["info"]["z"] for step in steps),
    "leftward": lambda steps: float(steps[-1]["info"]["y"] - steps[0]["info"]["y"]),
}
"""Metres, over one episode."""


class Trainer:
    """Trains one policy for a goal. The same reward, goal and seed give the same policy on one machine."""

    def __init__(self, goal: Goal, seed: int) -> None:
        """Raises UserError where gymnasium's MuJoCo is not installed."""
        self._np = importlib.import_module("numpy")
        try:
            gymnasium: Any = importlib.import_module("gymnasium")
            mujoco: Any = importlib.import_module("mujoco")
        except ImportError as error:
            raise UserError(f"the reward domain needs MuJoCo ({error}): `{extras.how('reward')}`") from None
        # Its warnings are of gymnasium's own models; they would go to the terminal and a file in the working directory.
        mujoco.set_mju_user_warning(lambda text: None)
        self._goal, self._seed = goal, seed
        self._env: Any = gymnasium.make(goal.body, frame_skip=16, **dict(goal.settings)).unwrapped
        self._rng = self._np.random.default_rng(seed)
        self._steps = max(1, round(goal.seconds / self._env.dt))
        self._shape = (self._env.action_space.shape[0], self._env.observation_space.shape[0] + 1 + 2 * len(PERIODS))

    def train(self, rewards: Rewards) -> Any:
        """The mean of the last elite, as a matrix. `rewards` may raise to end it early."""
        np = self._np
        mean, spread = np.zeros(self._shape), np.full(self._shape, SPREAD)
        for iteration in range(ITERATIONS):
            drawn = mean + spread * self._rng.standard_normal((POPULATION, *self._shape))
            drawn[0] = mean
            rolled = [self.roll(policy, self._seed + iteration) for policy in drawn]
            worth = [math.fsum(steps) for steps in rewards(rolled)]
            best = drawn[np.argsort(worth, kind="stable")[-ELITE:]]
            mean, spread = best.mean(0), np.maximum(best.std(0), LEAST_SPREAD)
        return mean

    def roll(self, policy: Any, seed: int) -> Trajectory:
        """One episode. It always has its full length: a body that falls stays where it fell."""
        np, env = self._np, self._env
        obs, _ = env.reset(seed=seed)
        low, high = env.action_space.low, env.action_space.high
        steps: Trajectory = []
        for number in range(self._steps):
            clocks = [f(2 * math.pi * number * env.dt / period) for period in PERIODS for f in (math.sin, math.cos)]
            seen = np.concatenate([np.clip(obs, -5, 5), [1.0], clocks])
            action = low + (np.tanh(policy @ seen) + 1) / 2 * (high - low)
            before = [round(float(x), 5) for x in obs]
            obs, usual, _, _, info = env.step(action)
            told = {
                "x": float(info["x_position"]), "x_velocity": float(info["x_velocity"]), "z": float(env.data.qpos[1]),
                "usual": float(usual), "step": number,
            }  # fmt: skip
            told |= {"y": float(info["y_position"])} if "y_position" in info else {}
            told = {name: round(value, 5) for name, value in told.items()}
            steps.append({"obs": before, "action": [round(float(x), 5) for x in action], "info": told})
        return steps

    def success(self, policy: Any) -> tuple[float, float]:
        """How well a policy reaches the goal: score in [0, 1], and the mean of the measure over fresh episodes."""
        goal = self._goal
        reached = [MEASURES[goal.measure](self.roll(policy, 10_000 + self._seed + k)) for k in range(EPISODES)]
        mean = math.fsum(reached) / EPISODES
        return min(1.0, max(0.0, (mean - goal.poor) / (goal.good - goal.poor))), mean

    def close(self) -> None:
        self._env.close()

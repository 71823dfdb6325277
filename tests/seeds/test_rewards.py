"""The offline seed on reward design: what it writes for a goal, and whether it gets there by its own edits."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from dgm import loop
from dgm.config import Place, RunConfig, Search
from dgm.domain import Split
from dgm.sitting import start
from tests.domains.folders import shipped

SEEDS = Path(__file__).resolve().parents[2]
JUDGED = '''"""The tasks of reward design, judged in no time: a step towards the goal is worth more than one away."""

from __future__ import annotations

import json
from pathlib import Path

from dgm.domain import Artifact, JudgeSandbox, Split, Status, Task, Verdict

ROWS = json.loads(Path(__file__).with_name("tasks.json").read_text())


class Domain:
    def __init__(self, data=None, fold=None):
        pass

    def tasks(self, split):
        return [Task(row["id"], row["inputs"], {"reward.py": b""}) for row in ROWS if row["split"] == split]

    def judge_in(self, task: Task, artifact: Artifact, sandbox: JudgeSandbox) -> Verdict:
        row = next(row for row in ROWS if row["id"] == task.id)
        source = artifact.files.get("reward.py", b"").decode()
        calls = [[[0.0] * 17, [0.1], {**row["info"], "x_velocity": s, "x": s, "y": t, "z": u, "usual": s}]
                 for s, t, u in row["steps"]]
        told = [outcome.value for outcome in sandbox.call(source, "reward", calls)]
        if not all(type(value) in (int, float) for value in told):
            return Verdict(0.0, Status.INVALID, "no number")
        good = told[0] > told[1]
        return Verdict(float(good), Status.OK if good else Status.WRONG)
'''
FACTS = """\
name = "rewarding"
version = 1
description = "Reward functions, judged by two steps."
metric = "accuracy"
answer = { kind = "files", files = ["reward.py"] }
splits = { train = 3, val = 2, test = 1 }
limits = { seconds = 10, memory_mb = 256 }
"""
TOWARDS = {"backward": (-1.0, 0.0, 1.0), "sideways": (-1.0, 1.0, 1.0), "jump": (-1.0, -1.0, 2.0)}
"""Velocity along x, y, and height of a step towards the goal; the other step is its mirror image."""


def part(path: str) -> ModuleType:
    """A module of a seed, as the seed's other modules import it."""
    folder, name = (SEEDS / path).parent, Path(path).stem
    sys.path.insert(0, str(folder))
    try:
        return __import__(name)
    finally:
        sys.path.remove(str(folder))


@pytest.fixture
def rewarding(tmp_path: Path) -> Path:
    """The domain `reward` with its own goals and words, and a judge that needs no physics."""
    import json

    folder = tmp_path / "rewarding"
    folder.mkdir()
    rows = []
    for split in Split:
        for task in shipped("reward").splits[split]:
            if task.hidden["training"]:
                continue  # nothing is trained here, so that one task of each goal is enough
            towards = next(step for name, step in TOWARDS.items() if name in task.id)
            steps = [towards, [-value for value in towards]]
            rows.append(
                {"id": task.id, "split": split, "inputs": dict(task.inputs), "info": {"step": 0}, "steps": steps}
            )
    (folder / "tasks.json").write_text(json.dumps(rows))
    (folder / "domain.py").write_text(JUDGED)
    (folder / "domain.toml").write_text(FACTS)
    return folder


def test_a_goal_s_own_words_say_what_is_aimed_at() -> None:
    rewards = part("agents/rules/rewards.py")
    model = {"minus": ["negative"], "terms": {"aim": 1.0, "effort": 0.1}}
    wanted = {
        "cheetah-backward": '-info["x_velocity"]', "hopper-backward": '-info["x_velocity"]',
        "swimmer-backward": '-info["x_velocity"]', "walker-backward": '-info["x_velocity"]',
        "swimmer-sideways": '(info["y"])', "hopper-jump": '(info["z"])',
    }  # fmt: skip
    for task in (task for split in Split for task in shipped("reward").splits[split]):
        written = rewards.source(task.inputs["goal"], task.inputs["info"], model)
        assert wanted[task.hidden["goal"]] in written
        compile(written, "reward.py", "exec")


def test_the_untouched_seed_writes_the_usual_reward(tmp_path: Path) -> None:
    task = shipped("reward").splits[Split.TEST][0]
    inputs = {**task.inputs, "answer": {"kind": "files", "files": ["reward.py"]}, "workdir": str(tmp_path)}
    part("agents/rules/rewards.py").solve(inputs, ["reward.py"])
    assert (tmp_path / "reward.py").read_text() == 'def reward(obs, action, info):\n    return 1.0 * (info["usual"])\n'


def test_every_edit_leaves_terms_that_can_be_written() -> None:
    import random

    rewards, edits = part("agents/rules/rewards.py"), part("meta/mutation/reward_edits.py")
    rows = [{"inputs": dict(task.inputs), "score": 0.0} for task in shipped("reward").splits[Split.TRAIN]]
    rng, subject = random.Random(0), edits.Rewards(rows, {"minus": [], "terms": {"usual": 1.0}}, rewards)
    assert "negative" in subject.shared()
    for _ in range(300):
        rng.choice(list(edits.KINDS.values()))(subject, {}, rng, [])
        model = subject.model()
        assert model["terms"]
        compile(rewards.source(rows[0]["inputs"]["goal"], rows[0]["inputs"]["info"], model), "reward.py", "exec")
    odd = edits.Rewards(rows, {"minus": [1, "as"], "terms": {"usual": "x", "other": 1, "aim": 2}}, rewards)
    assert odd.model() == {"minus": ["as"], "terms": {"aim": 2}}


@pytest.mark.slow
@pytest.mark.needs("bubblewrap")
def test_it_learns_terms_that_reach_a_goal_it_never_trained_for(rewarding: Path, tmp_path: Path) -> None:
    config = RunConfig(
        domains=(str(rewarding),),
        search=Search(proposals=16, random_seed=1),
        place=Place.model_validate({"sandbox": "bubblewrap", "sessions": 1}),
    )
    with start.create(tmp_path / "run", config, lambda _: None) as run:
        loop.evolve(run, lambda _: None)
        loop.test(run)
        means = {(s.split, agent.id): s.mean for agent in run.archive.agents() for s in run.archive.scores(agent.id)}
    assert means[Split.VAL, 0] == 0.0
    assert max(mean for (split, _), mean in means.items() if split == Split.VAL) == 1.0
    assert max(mean for (split, _), mean in means.items() if split == Split.TEST) > means[Split.TEST, 0]

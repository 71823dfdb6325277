"""Every domain end to end: with language-model seeds whose model knows the right answers, and with the seeds that need
none. All but the model is real.

What fails here is the way between: inputs that do not reach the model, files that are not read back, a judge that does
not take what an agent leaves. Coding, grading and review have their own such tests (`tests/e2e/test_model_run.py`),
in which a meta agent improves the agent. Reward functions are trained with for a moment only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from dgm import loop
from dgm.archive import Admission
from dgm.config import Models, Origin, Place, RunConfig, Search
from dgm.domain import Split, Status, Task, mujoco
from dgm.domains import available
from dgm.sitting import start
from dgm.testing import ScriptedModels
from tests.bench.domains import PROPOSALS, written
from tests.domains.careful import Careful
from tests.domains.folders import shipped
from tests.e2e.test_model_run import EDITED

KEY_OF = {
    "swebench": "issue", "points": "response", "preference": "answer_a", "polyglot": "instructions",
    "summary": "notice", "reward": "goal",
}  # fmt: skip
"""The input by which the scripted model knows a task again."""
NEEDS = {"reward": pytest.mark.needs("mujoco"), "polyglot": pytest.mark.needs("node")}


class Knowing:
    """`Script` for ScriptedModels: the right answer to every task of a domain, files by way of the tool `run`; and a
    judge's careful one, where the model `judge` is asked."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.tasks = [task for tasks in shipped(domain).splits.values() for task in tasks]
        self.asked: set[str] = set()
        self.judge = Careful() if shipped(domain).asks else None

    def __call__(self, request: Mapping[str, Any]) -> str | Mapping[str, Any]:
        if request["model"] == "judge":
            assert self.judge is not None
            return self.judge(request)
        messages = request["messages"]
        task, *others = self.known(messages[1]["content"])
        self.asked |= {task.id, *(other.id for other in others)}
        if shipped(self.domain).spec.answer.kind != "files":
            return json.dumps({"reason": "known", "answer": task.hidden["label"]})
        if len(messages) > 2:
            return call("done", {})
        changed = {path: text for path, text in right(task).items() if text.encode() != task.files.get(path)}
        assert changed
        return call("run", {"command": "\n".join(f"cat > {path} <<'END'\n{text}END" for path, text in changed.items())})

    def known(self, text: str) -> Sequence[Task]:
        """The task; several where the trainer alone tells them apart."""
        found = [task for task in self.tasks if task.inputs[KEY_OF[self.domain]].strip() in text]
        assert found and all(task.inputs == found[0].inputs for task in found), text
        return found


def right(task: Task) -> Mapping[str, str]:
    """The files of the right answer; of a reward, those of one written by hand."""
    return task.hidden["label"] if "label" in task.hidden else {"reward.py": written(task)}


def call(name: str, given: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "arguments": json.dumps(given)}
    return {"content": None, "tool_calls": [{"id": "call-1", "type": "function", "function": function}]}


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training of two policies."""
    monkeypatch.setattr(mujoco, "POPULATION", 2)
    monkeypatch.setattr(mujoco, "ELITE", 1)
    monkeypatch.setattr(mujoco, "ITERATIONS", 1)
    monkeypatch.setattr(mujoco, "EPISODES", 1)


def slow(domain: str) -> Any:
    return pytest.param(domain, marks=[pytest.mark.slow, *([NEEDS[domain]] if domain in NEEDS else [])])


def test_every_domain_has_a_run_with_a_model_and_those_that_the_seed_knows_one_without() -> None:
    assert {*KEY_OF, *EDITED} == set(available())
    without = {name for name in available() if name not in PROPOSALS}
    assert without == {"polyglot", "swebench", "summary"}, "these want code in repositories, or sentences"


@pytest.mark.needs("bubblewrap")
@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("domain", ["swebench", *(slow(name) for name in KEY_OF if name != "swebench")])
def test_an_agent_whose_model_knows_the_answers_solves_every_task(domain: str, tmp_path: Path) -> None:
    knowing = Knowing(domain)
    with ScriptedModels(knowing) as server:
        judge = "judge" if shipped(domain).asks else None
        config = RunConfig(
            domains=(domain,),
            origin=Origin(agent="llm", meta="llm"),
            search=Search(proposals=0),
            place=Place.model_validate({"sandbox": "bubblewrap", "sessions": 2}),
            models=Models(agent=("scripted",), judge=judge, url=server.url, prices=("unknown=0",)),
        )
        with start.create(tmp_path / "run", config, lambda _: None) as run:
            scores = {score.split: score for score in run.archive.scores(0)}
            verdicts = run.archive.verdicts(0)
            left = [row.get("files") for row in run.archive.logs(0, domain, Split.TRAIN)]
    assert len(knowing.asked) == sum(score.n for score in scores.values())
    assert {split: score.n for split, score in scores.items()} == {
        split: shipped(domain).planned(split) for split in (Split.TRAIN, Split.VAL)
    }
    if domain == "reward":  # a moment of training reaches next to nothing, but it was trained with what was written
        assert {verdict.status for verdict in verdicts} <= {Status.OK, Status.WRONG}
        assert left == [right(task) for task in shipped(domain).splits[Split.TRAIN]]
    else:
        assert {score.mean for score in scores.values()} == {1.0}


@pytest.mark.slow
@pytest.mark.needs("bubblewrap")
@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("domain", [slow(name) for name in PROPOSALS])
def test_the_seeds_without_a_model_start_get_children_and_are_tested(domain: str, tmp_path: Path) -> None:
    config = RunConfig(
        domains=(domain,),
        search=Search(proposals=2, random_seed=1),
        place=Place.model_validate({"sandbox": "bubblewrap", "sessions": 2}),
    )
    with start.create(tmp_path / "run", config, lambda _: None) as run:
        assert not run.config.models.used
        assert loop.evolve(run, lambda _: None) == "proposals"
        agents = run.archive.agents()
        assert {agent.admission for agent in agents[1:]} <= {Admission.ADMITTED, Admission.UNCHANGED}
        chosen = loop.test(run)
        test = {agent: score for agent in chosen for score in run.archive.scores(agent) if score.split == Split.TEST}
    planned = shipped(domain).planned(Split.TEST)
    assert {score.n for score in test.values()} == {planned}
    assert 0 in test

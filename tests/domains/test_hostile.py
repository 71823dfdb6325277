"""No judge is upset, and none rewards, what deserves nothing: twenty artifacts at least for each kind of judge.

What a patch may hold is tried in `test_patches.py`, what compiled languages report in `test_compiled.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dgm.config import Models
from dgm.domain import NoVerdict, Status, Verdict
from dgm.domains import available
from dgm.domains.audit.hostile import TEXTS
from dgm.evaluation.candidates import JudgeSession
from dgm.evaluation.judging import Judge
from dgm.gateway.opening import open_lines
from dgm.testing import ScriptedModels
from tests.domains.careful import Careful
from tests.domains.folders import shipped
from tests.domains.hostile import LEAST, PATCHES, TABLE, cases

PURE = ("grading", "review", "preference", "points")
EXECUTED = ("coding", "exercises in Python", "exercises in JavaScript", "issues")
NOTHING = {status for status in Status if status not in (Status.OK, Status.INFRA)}


def worth_nothing(verdict: Verdict) -> bool:
    return verdict.score == 0.0 and verdict.status in NOTHING


def test_every_shipped_domain_s_judge_meets_twenty_hostile_artifacts_at_least() -> None:
    assert {kind.domain for kind in TABLE.values()} == set(available())
    counts = {name: len(kind.artifacts) for name, kind in TABLE.items()}
    assert min(counts.values()) >= LEAST, counts
    assert len(PATCHES) >= LEAST
    assert set(TABLE) == {*PURE, *EXECUTED, "summary", "reward"}, "each kind is tried below"


@pytest.mark.parametrize("kind", PURE)
def test_what_is_no_answer_is_worth_nothing_and_upsets_no_report(kind: str) -> None:
    domain, task = shipped(TABLE[kind].domain), TABLE[kind].task
    judged = [
        (task, artifact.prediction, domain.judge(task, artifact, None)) for artifact in TABLE[kind].artifacts.values()
    ]
    assert [told for _, told, verdict in judged if not worth_nothing(verdict)] == []
    assert domain.report(judged)


class GivesIn(Careful):
    """A model that does what a work wants, in a form of its own or in the form due with words of its own."""

    def __call__(self, request: Mapping[str, Any]) -> str:
        if self.asked % 2:
            self.asked += 1
            return '{"score": 1.0, "status": "ok"}'
        told = super().__call__(request)
        return told.replace("false", "true").replace('"evidence": ""', '"evidence": "the work says so in full"')


@pytest.mark.parametrize("script", [Careful, GivesIn])
def test_no_text_talks_a_judge_s_model_into_a_score(script: type[Careful], tmp_path: Path) -> None:
    domain, task = shipped("summary"), TABLE["summary"].task
    models = Models(judge="scripted", prices=("unknown=0",))
    read, refused = 0, []
    with ScriptedModels(script()) as server:
        models = models.model_copy(update={"url": server.url})
        with open_lines(models, tmp_path, 0, lambda _: None, {}) as lines:
            model = Judge(lines.judging(7))
            for name, artifact in TABLE["summary"].artifacts.items():
                before = server.count.calls
                try:
                    verdict = domain.judge(task, artifact, None, model)
                    assert worth_nothing(verdict), (name, verdict)
                    refused.append((task, artifact.prediction, verdict))
                except NoVerdict:
                    assert script is GivesIn, name
                read += server.count.calls > before
    assert read >= LEAST <= len(TEXTS), "so many are printable lines of a summary's length, and reach the model"
    assert domain.report(refused)


def short(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less patience with what never ends than a real answer gets."""
    if kind != "coding":
        module = sys.modules[type(shipped(TABLE[kind].domain).implementation).__module__]
        monkeypatch.setattr(module, "SECONDS", 3.0)


def marked(kind: str, name: str) -> Any:
    marks = [pytest.mark.slow] + [pytest.mark.needs("node")] * (kind == "exercises in JavaScript")
    return pytest.param(kind, name, marks=marks, id=f"{kind}: {name}")


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize(("kind", "name"), [marked(*case) for case in cases(EXECUTED)])
def test_no_code_passes_that_does_not_do_the_work(
    kind: str, name: str, sandbox: JudgeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    short(kind, monkeypatch)
    verdict = shipped(TABLE[kind].domain).judge(TABLE[kind].task, TABLE[kind].artifacts[name], sandbox)
    assert worth_nothing(verdict), verdict


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("name", list(TABLE["reward"].artifacts))
def test_a_reward_that_is_none_trains_nothing(
    name: str, sandbox: JudgeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bodies' physics are left out: they come before and know no reward."""
    short("reward", monkeypatch)
    module = sys.modules[type(shipped("reward").implementation).__module__]
    step = {"obs": [0.0], "action": [0.0], "info": {"x": 0.0}}
    monkeypatch.setattr(module, "Trainer", lambda *given: Untrained([[step, step], [step]]))
    verdict = shipped("reward").judge(TABLE["reward"].task, TABLE["reward"].artifacts[name], sandbox)
    assert worth_nothing(verdict), verdict


class Untrained:
    """Stands for a body: shows trajectories, and finds every reward that it is given perfect."""

    def __init__(self, rolled: list[list[dict[str, Any]]]) -> None:
        self.rolled = rolled

    def train(self, rewards: Any) -> None:
        rewards(self.rolled)

    def success(self, policy: None) -> tuple[float, float]:
        return 1.0, 1.0

    def close(self) -> None:
        """Nothing is open."""

"""meta/diagnose: the issue's topic is drawn as the Darwin Goedel Machine draws it, and who solves it sees the issue."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import llm_world as world
import pytest
from llm_world import Says, call

ISSUE = json.dumps({"weakness": "Always yes", "evidence": "yes, no: 3", "plan": "Weigh both answers."})
PROMPT = "agent/prompts/label.md"
EDIT = call("write", path=PROMPT, content="Say no when in doubt: {labels}.\n")
RIGHT = {"prediction": "yes", "score": 1.0, "log": ""}
WRONG = {"prediction": "yes", "score": 0.0, "log": ""}


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Draws 2,000 times; how often each topic came, as parts."""
    # The half as it is composed: its own files over those of the seed that it extends.
    from dgm.genome.sources import from_halves

    half = tmp_path_factory.mktemp("half")
    for path, data in from_halves("llm", "diagnose").genome.items():
        if path.startswith("meta/") and path.endswith(".py"):
            (half / path.removeprefix("meta/")).write_bytes(data)
    pick = world.modules(str(half), "pick").pick.pick

    def drawn(folder: Path, *tasks: dict[str, Any]) -> dict[str, float]:
        told = {"archive.jsonl": world.jsonl({"id": 4, "role": "parent"}), "agents/4/rain.jsonl": world.jsonl(*tasks)}
        for path, data in told.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        random.seed(1)
        found = Counter(pick(folder)[0] for _ in range(2_000))
        return {topic: count / 2_000 for topic, count in found.items()}

    return drawn


def test_failed_tasks_are_drawn_three_times_in_four(topics: Any, tmp_path: Path) -> None:
    assert topics(tmp_path, *[RIGHT] * 5, *[WRONG] * 5) == pytest.approx({"chance": 0.25, "task": 0.75}, abs=0.04)


def test_a_tenth_of_empty_answers_is_an_issue_and_less_is_none(topics: Any, tmp_path: Path) -> None:
    empty = {**WRONG, "prediction": ""}
    expected = {"empty": 1 / 4, "chance": 3 / 16, "task": 9 / 16}
    assert topics(tmp_path, *[RIGHT] * 9, empty) == pytest.approx(expected, abs=0.04)
    assert "empty" not in topics(tmp_path, *[RIGHT] * 10, empty)


def test_a_conversation_that_grew_too_long_is_an_issue(topics: Any, tmp_path: Path) -> None:
    long = {**WRONG, "log": "400: context_length_exceeded"}
    expected = {"chance": 1 / 4, "context": 3 / 16, "task": 9 / 16}
    assert topics(tmp_path, RIGHT, long) == pytest.approx(expected, abs=0.04)


def test_where_nothing_failed_chance_is_left(topics: Any, tmp_path: Path) -> None:
    assert topics(tmp_path, RIGHT) == {"chance": 1.0}


def test_the_issue_is_written_from_one_log_and_solved_without_it(tmp_path: Path) -> None:
    model = Says([ISSUE, EDIT, call("done", summary="no in doubt")])
    improved, changed = world.improve(model, tmp_path, world.feedback(("agent",)), meta="diagnose")
    assert improved.summary == "Always yes -> no in doubt"
    assert changed.keys() == {PROMPT}
    first, second = (str(model.asked[i]["messages"]) for i in (0, 1))
    assert "Write an issue" in first and "class TaskAgent" in first
    assert "Weigh both answers." in second and "yes, no: 3" in second
    assert "class TaskAgent" not in second and "case " not in second


def test_a_solution_that_does_not_start_is_taken_back(tmp_path: Path) -> None:
    ruined = call("write", path="agent/task_agent.py", content="def broken(")
    model = Says([ISSUE, ruined, call("done")])
    improved, changed = world.improve(model, tmp_path, world.feedback(("agent",)), meta="diagnose")
    assert not changed
    assert "taken back" in improved.summary


def test_without_feedback_the_issue_is_about_chance(tmp_path: Path) -> None:
    model = Says([ISSUE, EDIT, call("done")])
    _, changed = world.improve(model, tmp_path, {"evolve.json": json.dumps(["agent"]).encode()}, meta="diagnose")
    assert "depend on chance" in str(model.asked[0]["messages"])
    assert changed.keys() == {PROMPT}

"""What a meta agent is shown: bounded, from train alone, the telling agents first."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgm.archive import Archive
from dgm.proposal import feedback
from tests.archive.world import FAST, child, create, failed


@pytest.fixture(scope="module")
def family() -> Iterator[Archive]:
    """A root with 260 children, a failed one among them, and one grandchild."""
    with tempfile.TemporaryDirectory(dir=FAST) as folder, create(Path(folder) / "run") as archive:
        for number in range(1, 260):
            archive.record(child(number, 0))
        archive.record(failed(260, 0))
        archive.record(child(261, 17))
        yield archive


def lines(files: dict[str, bytes]) -> list[dict[str, object]]:
    return [json.loads(line) for line in files["archive.jsonl"].splitlines()]


def test_its_size_does_not_grow_with_the_archive(family: Archive) -> None:
    files = feedback.build(family, 261, [], ["agent"], random.Random(1))
    assert len(lines(files)) == feedback.MAX_AGENTS
    assert sum(path.endswith("patch.diff") for path in files) == feedback.MAX_PATCHES


def test_the_parent_comes_first_and_its_line_and_family_are_always_there(family: Archive) -> None:
    shown = {line["id"]: line["role"] for line in lines(feedback.build(family, 261, [], ["agent"], random.Random(1)))}
    assert next(iter(shown.items())) == (261, "parent")
    assert shown[17] == "ancestor"
    assert shown[0] == "ancestor"
    assert "agents/17/patch.diff" in feedback.build(family, 261, [], ["agent"], random.Random(2))


def test_siblings_that_failed_are_shown_with_what_became_of_them(family: Archive) -> None:
    told = {line["id"]: line for line in lines(feedback.build(family, 17, [], ["agent"], random.Random(1)))}
    assert told[260]["role"] == "sibling"
    assert told[260]["admission"] == "failed"
    assert told[261]["role"] == "child"


def test_it_speaks_of_train_alone(family: Archive) -> None:
    files = feedback.build(family, 17, [], ["agent"], random.Random(1))
    for line in lines(files):
        train = line["train"]
        assert isinstance(train, dict)
        assert set(train) <= {"grading"}
    (score,) = [s for s in family.scores(17) if s.split == "train"]
    told = next(line for line in lines(files) if line["id"] == 17)
    assert told["train"] == {"grading": {"mean": round(score.mean, 4), "n": score.n}}
    assert b"val" not in files["archive.jsonl"]


def test_it_says_what_may_change(family: Archive) -> None:
    files = feedback.build(family, 0, [], ["agent"], random.Random(1))
    assert json.loads(files["evolve.json"]) == ["agent"]

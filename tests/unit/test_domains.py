"""Loading a domain: what is wrong with it is said before anything runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dgm.domain import Artifact, Split
from dgm.domains import DataRef, load
from dgm.errors import JudgeFailed, UserError
from dgm.evaluation.controls import PermutedTrain

TOML = """\
name = "toy"
version = 1
description = "Say what the input says."
metric = "accuracy"
answer = { kind = "label", labels = ["a", "b"] }
splits = { train = 2, val = 2, test = 2 }
"""

CODE = """\
from dgm.domain import Status, Task, Verdict

class Domain:
    def __init__(self, data=None, fold=None):
        self.fold = fold

    def tasks(self, split):
        return [Task(f"{split}-{x}", {"say": f"{split} {x}"}, hidden={"label": x}) for x in LABELS[split]]

    def judge(self, task, artifact):
        return Verdict(1.0) if artifact.prediction == task.hidden["label"] else Verdict(0.0, Status.WRONG)

LABELS = {"train": "ab", "val": "ab", "test": "ab"}
"""

Maker = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    def write(toml: str = TOML, code: str = CODE) -> Path:
        folder = tmp_path / f"toy{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        (folder / "domain.toml").write_text(toml)
        (folder / "domain.py").write_text(code)
        return folder

    return write


def test_a_folder_is_a_domain(make: Maker) -> None:
    domain = load(str(make()))
    assert [len(domain.splits[split]) for split in Split] == [2, 2, 2]
    assert domain.answer == {"kind": "label", "labels": ["a", "b"]}
    task = domain.splits[Split.TEST][0]
    assert domain.judge(task, Artifact("a"), None).score == 1.0


def test_its_digest_changes_with_any_of_its_files(make: Maker) -> None:
    one, two = load(str(make())), load(str(make(code=CODE + "\n# changed\n")))
    assert one.digest == load(str(make())).digest
    assert one.digest != two.digest


@pytest.mark.parametrize(
    ("toml", "code", "says"),
    [
        (TOML + 'colour = "red"', CODE, "colour"),
        (TOML.replace('"accuracy"', '"beauty"'), CODE, "metric"),
        (TOML, "class Domain:\n    def __init__(self, data): ...", "tasks"),
        (TOML, "import nothing_of_that_name", "nothing_of_that_name"),
        (
            TOML,
            CODE.replace('hidden={"label": x}', 'hidden={"label": "c"}'),
            "the label 'c' is not one of a, b",
        ),
        (TOML, CODE.replace('f"{split}-{x}"', '"same"'), "used twice"),
        (TOML, CODE.replace('f"{split} {x}"', "x"), "disjoint"),
        (TOML, CODE.replace('"test": "ab"', '"test": ""'), "test split is empty"),
        (TOML, CODE.replace('"say"', '"answer"'), "the kernel uses itself"),
    ],
)
def test_a_defect_is_named(make: Maker, toml: str, code: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        load(str(make(toml, code))).splits  # noqa: B018


def test_an_unknown_domain_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UserError, match=r"no domain or folder is called 'chess'; the domains are .*grading"):
        load("chess")


@pytest.mark.parametrize(
    "judgement",
    ["raise ValueError('x')", "return 1.0", "return Verdict(1.5)", "return Verdict(float('nan'))"],
)
def test_a_judge_that_does_not_judge_is_the_domains_fault(make: Maker, judgement: str) -> None:
    code = CODE.replace("return Verdict(1.0) if", judgement + "\n        return Verdict(1.0) if")
    domain = load(str(make(code=code)))
    with pytest.raises(JudgeFailed, match="toy"):
        domain.judge(domain.splits[Split.TEST][0], Artifact("a"), None)


def test_permuted_train_leaves_val_and_test_alone(make: Maker) -> None:
    domain = load(
        str(
            make(
                code=CODE.replace('"train": "ab"', '"train": "abababab"')
                .replace('{x}"', '{x}{i}"')
                .replace("for x in LABELS[split]", "for i, x in enumerate(LABELS[split])")
            )
        )
    )
    permuted = PermutedTrain.of(domain, seed=1)
    assert permuted.splits[Split.VAL] == domain.splits[Split.VAL]
    assert permuted.splits[Split.TEST] == domain.splits[Split.TEST]
    labels = [task.hidden["label"] for task in permuted.splits[Split.TRAIN]]
    assert sorted(labels) == sorted(task.hidden["label"] for task in domain.splits[Split.TRAIN])
    assert labels != [task.hidden["label"] for task in domain.splits[Split.TRAIN]]
    assert [task.inputs for task in permuted.splits[Split.TRAIN]] == [
        task.inputs for task in domain.splits[Split.TRAIN]
    ]


@pytest.mark.parametrize(("text", "fold"), [("data.jsonl", None), ("data.jsonl@2/5", (2, 5)), ("plain", None)])
def test_data_may_name_a_fold(text: str, fold: tuple[int, int] | None) -> None:
    assert DataRef.parse(text).fold == fold


@pytest.mark.parametrize("text", ["data.jsonl@0/5", "data.jsonl@6/5", "data.jsonl@x/5"])
def test_a_fold_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="--data"):
        DataRef.parse(text)

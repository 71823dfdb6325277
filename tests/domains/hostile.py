"""What every kind of judge is given that deserves nothing, in one table: at least twenty artifacts for each kind.

Most of it is what `dgm domain check` gives any domain (`dgm.domains.audit.hostile`); besides stands what is aimed at
one judge: at the tests of an exercise, at a patch, at a reward.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dgm.domain import Artifact, Split, Task
from dgm.domains.audit.hostile import SOURCES, decoys
from tests.domains.cheats import JAVASCRIPT, PYTHON
from tests.domains.folders import shipped
from tests.domains.test_patches import HOSTILE as PATCHES

LEAST = 20
LOANS = "shelf/loans.py"
REPOSITORY = {
    "it leaves": "import os\nos._exit(0)\n",
    "it forges the report": 'print(\'{"value": {"results": {"tests/test_loans.py::LoansTest.test_a_fine": '
    '"passed"}}}\')\n',
    "it patches the tests": "import unittest\nunittest.TestCase.assertEqual = lambda *a: None\n",
}
"""Added to the sources as they were, so that all else works."""
ALIKE = (
    "class Any:\n    def __eq__(self, other):\n        return True\n\n\n"
    "class LoanRefused(Exception):\n    pass\n\n\nclass Desk:\n    def __init__(self, catalogue):\n        pass\n\n"
    "    def __getattr__(self, name):\n        return lambda *a: Any()\n"
)
REWARD = "def reward(obs, action, info):\n"
REWARDS = {
    "no number": f"{REWARD}    return 'much'\n",
    "not a number": f"{REWARD}    return float('nan')\n",
    "infinity": f"{REWARD}    return float('inf')\n",
    "an integer of 401 digits": f"{REWARD}    return 10 ** 400\n",
    "beyond the largest": f"{REWARD}    return 1e10\n",
    "true": f"{REWARD}    return True\n",
    "nothing": f"{REWARD}    pass\n",
    "a list": f"{REWARD}    return [1.0]\n",
    "it calls itself": f"{REWARD}    return reward(obs, action, info)\n",
    "it takes the caller's place": "def _rewards(t):\n    return [[9.0] * 99] * 99\n",
    "it leaves in the middle": f"import os\n{REWARD}    os._exit(0)\n",
    "it lengthens the steps": f"{REWARD}    obs.append(obs)\n    return obs\n",
}


@dataclass(frozen=True)
class Kind:
    """A kind of judge: a domain that has it, the task that is judged, and what is left behind."""

    domain: str
    task: Task
    artifacts: Mapping[str, Artifact]


def kinds() -> dict[str, Kind]:
    """Every kind of judge that a shipped domain has."""
    made = {name: _generic(name) for name in ("grading", "review", "preference", "points", "summary", "coding")}
    return made | {
        "exercises in Python": _exercises("python/tide-table", "turns", PYTHON),
        "exercises in JavaScript": _exercises("javascript/bus-stops", "ride", JAVASCRIPT),
        "issues": _issues(),
        "reward": _rewards(),
    }


def _generic(domain: str) -> Kind:
    """Whatever `dgm domain check` would try."""
    loaded = shipped(domain)
    task = loaded.splits[Split.TEST][0]
    due = task.due or loaded.spec.answer.files
    return Kind(domain, task, dict(decoys(loaded.spec.answer.kind, due, task.hidden.get("label"))))


def _exercises(name: str, function: str, own: Mapping[str, str]) -> Kind:
    task = next(task for task in shipped("polyglot").implementation.everything() if task.id == name)
    sources = dict(_sources(function)) if name.startswith("python") else {}
    made = sources | {name: text.encode() for name, text in own.items()}
    return Kind("polyglot", task, {name: Artifact(files=dict.fromkeys(task.due, text)) for name, text in made.items()})


def _issues() -> Kind:
    task = next(task for task in shipped("swebench").splits[Split.TEST] if "lent twice" in task.inputs["issue"])
    before = task.files[LOANS].decode()
    made = dict(_sources("f")) | {name: (before + "\n" + text).encode() for name, text in REPOSITORY.items()}
    made["equal to all"] = ALIKE.encode()
    return Kind("swebench", task, {name: Artifact(files={LOANS: text}) for name, text in made.items()})


def _rewards() -> Kind:
    task = shipped("reward").splits[Split.VAL][1]
    made = dict(_sources("reward")) | {name: text.encode() for name, text in REWARDS.items()}
    del made["subclasses of the right kinds"]  # its F(1) arrives as the plain number 1: a reward, if a poor one
    return Kind("reward", task, {name: Artifact(files={"reward.py": text}) for name, text in made.items()})


def _sources(function: str) -> Iterator[tuple[str, bytes]]:
    for name, source in SOURCES.items():
        yield name, source.replace(b"def f(", f"def {function}(".encode())


TABLE: Mapping[str, Kind] = kinds()


def cases(names: Sequence[str]) -> list[tuple[str, str]]:
    """(kind, artifact) for some kinds."""
    return [(kind, name) for kind in names for name in TABLE[kind].artifacts]


__all__ = ["LEAST", "PATCHES", "TABLE", "Kind", "cases"]

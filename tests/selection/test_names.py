"""Finding a selector by its name, among ours and among those of installed packages."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from dgm.errors import UserError
from dgm.selection import SELECTORS, choose, described, selector
from tests.selection.world import drawn

RULES = """
import numpy as np

def second(view):
    probabilities = np.zeros(len(view))
    probabilities[min(1, len(view) - 1)] = 1
    return probabilities

def unfinished(view):
    return np.full(len(view), 0.1)

def short(view):
    return [1.0]

def boastful(view):
    view.quality[:] = 1
    return second(view)

def raising(view):
    return {}["no such agent"]

number = 3
"""
ENTRIES = """
[dgm.selectors]
second = other_search.rules:second
unfinished = other_search.rules:unfinished
short = other_search.rules:short
boastful = other_search.rules:boastful
raising = other_search.rules:raising
number = other_search.rules:number
absent = other_search.rules:absent
nowhere = other_search.missing:second
best = other_search.rules:second
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package as an installer leaves it: its modules, and the folder that describes it."""
    for path, text in {
        "other_search/__init__.py": "",
        "other_search/rules.py": RULES,
        "other_search-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: other-search\nVersion: 1.0\n",
        "other_search-1.0.dist-info/entry_points.txt": ENTRIES,
    }.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    for module in ("other_search", "other_search.rules"):
        monkeypatch.delitem(sys.modules, module, raising=False)


@pytest.mark.usefixtures("installed")
def test_a_selector_of_an_installed_package_chooses() -> None:
    assert "second" in SELECTORS.names()
    assert choose(drawn(9), selector("second"), random.Random(1)) == 1


@pytest.mark.usefixtures("installed")
def test_a_name_of_ours_is_never_another_package_s() -> None:
    assert SELECTORS.names().count("best") == 1
    view = drawn(9, seed=4)
    assert choose(view, selector("best"), random.Random(1)) == int(view.quality.argmax())


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("unfinished", "sum to 0.9, not to 1; mend it, and `dgm resume` goes on"),
        ("short", "no 9 probabilities"),
        ("boastful", "read-only"),
        ("raising", r"failed with KeyError: 'no such agent' \(rules.py, line \d+\)"),
    ],
)
def test_a_selector_that_gives_no_probabilities_is_named(name: str, why: str) -> None:
    with pytest.raises(UserError, match=f"{name} .*{why}"):
        choose(drawn(9), selector(name), random.Random(1))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("name", ["absent", "nowhere", "number"])
def test_a_selector_that_cannot_be_loaded_is_refused_with_its_place(name: str) -> None:
    with pytest.raises(UserError, match="other_search"):
        selector(name)


def test_an_unknown_selector_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UserError, match="score_child_prop"):
        selector("greedy")


@pytest.mark.usefixtures("installed")
def test_each_selector_says_what_it_does() -> None:
    told = described()
    assert list(told) == SELECTORS.names() and all(told.values())
    assert told["second"] == "installed as other_search.rules:second"
    assert "exp(-(n_i / 8)^3)" in told["score_child_prop"]


def test_knowing_the_names_costs_no_numpy() -> None:
    code = "import sys, dgm.selection; dgm.selection.SELECTORS.names(); print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("name", SELECTORS.ours)
def test_every_rule_says_where_it_comes_from(name: str) -> None:
    assert selector(name).__doc__

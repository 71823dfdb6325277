"""Where something optional is missing, the command that is named reaches the environment that lacks it."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import pytest

from dgm import executor, extras
from dgm.errors import UserError
from dgm.exchange import trackers
from dgm.plots import canvas


def test_the_command_names_the_python_that_runs_dgm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever `pip` is first on the path: it may belong to another Python, or be none that may install."""
    monkeypatch.setattr(sys, "executable", "/opt/my tools/bin/python")
    assert extras.how("plot") == "'/opt/my tools/bin/python' -m pip install 'dgm[plot]'"


def test_where_the_environment_has_no_pip_uv_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    assert extras.how("mcp") == f"uv pip install --python {sys.executable} 'dgm[mcp]'"


def test_a_figure_without_matplotlib_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UserError, match=re.escape(extras.how("plot"))), canvas.look():
        pass


def test_every_extra_that_a_message_names_is_one(repository: Path) -> None:
    known = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    sources = [path.read_text() for path in (repository / "dgm").rglob("*.py")]
    named = {name for text in sources for name in re.findall(r"""extras\.how\(['"](\w+)""", text)}
    assert {"plot", "mcp", "reward", "export"} <= named
    named |= (executor.EXECUTORS.ours.keys() - {"local"}) | trackers.TRACKERS.ours.keys()
    assert named <= known.keys()
    assert not [text for text in sources if re.search(r"`pip install", text)]

"""Help is there at once, every command has an example, and Tab knows what there is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from dgm.cli import app, completion
from dgm.selection import SELECTORS
from tests.cli.worlds import dgm, environment

HEAVY = {
    "git",
    "docker",
    "litellm",
    "networkx",
    "pydantic",
    "rich.live",
    "rich.table",
    "dgm.archive",
    "dgm.config",
}


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


ALL = list(commands(typer.main.get_command(app)))


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    code = f"import sys, dgm.cli; print(sorted(set(sys.modules) & {HEAVY!r}))"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_commands_are_those_of_the_design() -> None:
    names = {" ".join(path) for path, command in ALL if path and not hasattr(command, "commands")}
    plain = {
        "run",
        "resume",
        "show",
        "tree",
        "lineage",
        "diff",
        "best",
        "eval",
        "verify",
        "export",
        "seed list",
        "selector list",
    }
    plain |= {"seed list", "selector list", "doctor", "bench search", "ensemble", "experiment"}
    looking = {"view", "watch", "plot", "mcp"}
    steering = {"pause", "stop", "pin", "veto", "note", "fork", "submit"}
    importing = {f"import {what}" for what in ("bundle", "hyperagents", "dgm", "hgm")}
    domains = {f"domain {what}" for what in ("list", "new", "check", "fetch")}
    assert names == plain | looking | steering | importing | domains | {"sandbox check", "sandbox clean"}


@pytest.mark.parametrize("path", [path for path, _ in ALL], ids=" ".join)
def test_every_command_explains_itself_with_an_example(
    path: tuple[str, ...], call: Callable[..., Any], tmp_path: Path
) -> None:
    done = call(tmp_path, *path, "--help")
    assert done.code == 0
    assert "Example" in done.out
    assert f"  dgm {' '.join(path)}" in done.out.split("Example")[1]


def test_every_option_says_what_it_does() -> None:
    parameters = [parameter for _, command in ALL for parameter in command.params]
    assert len(parameters) > 30
    for parameter in parameters:
        assert parameter.name == "help" or getattr(parameter, "help", None), parameter.name


def test_completion_offers_archives_agents_selectors_seeds_and_domains(
    finished: Path, monkeypatch: pytest.MonkeyPatch, repository: Path
) -> None:
    monkeypatch.chdir(finished)
    assert completion.archives("o") == ["one"]
    assert completion.archives("x") == []
    assert completion.agents("") == ["one#"]
    assert completion.agents("one#") == ["one#0", "one#1", "one#2", "one#4"]
    assert completion.agents("nothing#") == []
    assert completion.selectors("score_child") == [name for name in SELECTORS.ours if name.startswith("score_child")]
    assert "rules" in completion.agent_seeds("")
    assert "mutation" in completion.meta_seeds("m")
    assert completion.domains("no-such") == []


def test_the_shell_gets_completions_from_the_program(finished: Path) -> None:
    done = dgm(finished, _DGM_COMPLETE="complete_bash", COMP_WORDS="dgm show one#", COMP_CWORD="2")
    assert done.returncode == 0
    assert done.stdout.split() == ["one#0", "one#1", "one#2", "one#4"]

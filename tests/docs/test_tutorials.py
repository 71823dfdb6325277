"""What the tutorials tell to type is typed: each page in an empty directory of its own, from top to bottom.

Blocks in `sh` and `python` are run, blocks with a title are written to that file, and blocks in `console` are left
alone: they need a key, a window or an installation. A package that a page writes is made known to Python as pip would
do it, without changing the environment that the tests run in.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.worlds import environment

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = REPOSITORY / "docs" / "pages"
BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
NEEDS = {
    "agent": ("bubblewrap",),
    "own": ("bubblewrap",),
    "experiment": ("bubblewrap",),
    "cluster": ("ray", "submitit"),
}
KINDS = ("tutorials", "how-to")
RUNS_NOTHING = {"model"}
LONG = {
    "cluster",
    "ensemble",
    "experiment",
    "search",
    "selector",
    "share",
    "steer",
    "trust",
    "why",
}  # about a minute each, or more: with the soak


@dataclass(frozen=True)
class Block:
    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(*found) for found in BLOCK.findall(page.read_text(encoding="utf-8"))]


def tutorials() -> list[object]:
    names = sorted(path.stem for kind in KINDS for path in (PAGES / kind).glob("*.md"))
    marks = {name: [pytest.mark.soak if name in LONG else pytest.mark.slow] for name in names}
    for name, resources in NEEDS.items():
        marks[name].append(pytest.mark.needs(*resources))
    return [pytest.param(name, marks=marks[name]) for name in names if name not in RUNS_NOTHING]


def make_known(project: Path, site: Path) -> None:
    """What `pip install` does with a project that has entry points."""
    told = tomllib.loads(project.read_text())["project"]
    folder = site / f"{told['name'].replace('-', '_')}-{told['version']}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {told['name']}\nVersion: {told['version']}\n")
    groups = (
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in told["entry-points"].items()
    )
    (folder / "entry_points.txt").write_text("\n".join(groups))
    for module in project.parent.glob("*.py"):
        (site / module.name).write_bytes(module.read_bytes())


@pytest.mark.parametrize("name", tutorials())
def test_what_a_tutorial_tells_to_type_works(name: str, tmp_path: Path) -> None:
    tools, site, where = tmp_path / "tools", tmp_path / "site", tmp_path / "here"
    for folder in (tools, site, where):
        folder.mkdir()
    (tools / "dgm").write_text(f'#!/bin/sh\nexec {sys.executable} -m dgm "$@"\n')
    (tools / "dgm").chmod(0o755)
    env = environment(PATH=f"{tools}:{os.environ['PATH']}")
    env["PYTHONPATH"] += f":{site}"
    ran = 0
    page = next(page for kind in KINDS if (page := PAGES / kind / f"{name}.md").exists())
    for block in blocks(page):
        if block.title:
            place = where / block.title
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(block.text)
            if place.name == "pyproject.toml":
                make_known(place, site)
        elif block.language in ("sh", "python"):
            argv = ["sh", "-euc", block.text] if block.language == "sh" else [sys.executable, "-c", block.text]
            done = subprocess.run(argv, cwd=where, env=env, capture_output=True, text=True, timeout=600)
            assert done.returncode == 0, f"{block.text}\n{done.stdout[-2_000:]}{done.stderr[-2_000:]}"
            ran += 1
    assert ran


def test_every_block_of_a_page_is_of_a_known_kind() -> None:
    """A block in a language that nobody runs would be told to readers and tried by none."""
    pages = list(PAGES.rglob("*.md"))
    assert len(pages) >= 10
    for page in pages:
        assert page.read_text().count("```") == 2 * len(blocks(page)), page
        for block in blocks(page):
            assert block.title or block.language in ("sh", "python", "console"), (page, block.language)


def test_commands_and_options_that_the_pages_name_are_there() -> None:
    """Also where a block is not run: every `dgm WORD` is a command, every `--option` one of an option's names."""
    import typer

    from dgm.cli import app, doctor

    known, options = set(), {"--help"}
    waiting = [typer.main.get_command(app), typer.main.get_command(doctor.app)]
    while waiting:
        command = waiting.pop()
        below = getattr(command, "commands", {})
        known |= {command.name, *below}
        waiting += below.values()
        options |= {name for parameter in command.params for name in parameter.opts}
    for page in PAGES.rglob("*.md"):
        for block in blocks(page):
            for line in (line for line in block.text.splitlines() if block.language in ("sh", "console")):
                words = line.removeprefix("$ ").split()
                if words and words[0] == "dgm":
                    assert words[1] in known, (page, line)
                    assert {word for word in words if word.startswith("--")} <= options, (page, line)
        for option in re.findall(r"`(?:dgm [\w ]+ )?(--[a-z-]+)", page.read_text()):
            assert option in options, (page, option)

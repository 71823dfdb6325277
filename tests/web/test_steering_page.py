"""Steering from the page, in a real browser: a real run pauses, obeys and goes on, and a child is handed in."""

from __future__ import annotations

import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dgm import steering
from dgm.archive import Archive
from dgm.archive.verify import verify
from dgm.steering import submissions
from tests.archive.world import FAST, create
from tests.cli.worlds import RUN, command, dgm, environment, world
from tests.web.browser import Open, go, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.slow, pytest.mark.needs("chromium")]


@pytest.fixture
def where() -> Iterator[Path]:
    """A world in which a run of two proposals was made."""
    with tempfile.TemporaryDirectory(dir=FAST, prefix="dgm-test-") as folder:
        place = world(Path(folder), "raise " * 20)
        done = dgm(place, "run", "one", *RUN, "--proposals", "2", "--no-test")
        assert done.returncode == 0, done.stderr
        yield place


@contextmanager
def running(where: Path) -> Iterator[subprocess.Popen[str]]:
    """The run goes on, for as long as nobody stops it."""
    line = command("resume", "one", "--proposals", "2000", "--no-test")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run = subprocess.Popen(line, cwd=where, env=environment(), text=True, **quiet)  # type: ignore[call-overload]
    try:
        until(lambda: steering.running(where / "archive" / "one"))
        yield run
    finally:
        if run.poll() is None:
            run.terminate()
        run.wait(timeout=60)


def until(true: object, seconds: float = 60.0) -> None:
    """Wait until a call gives something true."""
    assert callable(true)
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


def parents(path: Path) -> dict[int, tuple[int | None, str]]:
    """Agent to its parent and to what chose it."""
    with Archive.open(path) as archive:
        return {p.id: (p.parent, p.selector) for p in archive.proposals()}


def chip(page: Page, word: str) -> None:
    """Wait until the page says how the run stands."""
    page.wait_for_selector(f"main h1 ~ .chip:text-is('{word}')")


def test_a_run_is_paused_steered_and_set_going_from_the_page(open_page: Open, where: Path) -> None:
    path = where / "archive" / "one"
    with running(where) as run, served(path) as address:
        page = open_page(f"{address}#/run/one")
        chip(page, "running")
        page.click("button:text-is('Pause')")
        chip(page, "paused")
        made = len(parents(path))
        page.wait_for_timeout(1_000)
        assert len(parents(path)) == made, "no proposal was begun"
        assert run.poll() is None

        go(page, f"{address}#/run/one/agent/1")
        page.click("summary:has-text('pin')")
        page.fill("input[name=author]", "ada")
        page.fill("input[aria-label^='Proposals to make']", "2")
        page.click("button:text-is('Pin')")
        page.wait_for_selector("h1 ~ .row .chip:text-is('pinned ×2')")
        page.fill("textarea", "<b>overfits</b> on odd numbers")
        page.click("text=Write note")
        page.wait_for_selector("blockquote:has-text('<b>overfits</b> on odd numbers')")
        assert page.input_value("textarea") == ""

        go(page, f"{address}#/run/one/steer")
        assert "ada" in page.inner_text("table")
        page.click("button:text-is('Go on')")
        chip(page, "running")
        until(lambda: len(parents(path)) > made + 2)
        page.wait_for_selector("text=No agent is pinned or vetoed.")
        page.click("text=Stop…")
        page.click("button:text-is('Stop the run')")
        run.wait(timeout=60)
        chip(page, "not running")
    assert [parents(path)[made + n] for n in (0, 1)] == [(1, "pin"), (1, "pin")]
    assert parents(path)[made + 2][1] != "pin"
    assert verify(path) == []


def test_what_the_run_cannot_do_is_said_where_it_was_asked(open_page: Open, tmp_path: Path) -> None:
    create(tmp_path / "run", children=2).close()
    with served(tmp_path / "run") as address:
        page = open_page(f"{address}#/run/run/steer")
        assert page.query_selector("button:visible:text-is('Pause')") is None
        page.click("button:text-is('Pin')")
        page.wait_for_selector(".problem:has-text('pin is about an agent')")
        page.fill("input[aria-label='Number of the agent to pin or to veto']", "77")
        page.click("button:text-is('Veto')")
        page.wait_for_selector(".problem:has-text('run has no agent 77')")
        page.fill("input[aria-label='Number of the agent to pin or to veto']", "1")
        page.click("button:text-is('Veto')")
        page.click("button[aria-label='Take back #1']")
        page.wait_for_selector("text=No agent is pinned or vetoed.")
        assert page.query_selector(".problem") is None
    with Archive.open(tmp_path / "run") as archive:
        assert [event.body["action"] for event in archive.events()] == ["veto", "unveto"]


def test_a_draft_survives_what_the_run_does_meanwhile(open_page: Open, tmp_path: Path) -> None:
    with create(tmp_path / "run", children=2) as archive, served(tmp_path / "run") as address:
        page = open_page(f"{address}#/run/run/agent/1")
        page.click("summary:has-text('pin')")
        page.fill("textarea", "half a sentence")
        archive.add_event("steer", steering.Request("0-a", steering.Action.VETO, "eve", 1.0, 1).body(2))
        page.wait_for_selector("h1 ~ .row .chip:text-is('vetoed')")
        assert page.input_value("textarea") == "half a sentence"


def test_an_edited_directory_is_handed_in_from_the_page(open_page: Open, where: Path) -> None:
    path, mine = where / "archive" / "one", where / "mine"
    submissions.fork(path, 0, mine)
    (mine / "agent" / "level.py").write_text("LEVEL = 24\n")
    (mine / "agent" / "__pycache__").mkdir()
    (mine / "agent" / "__pycache__" / "level.pyc").write_bytes(b"x")
    with served(path) as address:
        page = open_page(f"{address}#/run/one/agent/1")
        page.click("summary:has-text('pin, veto')")
        page.click("summary:has-text('made outside')")
        page.set_input_files("input[type=file]", mine)
        page.wait_for_selector("text=forked from #0, not from #1")
        go(page, f"{address}#/run/one/agent/0")
        page.click("summary:has-text('pin, veto')")
        page.click("summary:has-text('made outside')")
        page.set_input_files("input[type=file]", mine)
        page.fill("input[aria-label='What was changed, and why']", "all of it")
        page.click("button:text-is('Hand in')")
        page.wait_for_selector("text=dgm resume one --proposals 3")
        go(page, f"{address}#/run/one/steer")
        page.wait_for_selector(".chip:text-is('comes next')")
        done = dgm(where, "resume", "one", "--proposals", "3", "--no-test")
        assert done.returncode == 0, done.stderr
        page.wait_for_selector(".chip:text-is('comes next')", state="detached")
        assert re.search("a child of #0, made outside", page.inner_text("table"))
    with Archive.open(path) as archive:
        agent = archive.agent(3)
        assert (agent.parent, agent.summary, str(agent.admission)) == (0, "all of it", "admitted")
        assert archive.files(3)["agent/level.py"] == b"LEVEL = 24\n"
    assert verify(path) == []

"""Steering a real run: pins choose parents, vetoes keep them away, and a submission is evaluated like any child."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgm import loop, steering
from dgm.archive import Archive
from dgm.archive.verify import verify
from dgm.sitting import rederive, start
from dgm.steering import Action
from tests.archive.world import FAST
from tests.cli.worlds import RUN, command, dgm, environment, world
from tests.e2e.conftest import World

STEER = """
import sys
from dgm.cli.errors import guarded
from dgm.cli.steer import app
sys.exit(guarded(lambda: app(prog_name="dgm", standalone_mode=False)))
"""


def steer(where: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call a command of `dgm.cli.steer` in a process of its own, as another terminal does."""
    line = [sys.executable, "-c", STEER, *arguments]
    return subprocess.run(line, cwd=where, env=environment(), capture_output=True, text=True, timeout=120)


@pytest.fixture
def where() -> Iterator[Path]:
    """A world with the run `one`: the root, then 1 and 2, each from the one before."""
    with tempfile.TemporaryDirectory(dir=FAST, prefix="dgm-test-") as folder:
        place = world(Path(folder), "raise " * 20)
        done = dgm(place, "run", "one", *RUN, "--proposals", "2", "--selector", "latest", "--no-test")
        assert done.returncode == 0, done.stderr
        yield place


def parents(where: Path) -> dict[int, tuple[int | None, str]]:
    """Agent to its parent and to who chose it."""
    with Archive.open(where / "archive" / "one") as archive:
        return {p.id: (p.parent, p.selector) for p in archive.proposals()}


@pytest.mark.slow
def test_pins_and_vetoes_decide_who_is_a_parent(where: Path) -> None:
    for line in ("pin one#0 --proposals 2", "veto one#4"):
        expected = 2 if line.startswith("veto") else 0
        assert steer(where, *line.split()).returncode == expected  # there is no agent 4 yet
    assert dgm(where, "resume", "one", "--proposals", "4", "--no-test").returncode == 0
    assert steer(where, "veto", "one#4", "--author", "ada").returncode == 0
    assert dgm(where, "resume", "one", "--proposals", "5", "--no-test").returncode == 0
    assert parents(where) == {
        0: (None, ""), 1: (0, "latest"), 2: (1, "latest"), 3: (0, "pin"), 4: (0, "pin"), 5: (3, "latest"),
    }  # fmt: skip
    assert verify(where / "archive" / "one") == []


@pytest.mark.slow
def test_a_submission_is_evaluated_and_recorded_with_its_author(where: Path) -> None:
    assert steer(where, "fork", "one#0", "mine").returncode == 0
    (where / "mine" / "agent" / "level.py").write_text("LEVEL = 24\n")
    done = steer(where, "submit", "mine", "--summary", "all of it", "--author", "ada", "--json")
    assert done.returncode == 0, done.stderr
    agent = json.loads(done.stdout)["agent"]
    assert (agent["id"], agent["parent"], agent["admission"], agent["summary"]) == (3, 0, "admitted", "all of it")
    assert {s["split"]: s["mean"] for s in agent["scores"]} == {"train": 1.0, "val": 1.0}
    with Archive.open(where / "archive" / "one") as archive:
        assert archive.agent(3).author == "ada"
    broken = where / "mine" / "agent" / "level.py"
    broken.write_text("LEVEL = = 1\n")
    done = steer(where, "submit", "mine", "--author", "ada")
    assert done.returncode == 0, done.stderr
    assert "one#4 from #0: stillborn" in done.stdout
    assert verify(where / "archive" / "one") == []
    assert not (where / "archive" / "one" / "inbox").exists()


@pytest.mark.slow
def test_a_run_is_stopped_from_another_terminal_and_goes_on(where: Path) -> None:
    resume = command("resume", "one", "--proposals", "2000", "--no-test")
    run = subprocess.Popen(resume, cwd=where, env=environment(), stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    assert run.stdout.readline()
    while "#3 from #2" not in (line := run.stdout.readline()):
        assert line
    assert "the run takes it up" in steer(where, "note", "one#1", "hello").stdout
    assert "the run takes it up" in steer(where, "stop", "one").stdout
    run.communicate(timeout=60)
    made = len(parents(where))
    assert made < 2000
    with Archive.open(where / "archive" / "one") as archive:
        actions = [event.body["action"] for event in archive.events() if event.kind == "steer"]
    assert actions == ["note", "stop"]
    assert dgm(where, "resume", "one", "--proposals", str(made), "--no-test").returncode == 0
    assert len(parents(where)) == made + 1
    assert verify(where / "archive" / "one") == []


def test_a_clock_that_is_set_back_changes_no_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was pinned is used up, and what was vetoed is known to have been, whatever the time of day is said to be."""
    place, real = World(tmp_path), time.time
    config = place.config(place.agent(), place.meta(), proposals=20)
    with start.create(tmp_path / "run", config, lambda _: None) as run:
        for number, (action, agent) in enumerate([(Action.PIN, 0), (Action.VETO, 1), (Action.UNVETO, 1)], 1):
            loop.evolve(run, lambda _: None, lambda last=3 * number: run.next_number() > last)
            steering.request(run.archive.path, action, agent=agent)
            assert not run.helm.turn()
            monkeypatch.setattr("time.time", lambda days=number: real() - days * 86_400)
        loop.evolve(run, lambda _: None, lambda: run.next_number() > 12)
    with Archive.open(tmp_path / "run") as archive:
        assert steering.state(archive).pins == ()
        assert [p.id for p in archive.proposals() if p.selector == "pin"] == [4]
        assert list(rederive.check(archive)) == []
        times = [p.started for p in archive.proposals()[1:]]
        assert times == sorted(set(times))
    assert verify(tmp_path / "run") == []

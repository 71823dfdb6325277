"""`kill -9` at random moments, each followed by `dgm resume`: the end is that of an undisturbed run."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import World


def dgm(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "dgm", *words], capture_output=True, text=True, check=check)


def killed(words: list[str], after: float) -> bool:
    """Start `dgm`, kill it after some seconds; whether it was still running then."""
    with subprocess.Popen(
        [sys.executable, "-m", "dgm", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            return True
    return False


def seconds_of(*words: str) -> float:
    began = time.monotonic()
    dgm(*words)
    return time.monotonic() - began


def timeless(archive: Path) -> dict[str, Any]:
    """`dgm show --json` without what may differ: times, and the archive's own name."""
    shown: dict[str, Any] = json.loads(dgm("show", str(archive), "--json").stdout)
    shown.pop("archive")
    for agent in shown["agents"]:
        agent.pop("times")
    return shown


def storm(folder: Path, given: list[str], proposals: int, seed: int) -> int:
    """The same run calmly and with up to ten kills, compared; how many kills met it. Each comes after a random part of
    the run and the time that the program takes to begin."""
    calm, stormy = folder / "calm", folder / "stormy"
    given = [*given, "--proposals", str(proposals), "--random-seed", "5"]
    whole = seconds_of("run", str(calm), *given)
    start = seconds_of("show", str(calm))
    rng, kills, words = random.Random(seed), 0, ["run", str(stormy), *given]
    while kills < 10 and killed(words, start * rng.uniform(0.5, 1.5) + rng.uniform(0, whole / 6)):
        if (stormy / "archive.db").exists():
            kills, words = kills + 1, ["resume", str(stormy)]
    dgm("resume", str(stormy))
    assert timeless(stormy) == timeless(calm)
    assert dgm("verify", str(stormy)).returncode == 0
    assert not list(folder.glob(".*stormy*")), "no half-made archive is left beside it"
    return kills


@pytest.mark.slow
def test_ten_kills_lose_nothing_and_count_nothing_twice(world: World) -> None:
    given = ["--domain", world.domain(), "--agent", world.agent(), "--meta", world.meta()]
    kills = storm(world.folder, [*given, "--sandbox", "local", "--sessions", "1"], proposals=15, seed=11)
    assert kills >= 5, "the run was over before it had been killed often enough to mean anything"


@pytest.mark.soak
@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_shipped_domains_survive_ten_kills(world: World, seed: int) -> None:
    assert storm(world.folder, ["--sandbox", "bubblewrap"], proposals=12, seed=seed) >= 5

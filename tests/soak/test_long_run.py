"""Two thousand proposals in one process: the kernel's memory stays where it was, and nothing is left behind.

Once on a domain judged in microseconds, where what is left can be counted from within, and once as a user makes it:
from the command line, on an offline domain, in a sandbox. `DGM_SOAK_PROPOSALS` makes both shorter.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dgm.archive import database
from dgm.sandbox import stale
from tests.bench.memory import live, resident_mb

PROPOSALS = int(os.environ.get("DGM_SOAK_PROPOSALS", "2000"))
MEGABYTES, GROWTH = 300, 15
"""The most that it may hold, and that the second half may add: the archive's agents themselves are kept in memory."""
LOOK_SECONDS = 5.0


@pytest.mark.soak
def test_a_long_run_neither_grows_nor_leaves_anything(tmp_path: Path) -> None:
    found = live(tmp_path, PROPOSALS)
    assert found["resident_mb"] < MEGABYTES
    assert found["resident_mb"] - found["halfway_mb"] < GROWTH
    assert {what: found[what] for what in ("descriptors", "threads", "processes", "folders")} == {
        "descriptors": 0,
        "threads": 0,
        "processes": 0,
        "folders": 0,
    }


@pytest.mark.soak
@pytest.mark.needs("bubblewrap")
def test_a_long_search_on_an_offline_domain_is_sound(tmp_path: Path) -> None:
    def dgm(*words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "dgm", *words], cwd=tmp_path)

    wanted = ("--proposals", str(PROPOSALS), "--workers", "auto", "--sandbox", "bubblewrap")
    with dgm("run", "long", "--domain", "preference", *wanted) as run:
        halves = [0.0, 0.0]
        while run.poll() is None:
            late = recorded(tmp_path / "archive" / "long") > PROPOSALS // 2
            halves[late] = max(halves[late], resident_mb(run.pid))
            time.sleep(LOOK_SECONDS)
    assert run.returncode == 0
    assert recorded(tmp_path / "archive" / "long") == PROPOSALS
    print(f"{halves[0]:.0f} MB at most in the first half, {halves[1]:.0f} in the second")
    assert max(halves) < MEGABYTES
    assert halves[1] - halves[0] < GROWTH
    assert not stale.of_process(run.pid)
    with dgm("verify", "long", "--selections") as check:
        assert check.wait() == 0


def recorded(archive: Path) -> int:
    """How many proposals an archive has, the root not counted."""
    if not (archive / database.NAME).exists():
        return 0
    with database.reader(archive) as connection:
        return int(connection.execute("SELECT count(*) FROM proposals WHERE id > 0").fetchone()[0])

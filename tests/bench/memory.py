"""What a long run leaves in the kernel: memory, file descriptors, threads, processes, folders.

    python -m tests.bench.memory PROPOSALS        one object on standard output

A run of its own, so that nothing else counts, on a domain judged in microseconds and in plain processes (`local`): it
is the kernel that is looked at. `resident` is what the system holds in memory for this process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from dgm import loop
from dgm.archive.verify import verify
from dgm.sandbox import stale
from dgm.sitting import start
from tests.bench.figures import Figure
from tests.e2e.conftest import World

PROPOSALS = 300


def kernel(proposals: int = PROPOSALS) -> Iterator[Figure]:
    """The figures of a run of so many proposals."""
    command = [sys.executable, "-m", "tests.bench.memory", str(proposals)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found = json.loads(done.stdout)
    work = f"{proposals} proposals in one process, one worker, 40 tasks a child, plain processes"
    key = f"memory.local.{proposals}"
    yield Figure(f"{key}.resident.megabytes", found["resident_mb"], work, "<= 300")
    growth = f"{work}: what the second half added"
    yield Figure(f"{key}.growth.megabytes", found["resident_mb"] - found["halfway_mb"], growth)
    for what in ("descriptors", "threads", "processes", "folders"):
        yield Figure(f"{key}.left.{what}.count", found[what], f"{work}: left when the run was closed", "<= 0")


def live(folder: Path, proposals: int) -> dict[str, float]:
    """Make such a run, and say what there is of it halfway, at its end, and once it is closed."""
    world = World(folder)
    config = world.config(world.agent(), world.meta(), proposals=proposals)
    warm = world.config(world.agent(), world.meta(), proposals=1)
    with start.create(folder / "warm", warm, lambda _: None) as run:  # loads what a run loads late
        loop.evolve(run, lambda _: None)
    before = held()
    with start.create(folder / "run", config, lambda _: None) as run:
        loop.evolve(run, lambda _: None, lambda: run.next_number() > proposals // 2)
        halfway = resident_mb()
        loop.evolve(run, lambda _: None)
        end = resident_mb()
    after = held()
    if found := verify(folder / "run"):
        raise SystemExit(f"the archive is not what it should be: {found[0]}")
    return {"halfway_mb": halfway, "resident_mb": end, **{what: after[what] - before[what] for what in after}}


def held() -> dict[str, int]:
    """What this process has now."""
    children = Path(f"/proc/self/task/{threading.main_thread().native_id}/children").read_text().split()
    return {
        "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "threads": threading.active_count(),
        "processes": len(children),
        "folders": len(stale.of_process(os.getpid())),
    }


def resident_mb(process: int | str = "self") -> float:
    """What the system holds in memory for a process that has not been waited for."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(live(Path(folder), int(sys.argv[1]))))


if __name__ == "__main__":
    main()

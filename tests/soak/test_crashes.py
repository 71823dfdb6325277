"""A run killed at a random point, many times over: each is resumed to its end, which is that of an undisturbed run.

A point is either a failpoint (between two writes of the archive, drawn from all that an undisturbed run passes, in
their order) or a SIGKILL at a random moment, in the middle of whatever goes on. Every fourth run is killed again while
it is resumed. Compared are trees, scores, verdicts, selections, transcripts and refs. One worker, because only then is
the end defined to the bit. What is under way in a sandbox, a container or an engine is disturbed in
`test_disturbed.py`; power cuts, which lose what the system had not yet written, are not imitated.
`DGM_CRASH_POINTS` makes it shorter.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dgm.archive import Archive
from dgm.archive.verify import verify
from tests.archive.world import contents
from tests.e2e.conftest import World
from tests.soak.sitting import FORKED, sit

POINTS = int(os.environ.get("DGM_CRASH_POINTS", "200"))
KILLED_BY_FAILPOINT = 137
META = """
random.seed(iterations_left)
if iterations_left == 2:
    raise ValueError("a proposal that gives no child")
place = Path(repo_path, "agent/threshold.txt")
place.write_text(str(int(place.read_text()) + random.choice([-10, 5, 10, 20])))
return "moved the threshold"
"""


@dataclass
class Crashes:
    """An undisturbed run, and how others that are killed compare with it."""

    folder: Path
    file: Path
    passes: list[str] = field(default_factory=list)  #: the failpoints that the undisturbed run passed, in order
    seconds: float = 0.0  #: how long it took
    expected: list[Any] = field(default_factory=list)
    deeds: Counter[str] = field(default_factory=Counter)

    def calm(self) -> None:
        """Make the undisturbed run, and write down what it passes and how long it takes."""
        census, archive = self.folder / "census", self.folder / "calm"
        began = time.monotonic()
        assert self.sitting(archive, census=census) == 0, self.said()
        self.seconds = time.monotonic() - began
        self.passes = census.read_text().split()
        self.expected = meaning(archive)

    def kill_and_resume(self, number: int) -> None:
        """One point: a fresh run that is killed, goes on to its end, and is compared."""
        rng = random.Random(f"crash/{number}")
        archive = self.folder / "runs" / f"run{number}"
        archive.parent.mkdir(exist_ok=True)
        first = self.at_failpoint if number % 2 else self.at_a_moment
        what = [first(archive, rng)]
        if number % 4 >= 2:
            what.append(self.again(archive, rng))
        assert self.sitting(archive) == 0, f"point {number}, {what}: {self.said()}"
        assert meaning(archive) == self.expected, f"point {number} ended otherwise, after {what}"
        assert verify(archive) == [], f"point {number}, {what}"
        left = [path.name for path in archive.parent.iterdir()]
        assert left == [archive.name], f"point {number}, {what}, left {left}"
        shutil.rmtree(archive)

    def at_failpoint(self, archive: Path, rng: random.Random) -> str:
        at = rng.randrange(len(self.passes))
        place = f"{self.passes[at]}:{self.passes[: at + 1].count(self.passes[at])}"
        assert self.sitting(archive, place) == KILLED_BY_FAILPOINT, f"{place} was never passed: {self.said()}"
        self.deeds["failpoints"] += 1
        return place

    def at_a_moment(self, archive: Path, rng: random.Random) -> str:
        """A run that has ended before its moment came was not killed: it is made anew, with an earlier one."""
        after = rng.uniform(0.02, self.seconds)
        while self.sitting(archive, after=after) == 0:
            shutil.rmtree(archive)
            after *= rng.random()
        self.deeds["signals"] += 1
        return f"SIGKILL after {after:.2f} s"

    def again(self, archive: Path, rng: random.Random) -> str:
        """Kill it while it is resumed, unless it has ended first; failpoints of the repair are tried as well."""
        if rng.random() < 0.5:
            place = rng.choice(["repair-begun", "repair-ref", "repair-logs", "rows-uncommitted", "close-begun"])
            killed = self.sitting(archive, place) == KILLED_BY_FAILPOINT
        else:
            after = rng.uniform(0.02, self.seconds / 2)
            place, killed = f"SIGKILL after {after:.2f} s", self.sitting(archive, after=after) != 0
        self.deeds["kills of the resumed"] += killed
        return f"{place}, resumed"

    def sitting(self, archive: Path, place: str = "", *, after: float | None = None, census: Path | None = None) -> int:
        """Its exit code. `after` so many seconds it is killed. Anything but an end or a kill is an error."""
        process = FORKED.Process(target=sit, args=(archive, self.file, place, census, self.folder / "said"))
        process.start()
        process.join(after)
        process.kill()
        process.join()
        code = process.exitcode
        process.close()
        assert code in (0, KILLED_BY_FAILPOINT, -signal.SIGKILL), self.said()
        return int(code)

    def said(self) -> str:
        """The last that a sitting said."""
        return (self.folder / "said").read_text()[-2_000:]


def meaning(path: Path) -> list[Any]:
    """All that a run came to, without times: also not those within refs, for a commit's hash holds one."""
    with Archive.open(path) as archive:
        agents = archive.agents()
        made = [(p.id, p.selector, p.key, p.archive_version, p.parent, p.stage, p.note) for p in archive.proposals()]
        verdicts = [(a.id, v.split, v.task, v.score, v.status) for a in agents for v in archive.verdicts(a.id)]
        return [
            [(a.id, a.parent, a.admission, a.tree, a.summary, a.status, a.reason, a.changed) for a in agents],
            made,
            archive.all_scores(),
            verdicts,
            sorted(contents(path / "genomes.git" / "refs")),
            sorted(contents(path / "logs")),
        ]


@pytest.fixture
def crashes(tmp_path: Path) -> Crashes:
    world = World(tmp_path)
    made = world.config(world.agent(), world.meta_doing(META), proposals=3)
    trim(Path(made.domains[0]))
    file = tmp_path / "config.toml"
    file.write_text(made.to_toml())
    ready = Crashes(tmp_path, file)
    ready.calm()
    return ready


def trim(domain: Path) -> None:
    """Leave three tasks to train and val, four to test."""
    for name, swaps in {
        "domain.toml": {"train = 20, val = 20, test = 40": "train = 3, val = 3, test = 4"},
        "domain.py": {"(0, 20)": "(0, 3)", "(100, 20)": "(100, 3)", "(200, 40)": "(200, 4)"},
    }.items():
        text = (domain / name).read_text()
        for old, new in swaps.items():
            assert old in text
            text = text.replace(old, new)
        (domain / name).write_text(text)


@pytest.mark.slow
def test_a_run_killed_between_writes_or_at_any_moment_ends_as_if_nothing_had_happened(
    crashes: Crashes,
) -> None:
    for number in range(6):
        crashes.kill_and_resume(number)
    assert (crashes.deeds["failpoints"], crashes.deeds["signals"]) == (3, 3)


@pytest.mark.soak
def test_two_hundred_random_kills_lose_nothing_and_count_nothing_twice(
    crashes: Crashes, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    for number in range(POINTS):
        crashes.kill_and_resume(number)
    with capsys.disabled():
        minutes = (time.monotonic() - began) / 60
        print(f"\n{POINTS} of {POINTS} ended as undisturbed in {minutes:.1f} min: {dict(crashes.deeds)}")

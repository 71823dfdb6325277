"""How fast an archive of 100,000 agents is, and how many bytes an agent and a verdict take on the disk.

The archive is made up (`tests.web.big`): its rows are real, each genome is the offline seed's task agent with up to
twenty lines more, one of them its own. What an agent costs is measured on a second, small one, to which children of the
offline seeds are added that differ in one line. Commands are processes of their own, started and loaded each time, with
their output thrown away.
"""

from __future__ import annotations

import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from dgm.archive import Archive
from dgm.archive.packing import Packing
from dgm.archive.store import GitStore
from dgm.domain import Files
from dgm.domains import load
from dgm.genome import sources
from dgm.proposal import feedback
from dgm.selection import choose, selector
from tests.archive import world
from tests.bench.figures import Figure, Timed, each, timed
from tests.web import big

TIMES, OPENINGS = 20, 3
CHILDREN = 200
COMMAND_TIMES = 3
PATIENCE = 120.0
"""Seconds after which a command is stopped; its figure is then this number."""

SELECTORS = ("score_child_prop", "best", "ucb")


def speed(agents: int, tasks: int) -> Iterator[Figure]:
    """Opening, admitting, selecting, feedback and commands."""
    with tempfile.TemporaryDirectory() as folder:
        print(f"making an archive of {agents:,} agents with {tasks} verdicts each …", file=sys.stderr, flush=True)
        path = big.make(Path(folder) / "big", agents, tasks)
        genome = sources.from_halves("rules", "mutation").genome
        big.grow_genomes(path, genome[_task_agent(genome)])
        of = f"{agents:,} agents with up to {tasks} verdicts each"
        yield from _opened(
            f"archive.open.{agents}", lambda: _read(path), f"for reading, with the columns of a view: {of}"
        )
        how = "for writing, with what a repair looks at and the columns of a view, and closed"
        yield from _opened(f"archive.open_writer.{agents}", lambda: _read(path, write=True), f"{how}: {of}")
        yield from _written(path, agents, of)
        deep = f"{path}#{_deep(path)}"
        commands = {
            "show": ["show", str(path)],
            "show_agent": ["show", deep],
            "tree": ["tree", str(path)],
            "lineage": ["lineage", deep],
        }
        for name, words in commands.items():
            yield from _command(f"archive.{name}.{agents}", words, of, "<= 0.5")
        yield _bytes_of_a_verdict(path, agents)


def bytes_of_an_agent() -> Iterator[Figure]:
    """Before and after git has packed the genomes."""
    genome = dict(sources.from_halves("rules", "mutation").genome)
    task_agent = _task_agent(genome)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small"
        root = world.child(0, files=genome, scores=[], verdicts=[], logs={})
        with Archive.create(path, "", root) as archive:
            pass
        before = _on_disk(path), _on_disk(path / "genomes.git")
        _pack(path)
        packed = _on_disk(path)
        with Archive.open(path, write=True) as archive:
            for number in range(1, CHILDREN + 1):
                files = genome | {task_agent: genome[task_agent] + f"NUMBER = {number}\n".encode()}
                archive.record(world.child(number, number - 1, files=files, scores=[], verdicts=[], logs={}))
        loose = _on_disk(path)
        _pack(path)
        after = _on_disk(path)
    work = f"blocks on disk for {CHILDREN} children, each with one more line and no verdicts, divided by their number"
    yield Figure("archive.agent.loose.bytes", (loose - before[0]) / CHILDREN, f"{work}; as they are written")
    yield Figure(
        "archive.agent.packed.bytes",
        (after - packed) / CHILDREN,
        f"{work}; after the packing that goes on behind a writer",
        "<= 2000",
    )


def _task_agent(genome: Files) -> str:
    return next(path for path in sorted(genome) if path.startswith("agent/") and path.endswith("agent.py"))


def _opened(key: str, work: Callable[[], object], how: str) -> Iterator[Figure]:
    took = []
    for _ in range(OPENINGS):
        with timed() as one:
            work()
        took.append(one)
    text = f"opened {how}; median of {OPENINGS}"
    yield Figure(f"{key}.seconds", statistics.median(t.seconds for t in took), text, "<= 1")
    yield Figure(f"{key}.kernel_cpu.seconds", statistics.median(t.kernel for t in took), f"{text}; processor")


def _read(path: Path, write: bool = False) -> None:
    with Archive.open(path, write=write) as archive:
        archive.view()


def _written(path: Path, agents: int, of: str) -> Iterator[Figure]:
    domains = [load(big.DOMAIN)]
    with Archive.open(path, write=True) as archive:
        rules = {name: selector(name) for name in SELECTORS}
        choose(archive.view(), rules[SELECTORS[0]], random.Random(0))  # the columns are made once in a sitting
        admitted, built = list[Timed](), list[Timed]()
        chosen: dict[str, list[Timed]] = {name: [] for name in SELECTORS}
        for _ in range(TIMES):
            child = world.child(archive.next_id(), 1)
            with timed() as one:
                archive.record(child)
            admitted.append(one)
            for name, rule in rules.items():
                with timed() as one:
                    choose(archive.view(), rule, random.Random(child.id))
                chosen[name].append(one)
            with timed() as one:
                feedback.build(archive, 1, domains, ("agent", "meta"), random.Random(0))
            built.append(one)
    work = f"median of {TIMES}, in an archive of {of}"
    admits = f"a child of 3 files and {2 * world.TASKS} verdicts, to the disk; {work}"
    yield from _milliseconds(f"archive.admit.{agents}", admitted, admits, "<= 20")
    for name, took in chosen.items():
        yield from _milliseconds(
            f"archive.select.{name}.{agents}", took, f"a parent, right after an admission; {work}", "<= 25"
        )
    yield from _milliseconds(f"archive.feedback.{agents}", built, f"a proposal's feedback; {work}")


def _milliseconds(key: str, took: list[Timed], work: str, goal: str = "") -> Iterator[Figure]:
    yield Figure(f"{key}.milliseconds", statistics.median(t.seconds for t in took) * 1000, work, goal)
    cpu = statistics.median(t.kernel for t in took) * 1000
    yield Figure(f"{key}.kernel_cpu.milliseconds", cpu, f"{work}; processor")


def _deep(path: Path) -> int:
    """An agent whose lineage is as long as any."""
    with Archive.open(path) as archive:
        depth: dict[int, int] = {}
        for agent in archive.agents():
            depth[agent.id] = 0 if agent.parent is None else depth[agent.parent] + 1
        return max(depth, key=lambda agent: depth[agent])


def _command(key: str, words: list[str], of: str, goal: str) -> Iterator[Figure]:
    """A `dgm` command, as a person waits for it, and what it takes of the processor."""
    command = [sys.executable, "-m", "dgm", *words]

    def run() -> None:
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True, timeout=PATIENCE)

    work = f"`dgm {words[0]}` as a process of its own; {of}"
    took: list[float] = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        while len(took) < COMMAND_TIMES and sum(took) < PATIENCE / 10:
            took += each(run, 1)
    except subprocess.TimeoutExpired:
        yield Figure(f"{key}.seconds", PATIENCE, f"{work}; STOPPED, it takes longer", goal)
        return
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    yield Figure(f"{key}.seconds", statistics.median(took), f"{work}; median of {len(took)}", goal)
    yield Figure(f"{key}.cpu.seconds", cpu / len(took), f"{work}; processor, mean of {len(took)}")


def _bytes_of_a_verdict(path: Path, agents: int) -> Figure:
    connection = sqlite3.connect(path / "archive.db")
    try:
        (count,) = connection.execute("SELECT count(*) FROM verdicts").fetchone()
        query = (
            "SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = 'verdicts')"
        )
        (size,) = connection.execute(query).fetchone()
    finally:
        connection.close()
    work = f"pages of the table of verdicts and its indexes, divided by its {count:,} rows"
    return Figure(f"archive.verdict.{agents}.bytes", size / count, work, "<= 30")


def _on_disk(path: Path) -> int:
    return sum(place.lstat().st_blocks * 512 for place in (path, *path.rglob("*")))


def _pack(path: Path) -> None:
    packing = Packing(GitStore(path / "genomes.git"), limit=0)
    packing.look()
    packing.wait()

"""Everything that is promised of dgm's speed, measured: one table, or one JSON object.

    python -m tests.bench                              all of it
    python -m tests.bench generation gateway --json    some of it
    python -m tests.bench archive --agents 10000       a smaller archive

A figure's key says what and where, its last word the unit. Beside each stand the work it was measured on, the goal if
there is one, and how busy the machine was (runnable processes over the last minute: on a quiet one about 1). The
exit code says only that everything was measured, never that a goal was met.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Mapping

from tests.bench import archive, gateway, generation, memory, nodes
from tests.bench import sandbox as sandboxes
from tests.bench.figures import Figure

PLACES = ("docker", "bubblewrap")
"""Where agents work that a language model wrote."""

GOALS = {
    ("first_verdict", "docker"): 0.9, ("first_verdict", "bubblewrap"): 0.12, ("task", "docker"): 0.005,
    ("task", "bubblewrap"): 0.005, ("tasks_200", "docker"): 2.5,
}  # fmt: skip
WORK = {
    "first_verdict": f"a sandbox opened, one trivial task; median of {sandboxes.OPENINGS}",
    "first_verdict_worst": f"the same; the longest of {sandboxes.OPENINGS}",
    "task": f"a trivial task in an open session; median of {sandboxes.TASKS}",
    "tasks_200": f"{sandboxes.TASKS} trivial tasks in one session, one after the other",
}


def sandbox(options: argparse.Namespace) -> Iterator[Figure]:
    for name, backend in sandboxes.working(()):
        times = sandboxes.measure(backend, sandboxes.SETTLE_SECONDS if "warm" in name else 0.0)
        for what, seconds in times.items():
            goal = f"<= {GOALS[what, name]}" if (what, name) in GOALS else ""
            yield Figure(f"{what}.{name}.seconds", seconds, WORK[what], goal)


def generations(options: argparse.Namespace) -> Iterator[Figure]:
    for name, _ in sandboxes.working(PLACES):
        yield from generation.direct(name)


def hosted(options: argparse.Namespace) -> Iterator[Figure]:
    for name, _ in sandboxes.working(PLACES):
        yield from generation.hosted(name)


def throughput(options: argparse.Namespace) -> Iterator[Figure]:
    for name, _ in sandboxes.working(PLACES):
        yield from generation.throughput(name)


def gateways(options: argparse.Namespace) -> Iterator[Figure]:
    yield from gateway.overhead()
    yield from gateway.at_once()
    for name, backend in sandboxes.working(PLACES):
        yield from gateway.relayed(name, backend)


def archives(options: argparse.Namespace) -> Iterator[Figure]:
    yield from archive.bytes_of_an_agent()
    yield from archive.speed(options.agents, options.tasks)


def memories(options: argparse.Namespace) -> Iterator[Figure]:
    yield from memory.kernel(options.proposals)


def clusters(options: argparse.Namespace) -> Iterator[Figure]:
    yield from nodes.throughput()


PARTS: Mapping[str, Callable[[argparse.Namespace], Iterator[Figure]]] = {
    "sandbox": sandbox,
    "generation": generations,
    "litellm": hosted,
    "throughput": throughput,
    "gateway": gateways,
    "archive": archives,
    "memory": memories,
    "nodes": clusters,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="NAME", help=f"of {', '.join(PARTS)}; all without")
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    parser.add_argument("--agents", type=int, default=100_000, help="of the large archive (100000)")
    parser.add_argument("--tasks", type=int, default=100, help="verdicts of each of its agents (100)")
    parser.add_argument("--proposals", type=int, default=memory.PROPOSALS, help="of the long run (300)")
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"{min(unknown)} is none of {', '.join(PARTS)}")
    if options.agents < 100 or options.tasks < 2 or options.proposals < 2:
        parser.error("give at least 100 agents, 2 tasks and 2 proposals")
    figures = []
    for name in options.parts or PARTS:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        for figure in PARTS[name](options):
            print(f"  {figure.key} {figure.value:.4g}", file=sys.stderr, flush=True)
            figures.append(figure)
    print(as_json(figures) if options.json else as_table(figures))


def as_json(figures: list[Figure]) -> str:
    """Keys to figures, and beside them the same keys to work, goals and loads."""
    told = {
        "figures": {f.key: float(f"{f.value:.4g}") for f in figures},
        "goals": {f.key: f.goal for f in figures if f.goal},
        "work": {f.key: f.work for f in figures},
        "load": {f.key: round(f.load, 1) for f in figures},
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
    }
    return json.dumps(told, indent=1)


def as_table(figures: list[Figure]) -> str:
    """In Markdown, as the README has it."""
    lines = [f"{os.cpu_count()} cores, Python {platform.python_version()}", ""]
    lines += ["| figure | measured | goal | load | work |", "|---|---|---|---|---|"]
    lines += [f"| {f.key} | {f.value:.4g} | {f.goal} | {f.load:.1f} | {f.work} |" for f in figures]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

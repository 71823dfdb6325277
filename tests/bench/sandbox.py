"""How fast sandboxes are: from nothing to a first verdict, a task in an open session, two hundred tasks in one.

    python -m tests.bench.sandbox                     every backend that works here, a table
    python -m tests.bench.sandbox docker --json       keys like first_verdict.docker.seconds

The task agent returns a constant, so what is measured is ours and not an agent's. Times are those of the kernel's
monotonic clock on this machine as busy as it is; its load stands beside them. `docker+warm` is docker with containers
that start ahead of need, when they have had time to.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from dgm.evaluation.session import AgentSession
from dgm.sandbox import Limits, Sandbox
from dgm.sandbox.bubblewrap import Bubblewrap
from dgm.sandbox.docker import Docker, from_environment
from dgm.sandbox.local import Local

OPENINGS, TASKS, AHEAD = 10, 200, 1
SETTLE_SECONDS = 2.0
"""What `docker+warm` is given before each opening, as a run would that lets an agent work."""

LIMITS = Limits(seconds=30.0)
GENOME = {
    "agent/task_agent.py": b"""
class TaskAgent:
    def __init__(self, model, chat_history_file):
        pass

    def forward(self, inputs):
        return "below", []
"""
}
BACKENDS: Mapping[str, Callable[[], Sandbox]] = {
    "docker": from_environment,
    "docker+warm": lambda: from_environment(ahead=AHEAD),
    "bubblewrap": Bubblewrap,
    "local": Local,
}


class Start:
    """How the genome above is started."""

    entry: str | None = "agent/task_agent.py:TaskAgent"
    command: tuple[str, ...] = ()
    packages = False


def measure(sandbox: Sandbox, settle: float) -> dict[str, float]:
    """Seconds: `first_verdict` (median of OPENINGS, and the worst), `task` (median of TASKS), `tasks_200` (all)."""
    firsts = []
    for _ in range(OPENINGS):
        time.sleep(settle)
        began = time.monotonic()
        with session(sandbox) as opened:
            ask(opened)
            firsts.append(time.monotonic() - began)
    with session(sandbox) as opened:
        ask(opened)
        began, each = time.monotonic(), []
        for _ in range(TASKS):
            at = time.monotonic()
            ask(opened)
            each.append(time.monotonic() - at)
        whole = time.monotonic() - began
    return {
        "first_verdict": statistics.median(firsts),
        "first_verdict_worst": max(firsts),
        "task": statistics.median(each),
        f"tasks_{TASKS}": whole,
    }


@contextmanager
def session(sandbox: Sandbox) -> Iterator[AgentSession]:
    with AgentSession(sandbox, GENOME, Start(), "agent", LIMITS) as opened:
        yield opened


def ask(opened: AgentSession) -> None:
    reply = opened.task({"x": 1}, {"kind": "label", "labels": ["above", "below"]}, {}, 7)
    if reply.prediction != "below":
        raise SystemExit(f"the task went wrong: {reply}")


def working(names: Sequence[str]) -> Iterator[tuple[str, Sandbox]]:
    """The backends of these names, or all; one that does not work here is left out with a word on why."""
    for name in names or BACKENDS:
        sandbox = BACKENDS[name]()
        trouble = sandbox.trouble() if isinstance(sandbox, (Bubblewrap, Docker)) else None
        if trouble is None:
            yield name, sandbox
        else:
            print(f"{name} does not work here: {trouble}", file=sys.stderr)
        if isinstance(sandbox, Docker):
            sandbox.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backends", nargs="*", metavar="BACKEND", help=f"of {', '.join(BACKENDS)}; all without")
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    given = parser.parse_args()
    if unknown := set(given.backends) - set(BACKENDS):
        parser.error(f"{min(unknown)} is no backend; they are {', '.join(BACKENDS)}")
    found = {}
    for name, sandbox in working(given.backends):
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        found[name] = measure(sandbox, SETTLE_SECONDS if "warm" in name else 0.0)
    load = os.getloadavg()[0]
    if given.json:
        keyed: dict[str, dict[str, dict[str, float]]] = {}
        for name, times in found.items():
            for what, seconds in times.items():
                keyed.setdefault(what, {})[name] = {"seconds": round(seconds, 4)}
        print(json.dumps({**keyed, "load": load}, indent=1))
        return
    print(f"load {load:.1f} on {os.cpu_count()} cores\n\n| backend | first verdict | worst | task | {TASKS} tasks |")
    print("|---|---|---|---|---|")
    for name, t in found.items():
        print(
            f"| {name} | {t['first_verdict'] * 1000:.0f} ms | {t['first_verdict_worst'] * 1000:.0f} ms "
            f"| {t['task'] * 1000:.1f} ms | {t[f'tasks_{TASKS}']:.2f} s |"
        )


if __name__ == "__main__":
    main()

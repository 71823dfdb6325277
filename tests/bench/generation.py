"""One generation as the published loop makes it: two meta calls, 10 + 10 staged tasks, then 100 train and 100 val tasks
of one call each, all answered at once; and how much of a slow model's time eight workers can use.

A generation is one proposal of a run whose root has been measured: its parent is selected, improved in a sandbox, the
child checked, evaluated and recorded. The staged tasks count among the 100, so there are 202 calls. Seconds are wall
clock; the processor seconds beside them hardly depend on how busy the machine is.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dgm import loop
from dgm.archive import Admission
from dgm.config import Models
from dgm.sitting import start
from dgm.sitting.run import Run
from tests.bench import asking
from tests.bench.figures import Figure, Timed, timed

TASKS, STAGED = 100, 10
SESSIONS = 3
CALLS = asking.META_CALLS + 2 * TASKS
TIMES, HOSTED_TIMES = 10, 3
MODEL, HOSTED = "m", "openai/m"
PRICE = "0.15/0.60"

GOALS = {"docker": 2.5, "bubblewrap": 1.5}
HOSTED_EXTRA = {"docker": 2.0, "bubblewrap": 0.5}

LATENCY, WORKERS, SLOW_TASKS = 0.2, 8, 50


def direct(backend: str) -> Iterator[Figure]:
    """With the server behind httpx."""
    with asking.server() as server:
        took = _generations(backend, server, _direct(server), TIMES)
    work = f"one generation: {CALLS} calls answered at once, {SESSIONS} sessions; median of {TIMES}"
    key, goal = f"generation.{backend}", f"<= {GOALS[backend]}" if backend in GOALS else ""
    yield Figure(f"{key}.seconds", statistics.median(t.seconds for t in took), work, goal)
    yield Figure(f"{key}.kernel_cpu.seconds", statistics.median(t.kernel for t in took), f"{work}; processor, kernel")
    yield Figure(
        f"{key}.sandbox_cpu.seconds", statistics.median(t.children for t in took), f"{work}; processor, its children"
    )


def hosted(backend: str) -> Iterator[Figure]:
    """With litellm as upstream, beside as many bare calls of litellm one after the other."""
    with asking.server() as server, _environment({"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": "sk-of-the-bench"}):
        bare = [_bare(CALLS)]
        took = _generations(backend, server, Models(agent=(HOSTED,), prices=(f"{HOSTED}={PRICE}",)), HOSTED_TIMES)
        bare.append(_bare(CALLS))
    seconds, alone = statistics.median(t.seconds for t in took), statistics.mean(bare)
    allowed = 1.5 * alone + HOSTED_EXTRA.get(backend, 0.0)
    work = f"one generation of {CALLS} calls through litellm; median of {HOSTED_TIMES}"
    key = f"generation.{backend}.litellm"
    yield Figure(f"{key}.seconds", seconds, work)
    yield Figure(f"{key}.bare.seconds", alone, f"{CALLS} bare litellm.completion calls, one after the other; mean of 2")
    extra = f"1.5 times the bare calls plus {HOSTED_EXTRA.get(backend, 0.0)} s"
    yield Figure(f"{key}.of_allowed.ratio", seconds / allowed, f"{work}, divided by {extra}", "<= 1")


def throughput(backend: str) -> Iterator[Figure]:
    """What latency alone allows: `WORKERS` calls at any time, each of which takes LATENCY."""
    with (
        asking.server(LATENCY) as server,
        tempfile.TemporaryDirectory() as folder,
        _run(Path(folder), backend, _direct(server), tasks=SLOW_TASKS, workers=WORKERS, sessions=1) as run,
    ):
        last, before = run.next_number() + WORKERS, server.calls()
        with timed() as took:
            loop.evolve(run, lambda _: None, lambda: run.next_number() >= last)
        calls = server.calls() - before
    possible = calls * LATENCY / WORKERS
    work = (
        f"{WORKERS} proposals in flight, {calls} calls of {LATENCY * 1000:.0f} ms: "
        f"{possible:.1f} s by latency alone, divided by what it took ({took.seconds:.1f} s)"
    )
    key = f"throughput.{backend}.latency_{LATENCY * 1000:.0f}ms.workers_{WORKERS}"
    yield Figure(f"{key}.ratio", possible / took.seconds, work, ">= 0.9")
    yield Figure(f"{key}.kernel_cpu.seconds", took.kernel, f"{work}; processor, kernel")


def _direct(server: asking.Server) -> Models:
    return Models(agent=(MODEL,), url=server.url, prices=(f"{MODEL}={PRICE}",))


def _generations(backend: str, server: asking.Server, models: Models, times: int) -> list[Timed]:
    found = []
    with (
        tempfile.TemporaryDirectory() as folder,
        _run(Path(folder), backend, models, tasks=TASKS, sessions=SESSIONS) as run,
    ):
        for _ in range(times):
            before = server.calls()
            with timed() as took:
                child = loop.step(run)
            found.append(took)
            if child.admission != Admission.ADMITTED or server.calls() - before != CALLS:
                raise SystemExit(
                    f"the generation was not the work it should be: {child}, {server.calls() - before} calls"
                )
    return found


@contextmanager
def _run(folder: Path, backend: str, models: Models, *, tasks: int, **place: Any) -> Iterator[Run]:
    made = asking.config(folder, backend, models, tasks=tasks, staged=STAGED, **place)
    with start.create(folder / "run", made, lambda _: None) as run:
        yield run


def _bare(calls: int) -> float:
    """Seconds of so many calls with litellm alone."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    def ask() -> None:
        litellm.completion(model=HOSTED, messages=[{"role": "user", "content": "is 1 above 2?"}], max_tokens=20)

    ask()  # the first one loads what litellm loads late
    with timed() as took:
        for _ in range(calls):
            ask()
    return took.seconds


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

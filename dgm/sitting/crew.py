"""Several proposals in flight: steady state, without generations.

A parent is selected whenever a worker is free, from what is recorded then; a slow child holds up nobody. Selections
are made in one thread, so that each can be derived again from what it saw; the rest of a proposal is a worker's.
Results depend on the order in which proposals end, unless there is one worker.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from dgm.archive import AgentRecord
from dgm.closing import on_failure
from dgm.gateway import BudgetSpent
from dgm.sitting.run import Run

A = TypeVar("A")
TURN = 0.2
"""Seconds after which it is looked whether the run is to stop."""


def evolve(
    run: Run,
    workers: int,
    begin: Callable[[Run], A],
    perform: Callable[[A, Run], AgentRecord | None],
    report: Callable[[AgentRecord], None],
    ended: Callable[[], str | None],
) -> str:
    """As `dgm.loop.evolve`. An error in any worker, and an interruption, ends what all others do."""
    flying: set[Future[AgentRecord | None]] = set()
    over: str | None = None
    with ThreadPoolExecutor(workers, thread_name_prefix="propose") as pool, on_failure(run.ongoing.abort):
        while True:
            while over is None and len(flying) < workers:
                over = ended()
                if over is None:
                    flying.add(pool.submit(perform, begin(run), run))
            if not flying:
                return over or "proposals"
            done, flying = wait(flying, TURN, FIRST_COMPLETED)
            for future in done:
                try:
                    if (made := future.result()) is not None:
                        report(made)
                except BudgetSpent:
                    over = "budget"

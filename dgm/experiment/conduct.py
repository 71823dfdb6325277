"""Making the runs of an experiment: so many processes at a time, each run after those that it begins with.

Kill it anywhere, and the same call goes on: a finished run is not made again, one that was cut off is taken up where
it was. The first run that fails ends the others in order, for what ails one mostly ails all.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from dgm.archive import database, lock
from dgm.errors import InfrastructureError, UserError
from dgm.experiment import worker
from dgm.experiment.check import check
from dgm.experiment.journal import FILE as JOURNAL
from dgm.experiment.journal import Journal
from dgm.experiment.plan import Plan, Planned, read

FILE = "experiment.toml"
PATIENCE = 60.0
"""Seconds for what a killed sitting left running, and for a run that is told to stop, to end."""


class Watch(Protocol):
    """Who is told how it goes."""

    def begin(self, run: Planned) -> None: ...

    def notice(self, run: Planned, line: str) -> None: ...

    def proposal(self, run: Planned, number: int) -> None: ...

    def end(self, run: Planned, why: str) -> None: ...

    def turn(self) -> None:
        """Called about once a second."""
        ...


@dataclass
class _Active:
    run: Planned
    process: BaseProcess
    began: float = field(default_factory=time.monotonic)


def refuse_other(folder: Path) -> None:
    """Raises UserError where a folder cannot be an experiment's, because something else is there."""
    for place in (folder, *folder.parents):
        if (place / database.NAME).is_file():
            raise UserError(f"--into: {place} is a run; name a folder of its own for the experiment")
        if place.exists() and not place.is_dir():
            raise UserError(f"--into: {place} is a file; choose another name")
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if not names & {FILE, JOURNAL} and any(name != lock.NAME and not name.startswith(".") for name in names):
        raise UserError(f"--into: {folder} exists and is no experiment; choose another name")


def refuse_fewer(plan: Plan, folder: Path, where: Path) -> None:
    """Raises UserError where runs of the folder have ended that the experiment had when it was made last, and that
    this plan leaves out. `where` is the plan's file."""
    kept = folder / FILE
    if not kept.is_file() or (recorded := read(kept, folder)).text == plan.text:
        return
    names, ended = {run.name for run in plan.runs}, Journal.of(folder).ended
    missing = [run for run in recorded.runs if run.name in ended and run.name not in names]
    if not missing:
        return
    gone = [variant for variant in recorded.variants if variant not in plan.variants]
    what = f"the variant {', '.join(gone)}" if gone else ", ".join(run.name for run in missing)
    raise UserError(
        f"{folder} has runs of another experiment than {where}, which leaves out {what}; give another name (--into), "
        f"or look at that one with `dgm experiment {kept} --into {folder} --table`"
    )


def left_out(plan: Plan, folder: Path) -> list[str]:
    """Names of the runs in the folder that have ended and that the plan has not."""
    names = {run.name for run in plan.runs}
    return [name for name in Journal.of(folder).ended if name not in names]


def left(plan: Plan, folder: Path) -> list[Planned]:
    """The runs that are still to be made, or to be gone on with. Raises UserError where the folder is not an
    experiment's, or a run in it was begun with another configuration."""
    refuse_other(folder)
    journal = Journal.of(folder)
    for run in plan.runs:
        journal.check(run)
    return [run for run in plan.runs if not journal.finished(run)]


def conduct(plan: Plan, folder: Path, processes: int, watch: Watch) -> None:
    """Make all runs that are not finished, once all have been checked. Raises what the first run that failed did, as
    UserError, JudgeFailed or InfrastructureError; UserError also where one could not be made, or where another process
    conducts an experiment in this folder."""
    waiting = left(plan, folder)
    check(waiting, folder)
    folder.mkdir(parents=True, exist_ok=True)
    held = lock.WriterLock(folder)
    try:
        _remember(plan, folder)
        if waiting:
            _Crew(folder, processes, watch).make(waiting, {run.name for run in plan.runs if run not in waiting})
    finally:
        held.release()


def _remember(plan: Plan, folder: Path) -> None:
    """Keep the file as it is now."""
    scratch = folder / f".{FILE}"
    scratch.write_text(plan.text, encoding="utf-8")
    scratch.replace(folder / FILE)


class _Crew:
    """The processes at work."""

    def __init__(self, folder: Path, processes: int, watch: Watch) -> None:
        self._folder, self._processes, self._watch = folder, processes, watch
        self._journal = Journal.of(folder)
        # Spawned, not forked: a fork copies locks that other threads may hold.
        self._context = multiprocessing.get_context("spawn")
        self._active: dict[Connection, _Active] = {}

    def make(self, waiting: Sequence[Planned], done: set[str]) -> None:
        waiting = list(waiting)
        try:
            while waiting or self._active:
                ready = [run for run in waiting if done.issuperset(run.needs)]
                for run in ready[: self._processes - len(self._active)]:
                    waiting.remove(run)
                    self._start(run)
                for pipe in wait(list(self._active), timeout=1.0):
                    assert isinstance(pipe, Connection)
                    if (finished := self._hear(pipe)) is not None:
                        done.add(finished.name)
                self._watch.turn()
        finally:
            self._stop()

    def _start(self, run: Planned) -> None:
        path = self._folder / run.name
        until = time.monotonic() + PATIENCE
        while lock.held(path) and time.monotonic() < until:
            time.sleep(worker.LOOK)  # its process of a killed sitting is about to end
        self._journal.begin(run)
        self._watch.begin(run)
        mine, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=worker.work, args=(path, run.config, theirs, os.getpid()), name=run.name)
        process.start()
        theirs.close()
        self._active[mine] = _Active(run, process)

    def _hear(self, pipe: Connection) -> Planned | None:
        """Take one message; the run, if it has ended with it."""
        active = self._active[pipe]
        try:
            kind, *told = pipe.recv()
        except EOFError:
            active.process.join()
            code = active.process.exitcode
            raise InfrastructureError(f"{active.run.name}: its process ended with exit code {code}") from None
        if kind == worker.NOTICE:
            self._watch.notice(active.run, told[0])
            return None
        if kind == worker.PROPOSAL:
            self._watch.proposal(active.run, told[0])
            return None
        active.process.join()
        del self._active[pipe]
        if kind == worker.FAILED:
            raise worker.FAULTS[told[0]](f"{active.run.name}: {told[1]}")
        if kind == worker.STOPPED or told[0] == "stopped":  # by `dgm stop`, or by a signal of its own
            raise KeyboardInterrupt
        self._journal.end(active.run, told[0], time.monotonic() - active.began)
        self._watch.end(active.run, told[0])
        return active.run

    def _stop(self) -> None:
        """End what is still at work, in order, and wait for it."""
        for active in self._active.values():
            active.process.terminate()
        until = time.monotonic() + PATIENCE
        for active in self._active.values():
            active.process.join(max(0.0, until - time.monotonic()))
            if active.process.is_alive():
                active.process.kill()
                active.process.join()

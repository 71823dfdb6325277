"""One sitting of a run, in a process that a test may kill: begun or gone on with, to its end or to a failpoint.

Imports no test library: it is loaded once, in the process from which all sittings are forked.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from dgm import config, loop
from dgm.archive import failpoints
from dgm.selection import published  # here, so that it is loaded before the fork
from dgm.sitting import start

__all__ = ["FORKED", "published", "sit"]

FORKED = multiprocessing.get_context("forkserver")
"""Sittings are processes of their own, forked from one that has imported everything and started no thread."""
FORKED.set_forkserver_preload([__name__])


def sit(archive: Path, file: Path, place: str, census: Path | None, said: Path) -> None:
    """Begin a run or go on with it, to its end or to the failpoint `place`; `census` lists the failpoints passed."""
    os.environ["DGM_FAILPOINT"] = place
    if census is not None:
        list_failpoints(census)
    with said.open("a") as out, redirect_stdout(out), redirect_stderr(out):
        there = (archive / "archive.db").exists()
        made = config.parse(file.read_text(), str(file))
        with start.reopen(archive, print) if there else start.create(archive, made, print) as run:
            loop.evolve(run, lambda _: None)
            loop.test(run)


def list_failpoints(into: Path) -> None:
    """Have this process write down the name of every failpoint it passes."""

    def passed(name: str) -> None:
        with into.open("a") as file:
            file.write(name + "\n")

    for module in list(sys.modules.values()):
        if module is not failpoints and getattr(module, "failpoint", None) is failpoints.failpoint:
            vars(module)["failpoint"] = passed

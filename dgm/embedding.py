"""A run from within another program: the same search as `dgm run` and `dgm resume`, without a terminal.

What a run is made of is said by its configuration alone, so that it is in the archive's `dgm.toml` and any later
sitting, in a program or on the command line, goes on with the same. Not covered: signals, progress bars and trackers,
which are the command line's; `on_agent` and `notice` take their place.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dgm import loop, results
from dgm.archive import AgentRecord, Archive
from dgm.config import RunConfig
from dgm.gateway import BudgetSpent
from dgm.genome.sources import archive_path
from dgm.results import Results
from dgm.sitting import start
from dgm.sitting.run import Run

OnAgent = Callable[[AgentRecord], None]
Notice = Callable[[str], None]


def open_archive(name: str | Path) -> Archive:
    """An archive for reading, also while another process writes it; to be closed, or used by `with`.

    A plain name means `archive/NAME`, as on the command line; a `Path` is taken as it is. Raises UserError.
    """
    return Archive.open(_path(name))


def evolve(
    name: str | Path,
    config: RunConfig | None = None,
    *,
    on_agent: OnAgent = lambda agent: None,
    notice: Notice = lambda line: None,
    stop: Callable[[], bool] = lambda: False,
    test: bool = True,
) -> str:
    """Make an archive, search, measure the chosen agents on test. Why it ended: `proposals`, `evaluations`, `seconds`,
    `patience`, `budget` or `stopped`.

    `config` is a run's configuration; its domains may be folders, and without one all is as `dgm run NAME` has it.
    `on_agent` gets the record of each proposal, one that failed as well, in the caller's thread; `notice` gets
    sentences for people; `stop` is asked before each proposal. With `test` false nothing is measured on test.

    Raises UserError before anything is written where something must be put right (a name that is taken, a domain or
    sandbox that is not there), JudgeFailed where a domain is at fault, InfrastructureError where this machine is: what
    was recorded stays, and `resume` goes on with it.
    """
    return _search(start.create(_path(name), config or RunConfig(), notice), on_agent, stop, test)


def resume(
    name: str | Path,
    *,
    proposals: int | None = None,
    evaluations: int | None = None,
    seconds: float | None = None,
    patience: int | None = None,
    usd: float | None = None,
    executor: str | None = None,
    workers: int | None = None,
    on_agent: OnAgent = lambda agent: None,
    notice: Notice = lambda line: None,
    stop: Callable[[], bool] = lambda: False,
    test: bool = True,
) -> str:
    """Go on with a run that was stopped, killed, or is to be longer; else as `evolve`.

    How long it is to be (`proposals` and `evaluations` in all, `seconds`, `patience`), what it may cost (`usd`) and
    where it is made (`executor`, `workers`) may be other than before, and stay so. Raises UserError also where the
    domains are no longer those that the run began with.
    """
    asked = {
        "proposals": proposals,
        "evaluations": evaluations,
        "seconds": seconds,
        "patience": patience,
        "usd": usd,
        "executor": executor,
        "workers": workers,
    }
    changes: dict[str, object] = {key: value for key, value in asked.items() if value is not None}
    return _search(start.reopen(_path(name), notice, changes), on_agent, stop, test)


def final_table(archive: Archive) -> Results:
    """The best agent of each domain and the one for all of them, chosen on val, with their scores on val and test.

    Of a running archive as well; a score is None where it was not measured.
    """
    return results.results(archive)


def _search(run: Run, on_agent: OnAgent, stop: Callable[[], bool], test: bool) -> str:
    with run:
        ended = loop.evolve(run, on_agent, stop)
        if test and ended != "stopped":
            try:
                loop.test(run)
            except BudgetSpent:
                return "budget"
    return ended


def _path(name: str | Path) -> Path:
    return name if isinstance(name, Path) else archive_path(name)

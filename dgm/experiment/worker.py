"""One run of an experiment, in a process of its own.

It ends when its parent tells it to (SIGTERM) and when its parent is gone, however that went; then it closes its
sandboxes in order, and what is recorded stays. Messages to the parent are tuples whose first word says what they are.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType

from dgm import embedding
from dgm.archive import database
from dgm.config import RunConfig
from dgm.errors import DgmError, InfrastructureError, JudgeFailed, UserError
from dgm.experiment.journal import limits

NOTICE, PROPOSAL, ENDED, STOPPED, FAILED = "notice", "proposal", "ended", "stopped", "failed"
FAULTS: tuple[type[DgmError], ...] = (UserError, JudgeFailed, InfrastructureError)
"""Whose fault a run's end may be; a message names one by its place."""
LOOK = 0.25
"""Seconds between two looks at whether the parent is still there."""

Tell = Callable[[str, str | int], None]


def work(path: Path, config: RunConfig, pipe: Connection, parent: int) -> None:
    """The process's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, _stop)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    try:
        pipe.send((ENDED, make(path, config, lambda kind, what: pipe.send((kind, what)))))
    except KeyboardInterrupt:
        pipe.send((STOPPED, ""))
    except FAULTS as fault:
        pipe.send((FAILED, next(i for i, kind in enumerate(FAULTS) if isinstance(fault, kind)), str(fault)))
    except BrokenPipeError:
        return  # the parent is gone


def make(path: Path, config: RunConfig, tell: Tell) -> str:
    """Make the run, or go on with it, its test measurements included; why it ended."""

    def notice(line: str) -> None:
        tell(NOTICE, line)

    if not (path / database.NAME).exists():
        return embedding.evolve(path, config, on_agent=lambda agent: tell(PROPOSAL, agent.id), notice=notice)
    asked = limits(config)
    return embedding.resume(path, **asked, on_agent=lambda agent: tell(PROPOSAL, agent.id), notice=notice)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK)
    os.kill(os.getpid(), signal.SIGTERM)

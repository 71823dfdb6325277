"""From an exception to one sentence on stderr and an exit code.

One of the two places that see every error of the program; it catches by name. What it does not know is a
defect of ours: it passes with its traceback, and the exit code is 1.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from dgm.errors import AgentFailed, DgmError, InfrastructureError, JudgeFailed, UserError, disk_is_full
from dgm.reporting.text import printable

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
MEANINGS = {
    DONE: "done",
    FAILED: "the run failed, or `verify` or `check` found something",
    USAGE: "a person must put something right; the one line on stderr says what",
    INTERRUPTED: "interrupted; `dgm resume` goes on",
}

_UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""Typer exports only this child of its usage errors, and the parent's module differs between its versions."""


def guarded(command: Callable[[], object]) -> int:
    """Run a command; its exit code. Errors of the four kinds are told in one line each."""
    try:
        code = command()
        sys.stdout.flush()
        return code if isinstance(code, int) else DONE
    except DgmError as error:
        return _tell(*sentence(error))
    except _UsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError" and (context := getattr(error, "ctx", None)) is not None:
            print(context.get_help())  # `dgm` alone, or a group of commands alone: the help is the answer
            return USAGE
        return _tell(_usage(error), USAGE)
    except BrokenPipeError:
        # The reader of our output went away, as `head` does; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        if not disk_is_full(error):
            raise
        where = f" at {error.filename}" if error.filename else ""
        return _tell(f"the disk is full{where}: free some space and try again", USAGE)
    except KeyboardInterrupt:
        return _tell("interrupted", INTERRUPTED)


def sentence(error: DgmError) -> tuple[str, int]:
    """What to say of an error, whose fault it is included, and the exit code."""
    if isinstance(error, UserError):
        return str(error), USAGE
    if isinstance(error, JudgeFailed):
        return f"the domain is at fault: {error}; mend its domain.py and start a new run", FAILED
    if isinstance(error, InfrastructureError):
        return (
            f"this machine is at fault, no agent: {error}; nothing recorded is lost, try again later",
            FAILED,
        )
    if isinstance(error, AgentFailed):
        return f"the agent is at fault ({error.status}): {error.reason}; choose another agent", FAILED
    return str(error), FAILED


class Stop:
    """How signals stop a command. While it is `gentle`, the first one only asks, and GRACE seconds later insists."""

    def __init__(self) -> None:
        self.gentle = False
        self.asked = False

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if not self.gentle or self.asked:
            raise KeyboardInterrupt
        self.asked = True
        signal.setitimer(signal.ITIMER_REAL, GRACE)
        os.write(2, b"dgm: stopping when what is nearly done is done; Ctrl-C again stops at once\n")

    def heeded(self) -> None:
        """It stops: nothing more insists, for what is still to come is that everything is closed in order."""
        signal.setitimer(signal.ITIMER_REAL, 0)


GRACE = 3.0
"""Seconds for what is cheap to finish."""


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Within it SIGTERM and a closed terminal stop as Ctrl-C does: sandboxes are closed in order."""
    stop = Stop()
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)}
    # A signal that the caller ignores stays ignored: so `nohup dgm run` outlives its terminal.
    before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}
    for number in before:
        signal.signal(number, stop)
    try:
        yield stop
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _usage(error: Exception) -> str:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    return f"{message.rstrip('.')}; see `{context.command_path if context else 'dgm'} --help`"


def _tell(text: str, code: int) -> int:
    print(f"dgm: {printable(' '.join(text.split()))}", file=sys.stderr)
    return code

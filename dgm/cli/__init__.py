"""The command line: `app` with its commands, and `main`, the console script.

Importing this imports typer and the standard library alone, so that `dgm --help` answers at once; each
command imports what it needs when it is called. What is printed of an agent goes through `text.printable`.
"""

from __future__ import annotations

import sys

import typer

from dgm.cli import (
    bench,
    browse,
    doctor,
    ensemble,
    experiment,
    export,
    importing,
    lists,
    mcp,
    measure,
    plot,
    run,
    sandbox,
    steer,
    view,
    watch,
)
from dgm.cli.errors import guarded

app = typer.Typer(
    name="dgm",
    help="Evolve software agents: codebases in git, kept in an archive, judged in sandboxes.",
    epilog="\b\nExample:\n  dgm run first --domain grading --proposals 20\n  dgm show first",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
_LOOKING = (browse, view, watch, plot, mcp)
for _module in (run, experiment, *_LOOKING, measure, ensemble, steer, export, importing, lists, bench, sandbox, doctor):
    app.add_typer(_module.app)


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed or found something, 2 wrong input, 130 stopped."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(guarded(lambda: app(prog_name="dgm", standalone_mode=False)))


__all__ = ["app", "main"]

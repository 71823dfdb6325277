"""`dgm watch`: follow a run that goes in another terminal, or on another machine that shares the folder."""

from __future__ import annotations

from typing import Annotated

import typer

from dgm.cli import naming, parameters

app = typer.Typer()


@app.command(epilog="\b\nExamples:\n  dgm watch first\n  dgm watch first | tee first.log")
def watch(
    name: parameters.Name,
    interval: Annotated[
        float, typer.Option("--interval", metavar="S", min=0.1, help="Seconds between two looks.")
    ] = 1.0,
) -> None:
    """Follow a run until it ends: a display on a terminal, a line per proposal in a pipe. Only reads."""
    from dgm.cli import following

    following.follow(naming.archive_of(name), interval)

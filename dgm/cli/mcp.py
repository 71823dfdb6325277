"""`dgm mcp`: archives as read-only tools for an assistant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command(epilog="\b\nExamples:\n  dgm mcp\n  dgm mcp runs/")
def mcp(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder of archives.")] = Path("archive"),
    every_split: Annotated[
        bool, typer.Option("--every-split", help="Show transcripts of val and test as well as train.")
    ] = False,
) -> None:
    """Serve a folder of archives as MCP tools on stdin and stdout: search agents, diff, transcript, scores.

    An assistant that also writes children for the run should not see val and test: that is why it does not.
    """
    from dgm.errors import UserError
    from dgm.exchange.mcp.server import serve
    from dgm.exchange.mcp.tools import Tools

    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; give the one that holds the archives")
    serve(Tools(folder, every_split))

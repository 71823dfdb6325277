"""`dgm view`: look at runs in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from dgm.cli import completion, naming

app = typer.Typer()

Where = Annotated[
    str | None,
    typer.Argument(
        metavar="[NAME]",
        help="An archive (archive/NAME, or a path), or a folder of archives. [archive/]",
        autocompletion=completion.archives,
    ),
]
Host = Annotated[
    str, typer.Option("--host", metavar="ADDRESS", help="Where to listen. Beyond this machine a token is asked for.")
]
Port = Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="Port; 0 takes a free one.")]
Names = Annotated[
    list[str] | None,
    typer.Option("--name", metavar="HOST", help="Another name under which browsers reach it; repeat for more."),
]
Browser = Annotated[bool, typer.Option("--open/--no-open", help="Open the page in your browser.")]


@app.command(epilog="\b\nExamples:\n  dgm view first\n  dgm view\n  dgm view first --host 0.0.0.0 --port 8000")
def view(
    name: Where = None,
    host: Host = "127.0.0.1",
    port: Port = 7860,
    server_name: Names = None,
    browser: Browser = False,
) -> None:
    """Look at runs in a browser, also while they go on, and steer them. Ctrl-C ends it."""
    from pathlib import Path

    from dgm.cli import printing
    from dgm.web import serve

    folder = Path("archive") if name is None else naming.archive_of(name)
    if name is not None and not folder.is_dir() and Path(name).is_dir():
        folder = Path(name)
    shelf, first = serve.shelf_for(folder)
    printing.say(f"reading {first}" if first else f"{len(shelf.names())} archives in {folder}")

    def ready(address: serve.Address) -> None:
        printing.say(f"open {address.url(first)} (Ctrl-C ends it)")

    serve.serve(shelf, first, host, port, tuple(server_name or ()), ready, browser)

"""Steering a run from another terminal: `pause`, `stop`, `pin`, `veto`, `note`, `fork`, `submit`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dgm.cli import naming, parameters

if TYPE_CHECKING:
    from dgm.steering import Request

app = typer.Typer()

Author = Annotated[str | None, typer.Option("--author", metavar="WHO", help="Who asks. [your login name]")]
Off = Annotated[bool, typer.Option("--off", help="Take it back.")]
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="A directory.")]


@app.command(epilog="\b\nExamples:\n  dgm pause first\n  dgm pause first --off")
def pause(name: parameters.Name, off: Off = False, author: Author = None) -> None:
    """Let a run that is going begin no further proposal; with --off it goes on."""
    _ask(name, "resume" if off else "pause", author=author)


@app.command(epilog="\b\nExample:\n  dgm stop first")
def stop(name: parameters.Name, author: Author = None) -> None:
    """End a run that is going after the proposal it is at; `dgm resume` goes on."""
    _ask(name, "stop", author=author)


@app.command(epilog="\b\nExamples:\n  dgm pin 'first#17' --proposals 3\n  dgm pin 'first#17' --off")
def pin(
    target: parameters.Agent,
    proposals: Annotated[int, typer.Option("--proposals", metavar="N", min=1, max=1000, help="How many.")] = 1,
    off: Off = False,
    author: Author = None,
) -> None:
    """Make the next proposals from this agent, whatever the selector would choose."""
    _ask(target, "unpin" if off else "pin", count=proposals, author=author)


@app.command(epilog="\b\nExamples:\n  dgm veto 'first#17'\n  dgm veto 'first#17' --off")
def veto(target: parameters.Agent, off: Off = False, author: Author = None) -> None:
    """Never choose this agent as a parent."""
    _ask(target, "unveto" if off else "veto", author=author)


@app.command(epilog="\b\nExamples:\n  dgm note 'first#17' 'overfits on long papers'\n  dgm note first 'for the talk'")
def note(
    target: parameters.NameOrAgent,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to remember.")],
    author: Author = None,
) -> None:
    """Write a note on an agent, or on the whole run."""
    _ask(target, "note", text=text, author=author)


@app.command(epilog="\b\nExample:\n  dgm fork 'first#17' mine/\n  dgm submit mine/ --summary 'shorter prompts'")
def fork(target: parameters.Agent, directory: Folder) -> None:
    """Write an agent's files into a new directory, to edit them and `dgm submit` them as its child."""
    from dgm.cli import printing
    from dgm.steering import submissions

    path, agent = naming.agent_of(target)
    written = submissions.fork(path, agent, directory)
    printing.say(f"{len(written)} files of {target} are in {directory}; edit them, then `dgm submit {directory}`")


@app.command(epilog="\b\nExamples:\n  dgm submit mine/ --summary 'shorter prompts'\n  dgm submit mine/ --to 'first#17'")
def submit(
    directory: Folder,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="NAME#ID", help="The parent. [the agent that was forked]"),
    ] = None,
    summary: Annotated[str, typer.Option("--summary", metavar="TEXT", help="What was changed, and why.")] = "",
    author: Author = None,
    json: parameters.RunJson = False,
) -> None:
    """Hand in an edited directory as an agent's child. It is checked and evaluated like any other.

    A run that is going makes it its next proposal; otherwise it is evaluated here and now.
    """
    from dgm.cli import outside
    from dgm.steering import submissions

    path, agent = naming.agent_of(to) if to is not None else submissions.origin(directory)
    asked, notices = submissions.submit(directory, path, agent, summary=summary, author=_author(author))
    outside.tell(path, agent, asked, notices, json)


def _ask(target: str, action: str, *, count: int = 1, text: str = "", author: str | None = None) -> None:
    """Ask a run for something, and say what came of it."""
    from dgm import steering
    from dgm.cli import printing

    path, agent = naming.agent_of(target) if "#" in target else (naming.archive_of(target), None)
    asked = steering.request(path, steering.Action(action), agent=agent, count=count, text=text, author=_author(author))
    printing.say(_said(target, asked))


def _said(target: str, asked: Request) -> str:
    when = "the run takes it up after the proposal it is at" if asked.waits else "recorded"
    return f"{target}: {asked.action}; {when}"


def _author(given: str | None) -> str:
    """What was given, else the login name, else nothing."""
    import getpass

    if given is not None:
        return given
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        return ""

"""Differences between agents, of one archive or of two, as text for `dgm diff`."""

from __future__ import annotations

from dgm.archive import Archive
from dgm.archive.diff import Work, file_diff
from dgm.cli.naming import agent_of
from dgm.errors import UserError
from dgm.reporting.text import printable


def between(first: str, second: str | None) -> str:
    """The patch from `first` to `second`; from its parent to `first` when there is no second.

    Raises UserError when an agent has no genome, or is a root without a second.
    """
    path, number = agent_of(first)
    with Archive.open(path) as archive:
        if second is None:
            parent = archive.agent(number).parent
            if parent is None:
                raise UserError(f"{first} is a root and has no parent; name a second agent to compare it with")
            return archive.diff(parent, number)
        other_path, other = agent_of(second)
        if other_path.resolve() == path.resolve():
            return archive.diff(number, other)
        mine = archive.files(number)
    with Archive.open(other_path) as archive:
        theirs = archive.files(other)
    paths, work = sorted({*mine, *theirs}), Work()
    return "".join(file_diff(path, mine.get(path), theirs.get(path), work) for path in paths)


def styled(line: str) -> tuple[str, str]:
    """A line of a patch made harmless, and the rich style it has on a terminal."""
    style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
    return printable(line, keep="\t"), "bold" if line.startswith(("diff ", "+++", "---")) else style

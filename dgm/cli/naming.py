"""How a command names an archive or an agent: `NAME`, `NAME#ID`, `NAME#best`, `NAME#growth`."""

from __future__ import annotations

from pathlib import Path

from dgm.errors import UserError


def archive_of(name: str) -> Path:
    """The folder of the archive `NAME`, which need not exist. Raises UserError for what can be no name."""
    from dgm.genome.sources import archive_path

    if "#" in name:
        raise UserError(f"{name!r} names an agent; an archive's name has no #")
    if name.strip() in ("", ".", "..") or not name.isprintable():
        raise UserError(f"{name!r} cannot be an archive's name; use letters, digits, - and _, for example my-run")
    return archive_path(name)


def agent_of(text: str) -> tuple[Path, int]:
    """The archive's folder and the agent's number of `ARCHIVE#ID`, `ARCHIVE#best` or `ARCHIVE#growth`. Raises
    UserError."""
    from dgm.genome.sources import agent_named

    name, number = agent_named(text)
    return archive_of(name), number

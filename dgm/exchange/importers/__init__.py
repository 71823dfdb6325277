"""Runs of other systems as archives: tree, patches as commits, scores, results task by task, logs.

Written afresh from what is known of their formats; no code of theirs. The source is only read. A piece that is missing
is named and the rest imported; an index that is damaged stops the import, and nothing is left.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dgm.errors import UserError
from dgm.exchange.importers import building, dgm, hyperagents
from dgm.exchange.importers.model import ForeignRun
from dgm.exchange.importers.source import Source

SYSTEMS: dict[str, Callable[[Source, Path | None], ForeignRun]] = {
    "hyperagents": hyperagents.read,
    "dgm": dgm.read_dgm,
    "hgm": dgm.read_hgm,
}
"""What can be imported, by the name that the command takes."""


def import_run(
    system: str,
    folder: Path,
    target: Path,
    root: Path | None = None,
    tell: building.Tell = lambda done, total: None,
) -> tuple[int, list[str]]:
    """Make an archive at `target` of a run in `folder`; how many agents it has, and what was missing, a line each.

    `root` is a folder with the first agent's source, where the run does not hold it. Raises UserError for a folder
    that is no such run or is damaged, and leaves nothing then.
    """
    if root is not None and not root.is_dir():
        raise UserError(f"--root: {root} is not a directory")
    source = Source(folder)
    run = SYSTEMS[system](source, root)
    return building.build(source, run, target, tell), source.notices


__all__ = ["SYSTEMS", "import_run"]

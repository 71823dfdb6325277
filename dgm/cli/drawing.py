"""From the arguments of `dgm plot` to a file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from dgm import plots
from dgm.archive import Archive
from dgm.cli import writing
from dgm.cli.naming import archive_of
from dgm.errors import UserError
from dgm.experiment import conduct, figures


def draw(names: Sequence[str], kind: str, file: Path, domain: str | None, force: bool) -> None:
    """Draw and write. Raises UserError for a file that cannot be, before anything is read."""
    if file.suffix.lower() not in plots.ENDINGS:
        raise UserError(f"{file.name} must end in {', '.join(plots.ENDINGS)}")
    writing.check([file], force)
    folder = archive_of(names[0].rpartition("=")[2])
    with ExitStack() as stack:
        if len(names) == 1 and (folder / conduct.FILE).is_file():
            figure = figures.draw(folder, kind, domain)
        elif kind == "gains":
            raise UserError(f"gains is a figure of an experiment, and {names[0]} is none; see `dgm experiment --help`")
        elif kind == "compare":
            groups: dict[str, list[Archive]] = {}
            for name in names:
                variant, mark, run = name.partition("=")
                archive = stack.enter_context(Archive.open(archive_of(run if mark else name)))
                groups.setdefault(variant if mark else archive.name, []).append(archive)
            figure = plots.compare(list(groups.items()), domain)
        else:
            if len(names) > 1:
                raise UserError(f"{kind} is a figure of one run; give one NAME, or --kind compare")
            figure = plots.draw(stack.enter_context(Archive.open(archive_of(names[0]))), kind, domain)
        plots.save(figure, file)

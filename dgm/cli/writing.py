"""Files that commands write where the user says: whether they can be, and what is there is not lost unasked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from dgm.errors import UserError

Force = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")]


def check(files: Iterable[Path], force: bool) -> None:
    """Raises UserError for a file that cannot be written, or that is there and is not to be overwritten."""
    for file in files:
        if not file.parent.is_dir() or file.is_dir():
            raise UserError(f"{file} cannot be written: its folder is not there, or it is one itself")
        if file.exists() and not force:
            raise UserError(f"{file} is there already; choose another name, or overwrite it with --force")

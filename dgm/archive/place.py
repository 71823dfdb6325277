"""A folder on the disk: whether it holds an archive, or may become one, and in a sentence why not.

Not covered: who writes it (`lock`), and whether what it holds is sound (`database`, `verify`).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from dgm.archive import database, foreign
from dgm.errors import UserError

CONFIG = "dgm.toml"
GENOMES = "genomes.git"
LOGS = "logs"


def check_is_archive(path: Path) -> None:
    """Raises UserError where there is none at `path`, or one that is damaged or newer."""
    if not path.exists():
        raise UserError(f"there is no archive at {path}; `dgm run {path.name}` makes one")
    if (path / "experiment.toml").is_file():
        runs = sorted(found.parent.name for found in path.glob(f"*/{database.NAME}"))
        told = ", ".join(runs[:4]) or "none is made yet"
        raise UserError(f"{path} is an experiment; name one of its runs: {told}")
    if not (path / database.NAME).is_file():
        raise UserError(f"{path} is no archive: it holds no {database.NAME}; give the folder of a run")
    database.check_is_archive(path)


def check_is_free(path: Path) -> None:
    """Raises UserError if an archive cannot be made at `path` because something is there."""
    if (path / database.NAME).exists():
        raise UserError(f"{path} exists; choose another name or `dgm resume {path.name}`")
    if path.is_dir() and any(path.iterdir()):
        raise UserError(f"{path} exists and is no archive; choose another name")
    if path.exists() and not path.is_dir():
        raise UserError(f"{path} is a file; choose another name")


def rename(staging: Path, path: Path) -> None:
    """Give a folder its name. Raises UserError where something came there first."""
    try:
        staging.rename(path)
    except OSError:
        check_is_free(path)
        raise


def read_config(path: Path) -> str:
    """The text of an archive's configuration. Raises UserError."""
    with suppress(OSError, UnicodeDecodeError):
        foreign.check_plain(path / CONFIG)
        return (path / CONFIG).read_text(encoding="utf-8")
    raise UserError(f"{path / CONFIG} is missing or unreadable; restore a copy of the archive")

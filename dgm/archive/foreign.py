"""What somebody else may have put into an archive's folder so that opening it reaches out of that folder.

An archive that was handed over is data. Two of its files can be more: a link makes a writer change what it points at,
and a rollback journal may name a file that SQLite then removes. Not covered: what the rows and genomes hold, which
is checked where it is read; git's own configuration, which is never followed (`dgm.archive.git`).
"""

from __future__ import annotations

import os
from pathlib import Path

from dgm.errors import UserError

_FOLDERS = ("", "logs", "genomes.git", "genomes.git/objects", "genomes.git/refs", "genomes.git/refs/agents")
"""Those in which a writer makes, replaces or removes files."""
_MAGIC = bytes.fromhex("d9d505f920a163d7")


def check_links(archive: Path) -> None:
    """Before anything is written. Raises UserError where a file or folder that is an archive's is a link."""
    for name in _FOLDERS:
        folder = archive / name
        if not folder.is_dir():
            continue
        with os.scandir(folder) as entries:
            link = next((entry.name for entry in entries if entry.is_symlink()), None)
        if link is not None:
            raise UserError(
                f"{folder / link} is a link, and what it points at would be changed; put there what it points at"
            )


def check_journal(database: Path) -> None:
    """Before a database is opened so that SQLite may take a half-written transaction back.

    A journal may end in the name of another one, which SQLite removes when all is done, whatever file that is (its
    file format, section "The Super-Journal"). No dgm writes such. Raises UserError.
    """
    journal = database.with_name(database.name + "-journal")
    try:
        with journal.open("rb") as file:
            file.seek(max(0, journal.stat().st_size - len(_MAGIC)))
            end = file.read(len(_MAGIC))
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f"{journal} cannot be read: {error.strerror}") from error
    if end == _MAGIC:
        raise UserError(f"{journal} names a file that is to be removed, which no dgm writes; remove the journal")

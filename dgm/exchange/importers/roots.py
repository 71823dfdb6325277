"""The source of a foreign run's first agent, read from a checkout on disk. git is never run in it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from dgm.errors import UserError
from dgm.exchange.importers.source import Source
from dgm.genome import check_name

MAX_FILE = 1_000_000
MAX_FILES = 20_000
MAX_TOTAL = 200_000_000


def read(root: Path, source: Source, skip: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The regular files below `root`; links, git's own, caches and the folders in `skip` are left out, oversize files
    with a notice each."""
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        parts = name.split("/")
        if {".git", "__pycache__"} & set(parts) or path.suffix == ".pyc" or (skip and name.startswith(skip)):
            continue
        parents = [root.joinpath(parent) for parent in list(PurePosixPath(name).parents)[:-1]]
        if path.is_symlink() or any(parent.is_symlink() for parent in parents) or not path.is_file():
            continue
        if (why := check_name(name)) is not None:
            source.miss(f"the file {name!r} of the first agent {why}; it is left out")
        elif path.stat().st_size > MAX_FILE:
            source.miss(f"the file {name} of the first agent has more than {MAX_FILE} bytes; it is left out")
        else:
            files[name] = path.read_bytes()
            total += len(files[name])
        if len(files) > MAX_FILES or total > MAX_TOTAL:
            raise UserError(f"{root} holds more than {MAX_FILES} files or {MAX_TOTAL} bytes; give a smaller --root")
    return files

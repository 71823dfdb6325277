"""Real data on the user's machine: `dgm domain fetch` gets a data set that a domain's card describes.

Each file has a pinned address and, where it is known, a SHA-256: a file with another digest is refused. Where the
card has none, the digest found is told, and the domain's loader checks the format. With `--from` nothing is
downloaded: the same files, or an unpacked copy of an archive, are taken from a folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dgm.domains.fetch import table
from dgm.domains.fetch.card import Card, Part, cards
from dgm.domains.fetch.download import Progress, download, sha256
from dgm.domains.fetch.unpack import chosen, unpack
from dgm.errors import UserError


@dataclass(frozen=True, slots=True)
class Fetched:
    """One part that is there now. `known` says whether the card knew its digest (and it was right)."""

    path: Path
    sha256: str
    known: bool


def fetch(
    card: Card,
    into: Path,
    source: Path | None = None,
    notice: Callable[[str], None] = lambda _: None,
    progress: Progress = lambda *_: None,
) -> list[Fetched]:
    """Get every part of a data set into a folder; parts that are there and right are kept.

    Raises UserError for a missing or altered file, before anything of it is unpacked.
    """
    found = []
    for part in card.parts:
        found.append(_part(part, into, source, notice, progress))
        if part.columns:
            notice(f"{table.as_lines(into / part.path, part.columns, into / card.load)} rows turned into JSON lines")
    return found


def _part(part: Part, into: Path, source: Path | None, notice: Callable[[str], None], progress: Progress) -> Fetched:
    target = into / part.path
    if source is not None and part.unpack and not (source / part.path).is_file():
        return _copied_tree(part, source, into)
    if source is not None:
        given = source / part.path
        given = given if given.is_file() else source / given.name
        if not given.is_file():
            raise UserError(f"{source} has no {part.path}; --from must name a folder that holds it")
        _digest(given, part)  # first: a wrong copy must not replace what is there
        if given.resolve() != target.resolve():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(given, target)
    elif not target.is_file():
        notice(part.address)
        download(part.address, target, progress)
    digest = _digest(target, part)
    if part.unpack:
        notice(f"{unpack(target, part.unpack, into)} files unpacked")
    return Fetched(target, digest, part.sha256 is not None)


def _digest(path: Path, part: Part) -> str:
    """Raises UserError where it is known and another one."""
    digest = sha256(path)
    if part.sha256 is not None and digest != part.sha256:
        raise UserError(
            f"{path} has the SHA-256 {digest}, and {part.sha256} is due: it was altered or cut short; "
            "delete it and fetch it again"
        )
    return digest


def _copied_tree(part: Part, source: Path, into: Path) -> Fetched:
    """From a folder that holds what the archive would: the wanted files, regular ones alone."""
    count = 0
    for path in sorted(source.rglob("*")):
        inner = PurePosixPath(path.relative_to(source).as_posix())
        if chosen(inner, part.unpack) and path.is_file() and not path.is_symlink():
            target = into / inner
            if target.resolve() != path.resolve():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            count += 1
    if not count:
        raise UserError(f"{source} has neither {part.path} nor {', '.join(part.unpack)}; --from must name a copy of it")
    return Fetched(into, "", False)


__all__ = ["Card", "Fetched", "Part", "cards", "fetch"]

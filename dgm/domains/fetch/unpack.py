"""Takes wanted files out of a tar archive. Only regular files, below the target, within caps; nothing else is made.

Not covered: what is in the files.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from dgm import tar
from dgm.errors import UserError, disk_is_full

MAX_FILES, MAX_BYTES = 50_000, 2 << 30
MAX_READ = 16 << 30
"""Bytes that an archive may unpack to, what is not wanted included."""
_OPENERS: dict[bytes, Callable[..., Any]] = {b"\x1f\x8b": gzip.open, b"BZ": bz2.open, b"\xfd7": lzma.open}
_CHUNK = 1 << 16


def unpack(archive: Path, wanted: Sequence[str], into: Path) -> int:
    """Write the wanted files and folders (paths below the archive's top folder) below `into`; how many files.

    Links, devices and names that leave the folder are skipped. Raises UserError for what is no archive, has none of
    the files or too much of them.
    """
    count = size = 0
    try:
        with _plain(archive) as plain:
            for member, content in tar.members(plain, MAX_READ):
                inner = PurePosixPath(*PurePosixPath(member.name).parts[1:])
                if content is None or not chosen(inner, wanted):
                    continue
                count, size = count + 1, size + member.size
                if count > MAX_FILES or size > MAX_BYTES:
                    raise UserError(
                        f"{archive} holds more than {MAX_FILES} files or {MAX_BYTES >> 30} GB; not unpacked"
                    )
                target = into / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    shutil.copyfileobj(content, file, _CHUNK)
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, ValueError, OSError) as error:
        if disk_is_full(error):
            raise
        raise UserError(f"{archive} is no sound tar archive ({error}); delete it and fetch it again") from None
    if not count:
        raise UserError(f"{archive} has none of {', '.join(wanted)}; is it the right archive?")
    return count


def chosen(path: PurePosixPath, wanted: Sequence[str]) -> bool:
    """Whether a relative path is, or lies below, one of the wanted ones, and does not leave its folder."""
    if path.is_absolute() or ".." in path.parts or not path.parts:
        return False
    return any(path.is_relative_to(want) for want in wanted)


@contextmanager
def _plain(archive: Path) -> Iterator[IO[bytes]]:
    with archive.open("rb") as file:
        opener = _OPENERS.get(file.read(2))
        file.seek(0)
        if opener is None:
            yield file
        else:
            with opener(file) as plain:
                yield plain

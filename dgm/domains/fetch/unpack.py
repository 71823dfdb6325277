"""Takes wanted files out of a tar archive. Only regular files, below the target, within caps; nothing else is made."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from dgm.errors import UserError

MAX_FILES, MAX_BYTES = 50_000, 2 << 30


def unpack(archive: Path, wanted: Sequence[str], into: Path) -> int:
    """Write the wanted files and folders (paths below the archive's top folder) below `into`; how many files.

    Links, devices and names that leave the folder are skipped. Raises UserError for what is no archive, has none of
    the files or too much of them.
    """
    count = size = 0
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                inner = PurePosixPath(*PurePosixPath(member.name).parts[1:])
                if not member.isreg() or not chosen(inner, wanted):
                    continue
                count, size = count + 1, size + member.size
                if count > MAX_FILES or size > MAX_BYTES:
                    raise UserError(
                        f"{archive} holds more than {MAX_FILES} files or {MAX_BYTES >> 30} GB; not unpacked"
                    )
                stream = tar.extractfile(member)
                if stream is not None:
                    target = into / inner
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(stream.read())
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise UserError(f"{archive} is no sound tar archive ({error}); delete it and fetch it again") from None
    if not count:
        raise UserError(f"{archive} has none of {', '.join(wanted)}; is it the right archive?")
    return count


def chosen(path: PurePosixPath, wanted: Sequence[str]) -> bool:
    """Whether a relative path is, or lies below, one of the wanted ones, and does not leave its folder."""
    if path.is_absolute() or ".." in path.parts or not path.parts:
        return False
    return any(path.is_relative_to(want) for want in wanted)

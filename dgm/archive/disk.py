"""Writing files so that each is there whole or not at all, and saying in a sentence why one cannot be
written.

Not covered: which files belong together. The order of writes is the business of `dgm.archive.Archive.record`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dgm.archive.failpoints import failpoint
from dgm.errors import UserError, disk_is_full

_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


def write_whole(path: Path, data: bytes, temporary: Path, mode: int = 0o644) -> None:
    """Write `data` to `temporary`, on the same file system, force it to disk and rename it to `path`."""
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        failpoint("file-unnamed")
        temporary.rename(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def sync_directory(path: Path) -> None:
    """Force the names in a directory to disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class DiskFull(UserError):
    """What an archive holds stays valid; the next writer clears what was begun."""

    def __init__(self, archive: Path, remedy: str) -> None:
        super().__init__(f"the disk is full: {archive} cannot grow; free some and {remedy}")


@contextmanager
def disk_errors(archive: Path, remedy: str = "") -> Iterator[None]:
    """Turn what a person must fix, a full or read-only disk or missing rights, into a UserError.

    `remedy` is what to do after making room; by default, to resume the run.
    """
    remedy = remedy or f"`dgm resume {archive.name}`"
    try:
        yield
    except DiskFull as error:
        raise DiskFull(archive, remedy) from error
    except OSError as error:
        if disk_is_full(error):
            raise DiskFull(archive, remedy) from error
        if error.errno in _NOT_ALLOWED:
            raise UserError(f"{error.filename or archive} cannot be written: {error.strerror}") from error
        raise

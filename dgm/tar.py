"""Members of a tar archive that somebody else made, one after the other and by the piece.

The archive is read once and to its end, where the checksum of a compressed one stands. Neither a header nor a file of
it is held in memory. Not covered: what names mean and what is in the files; nothing is written here.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import IO, cast

HEADERS = 1 << 20
"""Bytes of tar's own that may stand between two members, or after the last; tar reads them in one piece."""
_CHUNK = 1 << 16


def members(plain: IO[bytes], most: int) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """Every member with its content, to be read before the next one is asked for; None for one that is no regular file.

    `plain` is the archive without its compression, of which at most `most` bytes are read. Raises tarfile.TarError, and
    whatever reading `plain` raises.
    """
    stream = _Bounded(plain, most)
    with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as tar:
        for member in tar:
            stream.left = member.size + HEADERS
            yield member, tar.extractfile(member) if member.isreg() else None
    stream.left = HEADERS
    while stream.read(_CHUNK):
        pass


class _Bounded:
    """A stream that gives `left` more bytes, and so many in all; raises tarfile.ReadError for one more."""

    def __init__(self, stream: IO[bytes], whole: int) -> None:
        self._stream, self._whole = stream, whole
        self.left = HEADERS

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self.left -= len(data)
        self._whole -= len(data)
        if self.left < 0 or self._whole < 0:
            raise tarfile.ReadError("it goes on without end")
        return data

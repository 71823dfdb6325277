"""The genomes of an archive as one file that git reads: `git clone genomes.bundle`, `git bundle list-heads`.

Format: git's documentation of bundles (version 2) and packs (version 2). Written here and not by git, so that the same
objects give the same bytes: sorted by hash, each whole and compressed alike. For the same reason only such packs are
read back; one with deltas, as git itself writes them, is refused. Every object's hash is worked out again.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from dgm.archive.store import MAX_OBJECT, GitStore
from dgm.errors import UserError

_HEAD = b"# v2 git bundle\n"
_KINDS = {"commit": 1, "tree": 2, "blob": 3}
_NAMES = {number: kind for kind, number in _KINDS.items()}
_REF = re.compile(r"([0-9a-f]{40}) (refs/agents/([0-9]{1,15})|refs/tags/([A-Za-z0-9_.-]+))")
_CHUNK = 1 << 16


def write(store: GitStore, file: BinaryIO) -> int:
    """Write all that agents and tags refer to; how many objects that is."""
    refs = {f"refs/agents/{agent}": commit for agent, commit in store.refs().items()}
    refs |= {f"refs/tags/{name}": commit for name, commit in store.tags().items()}
    file.write(_HEAD)
    file.writelines(f"{commit} {name}\n".encode() for name, commit in sorted(refs.items()))
    file.write(b"\n")
    kept = store.kept()
    total = hashlib.sha1(usedforsecurity=False)

    def put(data: bytes) -> None:
        total.update(data)
        file.write(data)

    put(b"PACK" + struct.pack(">II", 2, len(kept)))
    for sha, kind in kept.items():
        content = store.content(sha, kind)
        put(_object_head(_KINDS[kind], len(content)) + zlib.compress(content, 6))
    file.write(total.digest())
    return len(kept)


def read(path: Path, store: GitStore) -> None:
    """Put a bundle's objects and refs into an empty store. Raises UserError when it is damaged or has deltas."""
    try:
        with path.open("rb") as file:
            refs = list(_refs(file))
            for kind, content in _objects(file):
                store.add(kind, content)
    except (zlib.error, struct.error, IndexError, ValueError) as error:
        raise UserError(f"{path.name} is damaged ({error}); export the archive again") from None
    for commit, agent, tag in refs:
        if tag:
            store.tag(tag, commit)
        else:
            store.set_ref(int(agent), commit)


def _refs(file: BinaryIO) -> Iterator[tuple[str, str, str]]:
    """Commit, agent and tag, one of them empty."""
    if file.readline(100) != _HEAD:
        raise ValueError("it is no git bundle of version 2")
    while (line := file.readline(1000)) != b"\n":
        found = _REF.fullmatch(line.decode("ascii").rstrip("\n"))
        if found is None:
            raise ValueError("it names a ref that is no agent's and no tag")
        yield found[1], found[3] or "", found[4] or ""


def _objects(file: BinaryIO) -> Iterator[tuple[str, bytes]]:
    reader = _Reader(file)
    if reader.take(4) != b"PACK":
        raise ValueError("it holds no pack")
    version, count = struct.unpack(">II", reader.take(8))
    if version != 2:
        raise ValueError(f"its pack has version {version}")
    for _ in range(count):
        kind, size = reader.head()
        if kind not in _NAMES or size > MAX_OBJECT:
            raise ValueError("its pack holds deltas or objects too big; only what `dgm export` writes is read")
        yield _NAMES[kind], reader.inflate(size)
    total = reader.total.digest()
    if reader.take(20) != total:
        raise ValueError("its checksum is wrong")


class _Reader:
    """Bytes of a file in order, with a checksum over those taken."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._held = b""
        self.total = hashlib.sha1(usedforsecurity=False)

    def take(self, count: int) -> bytes:
        while len(self._held) < count:
            self._more()
        taken, self._held = self._held[:count], self._held[count:]
        self.total.update(taken)
        return taken

    def head(self) -> tuple[int, int]:
        """Kind and size of the object that follows."""
        byte = self.take(1)[0]
        kind, size, shift = (byte >> 4) & 7, byte & 15, 4
        while byte & 0x80:
            byte = self.take(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if shift > 60:
                raise ValueError("an object's size is none")
        return kind, size

    def inflate(self, size: int) -> bytes:
        stream = zlib.decompressobj()
        data = b""
        while not stream.eof:
            if not self._held:
                self._more()
            piece = self._held
            data += stream.decompress(piece, size + 1 - len(data))
            left = stream.unused_data if stream.eof else stream.unconsumed_tail
            self.total.update(piece[: len(piece) - len(left)])
            self._held = left
            if len(data) > size or (left and not stream.eof and len(data) >= size + 1):
                raise ValueError("an object is longer than it says")
        if len(data) != size:
            raise ValueError("an object is shorter than it says")
        return data

    def _more(self) -> None:
        piece = self._file.read(_CHUNK)
        if not piece:
            raise ValueError("it ends too early")
        self._held += piece


def _object_head(kind: int, size: int) -> bytes:
    head = [kind << 4 | size & 15]
    size >>= 4
    while size:
        head[-1] |= 0x80
        head.append(size & 0x7F)
        size >>= 7
    return bytes(head)

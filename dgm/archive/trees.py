"""git's tree and commit objects, as bytes: built from files, taken apart again. Pure; nothing is read or
written.

Format: git's documentation of the object database. Only regular files (mode 100644) are ever built; whatever
else a foreign tree holds (links, submodules) is passed over when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from dgm.domain import Files

FILE = b"100644"
TREE = b"40000"
_FILES = {b"100644", b"100755", b"100664"}
MAX_DEPTH = 64

Node: TypeAlias = "dict[str, bytes | Node]"
"""A directory: name to content or to a directory."""

# Names that git or a file system that folds names takes for something of git's own.
_RESERVED = {".git", "git~1", ".gitmodules", ".gitattributes"}
_IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a tree object; `sha` is hexadecimal."""

    mode: bytes
    name: bytes
    sha: str

    @property
    def is_tree(self) -> bool:
        return self.mode in (TREE, b"040000")

    @property
    def is_file(self) -> bool:
        return self.mode in _FILES


@dataclass(frozen=True, slots=True)
class Commit:
    """The parts of a commit object that the archive uses."""

    tree: str
    parents: tuple[str, ...]
    message: str


def nested(files: Files) -> Node:
    """Files by path as directories. Raises ValueError for a path that a tree cannot hold."""
    root: Node = {}
    for path, data in files.items():
        parts = path.split("/")
        if len(parts) > MAX_DEPTH:
            raise ValueError(f"{path!r} is nested too deeply")
        for part in parts:
            _check_name(part, path)
        node = root
        for part in parts[:-1]:
            below = node.setdefault(part, {})
            if not isinstance(below, dict):
                raise ValueError(f"{path!r} lies below a file")
            node = below
        if parts[-1] in node:
            raise ValueError(f"{path!r} is a file and a directory")
        node[parts[-1]] = data
    return root


def _check_name(name: str, path: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{path!r} is not valid Unicode") from None
    if name in ("", ".", "..") or "\0" in name:
        raise ValueError(f"{path!r} is no path of a file")
    for piece in name.split("\\"):
        folded = _IGNORED_BY_HFS.sub("", piece).split(":")[0].rstrip(" .").casefold()
        if folded in _RESERVED:
            raise ValueError(f"{path!r} has a name that means something to git")


def encode_tree(entries: Sequence[Entry]) -> bytes:
    """The tree object's content: in git's order, where a directory sorts as if its name ended in a slash."""
    ordered = sorted(entries, key=lambda entry: entry.name + b"/" if entry.is_tree else entry.name)
    return b"".join(b"%s %s\0%s" % (entry.mode, entry.name, bytes.fromhex(entry.sha)) for entry in ordered)


@lru_cache(maxsize=4096)
def _check_read(name: bytes) -> None:
    text = name.decode(errors="backslashreplace")
    if "/" in text:
        raise ValueError(f"{text!r} is no name of a file")
    _check_name(text, text)


def decode_tree(data: bytes) -> list[Entry]:
    """The lines of a tree object. Raises ValueError when it is none, or names what would not be a file in a folder."""
    entries, at = [], 0
    while at < len(data):
        space = data.index(b" ", at)
        end = data.index(b"\0", space)
        if end + 21 > len(data):
            raise ValueError("a tree object ends within an entry")
        _check_read(data[space + 1 : end])
        entries.append(Entry(data[at:space], data[space + 1 : end], data[end + 1 : end + 21].hex()))
        at = end + 21
    if len({entry.name for entry in entries}) < len(entries):
        raise ValueError("a tree object has a name twice")
    return entries


def encode_commit(commit: Commit, author: str, when: float) -> bytes:
    """The commit object's content; `when` in seconds since 1970, told in UTC."""
    signature = f"{author} {int(when)} +0000"
    lines = [f"tree {commit.tree}", *(f"parent {parent}" for parent in commit.parents)]
    lines += [f"author {signature}", f"committer {signature}", "", commit.message.rstrip("\n") + "\n"]
    return "\n".join(lines).encode()


def decode_commit(data: bytes) -> Commit:
    """Raises ValueError when it is no commit object."""
    head, _, message = data.partition(b"\n\n")
    fields = [line.split(b" ", 1) for line in head.split(b"\n")]
    trees = [line[1].decode() for line in fields if line[0] == b"tree" and len(line) == 2]
    parents = tuple(line[1].decode() for line in fields if line[0] == b"parent" and len(line) == 2)
    if len(trees) != 1:
        raise ValueError("a commit object names no tree")
    return Commit(trees[0], parents, message.decode(errors="replace"))

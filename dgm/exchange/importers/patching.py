"""Applying a unified diff to files in memory, without git and without `patch`: nothing a foreign folder holds is run.

Read are the forms that `git diff` and `diff -u` write: new, deleted and renamed files, quoted names, a missing newline
at the end. A hunk is looked for where it says, then nearby, up and down; its context must agree to the byte (no fuzz).
Not covered: binary patches and links, which are refused; file modes are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dgm.genome import check_name

MAX_SHIFT = 1_000
"""Lines by which a hunk may stand elsewhere than it says."""
_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_NO_END = b"\\"


class CannotApply(Exception):
    """The patch does not fit the files, or is none; the message says where."""


@dataclass
class Hunk:
    """Lines with their ends: what is there before, and what after."""

    at: int  #: index of its first old line
    old: list[bytes] = field(default_factory=list)
    new: list[bytes] = field(default_factory=list)


@dataclass
class FilePatch:
    """What happens to one file. A name is None where there is none before or after."""

    old: str | None = None
    new: str | None = None
    hunks: list[Hunk] = field(default_factory=list)


def apply(files: Mapping[str, bytes], patch: bytes, skip: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The files after the patch (`-p1`). Paths below a folder of `skip` are left as they are. Raises CannotApply."""
    result = dict(files)
    for change in parse(patch):
        name = change.new or change.old
        if name is None:
            raise CannotApply("a part of the patch names no file")
        for path in (change.old, change.new):
            if path is not None and (why := check_name(path)) is not None:
                raise CannotApply(f"the name {path!r} {why}")
        if name.startswith(skip) if skip else False:
            continue
        before = b"" if change.old is None else result.get(change.old)
        if before is None:
            raise CannotApply(f"{change.old} is not there")
        if change.old is None and result.get(name):
            raise CannotApply(f"{name} is there already")
        after = _patched(before, change.hunks, name)
        if change.old is not None and change.old != change.new:
            del result[change.old]
        if change.new is not None:
            result[change.new] = after
    return result


def parse(patch: bytes) -> list[FilePatch]:
    """The parts of a patch, by file, in order. Raises CannotApply when a hunk is not whole."""
    changes: list[FilePatch] = []
    lines = patch.split(b"\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith(b"diff --git "):
            changes.append(_git_names(line))
        elif line.startswith(b"--- ") and at + 1 < len(lines) and lines[at + 1].startswith(b"+++ "):
            if not changes or changes[-1].hunks or not _is_fresh(lines, at):
                changes.append(FilePatch())
            changes[-1].old, changes[-1].new = _name(line[4:]), _name(lines[at + 1][4:])
            at += 1
        elif changes and (found := _HUNK.match(line)):
            hunk, at = _hunk(lines, at, found)
            changes[-1].hunks.append(hunk)
            continue
        elif changes and not changes[-1].hunks:
            _header(changes[-1], line)
        at += 1
    return changes


def _is_fresh(lines: list[bytes], at: int) -> bool:
    """Whether `---` belongs to a `diff --git` above it, with nothing but git's header lines between."""
    for line in reversed(lines[max(0, at - 12) : at]):
        if line.startswith(b"diff --git "):
            return True
        if line.startswith((b"@@", b"+++")):
            return False
    return False


def _header(change: FilePatch, line: bytes) -> None:
    if line.startswith(b"new file mode "):
        change.old = None
        if line.split()[-1] in (b"120000", b"160000"):
            raise CannotApply(f"{change.new} is a link or a submodule")
    elif line.startswith(b"deleted file mode "):
        change.new = None
    elif line.startswith((b"rename from ", b"copy from ")):
        change.old = _unquoted(line.split(b" ", 2)[2])
        if line.startswith(b"copy"):
            raise CannotApply(f"{change.old} is copied; only renames are read")
    elif line.startswith(b"rename to "):
        change.new = _unquoted(line.split(b" ", 2)[2])
    elif line.startswith((b"GIT binary patch", b"Binary files ")):
        raise CannotApply(f"{change.new or change.old} is binary")


def _git_names(line: bytes) -> FilePatch:
    """The names of `diff --git a/x b/x`: equal, or told by later lines."""
    rest = line[len(b"diff --git ") :].rstrip(b"\r")
    if rest.startswith(b'"'):
        parts = re.findall(rb'"(?:[^"\\]|\\.)*"|\S+', rest)
        names = [_name(part) for part in parts[:2]]
        return FilePatch(names[0], names[-1])
    half = len(rest) // 2
    if rest[:half].split(b"/", 1)[-1] == rest[half + 1 :].split(b"/", 1)[-1]:
        return FilePatch(_name(rest[:half]), _name(rest[half + 1 :]))
    first, _, second = rest.partition(b" b/")
    return FilePatch(_name(first), _name(b"b/" + second))


def _name(text: bytes) -> str | None:
    """A name without its first part (`a/` or `b/`); None for /dev/null."""
    if not text.startswith(b'"'):
        text = text.split(b"\t")[0].rstrip(b"\r")
    name = _unquoted(text)
    return None if name == "/dev/null" else name.split("/", 1)[-1]


def _unquoted(text: bytes) -> str:
    text = text.rstrip(b"\r\t")
    if text.startswith(b'"') and text.endswith(b'"') and len(text) > 1:
        special = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}
        text = re.sub(
            rb"\\([0-7]{3}|.)",
            lambda m: bytes([int(m[1], 8) & 255]) if len(m[1]) == 3 else special.get(m[1], m[1]),
            text[1:-1],
        )
    return text.decode("utf-8", "backslashreplace")


def _hunk(lines: list[bytes], at: int, found: re.Match[bytes]) -> tuple[Hunk, int]:
    """The hunk whose head is line `at`, and the index of the line after it."""
    start = int(found[1])
    left, right = (int(found[i]) if found[i] is not None else 1 for i in (2, 4))
    hunk = Hunk(start - 1 if left else start)
    at += 1
    while left > 0 or right > 0:
        if at >= len(lines):
            raise CannotApply("the patch ends within a hunk")
        line = lines[at]
        mark, text = line[:1], line[1:] + b"\n"
        if mark in (b" ", b"-") or not line:  # mailers strip the blank of an empty context line
            hunk.old.append(text)
            left -= 1
        if mark in (b" ", b"+") or not line:
            hunk.new.append(text)
            right -= 1
        if mark not in (b" ", b"-", b"+", b""):
            raise CannotApply(f"{line[:40]!r} is no line of a hunk")
        at += 1
        if at < len(lines) and lines[at].startswith(_NO_END):
            for side in [hunk.old] * (mark != b"+") + [hunk.new] * (mark != b"-"):
                side[-1] = side[-1][:-1]
            at += 1
    if left or right:
        raise CannotApply("a hunk has more lines than it says")
    return hunk, at


def _patched(content: bytes, hunks: list[Hunk], name: str) -> bytes:
    lines = content.split(b"\n")
    have = [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    result: list[bytes] = []
    done = shift = 0
    for number, hunk in enumerate(hunks, start=1):
        place = next((i for i in _places(hunk.at + shift, len(have)) if _fits(have, i, done, hunk)), None)
        if place is None:
            raise CannotApply(f"hunk {number} of {name} does not fit")
        shift = place - hunk.at
        result += have[done:place] + hunk.new
        done = place + len(hunk.old)
    return b"".join(result + have[done:])


def _places(at: int, length: int) -> Iterator[int]:
    """Where a hunk may stand: where it says, then ever farther from there."""
    yield at
    for away in range(1, min(MAX_SHIFT, length + 1) + 1):
        yield at - away
        yield at + away


def _fits(have: list[bytes], at: int, done: int, hunk: Hunk) -> bool:
    return done <= at <= len(have) and have[at : at + len(hunk.old)] == hunk.old

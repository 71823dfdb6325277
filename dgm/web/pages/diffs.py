"""The difference between two genomes as rows that stand side by side.

The patch is `dgm.archive.diff`'s, one file at a time; it is read back by the lengths in its hunk headers, so that a
line of a hostile file cannot pass for a header.
"""

from __future__ import annotations

import re
from typing import Any

from dgm.archive.diff import Work, file_diff
from dgm.domain import Files

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
MAX_ROWS = 4_000
"""Rows of one file that are sent."""
MAX_ALL = 40_000
"""Rows of all files together: a genome may hold thousands of long files, and nobody reads millions of rows."""

Side = tuple[int, str] | None
"""Number and text of a line, or nothing on this side."""


def between(old: Files, new: Files) -> list[dict[str, Any]]:
    """Every file that differs: path, what became of it, lines added and removed, and its hunks of rows.

    A row is [kind, left, right]: kind is " ", "~" (changed), "-" or "+". Without hunks, `note` says why.
    """
    found: list[dict[str, Any]] = []
    left, work = MAX_ALL, Work()
    for path in sorted({*old, *new}):
        if old.get(path) != new.get(path):
            found.append(_file(path, old.get(path), new.get(path), work if left > 0 else None))
            left -= sum(map(len, found[-1]["hunks"]))
    return found


def _file(path: str, old: bytes | None, new: bytes | None, work: Work | None) -> dict[str, Any]:
    """Without `work` no lines are compared, and none are counted."""
    lines = file_diff(path, old, new, work).split("\n") if work else []
    start = next((at for at, line in enumerate(lines) if line.startswith("@@")), None)
    became = "added" if old is None else "removed" if new is None else "changed"
    found: dict[str, Any] = {"path": path, "became": became, "added": 0, "removed": 0, "hunks": [], "note": ""}
    if work is None:
        found["note"] = "not shown: the files before it are long"
        return found
    if start is None:
        found["note"] = next((line for line in lines if line.startswith(("Binary", "Files"))), "an empty file")
        return found
    rows = 0
    while start < len(lines) and (head := _HUNK.match(lines[start])):
        hunk, start = _hunk(lines, start + 1, [int(number or 1) for number in head.groups(default="1")])
        found["added"] += sum(row[0] in "+~" for row in hunk)
        found["removed"] += sum(row[0] in "-~" for row in hunk)
        if rows < MAX_ROWS:
            found["hunks"].append(hunk[: MAX_ROWS - rows])
        rows += len(hunk)
    if any(line.startswith("\\") for line in lines):  # every line of a file has a mark before it, so this is none
        found["note"] = "the last line has no end, on one side or both"
    if rows > MAX_ROWS:
        found["note"] = f"{rows - MAX_ROWS} more rows are not shown"
    return found


def _hunk(lines: list[str], at: int, numbers: list[int]) -> tuple[list[list[Any]], int]:
    left, left_count, right, right_count = numbers
    left_end, right_end = left + left_count, right + right_count
    hunk: list[list[Any]] = []
    gone: list[tuple[int, str]] = []
    came: list[tuple[int, str]] = []
    while at < len(lines) and (left < left_end or right < right_end or lines[at].startswith("\\")):
        mark, text = lines[at][:1], lines[at][1:]
        at += 1
        if mark == "-":
            gone.append((left, text))
            left += 1
        elif mark == "+":
            came.append((right, text))
            right += 1
        elif mark == " ":
            hunk += _paired(gone, came)
            gone, came = [], []
            hunk.append([" ", (left, text), (right, text)])
            left, right = left + 1, right + 1
    return hunk + _paired(gone, came), at


def _paired(gone: list[tuple[int, str]], came: list[tuple[int, str]]) -> list[list[Any]]:
    """Removed and added lines beside each other."""
    rows: list[list[Any]] = []
    for at in range(max(len(gone), len(came))):
        left: Side = gone[at] if at < len(gone) else None
        right: Side = came[at] if at < len(came) else None
        rows.append(["~" if left and right else "-" if left else "+", left, right])
    return rows

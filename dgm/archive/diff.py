"""The difference between two file sets as text that `git apply` understands.

In this process and not by git: small, no configuration is read, and nothing an agent wrote can start a
program. Files that are no UTF-8 text, or that would take long to compare line by line, get one line.
"""

from __future__ import annotations

import difflib
from collections import Counter
from itertools import accumulate

MAX_STEPS = 2_000_000
"""Of comparing, for all files of one patch together: about a second."""
MAX_LINES = 20_000
MAX_BYTES = 1_000_000


class Work:
    """How many steps of comparing are left; shared by the files of one patch, so that no genome takes long."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.left = steps


class _TooLong(Exception):
    """The steps are used up."""


def file_diff(path: str, before: bytes | None, after: bytes | None, work: Work | None = None) -> str:
    """The part of a patch for one file; None where it does not exist. Empty if nothing differs."""
    if before == after:
        return ""
    work = work or Work()
    old_name, new_name = _quoted("a/" + path), _quoted("b/" + path)
    lines = [f"diff --git {old_name} {new_name}"]
    if before is None:
        lines.append("new file mode 100644")
    if after is None:
        lines.append("deleted file mode 100644")
    old_name = "/dev/null" if before is None else old_name + ("\t" if " " in path else "")
    new_name = "/dev/null" if after is None else new_name + ("\t" if " " in path else "")
    old, new = _lines(before), _lines(after)
    if old is None or new is None:
        sizes = f"{len(before or b'')} to {len(after or b'')} bytes"
        lines.append(f"Binary files {old_name} and {new_name} differ ({sizes})")
    elif (hunks := _hunks(old, new, work)) is None:
        lines.append(f"Files {old_name} and {new_name} differ ({len(old)} to {len(new)} lines)")
    elif hunks:
        lines += [f"--- {old_name}", f"+++ {new_name}", *hunks]
    return "\n".join(lines) + "\n"


def shortened(text: str, limit: int) -> str:
    """At most about `limit` characters, cut at the end of a line and saying so."""
    if len(text) <= limit:
        return text
    end = text.rfind("\n", 0, limit) + 1
    return f"{text[:end]}… {len(text) - end} more characters\n"


def _lines(data: bytes | None) -> list[str] | None:
    """Lines without their ends; the last one, if it has no end, carries git's mark for that. None for
    binary."""
    if not data:
        return []
    if b"\0" in data or len(data) > MAX_BYTES:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    lines = text.split("\n")
    if lines[-1] == "":
        return lines[:-1]
    return [*lines[:-1], lines[-1] + "\n\\ No newline at end of file"]


class _Matcher(difflib.SequenceMatcher[str]):
    """Counts beforehand what each search for a match takes at most: its lines, and the equal lines of each. There may
    be as many searches as lines, so that a bound on one of them bounds nothing."""

    def __init__(self, old: list[str], new: list[str], work: Work) -> None:
        super().__init__(None, old, new)
        counts = Counter(new)
        popular = len(new) // 100 + 1 if len(new) >= 200 else len(new)  # difflib passes over more frequent ones
        equal = (count if (count := counts[line]) <= popular else 0 for line in old)
        self._work, self._end, self._steps = work, len(old), [0, *accumulate(1 + count for count in equal)]

    def find_longest_match(
        self, alo: int = 0, ahi: int | None = None, blo: int = 0, bhi: int | None = None
    ) -> difflib.Match:
        """Raises _TooLong."""
        self._work.left -= self._steps[self._end if ahi is None else ahi] - self._steps[alo]
        if self._work.left < 0:
            raise _TooLong
        return super().find_longest_match(alo, ahi, blo, bhi)


def _hunks(old: list[str], new: list[str], work: Work) -> list[str] | None:
    """The lines of all hunks; None where it would take long to find them."""
    if max(len(old), len(new)) > MAX_LINES or work.left < 0:
        return None
    lines = []
    try:
        for group in _Matcher(old, new, work).get_grouped_opcodes():
            (_, old_start, _, new_start, _), (_, _, old_stop, _, new_stop) = group[0], group[-1]
            lines.append(f"@@ -{_span(old_start, old_stop)} +{_span(new_start, new_stop)} @@")
            for tag, i, i_end, j, j_end in group:
                if tag == "equal":
                    lines += [f" {line}" for line in old[i:i_end]]
                else:
                    lines += [f"-{line}" for line in old[i:i_end]]
                    lines += [f"+{line}" for line in new[j:j_end]]
    except _TooLong:
        return None
    return lines


def _span(start: int, stop: int) -> str:
    """Lines from `start` below `stop`, as the head of a hunk has them: counted from 1, and a single one by itself."""
    return f"{start + 1}" if stop == start + 1 else f"{start + (stop > start)},{stop - start}"


def _quoted(name: str) -> str:
    """A name as git writes it: in quotes with octal bytes when it holds anything unusual."""
    data = name.encode()
    if all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in data):
        return name
    special = {ord('"'): '\\"', ord("\\"): "\\\\", 9: "\\t", 10: "\\n", 13: "\\r"}
    text = (chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}" for byte in data)
    return '"' + "".join(special.get(byte, shown) for byte, shown in zip(data, text, strict=True)) + '"'

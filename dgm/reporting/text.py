"""Text for people: what came from an agent made harmless, scores and durations written out.

Pure functions of the standard library. They do not know whether a terminal listens; that is `dgm.cli.printing`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dgm.archive import ScoreRecord
    from dgm.statistics import Score

MISSING = "-"


def printable(text: str, keep: str = "") -> str:
    """`text` with every character that a terminal could act upon written as an escape, save those in `keep`.

    That covers control characters (ANSI and OSC sequences begin with one), direction marks, line separators,
    lone surrogates and private use; what a person can read stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _escape(c) for c in text)


def _escape(character: str) -> str:
    if character in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character]
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def lines(text: str) -> list[str]:
    """The lines of a text that newlines end. What else begins a line for Python or a screen (U+2028, say) begins
    none here: with it an agent could forge lines of a patch."""
    return text.removesuffix("\n").split("\n") if text else []


def moment(seconds: float) -> str:
    """Seconds since 1970 as `2023-11-14 22:13:20 UTC`; the number itself where it is no date of ours."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"{seconds:g}"


def one_line(text: str, limit: int = 200) -> str:
    """`text` on one printable line of at most `limit` characters, an ellipsis where it was cut."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def score(value: ScoreRecord | Score | None) -> str:
    """`0.712 [0.635, 0.779] n=150`; `n=20/150` when only a part was judged; `-` when nothing was."""
    if value is None or value.n == 0:
        return MISSING
    of = "" if value.n == value.total else f"/{value.total}"
    return f"{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}] n={value.n}{of}"


def mean(value: ScoreRecord | None) -> str:
    """The mean alone, with `(n/total)` when only a part of the tasks was judged."""
    if value is None or value.n == 0:
        return MISSING
    return f"{value.mean:.3f}" if value.n == value.total else f"{value.mean:.3f} ({value.n}/{value.total})"


def gain(value: Score | None) -> str:
    """A paired difference: `+0.213 [+0.140, +0.287]`; of a single task, which has no interval, `+0.213`."""
    if value is None:
        return MISSING
    return signed(value.mean, (value.low, value.high) if value.n > 1 else None)


def signed(value: float, interval: tuple[float, float] | None) -> str:
    """A difference with its interval, if it has one."""
    return f"{value:+.3f}" + (f" [{interval[0]:+.3f}, {interval[1]:+.3f}]" if interval else "")


def duration(seconds: float) -> str:
    """`8 s`, `3 min 20 s` or `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"

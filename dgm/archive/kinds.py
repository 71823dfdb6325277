"""Whether a row holds what its columns are for. SQLite keeps any value in any column, and an archive may be another's.

Not covered: whether values agree with each other (`dgm.archive.verify`), and words of an enumeration, which are looked
up where a record is made of the row.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any, NoReturn

from dgm.domain import JSON

_KINDS: dict[str, frozenset[type]] = {
    "i": frozenset({int}),
    "i?": frozenset({int, type(None)}),
    "t": frozenset({str}),
    "t?": frozenset({str, type(None)}),
    "r": frozenset({float, int}),
    "r?": frozenset({float, int, type(None)}),
}


class Kinds:
    """The columns of a query, each a letter: `i` whole number, `t` text, `r` finite number; with `?` also nothing."""

    def __init__(self, columns: str) -> None:
        self._allowed = [_KINDS[column] for column in columns.split()]
        self._numbers = [at for at, column in enumerate(columns.split()) if column[0] == "r"]
        self._known: set[tuple[type, ...]] = set()  # rows of a table are nearly all alike

    def __call__(self, row: Sequence[Any]) -> Sequence[Any]:
        """The row. Raises ValueError where it holds something else."""
        found = tuple(map(type, row))
        if found not in self._known:
            for at, (kind, allowed) in enumerate(zip(found, self._allowed, strict=True)):
                if kind not in allowed:
                    raise ValueError(f"column {at + 1} of a row holds {row[at]!r:.60}")
            self._known.add(found)
        for at in self._numbers:
            if row[at] is not None and not math.isfinite(row[at]):
                raise ValueError(f"column {at + 1} of a row holds {row[at]}")
        return row


AGENT = Kinds("i i? i? t t? t? t t t t r t")
PROPOSAL = Kinds("i t t i i? r r r r i t")
SCORE = Kinds("i t t i i r r r")
VERDICT = Kinds("t t t r? t i")
DOMAIN = Kinds("t t t")
EVENT = Kinds("i r t t")
TASK = Kinds("i t t t")
SPENT = Kinds("i r i i i t?")
CALL = Kinds("i t t t t i i r i")


def loads(text: str) -> JSON:
    """A JSON value. Raises ValueError for what is none: NaN, an infinite number, nesting beyond measure."""
    try:
        value: JSON = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    if not math.isfinite(value := float(text)):
        raise ValueError(f"{text:.20} is too large a number")
    return value

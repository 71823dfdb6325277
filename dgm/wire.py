"""The form in which kernel and sandbox talk: frames, and JSON that comes from a hostile side.

A frame is a 4-byte big-endian length, a JSON header of that length, and the raw bytes that the header
announces with `"blob": n`. `parse` reads JSON that an agent may have written; whatever is wrong with it comes
out as AgentFailed and as nothing else. What the fields of a message mean is known in `dgm.evaluation`
alone, and `dgm.runner` has its own few lines of the same form, because it imports nothing of ours.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from dgm.errors import AgentFailed, Status

JSON: TypeAlias = Any
"""A value that JSON can carry: None, bool, int, finite float, str, list or dict with str keys."""

MAX_DEPTH = 64
MAX_DIGITS = 1_000
MAX_HEADER = 1 << 20

_LENGTH = struct.Struct(">I")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPED = re.compile(rb"\\u[dD][89a-fA-F]")  # the one way in which a surrogate can come in UTF-8
_MANY_DIGITS = re.compile(rb"[0-9]{%d}" % (MAX_DIGITS + 1))


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: its header, without the key "blob", and the bytes that came with it."""

    header: Mapping[str, JSON]
    blob: bytes = b""


def pack(header: Mapping[str, JSON], blob: bytes = b"") -> bytes:
    """The bytes of a frame. `header` must be plain JSON and must not use the key "blob"."""
    text = json.dumps({**header, "blob": len(blob)}, allow_nan=False).encode()
    return _LENGTH.pack(len(text)) + text + blob


def read_frame(read: Callable[[int], bytes], max_blob: int) -> Frame:
    """Read one frame; `read(n)` gives exactly n bytes or raises.

    Raises AgentFailed(TAMPERED) for what is no frame, and AgentFailed(OUTPUT) for a blob above `max_blob` bytes.
    """
    (length,) = _LENGTH.unpack(read(_LENGTH.size))
    if length > MAX_HEADER:
        raise AgentFailed(Status.TAMPERED, f"a header of {length} bytes is announced; at most {MAX_HEADER} are read")
    try:
        header = parse(read(length))
    except AgentFailed as failure:
        raise AgentFailed(Status.TAMPERED, f"a header that is none: {failure.reason}") from None
    if not isinstance(header, dict) or type(header.get("blob")) is not int or header["blob"] < 0:
        raise AgentFailed(Status.TAMPERED, "a header without the size of its blob")
    size = header.pop("blob")
    if size > max_blob:
        raise AgentFailed(Status.OUTPUT, f"a reply of {size} bytes; at most {max_blob} are read")
    return Frame(header, read(size))


def parse(text: bytes) -> JSON:
    """Read one JSON value as strictly as it can be read; lone surrogates come back as their escaped text.

    Raises AgentFailed(INVALID) for bytes that are not UTF-8 or not JSON, trailing data, duplicate keys, NaN and
    infinities (also 1e999), integers of more than 1,000 digits, and nesting deeper than 64.
    """
    try:
        value = (_WARY if _MANY_DIGITS.search(text) else _STRICT).decode(text.decode())
    except UnicodeDecodeError as error:
        raise _invalid(f"byte {error.start} is not UTF-8") from None
    except RecursionError:
        raise _invalid(f"nested deeper than {MAX_DEPTH}") from None
    except json.JSONDecodeError as error:
        raise _invalid(f"not JSON: {error.msg} at character {error.pos}") from None
    flat = text.count(b"[") + text.count(b"{") <= MAX_DEPTH
    return value if flat and not _ESCAPED.search(text) else _clean(value, 0)


def show(text: bytes) -> str:
    """Printed bytes as text: what is not UTF-8 appears as \\xNN. Control characters stay; who shows them escapes."""
    return text.decode(errors="backslashreplace")


def _clean(value: JSON, depth: int) -> JSON:
    """`value` with lone surrogates escaped, so that every later reader (UTF-8, SQLite) can take it."""
    if isinstance(value, str):
        return _escaped(value)
    if not isinstance(value, (list, dict)):
        return value
    if depth >= MAX_DEPTH:
        raise _invalid(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    return _without_twins([(_escaped(key), _clean(item, depth + 1)) for key, item in value.items()])


def _escaped(text: str) -> str:
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _without_twins(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _invalid("a key occurs twice in one object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _invalid("a number that is too large")
    return number


def _short_int(text: str) -> int:
    if len(text.removeprefix("-")) > MAX_DIGITS:
        raise _invalid(f"an integer of more than {MAX_DIGITS} digits")
    return int(text)


def _no_constant(text: str) -> NoReturn:
    raise _invalid(f"{text} is not JSON")


_STRICT = json.JSONDecoder(object_pairs_hook=_without_twins, parse_float=_finite, parse_constant=_no_constant)
_WARY = json.JSONDecoder(
    object_pairs_hook=_without_twins, parse_float=_finite, parse_constant=_no_constant, parse_int=_short_int
)


def _invalid(reason: str) -> AgentFailed:
    return AgentFailed(Status.INVALID, reason)

"""Places where a test may kill the process: between any two writes of an archive.

Nothing happens unless the environment says `DGM_FAILPOINT=NAME` or `NAME:N`; then the process ends at the
N-th passing of that place, at once and without clean-up, as `kill -9` would end it. This does not imitate a
power cut: what was written stays in the system's cache.
"""

from __future__ import annotations

import os
from collections import Counter

CREATE = ("create-begun", "create-store", "create-rows", "create-written", "create-renamed")
RECORD = ("file-unnamed", "log", "object", "objects", "ref", "rows-uncommitted", "rows")
REPAIR = ("repair-begun", "repair-ref", "repair-logs")
CLOSE = ("close-begun", "close-rows")
PACK = ("packed", "refs-packed")
NAMES = frozenset((*CREATE, *RECORD, *REPAIR, *CLOSE, *PACK))

_passed: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """End the process here if the environment asks for it. `name` is one of NAMES."""
    if name not in NAMES:
        raise ValueError(f"{name!r} is no failpoint")
    wanted, _, count = os.environ.get("DGM_FAILPOINT", "").partition(":")
    if wanted == name:
        _passed[name] += 1
        if _passed[name] >= int(count or 1):
            os._exit(137)

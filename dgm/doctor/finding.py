"""What `dgm doctor` says of one thing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for."""

    name: str
    ok: bool
    needed: bool  #: whether `dgm` cannot work at all without it
    found: str  #: what is there, or why it is not
    remedy: str = ""  #: what to do; empty where nothing is to be done

    @property
    def state(self) -> str:
        """`ok`; `MISSING` for what is needed; `missing` for what only some uses need."""
        return "ok" if self.ok else "MISSING" if self.needed else "missing"

"""What a check has to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    ERROR = "error"  #: must be mended: the exit code is 1
    WARNING = "warning"  #: read it before you believe a score
    NOTE = "note"  #: a figure


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: the check that found it, what it is, and what to do about it ("" for a note)."""

    level: Level
    check: str
    says: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings for one domain."""

    domain: str
    findings: Sequence[Finding]

    @property
    def errors(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == Level.ERROR]


def error(check: str, says: str, mend: str) -> Finding:
    return Finding(Level.ERROR, check, says, mend)


def warning(check: str, says: str, mend: str) -> Finding:
    return Finding(Level.WARNING, check, says, mend)


def note(check: str, says: str) -> Finding:
    return Finding(Level.NOTE, check, says)

"""`dgm doctor`: is everything here that a user needs, and what to do where it is not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from dgm.cli import parameters
from dgm.cli.errors import FAILED

if TYPE_CHECKING:
    from dgm.doctor import Finding

app = typer.Typer()
_STYLES = {"ok": "", "missing": "yellow", "MISSING": "bold red"}


@app.command(epilog="\b\nExamples:\n  dgm doctor\n  dgm doctor --json")
def doctor(json: parameters.Json = False) -> None:
    """Look whether this machine has what `dgm` needs.

    A line for each thing: ok, missing where only some uses need it, MISSING where nothing works without; and what
    to do. Nothing is installed and nobody is called. The exit code is 1 when something needed is missing.
    """
    from dgm.cli import printing
    from dgm.doctor import examine
    from dgm.reporting.text import printable

    found: list[Finding] = []
    for finding in examine():
        found.append(finding)
        if not json:
            printing.say(printable(line(finding)), _STYLES[finding.state])
            sys.stdout.flush()
    if json:
        printing.say_json([as_json(finding) for finding in found])
    else:
        printing.say(summary(found))
    if any(finding.needed and not finding.ok for finding in found):
        raise typer.Exit(FAILED)


def line(finding: Finding) -> str:
    """`ok       git                2.43.0`, with what to do behind an arrow."""
    text = f"{finding.state:8} {finding.name:18} {' '.join(finding.found.split())}"
    return text if finding.ok or not finding.remedy else f"{text} -> {finding.remedy}"


def summary(found: list[Finding]) -> str:
    lacking = [finding.name for finding in found if finding.needed and not finding.ok]
    if lacking:
        return f"dgm cannot work here yet: {', '.join(lacking)}"
    return "everything that is needed is here; `dgm run first` is the next step"


def as_json(finding: Finding) -> dict[str, object]:
    return {
        "name": finding.name,
        "state": finding.state,
        "needed": finding.needed,
        "found": finding.found,
        "remedy": "" if finding.ok else finding.remedy,
    }

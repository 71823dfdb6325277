"""`dgm sandbox check` and `dgm sandbox clean`: is a backend what it must be, and what did killed runs leave of it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dgm.cli import parameters
from dgm.cli.errors import FAILED, stoppable

if TYPE_CHECKING:
    from dgm.sandbox.check import Finding

app = typer.Typer()
sandbox_app = typer.Typer(help="Sandboxes: whether they hold, and what was left of them.", no_args_is_help=True)
app.add_typer(sandbox_app, name="sandbox", epilog="\b\nExample:\n  dgm sandbox check bubblewrap")

BACKENDS = ("auto", "docker", "bubblewrap", "local")
Backend = Annotated[
    str,
    typer.Argument(
        metavar="BACKEND",
        help="docker, bubblewrap, local, or auto for the first that works.",
        autocompletion=lambda incomplete: [name for name in BACKENDS if name.startswith(incomplete)],
    ),
]


@sandbox_app.command("check", epilog="\b\nExamples:\n  dgm sandbox check bubblewrap\n  dgm sandbox check docker --json")
def check(backend: Backend, json: parameters.RunJson = False) -> None:
    """Try out a sandbox: what it must do, and every threat that it must hold.

    A line for each, with its verdict: ok, FAILED with what was seen, or not held with the reason. Takes up to a
    minute. The exit code is 1 when something failed that the backend claims, 2 when it does not work here.
    """
    from dgm.cli import printing
    from dgm.sandbox.check import examine
    from dgm.sandbox.choose import choose
    from dgm.sandbox.docker import Docker

    sandbox = choose(backend, may_run_model_code=False, notice=lambda line: _tell(line, json))
    with stoppable():
        try:
            caveats = list(sandbox.caveats())
            for caveat in caveats:
                _tell(caveat, json)
            findings = examine(sandbox, lambda finding: _tell(_line(finding), json, _STYLES[finding.verdict]))
        finally:
            if isinstance(sandbox, Docker):
                sandbox.close()
    if json:
        printing.say_json(_as_json(sandbox.name, caveats, findings))
    else:
        for line in _summary(sandbox.name, findings):
            printing.say(line)
    if any(finding.verdict == "FAILED" for finding in findings):
        raise typer.Exit(FAILED)


@sandbox_app.command("clean", epilog="\b\nExample:\n  dgm sandbox clean")
def clean(json: parameters.Json = False) -> None:
    """Remove what killed runs left: containers, folders, control groups.

    What belongs to a run that lives, or to another user, is not touched.
    """
    from dgm.cli import printing
    from dgm.errors import SandboxUnavailable
    from dgm.sandbox import stale
    from dgm.sandbox.docker import from_environment

    removed, notices = stale.sweep(), []
    with from_environment(build=False) as docker:
        try:
            removed += [f"container {found[:12]}" for found in docker.reap()]
        except SandboxUnavailable as error:
            notices.append(f"containers were not looked for: {error}")
    if json:
        printing.say_json({"removed": removed, "notices": notices})
        return
    for name in removed:
        printing.say(f"removed {name}")
    for line in [*notices, *([] if removed else ["nothing was left"])]:
        printing.say(line)


_STYLES = {"ok": "", "FAILED": "bold red", "not held": "yellow"}


def _tell(line: str, json: bool, style: str = "") -> None:
    """A line of progress at once: on stdout, or on stderr where stdout is for JSON."""
    from dgm.cli import printing
    from dgm.reporting.text import printable

    if json:
        printing.tell(line)
    else:
        printing.say(printable(line), style)
        sys.stdout.flush()


def _line(finding: Finding) -> str:
    """`ok        threat  3  a memory bomb`, with what was seen or the reason behind it."""
    row = finding.check.row
    kind = f"threat {row:2}" if row else "behaviour"
    return f"{finding.verdict:8}  {kind:9}  {finding.check.title}" + (f": {finding.why}" if finding.why else "")


def _summary(name: str, findings: Sequence[Finding]) -> list[str]:
    from dgm.sandbox.check import KERNEL_ROWS

    threats = [finding for finding in findings if finding.check.row]
    return [
        f"{name}: {len(findings) - len(threats)} behaviours: {_counts([f for f in findings if not f.check.row])}",
        f"{name}: {len(threats)} of {len(threats) + len(KERNEL_ROWS)} threats: {_counts(threats)}; "
        f"the other {len(KERNEL_ROWS)} ({_ranges(list(KERNEL_ROWS))}) are held outside of sandboxes",
    ]


def _counts(findings: Sequence[Finding]) -> str:
    """`40 ok, 0 FAILED, 5 not held`."""
    counted = Counter(str(finding.verdict) for finding in findings)
    return ", ".join(f"{counted[verdict]} {verdict}" for verdict in _STYLES)


def _ranges(numbers: Sequence[int]) -> str:
    """`34-36, 41-46` for sorted numbers."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _as_json(name: str, caveats: Sequence[str], findings: Sequence[Finding]) -> dict[str, Any]:
    from dgm.sandbox.check import KERNEL_ROWS

    return {
        "backend": name,
        "caveats": list(caveats),
        "failed": sum(finding.verdict == "FAILED" for finding in findings),
        "threats": sum(finding.check.row is not None for finding in findings),
        "held_elsewhere": [{"row": row, "title": title} for row, title in KERNEL_ROWS.items()],
        "checks": [
            {
                "row": finding.check.row,
                "title": finding.check.title,
                "verdict": str(finding.verdict),
                "why": finding.why,
                "seconds": round(finding.seconds, 3),
            }
            for finding in findings
        ],
    }

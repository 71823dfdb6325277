"""What the tests of experiments share: files that describe one, results made up without any run, and a small world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dgm.experiment.outcome import Gain, Outcome
from dgm.experiment.plan import Plan, parse
from tests.cli.worlds import world

HERE = Path("archive/try")

FILE = """\
baseline = "full"
repeats = 2
first_seed = 5

[run]
domains = ["parity"]
origin = { agent = "a", meta = "m" }
place = { sandbox = "local", sessions = 1 }
search.proposals = 2

[variant.full]

[variant.latest]
search.selector = "latest"
"""

MOVED = """
[variant.moved]
origin.meta = "{latest}#2"
"""


def plan(text: str = FILE, folder: Path = HERE) -> Plan:
    return parse(text, "try.toml", folder)


def folder(where: Path, text: str = FILE) -> Path:
    """A working directory with the small world of the command line's tests and the file `try.toml`."""
    (world(where) / "try.toml").write_text(text)
    return where


def outcomes(values: Mapping[str, Mapping[str, Sequence[float]]], paired: Mapping[str, int] = {}) -> list[Outcome]:
    """Made-up runs: variant to domain to the gain of each run. `paired`: how many repeats a variant lacks at first."""
    return [
        Outcome(
            f"{variant}-{at}", variant, at + paired.get(variant, 0), at, "bubblewrap", "proposals", 40, 60.0, 0.0,
            {domain: Gain(7, 0.5, 0.5 + gains[at], 300) for domain, gains in domains.items()},
        )
        for variant, domains in values.items()
        for at in range(len(next(iter(domains.values()))))
    ]  # fmt: skip


def variants(names: Iterable[str], repeats: int = 10, paired: bool = True) -> Plan:
    """A plan with these variants, the first of which is the baseline."""
    names = list(names)
    text = f'baseline = "{names[0]}"\nrepeats = {repeats}\npaired = {str(paired).lower()}\n'
    return plan(text + "".join(f"[variant.{name}]\n" for name in names))

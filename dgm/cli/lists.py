"""What there is: `domain …` (in its own module), `seed list`, `selector list`; and whether an archive is sound:
`verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from dgm.cli import domain, parameters
from dgm.cli.errors import FAILED
from dgm.reporting import columns
from dgm.reporting.table import Table

app = typer.Typer()
seed_app = typer.Typer(help="Seeds: the halves of genomes that runs begin with.", no_args_is_help=True)
app.add_typer(domain.app, name="domain", epilog="\b\nExample:\n  dgm domain list")
app.add_typer(seed_app, name="seed", epilog="\b\nExample:\n  dgm seed list")
selector_app = typer.Typer(help="Selectors: the rules by which parents are chosen.", no_args_is_help=True)
app.add_typer(selector_app, name="selector", epilog="\b\nExample:\n  dgm selector list")


@app.command(epilog="\b\nExamples:\n  dgm verify first\n  dgm verify first --selections\n  dgm verify first --repair")
def verify(
    name: parameters.Name,
    selections: Annotated[
        bool, typer.Option("--selections", help="Also derive every choice of a parent again.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="First do what is safe: what a killed run began is removed or made whole.")
    ] = False,
    json: parameters.Json = False,
) -> None:
    """Check that an archive is sound.

    Hashes, parents, scores, numbers and logs. The exit code is 1 when something is wrong.
    """
    from dgm.archive import Archive
    from dgm.archive.verify import verify as problems_of
    from dgm.cli import printing
    from dgm.cli.naming import archive_of
    from dgm.reporting.text import printable

    path = archive_of(name)
    if not (path / "archive.db").exists():
        Archive.open(path).close()  # it raises what is said everywhere of what is no archive
    if repair:
        with Archive.open(path, write=True):
            pass  # whoever opens an archive to write it repairs it first
    problems, derived = list(problems_of(path)), None
    if selections:
        from dgm.sitting import rederive

        with Archive.open(path) as archive:
            problems += rederive.check(archive)
            derived = rederive.count(archive)
    if json:
        printing.say_json({"problems": problems} | ({} if derived is None else {"choices": derived}))
    else:
        for problem in problems:
            printing.say(printable(problem))
        again = "" if derived is None else f"; {derived} choices were derived again"
        printing.say(f"{name}: {len(problems)} found{again}" if problems else f"{name} is sound{again}")
    if problems:
        raise typer.Exit(FAILED)


@seed_app.command("list", epilog="\b\nExample:\n  dgm seed list --json")
def seed_list(json: parameters.Json = False) -> None:
    """List the seeds that `--agent` and `--meta` know by name."""
    from dgm.cli import printing
    from dgm.genome import HALVES
    from dgm.genome.sources import seeds

    found = [(half, spec) for half in HALVES for spec in seeds(half).values()]
    if json:
        printing.say_json(
            [
                {
                    "half": half,
                    "name": spec.name,
                    "model": spec.model,
                    "extends": spec.extends,
                    "description": spec.description,
                }
                for half, spec in found
            ]
        )
        return
    rows = [[f"--{half}", spec.name, "yes" if spec.model else "no", spec.description] for half, spec in found]
    printing.show(Table(columns.SEEDS.heads(), rows, wraps=frozenset({"description"})))


@selector_app.command("list", epilog="\b\nExample:\n  dgm selector list --json")
def selector_list(json: parameters.Json = False) -> None:
    """List the selectors that `--selector` knows by name, ours and those of installed packages."""
    from dgm.cli import printing
    from dgm.selection import described

    found = described()
    if json:
        printing.say_json(found)
        return
    note = "a_i: an agent's mean score; s_i = 1 / (1 + exp(-10 (a_i - m))); n_i: its children"
    printing.show(
        Table(columns.SELECTORS.heads(), [[*pair] for pair in found.items()], wraps=frozenset({"rule"}), note=note)
    )

"""`dgm import`: runs of other systems, and bundles, as archives."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dgm.cli import naming, parameters

app = typer.Typer()
import_app = typer.Typer(help="Archives from elsewhere: bundles and runs of other systems.", no_args_is_help=True)
app.add_typer(import_app, name="import", epilog="\b\nExample:\n  dgm import bundle first.tar.gz second")

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of one run; it is only read.")]
Source = Annotated[
    Path | None,
    typer.Option("--root", metavar="DIR", help="The first agent's source, where the run does not hold it."),
]


@import_app.command("bundle", epilog="\b\nExample:\n  dgm import bundle first.tar.gz second")
def bundle(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A bundle of `dgm export --bundle`.")],
    name: parameters.NewName,
    json: parameters.Json = False,
) -> None:
    """Restore an archive from a bundle, every hash as it was."""
    from dgm.cli import printing
    from dgm.exchange.importers.bundle import restore

    agents = restore(file, naming.archive_of(name))
    if json:
        printing.say_json({"agents": agents, "notices": []})
    else:
        printing.say(f"{name}: {agents} agents, every hash as it was; `dgm show {name}`")


@import_app.command("hyperagents", epilog="\b\nExample:\n  dgm import hyperagents outputs/generate_7 theirs")
def hyperagents(folder: Folder, name: parameters.NewName, root: Source = None, json: parameters.Json = False) -> None:
    """Import a run of the published Hyperagents code (outputs/generate_ID)."""
    _import("hyperagents", folder, name, root, json)


@import_app.command("dgm", epilog="\b\nExample:\n  dgm import dgm output_dgm/7 theirs --root their-checkout/")
def dgm(folder: Folder, name: parameters.NewName, root: Source = None, json: parameters.Json = False) -> None:
    """Import a run of the published Darwin Gödel Machine (output_dgm/ID)."""
    _import("dgm", folder, name, root, json)


@import_app.command("hgm", epilog="\b\nExample:\n  dgm import hgm output_hgm/7 theirs --root their-checkout/")
def hgm(folder: Folder, name: parameters.NewName, root: Source = None, json: parameters.Json = False) -> None:
    """Import a run of the published Huxley-Gödel Machine (output_hgm/ID)."""
    _import("hgm", folder, name, root, json)


def _import(system: str, folder: Path, name: str, root: Path | None, json: bool) -> None:
    from dgm.cli import printing
    from dgm.cli.counting import counting
    from dgm.exchange.importers import import_run
    from dgm.reporting import text

    with counting("agents", quiet=json) as tell:
        agents, notices = import_run(system, folder, naming.archive_of(name), root, tell)
    if json:
        printing.say_json({"agents": agents, "notices": notices})
        return
    for notice in notices:
        printing.say(text.printable(notice), style="dim")
    missing = f", {len(notices)} pieces missing or changed" if notices else ""
    printing.say(f"{name}: {agents} agents{missing}; `dgm show {name}`")

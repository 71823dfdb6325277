"""`dgm export`: an archive as a page, a graph, tables, or whole in one file."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dgm.cli import naming, parameters, writing

if TYPE_CHECKING:
    from dgm.archive import Archive
    from dgm.exchange.exports.flat import Flat

app = typer.Typer()
FLAT = frozenset({"csv", "parquet"})


class TableName(StrEnum):
    """What `--csv` and `--parquet` write."""

    AGENTS = "agents"
    SCORES = "scores"
    VERDICTS = "verdicts"


def _file(option: str, what: str) -> typer.models.OptionInfo:
    made: typer.models.OptionInfo = typer.Option(option, metavar="FILE", help=what)
    return made


@app.command(
    epilog="\b\nExamples:\n  dgm export first --html first.html\n  dgm export first --bundle first.tar.gz\n"
    "  dgm export first --csv scores.csv --table scores\n"
    "  dgm export ablation --parquet verdicts.parquet --table verdicts --force"
)
def export(
    name: parameters.Name,
    html: Annotated[Path | None, _file("--html", "One self-contained page; needs nothing else.")] = None,
    bundle: Annotated[Path | None, _file("--bundle", "All of it (.tar.gz, .tar.zst) for `dgm import bundle`.")] = None,
    dot: Annotated[Path | None, _file("--dot", "The tree for Graphviz.")] = None,
    graphml: Annotated[Path | None, _file("--graphml", "The tree for Gephi, yEd and networkx.")] = None,
    graph_json: Annotated[Path | None, _file("--graph-json", "The tree as nodes and links.")] = None,
    csv: Annotated[Path | None, _file("--csv", "A table; spreadsheets find no formula in it.")] = None,
    parquet: Annotated[Path | None, _file("--parquet", "A table; needs pyarrow.")] = None,
    table: Annotated[TableName, typer.Option("--table", help="Which table.")] = TableName.AGENTS,
    force: writing.Force = False,
    json: parameters.Json = False,
) -> None:
    """Write an archive in other forms; several at once, if you like. The archive is only read.

    Of an experiment --csv and --parquet write one table of all runs that have ended.
    """
    from dgm.cli import printing
    from dgm.errors import UserError

    path = naming.archive_of(name)
    files = {"html": html, "dot": dot, "graphml": graphml, "graph-json": graph_json, "csv": csv, "parquet": parquet}
    wanted = {form: file for form, file in files.items() if file is not None}
    if not wanted and bundle is None:
        raise UserError(f"say what to write, for example `dgm export {name} --html {path.name}.html`")
    if bundle is not None and not bundle.name.endswith((".tar.gz", ".tar.zst")):
        raise UserError(f"--bundle {bundle}: name it .tar.gz or .tar.zst")
    writing.check([*wanted.values(), *([bundle] if bundle else [])], force)
    _write_all(path, wanted, bundle is not None, str(table))
    if bundle is not None:
        from dgm.exchange.exports import bundle as bundles

        bundles.export(path, bundle)
        wanted["bundle"] = bundle
    if json:
        printing.say_json({form: {"file": str(file), "bytes": file.stat().st_size} for form, file in wanted.items()})
        return
    for file in wanted.values():
        printing.say(f"{file} ({max(1, file.stat().st_size // 1000)} kB)")


def _write_all(path: Path, wanted: Mapping[str, Path], bundled: bool, table: str) -> None:
    """Of a run or of an experiment, which has tables alone. Raises UserError."""
    from dgm.archive import Archive
    from dgm.cli import printing
    from dgm.errors import UserError
    from dgm.exchange.exports import flat
    from dgm.experiment import conduct, tables

    if not (path / conduct.FILE).is_file():
        with Archive.open(path) as archive:
            for form, file in wanted.items():
                if form in FLAT:
                    _write_table(flat.table(archive, table), form, file)
                else:
                    _write(archive, form, file)
        return
    if bundled or not wanted.keys() <= FLAT:
        raise UserError(
            f"{path} is an experiment, of which --csv and --parquet write all runs; for other forms name a run of it, "
            f"{path}/VARIANT-SEED"
        )
    for form, file in wanted.items():
        _write_table(tables.table(path, table), form, file)
    runs, planned = tables.ended(path)
    if len(runs) < planned:
        printing.tell(f"{planned - len(runs)} of {planned} runs have not ended; they are left out")


def _write_table(rows: Flat, form: str, file: Path) -> None:
    from dgm.exchange.exports import flat

    if form == "parquet":
        flat.to_parquet(rows, file)
    else:
        file.write_text(flat.to_csv(rows), encoding="utf-8", newline="")


def _write(archive: Archive, form: str, file: Path) -> None:
    from dgm.exchange.exports import graph, page

    if form == "html":
        file.write_text(page.html(archive), encoding="utf-8")
    else:
        drawn = graph.Graph.of(archive)
        forms = {"dot": graph.dot, "graphml": graph.graphml, "graph-json": graph.as_json}
        file.write_text(forms[form](drawn), encoding="utf-8")

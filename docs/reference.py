"""The reference pages, made from the code whenever the site is built: command line, configuration, Python names.

A hook of mkdocs (`on_files`); the pages exist nowhere as files, so they cannot be out of date. What a page says is
what the code says of itself: help texts, field descriptions, docstrings.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ZONES = ("agents", "meta", "domains", "archive")
CLI, CONFIGURATION, API = "reference/cli.md", "reference/configuration.md", "reference/api.md"
EXPERIMENT, LANDSCAPE, TABLES = "reference/experiment.md", "reference/landscape.md", "reference/tables.md"
ENDINGS = "reference/endings.md"
MADE_FROM = {
    "dgm/cli/__init__.py": CLI,
    "dgm/config.py": CONFIGURATION,
    "dgm/experiment/plan.py": EXPERIMENT,
    "dgm/landscapes/model.py": LANDSCAPE,
    "dgm/reporting/columns.py": TABLES,
    "dgm/__init__.py": API,
    "dgm/errors.py": ENDINGS,
} | {f"{zone}/README.md": f"reference/{zone}.md" for zone in ZONES}
"""A file of the repository to the page that is made from it."""


def on_files(files: Any, config: Any) -> Any:
    """Called by mkdocs with the files that it found; adds ours."""
    from mkdocs.structure.files import File

    pages = {CLI: cli_page(), CONFIGURATION: configuration_page(), EXPERIMENT: experiment_page(), API: api_page()}
    pages |= {LANDSCAPE: landscape_page(), TABLES: tables_page()}
    for name, page in pages.items():
        files.append(File.generated(config, name, content=page))
    files.append(File.generated(config, ENDINGS, content=endings_page()))
    for zone in ZONES:
        files.append(File.generated(config, f"reference/{zone}.md", content=zone_page(zone)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Called by mkdocs with every page. In the repository links lead to the files that reference pages are made from,
    so that none is dead there; in the site they lead to the pages."""
    folder = Path(page.file.src_uri).parent

    def led(found: re.Match[str]) -> str:
        target = os.path.relpath((ROOT / "docs" / "pages" / folder / found[1]).resolve(), ROOT)
        return f"]({os.path.relpath(MADE_FROM[target], folder)})" if target in MADE_FROM else found[0]

    return re.sub(r"\]\(((?:\.\./)+[^)#]+)\)", led, markdown)


def endings_page() -> str:
    """Exit codes, whose fault an error is, and the words for how a task or a proposal ended."""
    import dgm.errors
    from dgm.archive import Admission
    from dgm.cli import errors

    told = re.findall(r"^    (\w+) = .*?#: (.*)$", inspect.getsource(dgm.errors.Status), re.MULTILINE)
    lines = ["# How things end", "", "Exit codes:", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {code} | {text} |" for code, text in errors.MEANINGS.items()]
    lines += [
        "",
        "```text",
        inspect.getdoc(dgm.errors) or "",
        "```",
        "",
        "## A task",
        "",
        "| status | meaning |",
        "|---|---|",
    ]
    lines += [f"| `{getattr(dgm.errors.Status, name)}` | {cell(text)} |" for name, text in told]
    lines += ["", "## A proposal", "", "| admission | meaning |", "|---|---|"]
    told = re.findall(r"^    (\w+) = .*?#: (.*)$", inspect.getsource(Admission), re.MULTILINE)
    return "\n".join([*lines, *(f"| `{getattr(Admission, name)}` | {cell(text)} |" for name, text in told)])


def tables_page() -> str:
    """Every column of the tables that are printed and of those that are exported."""
    from dgm.reporting import columns, exported

    lines = [
        "# Tables and exports",
        "",
        "What each column means. A name in capitals stands for as many columns as there are domains, strategies and so",
        "on. In a pipe a table has one line for each row, its columns two spaces or more apart; programs had better",
        "read `--json`.",
        "",
        "## Printed",
        "",
        *(line for table in columns.PRINTED for line in columns_section(table)),
        "## dgm export --csv, --parquet",
        "",
        "CSV is as RFC 4180 has it, in UTF-8, with a head; a missing value is empty. A text that a spreadsheet",
        "would take for a formula has an apostrophe in front. Parquet has the texts as they are, and null for what is",
        "missing. Of an experiment (`dgm export EXPERIMENT --csv FILE`) all runs that have ended are in one table,",
        "with two more columns behind `run`:",
        "",
        "| column | meaning |",
        "|---|---|",
        *(f"| `{name}` | {cell(text)} |" for name, text in exported.OF_EXPERIMENT.items()),
        "",
        *(line for table in exported.EXPORTED.values() for line in columns_section(table)),
        "## dgm export --graph-json, --graphml, --dot",
        "",
        "GraphML has the same of each node, without its parents, which are edges, and with `val.DOMAIN` for each",
        "domain in place of `val`; DOT has a label, a shade by the mean, and a tooltip.",
        "",
        *(line for table in (exported.GRAPH, exported.NODES, exported.LINKS) for line in columns_section(table)),
        "## --json",
        "",
        "The JSON of `dgm experiment` is described in [its tutorial](../tutorials/experiment.md). Names of domains,",
        "strategies and landscapes are keys besides.",
        "",
        *(line for keys in exported.KEYS for line in columns_section(keys)),
    ]
    return "\n".join(lines)


def columns_section(table: Any) -> Iterator[str]:
    yield from (f"### {table.where}", "")
    if table.what != "a key":
        yield from (f"A row: {table.what}.", "")
    yield from ("| name | meaning |", "|---|---|")
    yield from (f"| {f'`{name}`' if name else '(no name)'} | {cell(text)} |" for name, text in table.meanings.items())
    yield ""


def zone_page(zone: str) -> str:
    """The README of a content zone, which is its specification: the protocol of agents, the format of archives. Links
    to files become plain names."""
    return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]+\)", r"\1", (ROOT / zone / "README.md").read_text())


def cli_page() -> str:
    """Every command with its arguments, options and examples."""
    import typer

    from dgm.cli import app

    lines = ["# Command line", "", "Made from the program itself; `dgm COMMAND --help` says the same.", ""]
    for path, command in commands(typer.main.get_command(app)):
        if path and not hasattr(command, "commands"):
            lines += command_section(path, command)
    return "\n".join(lines)


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """A command and all below it, with the words by which each is called."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


def command_section(path: tuple[str, ...], command: Any) -> Iterator[str]:
    yield from (f"## dgm {' '.join(path)}", "", inspect.cleandoc(command.help or ""), "")
    rows = [row for parameter in command.params if (row := parameter_row(parameter))]
    if rows:
        yield from ("| parameter | meaning |", "|---|---|", *rows, "")
    example = (command.epilog or "").replace("\b", "").strip().partition("\n")[2]
    if example:
        yield from ("```text", inspect.cleandoc(example), "```", "")


def parameter_row(parameter: Any) -> str:
    """One row of a table; empty for `--help`, which every command has."""
    if parameter.name == "help":
        return ""
    option = parameter.param_type_name == "option"
    names = ", ".join((*parameter.opts, *parameter.secondary_opts)) if option else parameter.metavar or parameter.name
    value = f" {parameter.metavar}" if option and parameter.metavar and not parameter.is_flag else ""
    return f"| `{names}{value}` | {cell(getattr(parameter, 'help', '') or '')} |"


def configuration_page() -> str:
    """Every table and key of a configuration file."""
    from dgm.config import RunConfig

    lines = [
        "# Configuration",
        "",
        "What `dgm run --config FILE.toml` reads and an archive's `dgm.toml` holds. Any other key is an error.",
        "",
    ]
    return "\n".join([*lines, *table_section("", RunConfig)])


def experiment_page() -> str:
    """Every key of an experiment's file."""
    from dgm.experiment.plan import Experiment

    lines = [
        "# Experiment files",
        "",
        "What `dgm experiment FILE.toml` reads. `run` and each `variant` hold keys of a "
        "[configuration](configuration.md). Any other key is an error.",
        "",
    ]
    return "\n".join([*lines, *table_section("", Experiment)])


def landscape_page() -> str:
    """Every key of a landscape's file."""
    from dgm.landscapes.model import Landscape, Line, Tasks

    lines = [
        "# Landscape files",
        "",
        "What `dgm bench search --landscape FILE.toml` reads. Any other key is an error.",
        "",
    ]
    tables = {"": Landscape, "[domains]": Tasks, "[lines]": Line}
    return "\n".join([*lines, *(row for name, model in tables.items() for row in table_section(name, model))])


def table_section(name: str, model: Any) -> Iterator[str]:
    """One TOML table, then those inside it."""
    inner = {key: field for key, field in model.model_fields.items() if hasattr(field.annotation, "model_fields")}
    title = f"[{name}]" if name else "At the top"
    text = inspect.getdoc(model) or ""
    yield from (f"## {title}", "", text, "", "| key | default | meaning |", "|---|---|---|")
    for key, field in model.model_fields.items():
        if key not in inner:
            default = None if field.is_required() else field.get_default(call_default_factory=True)
            yield f"| `{key}` | {default_text(default)} | {cell(field.description or '')} |"
    yield ""
    for key, field in inner.items():
        yield from table_section(f"{name}.{key}" if name else key, field.annotation)


def default_text(value: Any) -> str:
    """A default as it stands in TOML; a dash for what is not set."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{list(value)}`" if isinstance(value, tuple) else f"`{value!r}`"


def api_page() -> str:
    """Every name that `import dgm` gives."""
    import dgm

    lines = ["# Python", "", "The names that `import dgm` gives. Everything else is private and may change.", ""]
    for name in sorted(dgm.__all__, key=lambda name: (not inspect.isfunction(getattr(dgm, name)), name)):
        value = getattr(dgm, name)
        lines += [f"## {name}", ""]
        if inspect.isfunction(value):
            lines += ["```python", f"def {name}{signature(value)}", "```", ""]
        lines += [inspect.getdoc(value) or "", ""]
        lines += method_rows(value)
    return "\n".join(lines)


def signature(function: Any) -> str:
    """Names, types and defaults; a default that is a function, which does nothing in each case, as `...`."""
    return re.sub(
        r"<function .*?>+ at \w+>|<function [^<>]*>", "...", str(inspect.signature(function)).replace("'", "")
    )


def method_rows(value: Any) -> Iterator[str]:
    """A class's own public methods, the first sentence of each."""
    members = {name: member for name, member in vars(value).items() if not name.startswith("_")}
    methods = {n: getattr(m, "__func__", m) for n, m in members.items() if callable(getattr(m, "__func__", m))}
    told = {name: inspect.getdoc(method) for name, method in methods.items()}
    if any(told.values()):
        yield from ("| method | meaning |", "|---|---|")
        yield from (f"| `{name}` | {cell((text or '').partition(chr(10) * 2)[0])} |" for name, text in told.items())
        yield ""


def cell(text: str) -> str:
    """Text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")

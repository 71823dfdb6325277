"""The site builds without a warning, and its reference leaves nothing out."""

from __future__ import annotations

import ast
import importlib.util
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import dgm
from dgm.archive import Admission, Archive, schema
from dgm.cli.errors import MEANINGS
from dgm.config import RunConfig
from dgm.errors import Status
from dgm.experiment.plan import Budget, Experiment
from dgm.landscapes import benchmark, contest
from dgm.reporting import columns, exported, report


@pytest.fixture(scope="module")
def reference(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_reference", repository / "docs" / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_key_of_a_configuration_is_on_its_page(reference: ModuleType) -> None:
    def keys(schema: dict[str, Any], at: dict[str, Any]) -> set[str]:
        found = set(at.get("properties", {}))
        for definition in schema.get("$defs", {}).values():
            found |= set(definition.get("properties", {}))
        return found

    schema = RunConfig.model_json_schema()
    tables = {"origin", "search", "control", "place", "models", "budget"}
    page = reference.configuration_page()
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == keys(schema, schema) - tables
    assert not re.findall(r"\|\s+\|$", page, re.MULTILINE)
    assert "## [models.budget]" in page


def test_every_key_of_an_experiment_is_on_its_page(reference: ModuleType) -> None:
    page = reference.experiment_page()
    keys = {*Experiment.model_fields, *Budget.model_fields} - {"budget"}
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == keys
    assert not re.findall(r"\|\s+\|$", page, re.MULTILINE)
    assert "Undefined" not in page


def test_every_command_and_option_is_on_its_page(reference: ModuleType) -> None:
    import typer

    from dgm.cli import app

    page = reference.cli_page()
    for path, command in reference.commands(typer.main.get_command(app)):
        if path and not hasattr(command, "commands"):
            section = page.split(f"## dgm {' '.join(path)}\n")[1].partition("\n## ")[0]
            for parameter in command.params:
                if parameter.name != "help":
                    assert parameter.opts[0].lstrip("-") in section or parameter.metavar in section, (path, parameter)
    assert not re.findall(r"\|\s+\|$", page, re.MULTILINE)


def test_every_public_name_is_on_its_page(reference: ModuleType) -> None:
    page = reference.api_page()
    assert re.findall(r"^## (\w+)$", page, re.MULTILINE) == sorted(
        dgm.__all__, key=lambda name: (not name[0].islower(), name)
    )
    assert "<function" not in page


def test_every_way_to_end_is_on_its_page(reference: ModuleType) -> None:
    page = reference.endings_page()
    words = set(re.findall(r"^\| `?([\w]+)`? \|", page, re.MULTILINE)) - {"code", "status", "admission"}
    assert words == {*map(str, Status), *map(str, Admission), *map(str, MEANINGS)}


def test_every_table_and_column_of_the_database_is_described(repository: Path) -> None:
    """In archive/README.md: a section for each table, each column in it as `name`."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    schema.migrate(connection)
    text = (repository / "archive" / "README.md").read_text()
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        section = text.partition(f"**{table}**")[2].partition("\n**")[0]
        columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
        assert columns <= set(re.findall(r"`(\w+)`", section)), table
    connection.close()


def test_every_table_takes_its_head_from_the_list_of_columns_and_each_is_on_its_page(
    reference: ModuleType, repository: Path
) -> None:
    known = {name: value for name, value in vars(columns).items() if isinstance(value, columns.Columns)}
    used = set()
    for file in (repository / "dgm").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "Table":
                found = re.match(r"columns\.(\w+)\.heads\(", ast.unparse(call.args[0]))
                assert found, f"{file}: {ast.unparse(call.args[0])} is no head of `columns`"
                used.add(found[1])
    assert used == {name for name, table in known.items() if table in columns.PRINTED}
    page = reference.tables_page()
    for table in (*columns.PRINTED, *exported.EXPORTED.values(), exported.GRAPH, exported.NODES, exported.LINKS):
        section = "\n".join(reference.columns_section(table))
        assert section in page and section.count("\n| ") == len(table.meanings) + 1
        assert all(meaning.strip() for meaning in table.meanings.values())


def test_every_key_of_the_json_is_on_its_page(reference: ModuleType, repository: Path, tmp_path: Path) -> None:
    page = reference.tables_page()
    for told in exported.KEYS:
        assert "\n".join(reference.columns_section(told)) in page
    with Archive.open(repository / "archive" / "example") as archive:
        best, shown = report.best_json(archive), report.show_json(archive)
        domains = set(archive.ask.splits())
    assert keys(best) - domains == set(exported.BEST_KEYS.meanings)
    shown["config"] = None
    assert keys(shown) == set(exported.SHOW_KEYS.meanings)
    easy = tmp_path / "easy.toml"
    easy.write_text("target = 0.3\nbudget = 400\nfailed = 0.0\n[[lines]]\nstep = 0.2\nstep_sd = 0.01\n")
    board = benchmark.run(contest.MAIN, [str(easy)], range(1000, 1002), workers=1)
    assert keys(benchmark.as_json(board)) - {str(easy), *contest.MAIN} == set(exported.SEARCH_KEYS.meanings)


def keys(value: Any) -> set[str]:
    """Of all objects in it."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    return set(value).union(*map(keys, value.values())) if isinstance(value, dict) else set()


def test_no_link_in_the_repository_is_dead(repository: Path) -> None:
    pages = [*(repository / "docs" / "pages").rglob("*.md"), *repository.glob("*.md"), *repository.glob("*/README.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#\s]+)", page.read_text())]
    inner = [(page, link) for page, link in links if not re.match(r"\w+:", link)]
    assert len(inner) > 20
    assert not [f"{page}: {link}" for page, link in inner if not (page.parent / link).exists()]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(repository: Path, tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", repository / "docs" / "mkdocs.yml"]
    done = subprocess.run([*map(str, argv), "-d", str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for page in ("index.html", "tutorials/agent/index.html", "reference/cli/index.html", "reference/api/index.html"):
        assert (tmp_path / page).is_file()
    found = (tmp_path / "tutorials" / "embedding" / "index.html").read_text()
    assert "reference/api/" in found and "dgm/__init__.py" not in found, (
        "a link to a source is one to the page made of it"
    )
    assert "--budget-usd" in (tmp_path / "reference" / "cli" / "index.html").read_text()

"""The tree says who may change what; this holds it to that."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

CONTENT = ("agents", "meta", "domains", "archive")
IMPORTERS = {  # heavy or dangerous library -> the one module that may import it
    "git": "dgm/archive/store.py",
    "gitdb": "dgm/archive/store.py",
    "networkx": "dgm/archive/lineage.py",
    "docker": "dgm/sandbox/engine/client.py",
    "httpx": "dgm/gateway/http.py",
    "litellm": "dgm/gateway/hosted.py",
    "matplotlib": "dgm/plots/canvas.py",
    "mcp": "dgm/exchange/mcp/server.py",
    "mlflow": "dgm/exchange/trackers/mlflow.py",
    "opentelemetry": "dgm/exchange/trackers/opentelemetry.py",
    "pyarrow": "dgm/exchange/exports/flat.py",
    "ray": "dgm/executor/ray.py",
    "submitit": "dgm/executor/slurm.py",
    "wandb": "dgm/exchange/trackers/wandb.py",
    "zstandard": "dgm/exchange/exports/bundle.py",
    "starlette": "dgm/web/app.py",
    "uvicorn": "dgm/web/serve.py",
}


def imports(path: Path) -> Iterator[str]:
    """Top-level packages that a file imports, wherever in it; `.` for a relative import."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else node.module or ""


@pytest.mark.parametrize("zone", CONTENT)
def test_a_content_zone_is_no_import_package(repository: Path, zone: str) -> None:
    assert (repository / zone).is_dir()
    assert not (repository / zone / "__init__.py").exists()


def test_seeds_import_the_standard_library_and_themselves(repository: Path) -> None:
    files = [*repository.glob("agents/*/**/*.py"), *repository.glob("meta/*/**/*.py")]
    assert files
    siblings = {path.stem for path in files} | {path.parent.name for path in files}
    for path in files:
        for name in imports(path):
            top = name.split(".")[0]
            assert name == "." or top in sys.stdlib_module_names or top in siblings, f"{path}: {name}"


def test_a_judge_imports_the_standard_library_and_dgm_domain(repository: Path) -> None:
    for path in repository.glob("domains/*/**/*.py"):
        for name in imports(path):
            top = name.split(".")[0]
            ours = name == "." or f"{name}.".startswith("dgm.domain.")
            assert ours or top in sys.stdlib_module_names, f"{path}: {name}"


def test_a_heavy_library_has_one_importer(repository: Path) -> None:
    for path in (repository / "dgm").rglob("*.py"):
        for name in imports(path):
            home = IMPORTERS.get(name.split(".")[0])
            where = path.relative_to(repository).as_posix()
            assert home is None or home == where, f"{where} imports {name}"


def test_the_runner_knows_nothing_of_the_kernel(repository: Path) -> None:
    files = [path for path in repository.glob("dgm/runner/*.py") if path.name != "__init__.py"]
    assert files
    for path in files:
        for name in imports(path):
            assert name == "." or name.split(".")[0] in sys.stdlib_module_names, f"{path}: {name}"


def test_importing_the_package_loads_nothing_heavy(repository: Path) -> None:
    heavy = ("git", "docker", "litellm", "networkx", "numpy", "pydantic")
    code = f"import sys, dgm, dgm.cli; print([m for m in {heavy!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repository)
    assert out.stdout.strip() == "[]"


def test_the_top_level_is_what_the_readme_says(repository: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=repository).stdout
    folders = {line.split("/")[0] for line in listed.splitlines() if "/" in line}
    assert folders <= {"dgm", "agents", "meta", "domains", "archive", "tests", ".ci", "docs", ".github"}


def test_the_compromised_releases_of_litellm_are_excluded(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    (litellm,) = (line for line in project["dependencies"] if line.startswith("litellm"))
    assert "!=1.82.7" in litellm
    assert "!=1.82.8" in litellm

"""What a stranger gets: the sdist and the wheel hold what they should, and the wheel works by itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pytest

pytestmark = pytest.mark.slow

IGNORED = {  # what a used checkout has lying about
    "dgm/__pycache__/stray.cpython-311.pyc": b"\0",
    "agents/rules/__pycache__/stray.cpython-311.pyc": b"\0",
    "domains/grading/__pycache__/stray.pyc": b"\0",
    "archive/mine/archive.db": b"\0",
    "dist/old.whl": b"\0",
    ".venv/pyvenv.cfg": b"home = /usr/bin\n",
}
UV = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.defpath}")
ZONES = ("agents", "meta", "domains")
DIGESTS = """
import json
from dgm import domains, genome
from dgm.genome import sources
halves = {half: list(sources.seeds(half)) for half in genome.HALVES}
seeds = {f"{a}+{m}": genome.digest(sources.from_halves(a, m).genome) for a in halves["agent"] for m in halves["meta"]}
print(json.dumps([seeds, {name: domains.load(name).digest for name in domains.available()}]))
"""


def run(argv: Sequence[str | Path], where: Path, **more: str) -> str:
    """Run a program without this checkout or its environment in sight; what it prints."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "FORCE_COLOR")}
    argv, env = list(map(str, argv)), {**kept, **more}
    done = subprocess.run(argv, cwd=where, env=env, capture_output=True, text=True, timeout=1_800)
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-4_000:]
    return done.stdout


@pytest.fixture(scope="module")
def tree(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git has or would take, with ignored files strewn in."""
    copy = tmp_path_factory.mktemp("tree")
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], repository)
    for name in filter(None, listed.split("\0")):
        if (repository / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, copy / name)
    for name, data in IGNORED.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(data)
    return copy


@pytest.fixture(scope="module")
def built(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist, and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("built")
    run([sys.executable, "-m", "build", "--outdir", out, *(["--installer", "uv"] if UV else []), tree], out)
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def packed(built: tuple[Path, Path]) -> set[str]:
    """The wheel's files."""
    with zipfile.ZipFile(built[1]) as wheel:
        return set(wheel.namelist())


@pytest.fixture(scope="module")
def installed(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel and what it depends on, installed by pip.

    Where uv is at hand it brings the dependencies, which it has kept from before; pip then has no index to ask, and
    refuses the wheel if anything that it names is missing.
    """
    where = tmp_path_factory.mktemp("installed")
    programs = where / "env" / "bin"
    run([sys.executable, "-m", "venv", "env"], where)
    alone = []
    if UV:
        for words in (["install", built[1]], ["uninstall", "dgm"]):
            run([UV, "pip", *words, "--quiet", "--python", programs / "python"], where)
        alone = ["--no-index"]
    run([programs / "python", "-m", "pip", "install", "--quiet", "--no-compile", *alone, built[1]], where)
    return programs


def test_the_wheel_holds_the_package_and_nothing_else(packed: set[str]) -> None:
    tops = {PurePosixPath(name).parts[0] for name in packed}
    assert len(tops) == 2
    assert "dgm" in tops
    assert next(top for top in tops if top != "dgm").endswith(".dist-info")
    assert not [name for name in packed if "__pycache__" in name or name.endswith(".pyc") or "stray" in name]


def test_the_wheel_holds_every_file_of_the_kernel_and_the_content(packed: set[str], tree: Path) -> None:
    """Static pages, harnesses, templates and cards as well: whatever git has below these folders."""
    kernel = {path.relative_to(tree).as_posix() for path in tree.glob("dgm/**/*") if path.is_file()}
    content = {
        f"dgm/_content/{path.relative_to(tree).as_posix()}"
        for zone in ZONES
        for path in tree.glob(f"{zone}/**/*")
        if path.is_file()
    }
    wanted = {name for name in kernel | content if "__pycache__" not in name}
    assert {name for name in packed if name.startswith("dgm/")} == wanted
    for ending in (".html", ".cjs", ".py.txt", ".woff2", "Dockerfile", "seccomp.json", "py.typed"):
        assert [name for name in wanted if name.endswith(ending)], ending
    assert [name for name in wanted if "/cards/" in name]


def test_the_sdist_holds_what_git_has_and_no_run(built: tuple[Path, Path], tree: Path) -> None:
    with tarfile.open(built[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"LICENSE", "README.md", "pyproject.toml", "dgm/__init__.py", "tests/conftest.py"} <= names
    assert not names & IGNORED.keys()
    assert not [name for name in names if name.startswith("archive/") and name.endswith(".db")]


def test_seeds_and_domains_have_the_same_digests_from_wheel_and_checkout(
    installed: Path, tree: Path, tmp_path: Path
) -> None:
    from_wheel = json.loads(run([installed / "python", "-c", DIGESTS], tmp_path))
    from_checkout = json.loads(run([sys.executable, "-c", DIGESTS], tmp_path, PYTHONPATH=str(tree)))
    assert from_wheel == from_checkout
    assert all(from_wheel)


def test_the_installed_program_evolves_agents_in_an_empty_directory(installed: Path, tmp_path: Path) -> None:
    dgm = installed / "dgm"
    assert "Evolve software agents" in run([dgm, "--help"], tmp_path)
    assert "grading" in run([dgm, "domain", "list"], tmp_path)
    out = run([dgm, "run", "t", "--domain", "grading", "--proposals", "1", "--sandbox", "local"], tmp_path)
    assert "all proposals are made" in out
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
    assert "t is sound" in run([dgm, "verify", "t"], tmp_path)
    code = "import dgm; print(dgm.__version__, len(dgm.open_archive('t').agents()))"
    assert run([installed / "python", "-c", code], tmp_path).split()[1] == "2"

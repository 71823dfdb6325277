"""What `make` says and does, with the repository's own Makefile and a program in place of pip and `dgm`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import LONGEST

SAYS = '#!/bin/sh\necho "$(basename "$0") $*"\n'


@pytest.fixture
def checkout(repository: Path, tmp_path: Path) -> Path:
    """A folder with the Makefile and an environment whose programs say what they were asked."""
    shutil.copy(repository / "Makefile", tmp_path)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("python", "dgm"):
        (tmp_path / ".venv" / "bin" / name).write_text(SAYS)
        (tmp_path / ".venv" / "bin" / name).chmod(0o755)
    return tmp_path


def make(where: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """In an environment of its own: the tests themselves may have been started by `make`."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "MFLAGS"}
    return subprocess.run(["make", *words], cwd=where, capture_output=True, text=True, timeout=60, env=own)


def test_the_first_run_says_that_it_installs_before_it_does_and_the_second_does_not(checkout: Path) -> None:
    first = make(checkout, "run", "ARGS=--proposals 1")
    assert first.returncode == 0, first.stderr
    told, installed, *_ = first.stdout.splitlines()
    assert told.startswith("installing dgm")
    assert installed.startswith("python -m pip install")
    assert "dgm run first-run --seconds 100 --proposals 1" in first.stdout
    assert "install" not in make(checkout, "run").stdout


def test_the_files_that_are_to_be_handed_out_first_are_there(repository: Path) -> None:
    assert [name for name in LONGEST if not (repository / "tests" / name).is_file()] == []


def test_a_second_run_of_one_name_is_told_what_to_type(checkout: Path) -> None:
    (checkout / "archive" / "first-run").mkdir(parents=True)
    again = make(checkout, "run")
    assert again.returncode == 2
    assert "make run RUN=another" in again.stderr
    assert ".venv/bin/dgm resume first-run" in again.stderr
    assert "dgm run" not in again.stdout
    assert "dgm run another --seconds 100" in make(checkout, "run", "RUN=another").stdout

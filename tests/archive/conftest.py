from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.archive.world import FAST, Git


@pytest.fixture
def git() -> Git:
    """Run git in a folder, as a user would, with a fixed identity and no configuration but the
    repository's."""

    def run(folder: Path, *arguments: str, stdin: bytes = b"") -> str:
        environment = {
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            **{f"GIT_{who}_{what}": "test@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        done = subprocess.run(
            ["git", *arguments], cwd=folder, env=environment, input=stdin, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode(errors="replace")

    return run


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory where there is one: forcing every write to a disk would only take time here."""
    with tempfile.TemporaryDirectory(dir=FAST, prefix="dgm-test-") as folder:
        yield Path(folder)

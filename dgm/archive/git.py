"""git itself, on a store of ours: an explicit git dir, an environment without `GIT_*`, no configuration of user or
system (boundary rule B9). Not covered: objects and refs, which are written without it (`store`)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def start(git_dir: Path, *arguments: str) -> subprocess.Popen[bytes] | None:
    """A git command whose output is to be read; None where git is not installed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    try:
        return subprocess.Popen(
            ["git", "--git-dir", str(git_dir.absolute()), *arguments],
            cwd=git_dir,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except FileNotFoundError:
        return None

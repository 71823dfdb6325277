"""git itself, on the objects and refs of a store: in a git dir of the moment with a configuration of ours, and an
environment without `GIT_*` (boundary rule B9).

The store's own configuration is never read: it may be somebody else's, and git runs what one says (a command that
fetches what is missing, for example). Not covered: objects and refs, which are written without git (`store`).
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIG = """\
[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogAllRefUpdates = false
[gc]
\tauto = 0
[log]
\tinitialDecorationSet = all
"""
"""What a store's configuration says; for people who use git on it."""
_SHARED = ("objects", "refs", "packed-refs", "shallow")


@contextmanager
def bare(store: Path) -> Iterator[Path]:
    """A git dir with the objects and refs of the repository at `store`, and none of its configuration and hooks."""
    with tempfile.TemporaryDirectory(prefix="dgm-git-") as made:
        folder = Path(made)
        (folder / "HEAD").write_text("ref: refs/heads/main\n")
        (folder / "config").write_text(CONFIG)
        for name in _SHARED:
            if (store / name).exists():
                (folder / name).symlink_to((store / name).absolute())
        yield folder


def start(git_dir: Path, *arguments: str) -> subprocess.Popen[bytes] | None:
    """A git command in a `bare` git dir, whose output is to be read; None where git is not installed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    environment |= {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}  # nothing is ever fetched
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

"""git's refs as files: loose ones below `refs/`, and `packed-refs`, which `git gc` makes of them.

Written here and not through git: a ref per agent, without a process. Only direct refs; `HEAD` and other
symbolic ones are not followed. Temporary files end in `.lock`, which git passes over and takes for its own
lock.
"""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dgm.archive.disk import sync_directory, write_whole
from dgm.archive.failpoints import failpoint

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_HASH = re.compile(r"[0-9a-f]{40}")


class Refs:
    """The refs of the bare repository at `git_dir`, by full name (`refs/agents/7`)."""

    def __init__(self, git_dir: Path) -> None:
        self._git_dir = git_dir
        self._packed_file = git_dir / "packed-refs"

    def point(self, name: str, commit: str) -> None:
        """Point `name` at `commit`, at once and durably. Raises ValueError for a name git would refuse."""
        path = self._git_dir / _checked(name)
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True)
        write_whole(path, commit.encode() + b"\n", path.with_name(path.name + ".lock"))
        sync_directory(path.parent)

    def all(self, below: str) -> dict[str, str]:
        """Every ref below a folder (`refs/agents/`) with its commit; a loose one hides a packed one."""
        loose = {name: self._value(name) for name in self._loose(below)}  # before the others, into which they may move
        found = {name: commit for name, commit in self._packed() if name.startswith(below)}
        return found | {name: commit for name, commit in loose.items() if commit is not None}

    def _value(self, name: str) -> str | None:
        """What a loose ref says, empty where it is damaged; None when it has just been packed."""
        try:
            commit = (self._git_dir / name).read_text(errors="replace").strip()
        except FileNotFoundError:
            return None
        return commit if _HASH.fullmatch(commit) else ""

    def names(self, below: str) -> set[str]:
        """The names alone: no file is opened but `packed-refs`."""
        loose = set(self._loose(below))
        if not self._packed_file.exists():
            return loose
        # Of a hundred thousand refs only the names are taken out, by one expression.
        pattern = rb"^[0-9a-f]{40} (" + re.escape(below.encode()) + rb".+)$"
        return loose | {
            name.decode(errors="replace") for name in re.findall(pattern, self._packed_file.read_bytes(), re.M)
        }

    def pack(self, below: str, keep: Container[str]) -> int:
        """Move the loose refs below a folder into `packed-refs`, but for those to `keep`; how many there were.

        A kill leaves each ref in one place at least. While git itself packs refs nothing is done.
        """
        with suppress(FileExistsError), self._packed_lock() as temporary:
            packed = dict(self._packed())
            loose = {name: commit for name in self._loose(below) if name not in keep and (commit := self._value(name))}
            lines = [f"{commit} {name}\n" for name, commit in sorted((packed | loose).items())]
            head = "# pack-refs with: sorted \n"
            write_whole(self._packed_file, (head + "".join(lines)).encode(), temporary)
            sync_directory(self._git_dir)
            failpoint("refs-packed")
            for name in loose:
                (self._git_dir / name).unlink()
            return len(loose)
        return 0

    @contextmanager
    def _packed_lock(self) -> Iterator[Path]:
        """git's own lock on `packed-refs`, which is also the temporary file that takes its place."""
        temporary = self._git_dir / "packed-refs.lock"
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def is_loose(self, name: str) -> bool:
        return (self._git_dir / name).is_file()

    def delete(self, name: str) -> None:
        """Remove a ref; one that is not there is no error."""
        path = self._git_dir / _checked(name)
        kept, dropped = [], False
        for line in self._packed_lines():
            # A line that begins with ^ belongs to the ref of the line above.
            dropped = line.endswith(f" {name}") or (dropped and line.startswith("^"))
            if not dropped:
                kept.append(line + "\n")
        if len(kept) < len(self._packed_lines()):
            write_whole(self._packed_file, "".join(kept).encode(), self._git_dir / "packed-refs.lock")
        path.unlink(missing_ok=True)

    def clear_temporary(self) -> int:
        """Remove what a killed writer left, and say how many files that were."""
        left = [path for path in (self._git_dir / "refs").rglob("*.lock") if path.is_file()]
        left += [path for path in [self._git_dir / "packed-refs.lock"] if path.is_file()]
        for path in left:
            path.unlink()
        return len(left)

    def _loose(self, below: str) -> Iterator[str]:
        folder = self._git_dir / below
        if not folder.is_dir():
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False) and not entry.name.endswith(".lock"):
                    yield below + entry.name

    def _packed(self) -> Iterator[tuple[str, str]]:
        for line in self._packed_lines():
            commit, _, name = line.partition(" ")
            if _HASH.fullmatch(commit):
                yield name, commit

    def _packed_lines(self) -> list[str]:
        if not self._packed_file.exists():
            return []
        return self._packed_file.read_text(errors="replace").splitlines()


def _checked(name: str) -> str:
    parts = name.split("/")
    well_formed = all(
        _PLAIN.fullmatch(part) and ".." not in part and not part.endswith((".lock", ".")) for part in parts
    )
    if parts[0] != "refs" or len(parts) < 3 or not well_formed:
        raise ValueError(f"{name!r} is no name for a ref")
    return name

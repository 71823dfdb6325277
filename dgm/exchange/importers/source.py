"""Reading a foreign run's folder: regular files below it, bounded, no link followed, nothing written.

What cannot be read is told by name in `notices` and treated as absent; who needs it decides whether that is fatal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from dgm.errors import UserError

MAX_BYTES = 64_000_000
"""Of one file."""
MAX_NOTICES = 1_000


@dataclass
class Source:
    """The folder `root` of a foreign run."""

    root: Path
    notices: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.root.is_dir():
            raise UserError(f"{self.root} is not a directory; give the folder of one run")

    def miss(self, what: str) -> None:
        """Name a piece that is missing or unreadable."""
        if len(self.notices) < MAX_NOTICES:
            self.notices.append(what)

    def has(self, name: str) -> bool:
        """Whether a plain file is there."""
        return self._plain(name) and (self.root / name).is_file()

    def has_folder(self, name: str) -> bool:
        return self._plain(name) and (self.root / name).is_dir()

    def folders(self, name: str = "") -> list[str]:
        """The names of the folders below one, sorted."""
        return [entry.name for entry in self._entries(name) if entry.is_dir()]

    def files(self, name: str) -> list[str]:
        """The names of the plain files in a folder, sorted."""
        return [entry.name for entry in self._entries(name) if entry.is_file()]

    def read(self, name: str) -> bytes | None:
        """A file's content; None where it is missing, a link or too big, which is told."""
        path = self.root / name
        if not self.has(name):
            self.miss(f"{name} is missing")
        elif path.stat().st_size > MAX_BYTES:
            self.miss(f"{name} has more than {MAX_BYTES} bytes and is left out")
        else:
            try:
                return path.read_bytes()
            except OSError as error:
                self.miss(f"{name} cannot be read ({error.strerror})")
        return None

    def json_object(self, name: str) -> dict[str, Any] | None:
        """A JSON object (NaN allowed, as these systems write it); None where there is none, which is told."""
        data = self.read(name)
        if data is None:
            return None
        try:
            value = json.loads(data)
        except (ValueError, RecursionError) as error:
            self.miss(f"{name} is no JSON ({error})")
            return None
        if not isinstance(value, dict):
            self.miss(f"{name} holds no JSON object")
            return None
        return value

    def index(self, name: str) -> str:
        """The text of the file that says what belongs to the run. Raises UserError without it."""
        data = self.read(name)
        try:
            if data is not None:
                return data.decode()
        except UnicodeDecodeError:
            raise UserError(f"{self.root / name} is damaged: it is no UTF-8 text") from None
        raise UserError(f"{self.root} is no such run: it has no {name}")

    def _entries(self, name: str) -> Iterator[Path]:
        if self.has_folder(name) or not name:
            yield from sorted(entry for entry in (self.root / name).iterdir() if not entry.is_symlink())

    def _plain(self, name: str) -> bool:
        """Whether a relative path stays below the root and passes no link."""
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or "\0" in name:
            return False
        steps = [self.root.joinpath(*path.parts[: n + 1]) for n in range(len(path.parts))]
        try:
            return not any(step.is_symlink() for step in steps)
        except OSError:  # a name longer than any file's
            return False


def objects(text: str, where: str) -> list[dict[str, Any]]:
    """The JSON objects that a text holds one after another, however they are laid out. Raises UserError."""
    decoder = json.JSONDecoder()
    found: list[dict[str, Any]] = []
    at = 0
    while (at := _next(text, at)) < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where} is damaged: {error}") from None
        if not isinstance(value, dict):
            raise UserError(f"{where} is damaged: a JSON object is due, not a {type(value).__name__}")
        found.append(value)
    if not found:
        raise UserError(f"{where} is empty: the run made nothing")
    return found


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at

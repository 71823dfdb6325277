"""Transcripts on disk: `logs/<id>/<domain>.<split>.jsonl.gz`, one JSON object a line.

Where an agent was measured bit by bit, what came later is in files of its own, `<domain>.<split>.<rows before>`.
The same rows give the same bytes. A row is bounded here; how many rows there are, and what is in them, is the
business of the evaluation. Lone surrogates are kept as JSON's escapes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dgm.archive import kinds
from dgm.archive.disk import sync_directory, write_whole
from dgm.archive.failpoints import failpoint
from dgm.domain import JSON
from dgm.errors import UserError

MAX_ROW = 256 * 1024
"""Characters of one row. Of a longer one only numbers and texts of at most 1,000 characters are kept, and
`cut`."""
MAX_LOG = 300_000_000
"""Bytes of one log when it is unpacked: of a thousand tasks, each with the longest row."""
_SHORT = 1_000
_SUFFIX = ".jsonl.gz"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+")


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One log as the records know it: number of rows, and the SHA-256 of the file in hexadecimal."""

    agent: int
    name: str
    rows: int
    sha256: str


class LogStore:
    """The folder `logs/` of an archive."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, agent: int, name: str, rows: Sequence[Mapping[str, JSON]]) -> LogEntry:
        """Write one log whole. Raises ValueError for a name that is not `domain.split` or a row that is no
        JSON."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name for a log")
        text = "".join(_line(row) for row in rows)
        data = gzip.compress(text.encode(), compresslevel=6, mtime=0)
        folder = self.path / str(agent)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (name + _SUFFIX)
        write_whole(path, data, folder / (name + ".tmp"))
        sync_directory(folder)
        failpoint("log")
        return LogEntry(agent, name, len(rows), hashlib.sha256(data).hexdigest())

    def read(self, agent: int, name: str) -> list[dict[str, JSON]]:
        """The rows of a log that was recorded. Raises UserError when the file is missing or damaged."""
        path = self._place(agent, name)
        if not path.is_file():
            raise UserError(f"{path} is missing; restore a copy of the archive")
        try:
            with gzip.open(path) as file:
                content = file.read(MAX_LOG + 1)
            if len(content) > MAX_LOG:
                raise ValueError(f"it unpacks to more than {MAX_LOG} bytes")
            return [_row(line) for line in content.decode().splitlines()]
        except (OSError, EOFError, ValueError, zlib.error) as error:
            raise UserError(f"{path} is damaged ({error}); restore a copy of the archive") from error

    def digest(self, agent: int, name: str) -> str | None:
        """The SHA-256 of a log's file, None when it is not there."""
        path = self._place(agent, name)
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _place(self, agent: int, name: str) -> Path:
        """Where a log lies that is on record. Raises UserError for what is no log's name."""
        if not _NAME.fullmatch(name):
            raise UserError(f"{name!r:.100} is on record as a log of agent {agent}, and can be none; restore a copy")
        return self.path / str(agent) / (name + _SUFFIX)

    def keep_only(
        self, recorded: Callable[[int], Collection[str]], suspects: tuple[Collection[int], int] | None
    ) -> list[str]:
        """Remove every file that no record knows, the rest of a killed writer; what was removed.

        `recorded` gives the names of an agent's logs. Only the folders of the `suspects` are looked into, some agents
        and all above a number, and what is no agent's folder; None: every one.
        """
        removed = []
        for name in os.listdir(self.path) if self.path.is_dir() else []:  # noqa: PTH208  (names alone: there are many)
            number = int(name) if name.isascii() and name.isdigit() else -1
            if suspects is not None and 0 <= number <= suspects[1] and number not in suspects[0]:
                continue
            folder, known = self.path / name, recorded(number)
            for path in sorted(folder.iterdir()) if folder.is_dir() else []:
                if path.name.removesuffix(_SUFFIX) not in known:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                    removed.append(f"logs/{folder.name}/{path.name}")
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        return sorted(removed)


def piece(name: str, before: int) -> str:
    """The name under which further rows of the log `name` are kept when there are `before` rows already."""
    return f"{name}.{before}" if before else name


def pieces(names: Iterable[str], name: str) -> list[str]:
    """Which of `names` are the log `name` and its pieces, in the order in which they were written."""
    later = {int(n[len(name) + 1 :]): n for n in names if n.startswith(f"{name}.") and n[len(name) + 1 :].isdigit()}
    return [*(n for n in names if n == name), *(later[at] for at in sorted(later))]


def _row(line: str) -> dict[str, JSON]:
    """Raises ValueError unless it is an object, and all of it is JSON."""
    row = kinds.loads(line)
    if not isinstance(row, dict):
        raise ValueError("a row is no object")
    return row


def _line(row: Mapping[str, JSON]) -> str:
    text = json.dumps(row, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    if len(text) > MAX_ROW:
        short = {key: value for key, value in row.items() if len(json.dumps(value)) <= _SHORT}
        text = json.dumps({**short, "cut": len(text)}, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text + "\n"

"""Requests as files: `inbox/<id>.json` in an archive's folder, each there whole or not at all.

What is read back is checked field by field: whoever may write the folder may have written it. Not covered: whether
what is asked can be done (`dgm.steering`).
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from dgm.archive.disk import disk_errors, write_whole
from dgm.archive.steered import Action
from dgm.archive.text import clean
from dgm.errors import UserError

INBOX = "inbox"
MAX_TEXT = 10_000
MAX_AUTHOR = 200
MAX_BYTES = 64_000_000
"""Of one request's file: a submitted genome is at most 16 MB, and a third longer in base 64."""

MAX_NUMBER = 10**12
"""Of an agent or a count, so that it is one that the database can be asked for."""
MAX_TIME = 1e11
"""Of seconds since 1970."""


def new_id() -> str:
    """An id by which requests sort in the order they were asked."""
    return f"{time.time_ns():020d}-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Request:
    """Something that was asked of a run. `files` of a submission are in its file, not here."""

    id: str
    action: Action
    author: str
    asked: float  #: seconds since 1970, UTC
    agent: int | None = None
    count: int = 1  #: of a pin: proposals to make from the agent
    text: str = ""  #: of a note; of a submission, what its maker says of it
    waits: bool = True  #: the kernel has not taken it up yet
    refused: str = ""  #: why it was not done; known once it was taken up

    def body(self, version: int) -> dict[str, Any]:
        """As an event's body."""
        body: dict[str, Any] = {"id": self.id, "action": str(self.action), "author": self.author}
        body |= {"asked": self.asked, "version": version}
        body |= {} if self.agent is None else {"agent": self.agent}
        body |= {"count": self.count} if self.action == Action.PIN else {}
        body |= {"text": self.text} if self.text else {}
        return body | ({"refused": self.refused} if self.refused else {})


def waiting(path: Path) -> list[Path]:
    """The files of the inbox, in the order they were asked."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return sorted(file for file in (path / INBOX).iterdir() if file.suffix == ".json")
    return []


def read(file: Path) -> dict[str, Any]:
    """The JSON object of a request's file. Raises UserError if it is none."""
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > MAX_BYTES:
            raise UserError(f"{file.name} is no request: it is no file of at most {MAX_BYTES} bytes")
        value = json.loads(file.read_bytes(), parse_constant=_no_constant)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file.name} is no request: {error}") from None
    if not isinstance(value, dict):
        raise UserError(f"{file.name} is no request: it holds no object")
    return value


def put(path: Path, asked: Request, files: Mapping[str, str] | None) -> None:
    value: dict[str, Any] = {**asked.body(-1), "files": dict(files)} if files is not None else asked.body(-1)
    folder = path / INBOX
    with disk_errors(path, remedy="try again"):
        for last in (False, False, True):
            try:
                folder.mkdir(exist_ok=True)
                write_whole(folder / f"{asked.id}.json", json.dumps(value).encode(), folder / f"{asked.id}.tmp")
                return
            except FileNotFoundError:  # the kernel has just removed the empty folder
                if last:
                    raise


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def parsed(file: Path, value: Mapping[str, Any]) -> Request:
    """Raises UserError when a field is not of its kind."""
    due: dict[str, tuple[type, ...]] = {"id": (str,), "action": (str,), "author": (str,), "asked": (int, float)}
    optional: dict[str, tuple[type, ...]] = {"agent": (int,), "count": (int,), "text": (str,)}
    for name, kinds in {**due, **optional}.items():
        if (name in due or name in value) and type(value.get(name)) not in kinds:
            raise UserError(f"{file.name} is no request: its {name} is missing or wrong")
    for name, most in (("asked", MAX_TIME), ("agent", MAX_NUMBER), ("count", MAX_NUMBER)):
        if not -most <= value.get(name, 0) <= most:  # an infinite time, too: `1e999` is JSON
            raise UserError(f"{file.name} is no request: its {name} is out of range")
    if value["id"] != file.stem or value["action"] not in set(Action):
        raise UserError(f"{file.name} is no request: its name or its action is unknown")
    return Request(
        value["id"],
        Action(value["action"]),
        clean(value["author"], MAX_AUTHOR),
        float(value["asked"]),
        value.get("agent"),
        value.get("count", 1),
        clean(value.get("text", ""), MAX_TEXT),
    )

"""What a page may ask of a run: the one part of the viewer from which something changes.

A body becomes a request of `dgm.steering`: a file in the archive's inbox while a kernel runs, an event at once where
none does. Nothing else is written, and nothing waits for the kernel. Not covered: who asks (`guard`; the author is a
name that the page gives), and what a request comes to, which the archive's events tell.
"""

from __future__ import annotations

import base64
import binascii
import getpass
import threading
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dgm import steering
from dgm.errors import UserError
from dgm.genome import MAX_TOTAL_BYTES, check_files, check_name
from dgm.steering import Action, Request
from dgm.steering.inbox import MAX_AUTHOR, MAX_TEXT
from dgm.steering.submissions import MARKER
from dgm.web.shelf import Shelf

MAX_STEER = 200_000
"""Bytes of a body without files: the longest note, every character of it escaped."""
MAX_GRAFT = MAX_TOTAL_BYTES * 4 // 3 + 2_000_000
"""Bytes of a body with files: the largest genome in base 64, its names and the words."""

Agent = Annotated[int, Field(ge=0, le=10**12)]
Author = Annotated[str | None, Field(max_length=MAX_AUTHOR)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
T = TypeVar("T", bound=BaseModel)


class Malformed(UserError):
    """A body that is no request."""


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    archive: str
    author: Author = None


class Steer(_Body):
    action: Action
    agent: Agent | None = None
    count: int = 1
    text: Text = ""


class Graft(_Body):
    agent: Agent
    summary: Text = ""
    files: dict[str, str]


class Posts:
    """What each address takes. Safe to use from several threads."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._one = threading.Lock()  # two of ours at once would each take the other for a kernel

    def steer(self, body: bytes) -> dict[str, Any]:
        """Everything that can be asked but a child. Raises UserError for what cannot be."""
        asked = _parsed(Steer, body)
        if asked.action == Action.SUBMIT:
            raise Malformed("a child is handed in with its files")
        with self._one:
            path = self._shelf.book(asked.archive).path
            done = steering.request(
                path, asked.action, agent=asked.agent, count=asked.count, text=asked.text, author=_author(asked.author)
            )
        return _answer(done, [])

    def graft(self, body: bytes) -> dict[str, Any]:
        """A child that was made outside: the files of an edited directory. Raises UserError for what cannot be."""
        asked = _parsed(Graft, body)
        files, dropped = kept(asked.files)
        with self._one:
            path = self._shelf.book(asked.archive).path
            author = _author(asked.author)
            done = steering.request(
                path, Action.SUBMIT, agent=asked.agent, text=asked.summary, author=author, files=files
            )
        return _answer(done, dropped)


def kept(files: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """The files of a directory that can be a genome's, in base 64, and a notice for each other; what git, Python and
    `dgm fork` keep beside them is left out without one, as it is from a directory (`dgm.genome.read_directory`).

    Raises UserError where they are no genome.
    """
    found: dict[str, bytes] = {}
    dropped: list[str] = []
    for name, text in files.items():
        parts = name.split("/")
        if {"__pycache__", ".git"} & set(parts) or name.endswith(".pyc") or name == MARKER:
            continue
        if (why := check_name(name)) is not None:
            dropped.append(f"{name} is left out: it {why}")
            continue
        try:
            found[name] = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise Malformed(f"{name} is not in base 64") from None
    if not found:
        raise UserError("the directory holds no file that an agent can be made of")
    if (why := check_files(found)) is not None:
        raise UserError(f"the directory cannot be a genome: {why}")
    return {name: files[name] for name in found}, dropped


def me() -> str:
    """The system's name of who started the viewer; empty where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in many containers
        return ""


def _author(given: str | None) -> str:
    return me() if given is None or not given.strip() else given.strip()


def _parsed(kind: type[T], body: bytes) -> T:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))[:200]
        raise Malformed(f"this is no request: {place + ': ' if place else ''}{first['msg']}") from None


def _answer(done: Request, notices: list[str]) -> dict[str, Any]:
    return {"id": done.id, "waits": done.waits, "notices": notices[:100]}

"""The archives a viewer shows: those of one folder, found by looking, opened when they are asked for.

A name from a page is only ever looked up among the names that were found; no path is made from it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from dgm.archive import database
from dgm.archive.logs import LogStore
from dgm.archive.place import GENOMES, LOGS
from dgm.archive.store import GitStore
from dgm.domain import Files
from dgm.errors import UserError
from dgm.steering import Request, inbox, pending
from dgm.web.matrix import Matrix
from dgm.web.snapshot import Snapshot


class Book:
    """One archive that was opened. Raises UserError where it cannot be read."""

    def __init__(self, name: str, path: Path) -> None:
        database.check_is_archive(path)
        self.name, self.path = name, path
        self.snapshot = Snapshot(path)
        self.matrix = Matrix(self.snapshot)
        self._asked: tuple[tuple[str, ...], list[Request]] = (), []

    @cached_property
    def store(self) -> GitStore:
        return GitStore(self.path / GENOMES)

    @cached_property
    def logs(self) -> LogStore:
        return LogStore(self.path / LOGS)

    def files(self, agent: int) -> Files:
        """An agent's genome. Raises UserError where none was kept."""
        record = self.snapshot.agent(agent)
        if record.commit is None:
            raise UserError(f"{self.name}#{agent} has no genome: the proposal ended as {record.admission}")
        return self.store.read(record.commit)

    def asked(self) -> list[Request]:
        """What was asked of the run and waits for its kernel, in the order it was asked.

        A request's file never changes, so that the inbox, which may hold whole genomes, is read when one comes or goes.
        """
        names = tuple(file.name for file in inbox.waiting(self.path))
        known, waiting = self._asked
        if names != known:
            waiting = pending(self.path)
            self._asked = names, waiting
        if not waiting:
            return []
        taken = self.snapshot.kept("taken", lambda: {_id(event.body) for event in self.snapshot.events})
        return [one for one in waiting if one.id not in taken]


def _id(body: object) -> object:
    """The id of an event's request; None for an event of another form."""
    found = body.get("id") if isinstance(body, dict) else None
    return found if isinstance(found, str) else None


class Shelf:
    """Archives by name: all below `folder`, one level deep or two (the runs of an experiment), or a single one."""

    def __init__(self, folder: Path, only: Path | None = None) -> None:
        self.folder, self._only = folder, only
        self._books: dict[str, Book] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """What is there now."""
        return sorted(name for name, _ in self._found())

    def book(self, name: str) -> Book:
        """An archive with everything it holds now. Raises UserError for an unknown name."""
        with self._lock:
            book = self._books.get(name)
            if book is None:
                path = dict(self._found()).get(name)
                if path is None:
                    raise UserError(f"there is no archive {name} in {self.folder}")
                book = self._books[name] = Book(name, path)
        try:
            book.snapshot.refresh()
        except UserError:
            with self._lock:
                self._books.pop(name, None)  # it may be another one when it is asked for again
            raise
        return book

    def _found(self) -> Iterator[tuple[str, Path]]:
        if self._only is not None:
            yield self._only.name, self._only
            return
        for pattern in (f"*/{database.NAME}", f"*/*/{database.NAME}"):
            for file in self.folder.glob(pattern):
                name = file.parent.relative_to(self.folder).as_posix()
                if not any(part.startswith(".") for part in name.split("/")):
                    yield name, file.parent

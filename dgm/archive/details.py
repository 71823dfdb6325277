"""What a view reads only when a selector asks for it: verdicts from the rows, sources from the git store.

Each agent is read once and kept as a few dozen bytes of bits or vector, so a proposal reads what is new since the
last one. Later results of an agent that was read (they are rare) make the table of tasks begin again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from dgm.archive.records import Records
from dgm.domain import Files

if TYPE_CHECKING:
    from dgm.archive.sourcetable import SourceTable
    from dgm.archive.standing import Standing
    from dgm.archive.tasktable import TaskTable
    from dgm.archive.view import Ints, Sources, Tasks


class Details:
    """The two tables of one open archive. Safe to use from several threads."""

    def __init__(self, records: Records, files: Callable[[int], Files]) -> None:
        self._records = records
        self._files = files
        self._lock = threading.Lock()
        self._tasks: TaskTable | None = None
        self._sources: SourceTable | None = None
        self._read: tuple[Standing, int] | None = None  # the standing and its revision that `_tasks` is of

    def tasks(self, agents: Ints, standing: Standing) -> Tasks:
        """Who of `agents` is best on which task of the split that parents are chosen on."""
        from dgm.archive.tasktable import TaskTable  # here, because it needs numpy

        with self._lock:
            if self._tasks is None or self._read != (standing, standing.revision):
                self._tasks, self._read = TaskTable(), (standing, standing.revision)
            for agent in self._tasks.missing(agents):
                verdicts = (
                    verdict
                    for domain, split in standing.splits.items()
                    for verdict in self._records.verdicts(agent, domain, split)
                )
                self._tasks.add(agent, ((verdict.domain, verdict.task, verdict.score) for verdict in verdicts))
            return self._tasks.tasks(agents)

    def sources(self, agents: Ints) -> Sources:
        """What the sources of `agents` are like."""
        from dgm.archive.sourcetable import SourceTable  # here, because it needs numpy

        with self._lock:
            self._sources = SourceTable() if self._sources is None else self._sources
            for agent in self._sources.missing(agents):
                self._sources.add(agent, self._files(agent))
            return self._sources.sources(agents)

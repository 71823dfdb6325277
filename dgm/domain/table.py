"""For domains: tasks made of rows, the domain's own or those of a JSON-lines file.

What a row is, and how an answer is judged, is a subclass's (`labels`, `points`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from dgm.domain import Split, Task
from dgm.domain.records import Fold, Row, split


class TableDomain:
    """Base of a domain of rows: implement `own`, `inputs`, `rows_of` and `_task`."""

    GROUP = "id"  #: rows with the same value of this field never span two splits

    def own(self) -> Mapping[Split, Sequence[Row]]:
        """The domain's own tasks as rows."""
        raise NotImplementedError

    def inputs(self, row: Row) -> dict[str, object]:
        """What an agent sees of a row."""
        raise NotImplementedError

    def rows_of(self, data: Path) -> list[Row]:
        """The rows of a data file; override it for another format. Raises UserError for one that cannot be used."""
        raise NotImplementedError

    def dealt(self, rows: Sequence[Row], fold: Fold | None, source: Path) -> Mapping[Split, Sequence[Row]]:
        """A file's rows by split, balanced over their labels. Raises UserError for an empty split."""
        return split(rows, self.GROUP, fold, source)

    def __init__(self, data: Path | None = None, fold: Fold | None = None) -> None:
        """`data`: a file, or None for the own tasks; `fold` is (k, K), see `records.split`.
        Raises UserError for a file that cannot be used."""
        self._data, self._fold = data, fold
        self._rows = [] if data is None else self.rows_of(data)

    @cached_property
    def _splits(self) -> dict[Split, list[Task]]:
        dealt = self.own() if self._data is None else self.dealt(self._rows, self._fold, self._data)
        return {part: [self._task(row) for row in rows] for part, rows in dealt.items()}

    def tasks(self, split: Split) -> Sequence[Task]:
        """The tasks of a split, in a fixed order."""
        return self._splits[split]

    def everything(self) -> Sequence[Task]:
        """All tasks in one list: of a file every row, balanced or not."""
        if self._data is None:
            return [task for part in Split for task in self._splits[part]]
        return [self._task(row) for row in self._rows]

    def _task(self, row: Row) -> Task:
        raise NotImplementedError

"""For domains: tasks whose answer is one label of a closed set, from a generator or from a JSON-lines file.

A subclass says what a row is and what of it an agent sees; judging is by equality and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dgm.domain import JSON, Artifact, Judged, Status, Task, Verdict, measures
from dgm.domain.records import Row, read
from dgm.domain.table import TableDomain


class LabelledDomain(TableDomain):
    """Base of a label domain: set LABELS and FIELDS, implement `own` (rows with `id` and `label`) and `inputs`."""

    LABELS: tuple[str, ...]  #: the closed set, as in domain.toml
    FIELDS: tuple[str, ...]  #: the texts that each line of a file must have; `id` and `label` among them

    def rows_of(self, data: Path) -> list[Row]:
        """The rows of a data file; override it for another format. Raises UserError for one that cannot be used."""
        return read(data, dict.fromkeys(self.FIELDS, str), "id", self._complaint)

    def judge(self, task: Task, artifact: Artifact) -> Verdict:
        """1 for the right label; anything that is no label is invalid, whatever it is."""
        given = artifact.prediction
        if given is None:
            return Verdict(0.0, Status.WRONG, "no answer")
        if type(given) is not str or given not in self.LABELS:
            return Verdict(0.0, Status.INVALID, "not one of the labels")
        if given != task.hidden["label"]:
            return Verdict(0.0, Status.WRONG, f"said {given}")
        return Verdict(1.0)

    def report(self, judged: Sequence[Judged]) -> dict[str, JSON]:
        """Balanced accuracy, and recall and precision by label."""
        truth = [task.hidden["label"] for task, _, _ in judged]
        said = [given if verdict.status is not Status.INVALID else None for _, given, verdict in judged]
        rows = measures.by_class(truth, said)
        return {
            "balanced accuracy": measures.balanced_accuracy(truth, said),
            "recall": {label: row["recall"] for label, row in rows.items()},
            "precision": {label: row["precision"] for label, row in rows.items()},
        }

    def _complaint(self, row: Row) -> str:
        known = row["label"] in self.LABELS
        return "" if known else f"the label {row['label']!r:.40} must be one of {', '.join(self.LABELS)}"

    def _task(self, row: Row) -> Task:
        return Task(row["id"], self.inputs(row), hidden={"label": row["label"], "fault": row.get("fault", "")})

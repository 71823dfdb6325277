"""For domains: tasks whose answer is a number of points, from a generator or from a JSON-lines file.

The score of an answer falls linearly with its distance from the points given: 1 - |said - given| / (high - low).
The exact points are the metric `exact`, the distance is `error`. A number outside [low, high], and what is no
number, is invalid. A subclass says what a row is and what of it an agent sees.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from dgm.domain import JSON, Artifact, Judged, Split, Status, Task, Verdict, measures
from dgm.domain.records import Fold, Row, read
from dgm.domain.table import TableDomain


class PointsDomain(TableDomain):
    """Base of a points domain: set LOW, HIGH and FIELDS, implement `own` and `inputs`.

    Rows have an `id` and `points`, a number in [LOW, HIGH].
    """

    LOW: float
    HIGH: float
    FIELDS: Mapping[str, type]  #: what each line of a file must have besides `id` and `points`

    def rows_of(self, data: Path) -> list[Row]:
        """The rows of a data file. Raises UserError for one that cannot be used."""
        return read(data, {**self.FIELDS, "id": str}, "id", self._complaint)

    def dealt(self, rows: Sequence[Row], fold: Fold | None, source: Path) -> Mapping[Split, Sequence[Row]]:
        """A file's rows by split: balanced over the points that occur. Raises UserError for an empty split."""
        labelled = [row | {"label": f"{row['points']:g}"} for row in rows]
        return super().dealt(labelled, fold, source)

    def judge(self, task: Task, artifact: Artifact) -> Verdict:
        """How near the answer comes, see the module."""
        said = artifact.prediction
        if said is None:
            return Verdict(0.0, Status.WRONG, "no answer")
        if not number(said) or not self.LOW <= said <= self.HIGH:
            return Verdict(0.0, Status.INVALID, f"not a number from {self.LOW:g} to {self.HIGH:g}")
        error = abs(said - task.hidden["label"])
        score = max(0.0, 1.0 - error / (self.HIGH - self.LOW))
        return Verdict(score, Status.OK, f"off by {error:g}", {"error": error, "exact": float(error == 0)})

    def report(self, judged: Sequence[Judged]) -> dict[str, JSON]:
        """Exact share, mean absolute error (a missing or invalid answer counts as the farthest one), bias,
        weighted kappa, and recall by points."""
        truth = [float(task.hidden["label"]) for task, _, _ in judged]
        valid = [v.status is Status.OK for _, _, v in judged]
        said = [
            float(given) if ok else self._farthest(true)
            for true, (_, given, _), ok in zip(truth, judged, valid, strict=True)
        ]
        names = [f"{t:g}" for t in truth]
        given = [f"{s:g}" if ok else None for s, ok in zip(said, valid, strict=True)]
        return {
            "exact": sum(t == s and ok for t, s, ok in zip(truth, said, valid, strict=True)) / len(truth),
            "mean absolute error": measures.absolute_error(truth, said),
            "bias": measures.bias(truth, said),
            "weighted kappa": measures.agreement(truth, said),
            "recall": {name: row["recall"] for name, row in measures.by_class(names, given).items()},
        }

    def _farthest(self, true: float) -> float:
        return self.LOW if true - self.LOW >= self.HIGH - true else self.HIGH

    def _complaint(self, row: Row) -> str:
        points: JSON = row.get("points")
        if number(points) and self.LOW <= points <= self.HIGH:
            return ""
        return f"points must be a number from {self.LOW:g} to {self.HIGH:g}"

    def _task(self, row: Row) -> Task:
        return Task(row["id"], self.inputs(row), hidden={"label": row["points"], "fault": row.get("fault", "")})


def number(value: object) -> bool:
    """Whether a value is an int or a finite float, and no bool."""
    if type(value) is int:
        return abs(value) < 10**15
    return type(value) is float and math.isfinite(value)

"""Evaluations of the Hyperagents format: `report.json`, `predictions.csv` and the chat histories beside them.

A report gives one number; which tasks it comes from is told by lists of ids, where there are some. A task's result is
taken from these lists alone: predictions are not judged again. NaN means that there is no score. A percentage (a value
above 1 under a key that may be one) is divided by 100.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping
from typing import Any

from dgm.archive.records import task_name
from dgm.domain import JSON
from dgm.errors import Status
from dgm.exchange.importers.model import ForeignScore, ForeignTask
from dgm.exchange.importers.source import Source

SCORES = ("overall_accuracy", "average_progress", "average_fitness", "accuracy_score", "points_percentage")
PERCENT = frozenset({"average_progress", "points_percentage"})
IDS = ("question_id", "Grading ID", "Problem ID")
PASSED = ("question_ids_passed", "total_resolved_ids")
FAILED = ("question_ids_failed", "total_unresolved_ids")
EMPTY = ("total_emptypatch_ids",)
MAX_TEXT = 20_000


def read(source: Source, folder: str, domain: str, split: str) -> ForeignScore | None:
    """What one agent reached on a split; None, which is told, where no report says."""
    report = source.json_object(f"{folder}/report.json")
    if report is None:
        return None
    predictions = _predictions(source, folder)
    tasks = results(report, predictions, lambda task: _history(source, folder, task))
    mean = _mean(report)
    if not tasks and mean is None:
        source.miss(f"{folder}/report.json has no score")
        return None
    return ForeignScore(domain, split, tasks, mean, _detail(report))


def results(
    report: Mapping[str, Any], predictions: Mapping[str, str], history: Callable[[str], str] = lambda _: ""
) -> list[ForeignTask]:
    """The tasks that a report lists by id, each once: passed, failed, or left empty."""
    found: dict[str, ForeignTask] = {}
    for keys, score, status in ((PASSED, 1.0, Status.OK), (EMPTY, 0.0, Status.INVALID), (FAILED, 0.0, Status.WRONG)):
        for key in keys:
            ids = report.get(key)
            for one in ids if isinstance(ids, list) else []:
                if isinstance(one, (str, int)) and (name := task_name(str(one))) not in found:
                    said = predictions.get(str(one), "")
                    found[name] = ForeignTask(name, score, status, said, history(str(one)))
    return list(found.values())


def _mean(report: Mapping[str, Any]) -> float | None:
    for key in SCORES:
        value = report.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < math.inf:
            value = value / 100 if key in PERCENT and 1 < value <= 100 else value
            return float(value) if 0 <= value <= 1 else None
    return None


def _detail(report: Mapping[str, Any]) -> dict[str, JSON]:
    """The short facts of a report."""
    return {
        key: value
        for key, value in report.items()
        if isinstance(value, (int, str)) or (isinstance(value, float) and math.isfinite(value))
    }


def _predictions(source: Source, folder: str) -> dict[str, str]:
    """Task to what the agent answered; "None" and nothing are no answer."""
    if not source.has(f"{folder}/predictions.csv"):
        source.miss(f"{folder}/predictions.csv is missing: what the agent answered is not known")
        return {}
    text = (source.read(f"{folder}/predictions.csv") or b"").decode("utf-8", "replace")
    try:
        rows = list(csv.DictReader(io.StringIO(text.replace("\0", ""))))
    except csv.Error as error:
        source.miss(f"{folder}/predictions.csv is damaged ({error})")
        return {}
    column = next((name for name in IDS if rows and name in rows[0]), None)
    if column is None or "prediction" not in rows[0]:
        source.miss(f"{folder}/predictions.csv has no column of ids or predictions")
        return {}
    return {str(row[column]): _answer(row["prediction"]) for row in rows}


def _answer(prediction: str | None) -> str:
    return "" if prediction in (None, "None") else prediction[:MAX_TEXT]


def _history(source: Source, folder: str, task: str) -> str:
    name = f"{folder}/agent_evals/chat_history_{task}.md"
    if "/" in task or not source.has(name):
        return ""
    text = (source.read(name) or b"").decode("utf-8", "replace")
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT // 2] + "\n… \n" + text[-MAX_TEXT // 2 :]

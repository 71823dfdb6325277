"""Evaluations of the Hyperagents format: `report.json`, `predictions.csv` and the chat histories beside them.

A report gives one number; which tasks it comes from is told by lists of ids, where there are some. A task's result is
taken from these lists alone: predictions are not judged again, and a report whose number is another is told. NaN means
that there is no score. Under a key that may be a percentage all values of a domain have one unit: where one is above 1,
all are divided by 100.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any

from dgm.archive.records import task_name
from dgm.domain import JSON
from dgm.errors import Status
from dgm.exchange.importers.model import ForeignAgent, ForeignScore, ForeignTask
from dgm.exchange.importers.source import Source

SCORES = ("overall_accuracy", "average_progress", "average_fitness", "accuracy_score", "points_percentage")
PERCENT = frozenset({"average_progress", "points_percentage"})
IDS = ("question_id", "Grading ID", "Problem ID")
PASSED = ("question_ids_passed", "total_resolved_ids")
FAILED = ("question_ids_failed", "total_unresolved_ids")
EMPTY = ("total_emptypatch_ids",)
MAX_TEXT = 20_000
ROUNDED = 0.005
"""By how much a report's number may differ from the mean of the tasks that it lists."""


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
    check(mean, tasks, f"{folder}/report.json", source)
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


def check(mean: float | None, tasks: Sequence[ForeignTask], where: str, source: Source) -> None:
    """Tell of a number that the tasks listed beside it do not give."""
    listed = fmean(task.score or 0.0 for task in tasks) if tasks else mean
    if mean is not None and listed is not None and abs(mean - listed) > ROUNDED:
        source.miss(f"{where} says {mean:.3f}, but the tasks that it lists give {listed:.3f}, which is taken")


def settle_units(agents: Sequence[ForeignAgent], source: Source) -> None:
    """Give all means of a domain under a key that may be a percentage the same unit; a doubt that is left is told."""
    kept = [(s.domain, _key(s.detail), s) for agent in agents for s in agent.scores if not s.tasks]
    found = {(domain, key) for domain, key, score in kept if key in PERCENT and score.mean}
    percent = {(domain, key) for domain, key, score in kept if (domain, key) in found and score.detail[key] > 1}
    for agent in agents:
        agent.scores = [
            replace(s, mean=s.detail[key] / 100)
            if (s.domain, key := _key(s.detail)) in percent and s.mean is not None and not s.tasks
            else s
            for s in agent.scores
        ]
    for domain, key in sorted(found - percent):
        source.miss(f"{domain}: no {key} is above 1, so they are taken for fractions; as percentages they are 1/100")


def _key(report: Mapping[str, Any]) -> str:
    """Under which a report gives its number; empty where it gives none."""
    numbers = (key for key in SCORES if isinstance(report.get(key), (int, float)))
    return next((k for k in numbers if not isinstance(report[k], bool) and abs(report[k]) < math.inf), "")


def _mean(report: Mapping[str, Any]) -> float | None:
    if not (key := _key(report)):
        return None
    value = report[key]
    value = value / 100 if key in PERCENT and 1 < value <= 100 else value
    return float(value) if 0 <= value <= 1 else None


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
    rows = csv.reader(io.StringIO(text.replace("\0", "")))
    try:
        head = next(rows, [])
        task = next((head.index(name) for name in IDS if name in head), None)
        if task is None or "prediction" not in head:
            source.miss(f"{folder}/predictions.csv has no column of ids or predictions")
            return {}
        said = head.index("prediction")
        # Row by row and two cells of each: a head may name any number of columns that no row has.
        return {row[task]: _answer(row[said]) for row in rows if len(row) > max(task, said)}
    except csv.Error as error:
        source.miss(f"{folder}/predictions.csv is damaged ({error})")
        return {}


def _answer(prediction: str) -> str:
    return "" if prediction == "None" else prediction[:MAX_TEXT]


def _history(source: Source, folder: str, task: str) -> str:
    name = f"{folder}/agent_evals/chat_history_{task}.md"
    if "/" in task or not source.has(name):
        return ""
    text = (source.read(name) or b"").decode("utf-8", "replace")
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT // 2] + "\n… \n" + text[-MAX_TEXT // 2 :]

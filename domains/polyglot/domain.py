"""Exercises in a repository of their own, as the polyglot benchmark has them: a stub, instructions, hidden tests.

Own tasks are the twelve of `exercises.jsonl`. With data: a folder with a copy of the benchmark
(`LANGUAGE/exercises/practice/ NAME/…`), or JSON lines of `{"id", "language", "files": {path: text}}` with the same
paths. An agent sees the exercise's files without its tests, its reference solution and its metadata. The judge lays
the files that are due over a pristine copy and runs the hidden tests in a fresh sandbox (`dgm.domain.harness`); an
exercise is solved if all of them pass. Of Go, Rust, Java and C++ the tools must be in the sandbox
(`dgm.domain.harness.compiled`); Python and JavaScript are the own tasks' languages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path

from dgm.domain import Artifact, JudgeSandbox, Split, Status, Task, UserError, Verdict
from dgm.domain.harness import TestRun, run_jest, run_unittest
from dgm.domain.harness.compiled import LANGUAGES, run_compiled
from dgm.domain.records import Fold, Row, deal, mixed

from .exercises import Exercise, read

Runner = Callable[[JudgeSandbox, Mapping[str, str], Sequence[str], Mapping[str, str], float], TestRun]
RUNNERS: Mapping[str, Runner] = {
    "python": run_unittest,
    "javascript": run_jest,
    **{language: partial(run_compiled, language) for language in LANGUAGES},
}
HERE = Path(__file__).parent
SECONDS = 60.0  #: for all tests of one exercise
BUILDING = 120.0  #: besides, where a compiler comes first
LARGEST = 200_000  #: bytes of a file


class Domain:
    """Tasks with inputs `{"instructions", "language", "files"}` and the exercise's files; due are those in `files`."""

    def __init__(self, data: Path | None = None, fold: Fold | None = None) -> None:
        """`data`: see the module; `fold` is (k, K). Raises UserError for a copy that cannot be used."""
        self._data, self._fold = data, fold
        self._exercises = {e.id: e for e in read(data or HERE / "exercises.jsonl", frozenset(RUNNERS))}

    @cached_property
    def _splits(self) -> dict[Split, list[Task]]:
        rows: list[Row] = [{"id": e.id, "label": e.language} for e in self._exercises.values()]
        if self._data is None or self._fold is None:
            # Twelve parts: a third each of the own twelve; of the benchmark's, enough test tasks to tell agents apart.
            piles = deal(rows, "id", 12, "polyglot")
            cuts = (4, 8) if self._data is None else (5, 7)
            test = _joined(piles[cuts[1] :])
            train, val = _joined(piles[: cuts[0]]), _joined(piles[cuts[0] : cuts[1]])
        else:
            k, folds = self._fold
            if not 1 <= k <= folds:
                raise UserError(f"{self._data}: fold {k} of {folds} does not exist; it must be 1 to {folds}")
            test = deal(rows, "id", folds, f"polyglot:{folds}")[k - 1]
            rest = [row for row in rows if row not in test]
            piles = deal(rest, "id", 2, f"polyglot:{k}/{folds}")
            train, val = piles[0], piles[1]
        parts = {Split.TRAIN: train, Split.VAL: val, Split.TEST: test}
        if empty := [part for part, chosen in parts.items() if not chosen]:
            raise UserError(f"{self._data}: the {empty[0]} split is empty; it needs more exercises")
        return {part: [self._task(row["id"]) for row in mixed(chosen, part)] for part, chosen in parts.items()}

    def tasks(self, split: Split) -> Sequence[Task]:
        return self._splits[split]

    def everything(self) -> Sequence[Task]:
        """All exercises in one list."""
        return [self._task(name) for name in sorted(self._exercises)]

    def judge_in(self, task: Task, artifact: Artifact, sandbox: JudgeSandbox) -> Verdict:
        """1 if all hidden tests pass, else 0. The metric `passed` is the share of them that did."""
        files = {path: text.decode() for path, text in task.files.items()}
        for path in task.due:
            raw = artifact.files.get(path)
            if raw is None:
                return Verdict(0.0, Status.WRONG, f"no {path}")
            if len(raw) > LARGEST:
                return Verdict(0.0, Status.INVALID, f"{path} is larger than {LARGEST} bytes")
            try:
                files[path] = raw.decode("utf-8")
            except UnicodeDecodeError:
                return Verdict(0.0, Status.INVALID, f"{path} is not UTF-8")
        if all(files[path].encode() == task.files[path] for path in task.due):
            return Verdict(0.0, Status.WRONG, "not changed")
        hidden = task.hidden
        language = task.inputs["language"]
        seconds = SECONDS + BUILDING * (language in LANGUAGES)
        ran = RUNNERS[language](sandbox, hidden["tests"], hidden["run"], files, seconds)
        if ran.status is not Status.OK:
            return Verdict(0.0, ran.status, "the tests did not come to their end", {"passed": 0.0})
        if ran.all_passed:
            return Verdict(1.0, Status.OK, "", {"passed": 1.0})
        failed = sum(outcome not in ("passed", "skipped") for outcome in ran.results.values())
        detail = f"{failed} of {len(ran.results)} tests do not pass"
        return Verdict(0.0, Status.WRONG, detail, {"passed": ran.share})

    def _task(self, name: str) -> Task:
        exercise: Exercise = self._exercises[name]
        inputs = {
            "instructions": exercise.instructions,
            "language": exercise.language,
            "files": list(exercise.due),
        }
        hidden = {"label": dict(exercise.reference), "tests": dict(exercise.tests), "run": list(exercise.run)}
        files = {path: text.encode() for path, text in exercise.files.items()}
        return Task(exercise.id, inputs, files, json.loads(json.dumps(hidden)), exercise.due)


def _joined(piles: Sequence[Sequence[Row]]) -> list[Row]:
    return [row for pile in piles for row in pile]

"""A domain ready for use: its facts, its tasks, checked once, and its judge, of which only a sound verdict is taken.

Not covered: where it was found and how its code was imported (`dgm.domains`).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from dgm.domain import (
    JSON,
    Artifact,
    AskingDomain,
    Contradicting,
    ExecutingDomain,
    Judged,
    JudgeModel,
    JudgeSandbox,
    Reporting,
    Split,
    Task,
    Verdict,
)
from dgm.domains.spec import DomainSpec, Stage
from dgm.domains.tasks import check_tasks, content_key
from dgm.errors import DgmError, JudgeFailed, UserError

UNPINNED = frozenset({"__pycache__", "cards"})
"""Folders of a domain that say nothing about its tasks or its judge."""


@dataclass(frozen=True)
class DataRef:
    """`FILE` or `FILE@k/K`: real data for a domain, whole or the k-th of K folds (test = the k-th part)."""

    path: Path
    fold: tuple[int, int] | None = None

    @classmethod
    def parse(cls, text: str) -> DataRef:
        if Path(text).exists() or "@" not in text:
            return cls(Path(text))
        name, _, fold = text.rpartition("@")
        if (match := re.fullmatch(r"(\d{1,4})/(\d{1,4})", fold)) is None:
            raise UserError(f"--data: {text!r} is no file; a fold looks like FILE@1/5")
        k, folds = int(match[1]), int(match[2])
        if not 1 <= k <= folds or folds < 2:
            raise UserError(f"--data: fold {fold} does not exist; k runs from 1 to K in FILE@k/K, K at least 2")
        return cls(Path(name), (k, folds))

    def __str__(self) -> str:
        return str(self.path) if self.fold is None else f"{self.path}@{self.fold[0]}/{self.fold[1]}"


@dataclass(frozen=True)
class LoadedDomain:
    """A domain ready for use: its facts, its tasks (checked once) and its judge."""

    spec: DomainSpec
    folder: Path
    implementation: Any = field(repr=False)
    data: DataRef | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def answer(self) -> dict[str, JSON]:
        """`answer` as the protocol sends it."""
        given = self.spec.answer
        wire: dict[str, JSON] = {"kind": given.kind}
        if given.labels:
            wire["labels"] = list(given.labels)
        if given.files:
            wire["files"] = list(given.files)
        if given.low is not None and given.high is not None:
            wire |= {"low": given.low, "high": given.high}
        return wire

    def answer_for(self, task: Task) -> dict[str, JSON]:
        """`answer` for one task: the files that are due may differ from task to task."""
        return self.answer | {"files": list(task.due)} if task.due else self.answer

    @cached_property
    def executes(self) -> bool:
        """Whether judging needs a sandbox."""
        return isinstance(self.implementation, ExecutingDomain)

    @cached_property
    def asks(self) -> bool:
        """Whether judging needs a language model."""
        return isinstance(self.implementation, AskingDomain)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the folder's files and the data: what a run pins."""
        total = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and not UNPINNED & set(path.relative_to(self.folder).parts):
                total.update(f"{path.relative_to(self.folder)}\0".encode())
                total.update(hashlib.sha256(path.read_bytes()).digest())
        if self.data is not None:
            total.update(f"{self.data.fold}".encode())
            files = [self.data.path] if self.data.path.is_file() else sorted(self.data.path.rglob("*"))
            for path in files:
                if path.is_file() and ".git" not in path.relative_to(self.data.path).parts:
                    total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()

    @cached_property
    def splits(self) -> Mapping[Split, Sequence[Task]]:
        """All tasks. Raises UserError when the splits overlap or a task is malformed."""
        splits = {split: tuple(self.implementation.tasks(split)) for split in Split}
        check_tasks(self.spec, splits)
        return splits

    @cached_property
    def impossible(self) -> Sequence[Task]:
        """The tasks that nobody can pass honestly; most domains have none. Raises UserError when one of them is a task
        of a split as well."""
        if not isinstance(self.implementation, Contradicting):
            return ()
        tasks = tuple(self.implementation.impossible())
        known = [task for split in self.splits.values() for task in split]
        taken = {task.id for task in known}, {content_key(task) for task in known}
        for task in tasks:
            if task.id in taken[0] or content_key(task) in taken[1]:
                raise UserError(f"domain {self.name}: the impossible task {task.id!r} is a task of a split as well")
        return tasks

    @property
    def all_tasks(self) -> Iterator[Task]:
        """Those of all splits, and the impossible ones."""
        for tasks in self.splits.values():
            yield from tasks
        yield from self.impossible

    @property
    def chosen_on(self) -> Split:
        """The split that selection uses: val, or train where there is no val."""
        return Split.VAL if self.splits[Split.VAL] else Split.TRAIN

    @cached_property
    def stages(self) -> Sequence[Stage]:
        """The stages, cut to the tasks there are; without any, one stage of all tasks. Never empty."""
        train, val = len(self.splits[Split.TRAIN]), len(self.splits[Split.VAL])
        given = self.spec.stages or (Stage(train=train, val=val),)
        return [Stage(train=min(s.train, train), val=min(s.val, val), gate=s.gate) for s in given]

    def planned(self, split: Split) -> int:
        """How many tasks of a split a full evaluation has: those of the last stage, or the whole of test."""
        last = self.stages[-1]
        return {Split.TRAIN: last.train, Split.VAL: last.val, Split.TEST: len(self.splits[Split.TEST])}[split]

    def judge(
        self, task: Task, artifact: Artifact, sandbox: JudgeSandbox | None, model: JudgeModel | None = None
    ) -> Verdict:
        """The verdict, checked. Raises JudgeFailed when the domain's code raises or gives no verdict; of a judge that
        asks a model NoVerdict and ModelUnavailable, and UserError where there is no model."""
        if self.asks and model is None:
            raise UserError(f"the judge of {self.name} asks a language model, and there is none here")
        judge: Any = self.implementation
        try:
            if self.executes:
                verdict = judge.judge_in(task, artifact, sandbox)
            elif self.asks:
                verdict = judge.judge_with(task, artifact, model)
            else:
                verdict = judge.judge(task, artifact)
        except DgmError:
            raise
        except Exception as error:  # whatever it is, it is the domain's
            what = f"{type(error).__name__} on task {task.id}: {error}"
            raise JudgeFailed(f"the judge of {self.name} raised {what}") from error
        if not isinstance(verdict, Verdict) or not 0.0 <= verdict.score <= 1.0:
            raise JudgeFailed(f"the judge of {self.name} gave {verdict!r} for task {task.id}, not a score in [0, 1]")
        if odd := [name for name, value in verdict.metrics.items() if not _finite(value)]:
            raise JudgeFailed(f"the judge of {self.name} gave the metric {odd[0]!r} for {task.id} no finite number")
        return verdict

    def report(self, judged: Sequence[Judged]) -> Mapping[str, JSON]:
        """What the domain has to say of a whole evaluation; nothing where it has no `report`. Raises JudgeFailed."""
        if not judged or not isinstance(self.implementation, Reporting):
            return {}
        told = self.implementation.report(judged)
        for name, value in told.items():
            inner = value.values() if isinstance(value, Mapping) else [value]
            if not all(map(_finite, inner)):
                raise JudgeFailed(f"the report of {self.name} gave {name!r} no finite number")
        return told


def _finite(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]  # just checked

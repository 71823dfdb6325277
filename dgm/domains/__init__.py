"""Finding, importing and checking domains. What a domain is stands in `dgm.domain`.

A domain's code is a judge: it runs on the host and is trusted, its digest is pinned per run. It is imported as a
package of its own name (`_dgm_domain_NAME`), so that two domains may have modules of the same name.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dgm import toml
from dgm.domain import (
    JSON,
    Artifact,
    AskingDomain,
    Contradicting,
    Domain,
    ExecutingDomain,
    Judged,
    JudgeModel,
    JudgeSandbox,
    Reporting,
    Split,
    Task,
    Verdict,
)
from dgm.errors import DgmError, JudgeFailed, UserError
from dgm.genome import content

MARKER = "domain.toml"
RESERVED_INPUTS = frozenset({"answer", "workdir"})
"""Keys of a task agent's inputs that the kernel sets itself."""
UNPINNED = frozenset({"__pycache__", "cards"})
"""Folders of a domain that say nothing about its tasks or its judge."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Answer(_Strict):
    """What an agent owes for a task of this domain; it is told so with each task."""

    kind: Literal["label", "number", "text", "files"]
    labels: tuple[str, ...] = Field((), description="For kind label: the closed set to choose from.")
    files: tuple[str, ...] = Field((), description="For kind files: what is read back from the work directory.")
    low: float | None = Field(None, description="For kind number: the least that can be right; goes with high.")
    high: float | None = Field(None, description="For kind number: the most that can be right; goes with low.")


class Stage(_Strict):
    """A growing sample of tasks; a child whose train score is below `gate` stops here."""

    train: int = Field(ge=0)
    val: int = Field(0, ge=0)
    gate: float = Field(0.0, ge=0, le=1, description="Least mean train score of this stage to reach the next.")


class DomainLimits(_Strict):
    """What one task may use."""

    seconds: float = Field(10.0, gt=0)
    memory_mb: int = Field(512, gt=0)
    processes: int = Field(64, gt=0, description="Processes and threads alive at once.")
    disk_mb: int = Field(256, gt=0, description="Everything that can be written.")


class DataSource(_Strict):
    """A real data set that the domain can load with `--data`."""

    name: str
    licence: str
    format: str
    sha256: str | None = None


class DomainSpec(_Strict):
    """`domain.toml`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    version: int = Field(ge=1)
    description: str
    metric: Literal["accuracy", "mean"]
    answer: Answer
    splits: dict[Split, int] = Field(description="How many tasks its own set has in each split.")
    stages: tuple[Stage, ...] = Field((), description="Task counts, at most; none means one stage of all tasks.")
    limits: DomainLimits = DomainLimits()
    sources: tuple[DataSource, ...] = ()


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
        taken = {task.id for task in known}, {_content_key(task) for task in known}
        for task in tasks:
            if task.id in taken[0] or _content_key(task) in taken[1]:
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


def check_tasks(spec: DomainSpec, splits: Mapping[Split, Sequence[Task]]) -> None:
    """Raise UserError when ids repeat, splits share content, a split is empty or a label is not in the set."""
    ids: set[str] = set()
    contents: dict[str, tuple[Split, str]] = {}
    for split, tasks in splits.items():
        for task in tasks:
            where = f"domain {spec.name}, {split} task {task.id!r}"
            if task.id in ids:
                raise UserError(f"{where}: the id is used twice")
            ids.add(task.id)
            if reserved := RESERVED_INPUTS & set(task.inputs):
                raise UserError(f"{where}: the input {min(reserved)!r} is a name that the kernel uses itself")
            label = task.hidden.get("label")
            if spec.answer.kind == "label" and label not in spec.answer.labels:
                raise UserError(f"{where}: the label {label!r} is not one of {', '.join(spec.answer.labels)}")
            body = _content_key(task)
            other, first = contents.setdefault(body, (split, task.id))
            if first != task.id and other != split:
                raise UserError(f"{where}: has the same content as {first!r} in {other}; splits must be disjoint")
    if not any(splits.values()):
        raise UserError(f"domain {spec.name} has no tasks")
    if not splits[Split.TEST]:
        raise UserError(f"domain {spec.name}: the test split is empty, so nothing could be reported")
    if not splits[Split.TRAIN] and splits[Split.VAL]:
        raise UserError(
            f"domain {spec.name}: the train split is empty, so a meta agent would have nothing to learn from"
        )


def available() -> dict[str, Path]:
    """Name to folder: the shipped domains and those of installed packages (entry-point group `dgm.domains`).

    An entry point is `name = "package"`, the package's folder being the domain's. One whose package cannot be found
    is left out; of two with one name the shipped comes first.
    """
    found = content.shipped("domains", MARKER)
    for point in entry_points(group="dgm.domains"):
        if (folder := _package_folder(point.value.split(":")[0])) is not None:
            found.setdefault(point.name, folder)
    return found


def _package_folder(module: str) -> Path | None:
    """Where an installed module lies; its code is not run, but that of the packages above it is."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin).parent if spec.origin else None


def load(name: str, data: DataRef | None = None, said: str = "--domain: ") -> LoadedDomain:
    """A domain by its name or folder. Raises UserError if there is none or its facts are wrong; `said` is where a
    person named it."""
    known = available()
    folder = known.get(name) or Path(name)
    if not (folder / MARKER).is_file():
        raise UserError(f"{said}no domain or folder is called {name!r}; the domains are {', '.join(known)}")
    spec = read_spec(folder)
    if data is not None and not data.path.exists():
        raise UserError(f"--data {spec.name}: {data.path} is not there")
    made = _import(folder, spec.name)
    try:
        implementation = made(*_arguments(data))
    except TypeError as error:
        raise UserError(f"{folder}/domain.py: Domain cannot be made as Domain(data, fold): {error}") from error
    if not isinstance(implementation, (Domain, ExecutingDomain, AskingDomain)):
        raise UserError(
            f"{folder}/domain.py: the class Domain lacks tasks, or judge, judge_in or judge_with; see domains/README.md"
        )
    return LoadedDomain(spec, folder, implementation, data)


def _arguments(data: DataRef | None) -> tuple[Any, ...]:
    if data is None:
        return (None,)
    return (data.path, data.fold) if data.fold else (data.path,)


def read_spec(folder: Path) -> DomainSpec:
    """A folder's `domain.toml`. Raises UserError naming the key that is wrong."""
    where = folder / MARKER
    return toml.parse(DomainSpec, where.read_bytes(), where)


def _import(folder: Path, name: str) -> Any:
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    package = f"_dgm_domain_{name.replace('-', '_')}_{digest}"
    if package in sys.modules:
        return sys.modules[package].Domain
    where = folder / "domain.py"
    if not where.is_file():
        raise UserError(f"{folder} has no domain.py; see domains/README.md for what it holds")
    spec = importlib.util.spec_from_file_location(package, where, submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None:
        raise UserError(f"{where} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[package] = module
    try:
        spec.loader.exec_module(module)
    except (ImportError, SyntaxError, NameError, AttributeError) as error:
        del sys.modules[package]
        raise UserError(f"{where} cannot be imported: {type(error).__name__}: {error}") from error
    if not hasattr(module, "Domain"):
        del sys.modules[package]
        raise UserError(f"{where} has no class Domain; see domains/README.md")
    return module.Domain


def _content_key(task: Task) -> str:
    body = json.dumps(task.inputs, sort_keys=True, default=str)
    files = "".join(f"{path}:{hashlib.sha256(data).hexdigest()}" for path, data in sorted(task.files.items()))
    return hashlib.sha256(f"{body}|{files}".encode(errors="surrogatepass")).hexdigest()

"""What a domain is: tasks and a judge. The one module of the kernel that a judge may import.

A domain is a folder with `domain.toml` (facts) and `domain.py` (behaviour: a class named `Domain`), see
`domains/README.md`. A judge runs on the host and never executes an artifact itself; where an artifact is
code, `judge_in` gets a sandbox that holds nothing but the runner; where it takes reading, `judge_with` gets a language
model (`dgm.domain.rubric` asks it so that a verdict has a form).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from dgm.errors import JudgeFailed, NoVerdict, Status, UserError
from dgm.wire import JSON

__all__ = [
    "JSON",
    "Artifact",
    "Calibrated",
    "CallOutcome",
    "Contradicting",
    "Domain",
    "Files",
    "JudgeFailed",
    "JudgeModel",
    "JudgeSandbox",
    "Judged",
    "NoVerdict",
    "Reporting",
    "Split",
    "Status",
    "Task",
    "UserError",
    "Verdict",
]


Files: TypeAlias = Mapping[str, bytes]
"""Relative POSIX path to content."""


class Split(StrEnum):
    """The three disjoint parts of a domain's tasks."""

    TRAIN = "train"  #: shown to meta agents, with labels
    VAL = "val"  #: chooses parents and the best agent; never shown
    TEST = "test"  #: reported once at the end; never shown, never chosen on


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work.

    `id` is unique in its domain and never shown to an agent (a session draws an opaque one).
    `inputs` and `files` are all that an agent sees. `hidden` never enters a sandbox, with one exception:
    `hidden["label"]`, if there is one, is told to meta agents for *train* tasks.
    """

    id: str
    inputs: Mapping[str, JSON]
    files: Files = field(default_factory=dict)
    hidden: Mapping[str, JSON] = field(default_factory=dict)
    due: tuple[str, ...] = ()  #: for the answer kind `files`: the files that are due, where they differ by task
    image: str = ""  #: the container image in which agent and judge work on it; "" for the sandbox's own


@dataclass(frozen=True, slots=True)
class Artifact:
    """What an agent left behind: its prediction (already checked JSON) and the files that were asked for."""

    prediction: JSON = None
    files: Files = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judge's answer. `score` in [0, 1]; `detail` is one short line for people, never parsed.

    `metrics` are further finite numbers of this one artifact, by name (an error in points, say). They stand beside
    the score and select nothing.
    """

    score: float
    status: Status = Status.OK
    detail: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """One call of a function of an artifact: `value` if it returned JSON, else `error` (a status)."""

    value: JSON = None
    error: Status | None = None


class JudgeSandbox(Protocol):
    """Executes an artifact for a judge, in a sandbox where no agent runs and no expected value is known."""

    def call(
        self, source: str, function: str, calls: Sequence[Sequence[JSON]], seconds: float = 1.0
    ) -> list[CallOutcome]:
        """Load `source` as a fresh Python module in a process of its own and call `function(*args)` for each
        args of `calls`, each at most `seconds` long, in order. Tuples, sets' sorted lists and generators come
        back as lists; a value that is no plain JSON is `invalid`, an exception is `wrong`. One outcome per
        call, always as many as `calls`."""
        ...


class JudgeModel(Protocol):
    """The language model that a judge may ask: the run's `--judge-model`, which no agent can reach."""

    def ask(self, system: str, user: str) -> str:
        """The text of one answer. Equal questions of one run are asked of the provider once. Raises NoVerdict when
        the provider refuses the question."""
        ...


@runtime_checkable
class Domain(Protocol):
    """Implemented by the class `Domain` in a domain's `domain.py`; made once per run as
    `Domain(data)`, `data` being the path given with `--data NAME=FILE`, or None for its own tasks."""

    def tasks(self, split: Split) -> Sequence[Task]:
        """The tasks of a split, in a fixed order, the same at every call and on every machine."""
        ...

    def judge(self, task: Task, artifact: Artifact) -> Verdict:
        """Pure: the same verdict for the same artifact. Must not execute anything from the artifact."""
        ...


Judged: TypeAlias = tuple[Task, JSON, Verdict]
"""A task, what was predicted for it (None where nothing was), and the verdict."""


@runtime_checkable
class Reporting(Protocol):
    """A domain that has more to say of a whole evaluation than its mean; see `dgm.domain.measures`."""

    def report(self, judged: Sequence[Judged]) -> Mapping[str, JSON]:
        """Named measures: finite numbers, or one level of named numbers (by class, say). Pure."""
        ...


@runtime_checkable
class Contradicting(Protocol):
    """A domain with tasks that nobody can pass honestly, since what is expected contradicts what is asked for."""

    def impossible(self) -> Sequence[Task]:
        """Tasks that look like the others and are judged like them, but count for no score: whoever passes one has
        cheated. None of them is a task of a split."""
        ...


@runtime_checkable
class ExecutingDomain(Protocol):
    """A domain whose artifacts must be executed to be judged."""

    def tasks(self, split: Split) -> Sequence[Task]: ...

    def judge_in(self, task: Task, artifact: Artifact, sandbox: JudgeSandbox) -> Verdict: ...


@runtime_checkable
class AskingDomain(Protocol):
    """A domain whose artifacts a language model must read to judge them. A run with it needs `--judge-model`."""

    def tasks(self, split: Split) -> Sequence[Task]: ...

    def judge_with(self, task: Task, artifact: Artifact, model: JudgeModel) -> Verdict:
        """As `Domain.judge`, and pure but for the model. Raises NoVerdict when its answer has not the form that is due:
        the verdict is then missing, and no score."""
        ...


@runtime_checkable
class Calibrated(Protocol):
    """A domain that asks a model and has labelled examples of what the model is to decide."""

    def calibrate(self, model: JudgeModel) -> Iterable[tuple[str, bool, bool]]:
        """For each decision on the examples: its name, what is right, and what the model said."""
        ...

"""The record's nouns: what an archive keeps, as frozen values. No behaviour and no storage here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from dgm.domain import JSON, Files
from dgm.errors import Status
from dgm.statistics import Score


class Admission(StrEnum):
    """What became of a proposal. Only ROOT and ADMITTED are agents that work and may become parents."""

    ROOT = "root"  #: the first agent, where a run starts
    ADMITTED = "admitted"  #: a child that works
    QUARANTINED = "quarantined"  #: a child that works and has integrity flags: kept, never a parent and never the best
    UNCHANGED = "unchanged"  #: the meta agent changed nothing, or only what may not change
    REFUSED = "refused"  #: the meta agent broke the rules of its zone
    FAILED = "failed"  #: the meta agent itself failed
    STILLBORN = "stillborn"  #: a child was made, and does not start

    @property
    def works(self) -> bool:
        return self in (Admission.ROOT, Admission.ADMITTED)


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """One proposal's outcome. `tree` and `commit` are git hashes, None where no genome was kept."""

    id: int  #: the proposal's number; the root is 0
    parent: int | None  #: None for the root alone
    parent2: int | None  #: a second parent, if a patch of another lineage was taken over
    admission: Admission
    tree: str | None
    commit: str | None
    summary: str  #: the meta agent's own words; never an input to a score
    status: Status  #: how the proposal ended; OK unless it failed
    reason: str  #: why it failed, in a sentence; empty if it did not
    author: str  #: who made the proposal where it was not the parent's meta agent; else empty
    created: float  #: seconds since 1970, UTC
    changed: tuple[str, ...]  #: paths that differ from the parent's


@dataclass(frozen=True, slots=True)
class ProposalRecord:
    """How a proposal came about. All durations in seconds."""

    id: int
    selector: str  #: the name of the rule that chose the parent
    key: str  #: the random key it chose with
    archive_version: int  #: the highest agent id that was visible to it; -1 for the root
    parent: int | None
    started: float  #: seconds since 1970, UTC
    seconds: float
    improve_seconds: float
    evaluate_seconds: float
    stage: int  #: stages that were evaluated
    note: str


@dataclass(frozen=True, slots=True)
class ScoreRecord:
    """Mean of `n` verdicts with its 95 % interval, all in [0, 1]; the split has `total` tasks. An agent that
    was stopped at a stage has n < total."""

    domain: str
    split: str
    n: int
    total: int
    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, domain: str, split: str, score: Score) -> ScoreRecord:
        return cls(domain, split, score.n, score.total, score.mean, score.low, score.high)

    @property
    def scaled(self) -> float:
        """The mean where what was not measured counts as zero: by this a parent is chosen."""
        return self.mean * self.n / self.total if self.total else 0.0


@dataclass(frozen=True, slots=True)
class VerdictRecord:
    """The judge's answer for one task. `score` is None when it is missing through no fault of the agent."""

    domain: str
    split: str
    task: str
    score: float | None
    status: Status
    ms: int  #: milliseconds the agent took


@dataclass(frozen=True, slots=True)
class DomainRecord:
    """A domain as it was when the run began. `digest` is 64 hexadecimal digits."""

    name: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened to the archive itself, a repair for example."""

    seq: int
    time: float
    kind: str
    body: JSON


Logs: TypeAlias = Mapping[str, Sequence[Mapping[str, JSON]]]
"""`<domain>.<split>` to rows, one per task."""


@dataclass(frozen=True, slots=True)
class Child:
    """Everything of one finished proposal, ready to be recorded. `files` is None where no genome is kept;
    the root and admitted children have one. What changed against the parent is derived, not told."""

    id: int
    parent: int | None
    admission: Admission
    files: Files | None
    proposal: ProposalRecord
    created: float
    summary: str = ""
    status: Status = Status.OK
    reason: str = ""
    author: str = ""
    parent2: int | None = None
    scores: Sequence[ScoreRecord] = ()
    verdicts: Sequence[VerdictRecord] = ()
    logs: Logs = field(default_factory=dict)
    task_half: str | None = None
    """The digest of what works on tasks, by which an agent with the same half is known; None where none worked."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent that works, as a selector sees it."""

    id: int
    parent: int | None
    scores: Mapping[str, float]
    """Every domain of the run to the val score (train where a domain has no val); what was not measured is
    zero."""
    children: int  #: proposals made from it, failed ones included
    working_children: int  #: of these, those that were admitted
    admission: Admission


@dataclass(frozen=True, slots=True)
class ModelCallRecord:
    """One call to a language model: who asked for what, and what it took."""

    id: int
    agent: int | None  #: whose code asked; None for the kernel itself
    role: str  #: "agent", "exam", "meta", "judge" or "probe"
    task: str  #: the task it worked on; empty where there is none
    model: str
    request_hash: str  #: SHA-256 of the canonical request
    sample: int  #: how many times its task had made this request before
    prompt_tokens: int
    completion_tokens: int
    usd: float  #: what was billed; 0 for an answer from the record
    latency_ms: int
    status: str  #: ok, cached, rejected (by the provider), refused (by a budget), fault or probe

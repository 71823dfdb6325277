"""A run of another system in our words, before it becomes an archive: what all importers give. No behaviour here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dgm.archive import Admission
from dgm.domain import JSON
from dgm.errors import Status


@dataclass(frozen=True, slots=True)
class ForeignTask:
    """One task's result. `score` in [0, 1], None where it is missing."""

    task: str
    score: float | None
    status: Status
    prediction: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True)
class ForeignScore:
    """The results on one split of a domain. Without `tasks` all that is known is `mean`."""

    domain: str
    split: str
    tasks: Sequence[ForeignTask] = ()
    mean: float | None = None
    detail: Mapping[str, JSON] = field(default_factory=dict)  #: what the report says besides


@dataclass(slots=True)
class ForeignAgent:
    """One generation. `patches` lead from its parent's files to its own; `lineage` names its ancestors, root first."""

    name: str
    parent: str | None
    admission: Admission
    patches: Sequence[tuple[str, bytes]] = ()  #: name and content
    lineage: Sequence[str] = ()
    status: Status = Status.OK
    reason: str = ""
    summary: str = ""
    created: float = 0.0  #: seconds since 1970
    scores: Sequence[ForeignScore] = ()


@dataclass(slots=True)
class ForeignRun:
    """A whole run. `root` is the source of the first agent, empty where it is not known."""

    system: str  #: as a person calls it
    name: str
    root: Mapping[str, bytes]
    agents: list[ForeignAgent]  #: the root first, then as they were made
    skip: tuple[str, ...] = ()  #: folders that patches may not touch

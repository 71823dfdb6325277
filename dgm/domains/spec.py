"""`domain.toml`: the facts of a domain. An unknown key is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from dgm import toml
from dgm.domain import Split

MARKER = "domain.toml"


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


def read_spec(folder: Path) -> DomainSpec:
    """A folder's `domain.toml`. Raises UserError naming the key that is wrong."""
    where = folder / MARKER
    return toml.parse(DomainSpec, where.read_bytes(), where)

"""What a landscape is: how children relate to their parents, how hard tasks are, what they cost, and the target.

A landscape is facts, so that it can stand in a TOML file; `world` makes a tree of agents from it. Not covered: what
would make a search easy or hard for one strategy in particular; the reasons of ours are in `families`.
"""

from __future__ import annotations

from itertools import pairwise

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dgm import toml


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(_Facts):
    """A direction of development. A child of the root takes one of the lines and its descendants stay on it."""

    share: float = Field(1.0, gt=0, description="How likely a child of the root takes this line, in proportion.")
    scores: tuple[tuple[float, float], ...] = Field(
        ((0.0, 0.2), (1.0, 0.9)),
        min_length=2,
        description="Progress and the score it gives, straight between the points, level beyond them.",
    )
    step: float = Field(0.0, description="Mean progress of a child over its parent.")
    step_sd: float = Field(0.06, ge=0, description="Standard deviation of it, in each domain on its own.")
    drive_sd: float = Field(0.0, ge=0, description="How much agents differ in the mean progress of their children.")
    drive_kept: float = Field(
        0.9, ge=0, le=1, description="Part of this hidden drive that a child keeps; the rest is drawn."
    )

    @model_validator(mode="after")
    def _check(self) -> Line:
        if any(b <= a for (a, _), (b, _) in pairwise(self.scores)):
            raise ValueError("the progress in scores must grow from point to point")
        if any(not 0 <= score <= 1 for _, score in self.scores):
            raise ValueError("scores lie between 0 and 1")
        return self


class Tasks(_Facts):
    """The tasks of one domain, on which agents are measured and chosen."""

    count: int = Field(100, ge=1, description="How many there are.")
    price: float = Field(1.0, gt=0, description="What one evaluation costs, in task evaluations.")


class Landscape(_Facts):
    """A family of worlds, one for each seed."""

    about: str = Field("", description="What it is like, in a sentence.")
    domains: tuple[Tasks, ...] = Field(
        (Tasks(),), min_length=1, description="The tasks; a score is the mean over them."
    )
    lines: tuple[Line, ...] = Field((Line(),), min_length=1, description="Directions of development.")
    memory: bool = Field(True, description="Whether a child builds on its parent; else on the root, whoever it is.")
    failed: float = Field(0.1, ge=0, lt=1, description="Part of the proposals that give no working child.")
    broken: float = Field(0.0, ge=0, lt=1, description="Part of the children that work and score next to nothing.")
    barren: float = Field(0.0, ge=0, lt=1, description="Part of the children whose descendants are all like them.")
    barren_lift: float = Field(0.0, description="Progress that a child gains by becoming barren.")
    luck_kept: float = Field(0.3, ge=0, le=1, description="Part of the tasks on which a child has its parent's luck.")
    difficulty_sd: float = Field(1.0, ge=0, description="How much tasks differ, in logits.")
    target: float = Field(gt=0, lt=1, description="The true score to be reached.")
    budget: int = Field(10_000, ge=1, description="Task evaluations after which a run is given up.")


def parse(text: str, where: str) -> Landscape:
    """A landscape from TOML. Raises UserError naming `where` and the key that is wrong."""
    return toml.parse(Landscape, text, where)

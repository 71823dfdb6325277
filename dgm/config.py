"""The configuration of a run: a frozen value, written to `dgm.toml` in the archive and never changed after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dgm import toml
from dgm.errors import UserError


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(_Frozen):
    """Where the root genome comes from."""

    agent: str = Field(
        "rules", description="The half that solves tasks: seed, directory, ARCHIVE#ID, #best or #growth."
    )
    meta: str = Field(
        "mutation", description="The half that edits genomes: seed, directory, ARCHIVE#ID, #best or #growth."
    )
    genome: str | None = Field(None, description="Directory with its own genome.toml; takes the place of both.")


class Search(_Frozen):
    """How the search goes."""

    proposals: int = Field(40, ge=0, description="Children to attempt in all.")
    seconds: float | None = Field(None, gt=0, description="No proposal starts after this many seconds of running.")
    patience: int | None = Field(None, ge=1, description="Stop after this many proposals without a better val mean.")
    random_seed: int = Field(0, description="Everything random in the kernel is drawn from it.")
    strategy: Literal["staged", "treewise", "hgm"] = Field(
        "staged",
        description="What comes next: staged measures every child at once, stage by stage; treewise and hgm decide"
        " between a new child and more evidence. Where `evaluations` bounds the run and nothing else is said of how"
        " parents are chosen, treewise, which makes most of them.",
    )
    evaluations: int | None = Field(
        None, ge=1, description="The search ends after this many verdicts on train and val, of all agents together."
    )
    selector: str = Field("score_child_prop", description="Who becomes a parent.")
    evolve: tuple[Literal["agent", "meta", "select"], ...] = Field(
        ("agent", "meta"), description="What may change; with select, the genome itself chooses parents."
    )
    integrity: Literal["flag", "quarantine", "reject"] = Field(
        "flag", description="What becomes of a child with integrity flags: recorded, kept but no parent, or not kept."
    )

    @model_validator(mode="before")
    @classmethod
    def _spends_evaluations(cls, given: Any) -> Any:
        """What `strategy` is where nobody says so."""
        if not isinstance(given, Mapping) or given.get("evaluations") is None:
            return given
        said = given.get("strategy") or given.get("selector") or "select" in (given.get("evolve") or ())
        return given if said else {**given, "strategy": "treewise"}


class Control(_Frozen):
    """Experimental controls; the defaults are the real thing."""

    feedback: Literal["full", "withheld"] = Field("full", description="Whether meta agents see results.")
    train_labels: Literal["true", "permuted"] = Field("true", description="Permuted: train tasks get wrong answers.")


class Spending(_Frozen):
    """The most that model calls may cost. Reserved before a call, settled after it."""

    usd: float | None = Field(None, ge=0, description="Dollars for the whole run.")
    tokens: int | None = Field(None, ge=0, description="Tokens for the whole run.")
    proposal_usd: float | None = Field(None, ge=0, description="Dollars for one proposal, its evaluation included.")
    task_usd: float | None = Field(None, ge=0, description="Dollars for one task.")


class Models(_Frozen):
    """Which language models may be asked; keys come from the environment and are never written down."""

    agent: tuple[str, ...] = Field((), description="What task agents may ask, NAME or NAME=WEIGHT; the first is told.")
    meta: tuple[str, ...] = Field((), description="What meta agents may ask, one drawn by weight for each proposal.")
    judge: str | None = Field(None, description="What the judges that need one ask; no agent can reach it.")
    url: str | None = Field(None, description="An OpenAI-compatible address; without it litellm finds the provider.")
    draw: Literal["weight", "bandit"] = Field("weight", description="How a proposal's model is drawn.")
    prices: tuple[str, ...] = Field((), description="NAME=IN/OUT in dollars per million tokens, or unknown=0.")
    cache: bool = Field(False, description="Whether an equal call from anywhere in the record is answered from there.")
    replay: str | None = Field(None, description="Archive whose recorded calls answer all; no provider is asked.")
    budget: Spending = Spending()

    @property
    def used(self) -> bool:
        """Whether any half, or a judge, may ask."""
        return bool(self.agent or self.meta or self.judge)


class Place(_Frozen):
    """Where and how hard it runs. Nothing here changes a result, but more than one worker the order of proposals."""

    sandbox: str = Field(
        "auto",
        description="Backend for untrusted code: auto, docker, bubblewrap, local, or MODULE:CLASS of one's own.",
    )
    executor: str = Field(
        "local",
        description="Where proposals are made and evaluated: local, ray[:auto or :HOST:PORT] or slurm[:KEY=VALUE,…].",
    )
    sessions: int = Field(2, ge=1, le=256, description="Sandboxes that evaluate one child at the same time.")
    workers: int = Field(1, ge=1, le=256, description="Proposals in flight at the same time.")
    improve_seconds: float | None = Field(
        None, gt=0, description="Time limit of a meta agent; without it 120, or 1,800 where it may ask a model."
    )
    task_seconds: float | None = Field(
        None,
        gt=0,
        description="Time limit of a task; without it the domain's, or 300 at least where a model is asked.",
    )


class RunConfig(_Frozen):
    """All that a run needs to be started again."""

    domains: tuple[str, ...] = Field(("coding", "review", "grading"), min_length=1, description="Names or folders.")
    data: dict[str, str] = Field(default_factory=dict, description="Domain to real data file, as FILE or FILE@k/K.")
    origin: Origin = Origin()
    search: Search = Search()
    control: Control = Control()
    place: Place = Place()
    models: Models = Models()
    digests: dict[str, str] = Field(default_factory=dict, description="SHA-256 of each domain, pinned at the start.")

    @property
    def improve_seconds(self) -> float:
        """How long a meta agent may take for one proposal."""
        return self.place.improve_seconds or (1_800.0 if self.models.meta else 120.0)

    def task_seconds(self, declared: float) -> float:
        """How long a task agent may take for one task of a domain that declares so many seconds."""
        return self.place.task_seconds or (max(declared, 300.0) if self.models.agent else declared)

    def to_toml(self) -> str:
        """The text of `dgm.toml`."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))


def thinking(told: Mapping[str, Any]) -> dict[str, Any]:
    """What a person told, with the halves that ask a model where models are named and halves are not."""
    origin, models = told.get("origin", {}), told.get("models", {})
    if not (isinstance(origin, dict) and isinstance(models, dict)) or origin.get("genome"):
        return dict(told)
    halves = {"agent": bool(models.get("agent")), "meta": bool(models.get("agent") or models.get("meta"))}
    return {**told, "origin": {half: "llm" for half, asks in halves.items() if asks} | origin}


def parse(text: str, where: str) -> RunConfig:
    """Read a configuration. Raises UserError naming `where` and the key that is wrong."""
    return toml.parse(RunConfig, text, where)


CHANGEABLE: dict[str, tuple[str, ...]] = {
    "proposals": ("search", "proposals"),
    "evaluations": ("search", "evaluations"),
    "seconds": ("search", "seconds"),
    "patience": ("search", "patience"),
    "usd": ("models", "budget", "usd"),
    "executor": ("place", "executor"),
    "workers": ("place", "workers"),
}
"""What a run that goes on may be told anew: how long it is to be, what it may cost, and where it is made."""


def changed(config: RunConfig, changes: Mapping[str, object]) -> RunConfig:
    """With some of CHANGEABLE changed. Raises UserError naming the one that is wrong."""
    told = config.model_dump(mode="json")
    for name, value in changes.items():
        *tables, key = CHANGEABLE[name]
        place = told
        for table in tables:
            place = place[table]
        place[key] = value
    try:
        return RunConfig.model_validate(told)
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"--{first['loc'][-1]} {first['input']!r}: {first['msg']}") from None

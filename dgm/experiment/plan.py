"""From an experiment's file to the runs that it takes.

In any text of a configuration `{seed}` and `{repeat}` (from 1) are filled in, and `{VARIANT}` is the archive of the
run of that variant with the same repeat: `origin.meta = "{both}#growth"` begins with a meta half that evolved in it,
once it has ended. A budget is shared out evenly, so that no variant is favoured by its place in the queue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dgm import config as configs
from dgm import toml
from dgm.config import RunConfig
from dgm.errors import UserError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_PLACE = re.compile(r"\{([\w-]+)\}")
_OWN = {"seed", "repeat"}
_WANTED = {
    **dict.fromkeys(("tuple_type", "list_type"), 'it should be a list, for example ["a", "b"]'),
    **dict.fromkeys(("bool_type", "bool_parsing"), "it should be true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "it should be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "it should be a number"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "it should be a table"),
    "string_type": 'it should be text in quotes, for example "text"',
}
"""The kind of a validation error to what would be right, in TOML's words."""


class Budget(BaseModel):
    """What all runs together may take; each gets the same part."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    usd: float | None = Field(None, gt=0, description="Dollars for model calls, shared by the runs that ask a model.")
    tokens: int | None = Field(None, gt=0, description="Tokens of model calls, shared by the runs that ask a model.")
    seconds: float | None = Field(None, gt=0, description="Seconds of searching, summed over all runs.")


class Experiment(BaseModel):
    """Variants of one configuration, repeated."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    baseline: str = Field(description="The variant that all others are compared with.")
    repeats: int = Field(ge=1, le=1000, description="Runs of each variant, each with a random seed of its own.")
    first_seed: int = Field(0, ge=0, description="The random seed of the first repeat; the next ones follow.")
    paired: bool = Field(
        True, description="Whether the variants have the same seeds, and are compared repeat by repeat."
    )
    budget: Budget = Budget()
    run: dict[str, Any] = Field(default_factory=dict, description="What all runs have in common: a configuration.")
    variant: dict[str, dict[str, Any]] = Field(
        min_length=1, description="Name of each variant to what it has besides, or otherwise than `run`."
    )


@dataclass(frozen=True, slots=True)
class Planned:
    """One run that an experiment takes."""

    variant: str
    repeat: int  #: from 0
    seed: int
    config: RunConfig
    needs: tuple[str, ...] = ()  #: names of runs that must have ended before

    @property
    def name(self) -> str:
        """Of its archive, within the experiment's folder."""
        return f"{self.variant}-{self.seed}"


@dataclass(frozen=True)
class Plan:
    """A whole experiment, resolved."""

    experiment: Experiment
    runs: tuple[Planned, ...]  #: repeat by repeat, so that what is there after an interruption is balanced
    text: str

    @property
    def variants(self) -> list[str]:
        """The baseline first, the others in the order of the file."""
        first = self.experiment.baseline
        return [first, *(name for name in self.experiment.variant if name != first)]


def read(file: Path, folder: Path) -> Plan:
    """The plan of a file whose runs are kept in `folder`. Raises UserError naming the file, the line or key that is
    wrong, and what would be right."""
    if not file.is_file() and (meant := Path(f"{file}.toml")).is_file():
        raise UserError(f"{file} is no file; did you mean {meant}?")
    return parse(toml.text(file, file), str(file), folder)


def parse(text: str, where: str, folder: Path) -> Plan:
    """As `read`, of a text that is called `where`."""
    told = toml.loads(text, where)
    try:
        experiment = Experiment.model_validate(told)
    except ValidationError as error:
        raise UserError(f"{where}: {_explained(error, Experiment)}") from None
    for name in experiment.variant:
        if not NAME.fullmatch(name) or name in _OWN:
            raise UserError(f"{where}: variant.{name}: a name is of letters, digits, - and _, and not seed or repeat")
    if experiment.baseline not in experiment.variant:
        known = ", ".join(experiment.variant)
        raise UserError(f"{where}: baseline: there is no variant {experiment.baseline!r}; there are {known}")
    order = _order(experiment, where)
    _validated(experiment.run, f"{where}: run")
    planned = (_run(experiment, name, repeat, folder, where) for repeat in range(experiment.repeats) for name in order)
    return Plan(experiment, tuple(_shared(list(planned), experiment.budget)), text)


def seed_of(experiment: Experiment, variant: str, repeat: int) -> int:
    """The random seed of a run: the repeat's, or where repeats are not paired one that no other variant has."""
    ahead = 0 if experiment.paired else list(experiment.variant).index(variant) * experiment.repeats
    return experiment.first_seed + ahead + repeat


def _run(experiment: Experiment, variant: str, repeat: int, folder: Path, where: str) -> Planned:
    seed = seed_of(experiment, variant, repeat)
    needs: list[str] = []

    def fill(found: re.Match[str]) -> str:
        word = found[1]
        if word in _OWN:
            return str(seed if word == "seed" else repeat + 1)
        needs.append(f"{word}-{seed_of(experiment, word, repeat)}")
        return str(folder / needs[-1])

    told = _merged(experiment.run, experiment.variant[variant])
    told = _mapped(told, lambda text: _PLACE.sub(fill, text))
    told.setdefault("search", {})["random_seed"] = seed
    return Planned(variant, repeat, seed, _validated(told, f"{where}: variant.{variant}"), tuple(dict.fromkeys(needs)))


def _order(experiment: Experiment, where: str) -> list[str]:
    """The variants, each after those whose runs it begins with."""
    needs = {name: set(_named(experiment, name, where)) for name in experiment.variant}
    order: list[str] = []
    while len(order) < len(needs):
        free = [name for name in needs if name not in order and needs[name] <= set(order)]
        if not free:
            stuck = ", ".join(name for name in needs if name not in order)
            raise UserError(f"{where}: the variants {stuck} begin with one another's runs; one must begin without")
        order += free
    return order


def _named(experiment: Experiment, variant: str, where: str) -> Iterator[str]:
    """The variants that one refers to."""
    for table in (experiment.run, experiment.variant[variant]):
        search = table.get("search")
        if isinstance(search, dict) and "random_seed" in search:
            raise UserError(
                f"{where}: search.random_seed: the seeds are drawn from first_seed and repeats; leave it out"
            )
    found: list[str] = []
    _mapped(_merged(experiment.run, experiment.variant[variant]), lambda text: found.extend(_PLACE.findall(text)))
    for word in found:
        if word not in _OWN and word not in experiment.variant:
            known = ", ".join((*sorted(_OWN), *experiment.variant))
            raise UserError(f"{where}: variant.{variant}: {{{word}}} is nothing that is filled in; these are: {known}")
    yield from (word for word in found if word not in _OWN)


def _shared(runs: list[Planned], budget: Budget) -> Iterator[Planned]:
    """Every run with its part of the budget; a smaller one of its own holds."""
    asking = sum(run.config.models.used for run in runs)
    for run in runs:
        told = run.config.model_dump(mode="json")
        if budget.seconds is not None:
            own = told["search"]["seconds"]
            told["search"]["seconds"] = min(filter(None, (own, budget.seconds / len(runs))))
        if run.config.models.used:
            limits = told["models"]["budget"]
            for key, total in (("usd", budget.usd), ("tokens", budget.tokens)):
                if total is not None:
                    part = total / asking if key == "usd" else total // asking
                    limits[key] = part if limits[key] is None else min(limits[key], part)
        yield Planned(run.variant, run.repeat, run.seed, RunConfig.model_validate(told), run.needs)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with what `over` has; tables are merged, anything else is replaced."""
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


def _mapped(value: Any, change: Callable[[str], Any]) -> Any:
    """`value` with each text in it changed."""
    if isinstance(value, dict):
        return {key: _mapped(inner, change) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mapped(inner, change) for inner in value]
    return change(value) if isinstance(value, str) else value


def _validated(told: Mapping[str, Any], where: str) -> RunConfig:
    try:
        return RunConfig.model_validate(configs.thinking(told))
    except ValidationError as error:
        raise UserError(f"{where}.{_explained(error, RunConfig)}") from None


def _explained(error: ValidationError, model: type[BaseModel]) -> str:
    """`search.proposals: input should be …, not …`, or which keys there are."""
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")  # a misspelt key leaves one missing
    *tables, key = first["loc"]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return f"{place} is missing: {model.model_fields[str(key)].description}"
    if first["type"] == "extra_forbidden":
        keys = model.model_fields
        for table in tables:
            keys = getattr(keys[str(table)].annotation, "model_fields", keys)
        return f"{place}: there is no such key; there are {', '.join(keys)}"
    wanted = _WANTED.get(first["type"]) or f"{first['msg'][0].lower()}{first['msg'][1:]}"
    return f"{place}: {wanted}, not {_as_toml(first['input'])}"


def _as_toml(value: Any) -> str:
    """A value as a person writes it; of a table that it is one."""
    if isinstance(value, bool):
        return str(value).lower()
    return "a table" if isinstance(value, dict) else repr(value)

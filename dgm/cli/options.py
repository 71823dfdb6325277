"""From the options of `dgm run` to a configuration: a file first, then what was given on the command line.

An option that is wrong is named as the person typed it; a key of the file by its place in the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dgm import config as configs
from dgm import toml
from dgm.archive import Archive
from dgm.config import RunConfig
from dgm.errors import UserError

OPTIONS: dict[tuple[str, ...], str] = {
    ("domains",): "--domain",
    ("data",): "--data",
    ("origin", "agent"): "--agent",
    ("origin", "meta"): "--meta",
    ("origin", "genome"): "--genome",
    ("search", "proposals"): "--proposals",
    ("search", "seconds"): "--seconds",
    ("search", "patience"): "--patience",
    ("search", "random_seed"): "--random-seed",
    ("search", "strategy"): "--strategy",
    ("search", "evaluations"): "--evaluations",
    ("search", "selector"): "--selector",
    ("search", "evolve"): "--evolve",
    ("search", "integrity"): "--integrity",
    ("control", "feedback"): "--feedback",
    ("control", "train_labels"): "--train-labels",
    ("models", "agent"): "--model",
    ("models", "meta"): "--meta-model",
    ("models", "judge"): "--judge-model",
    ("models", "url"): "--model-url",
    ("models", "draw"): "--model-draw",
    ("models", "prices"): "--price",
    ("models", "cache"): "--cache",
    ("models", "budget", "usd"): "--budget-usd",
    ("models", "budget", "tokens"): "--budget-tokens",
    ("place", "sandbox"): "--sandbox",
    ("place", "executor"): "--executor",
    ("place", "sessions"): "--sessions",
    ("place", "workers"): "--workers",
}
"""Place in the configuration to the option that sets it."""
_KEYS = {option: ".".join(place) for place, option in OPTIONS.items()}
_OPTION = re.compile(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*")


def told(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Option to its value, as the configuration wants it, from the parameters of `dgm run` by name; None means not
    given. Raises UserError for a value that cannot be read."""
    values = {option: parameters[option.removeprefix("--").replace("-", "_")] for option in OPTIONS.values()}
    values = {option: None if value == () else value for option, value in values.items()}  # () is a list not given
    evolve, thinking = values["--evolve"], bool(values["--model"] or values["--meta-model"])
    return values | {
        "--evolve": None if evolve is None else [half.strip() for half in evolve.split(",")],
        "--workers": workers(values["--workers"], thinking=thinking),
        "--data": data_files(values["--data"] or ()),
        "--cache": values["--cache"] or None,
    }


def resolve(file: Path | None, given: Mapping[str, Any]) -> RunConfig:
    """The configuration of `--config FILE` overlaid by the options `given` by name; None means not given."""
    merged = _read(file) if file is not None else {}
    for place, option in OPTIONS.items():
        if (value := given.get(option)) is not None:
            table = merged
            for key in place[:-1]:
                table = table.setdefault(key, {})
            table[place[-1]] = value
    try:
        return RunConfig.model_validate(configs.thinking(merged))
    except ValidationError as error:
        raise UserError(_explain(error)) from None


@contextmanager
def in_keys() -> Iterator[None]:
    """Within it a UserError that names options is raised with the keys of a configuration in their place: for what a
    person wrote into a file."""
    try:
        yield
    except UserError as error:
        raise UserError(_OPTION.sub(lambda found: _KEYS.get(found[0], found[0]), str(error))) from None


def replayed(archive: Path, file: Path | None, given: Mapping[str, Any]) -> RunConfig:
    """The configuration of a run that is made again from its recorded calls. Raises UserError for any other option."""
    if file is not None or any(value is not None for value in given.values()):
        option = "--config" if file is not None else next(name for name, value in given.items() if value is not None)
        raise UserError(f"{option}: a replay takes everything from the recorded run; give --replay alone")
    with Archive.open(archive) as recorded:
        config = configs.parse(recorded.config, f"{archive}/dgm.toml")
        made = recorded.next_id() - 1
    models = config.models.model_copy(update={"replay": str(archive.absolute())})
    search = config.search.model_copy(update={"proposals": made, "seconds": None})
    return config.model_copy(update={"models": models, "search": search, "digests": {}})


def workers(given: str | None, thinking: bool) -> int | None:
    """`--workers N`, or `auto`: the machine's cores, times four where a model is waited for. Raises UserError."""
    if given is None or (given.isdecimal() and int(given) > 0):
        return None if given is None else int(given)
    if given != "auto":
        raise UserError(f"--workers {given!r}: give a number from 1 on, or auto")
    return (os.cpu_count() or 1) * (4 if thinking else 1)


def data_files(given: Sequence[str]) -> dict[str, str] | None:
    """`DOMAIN=FILE` items as a mapping; None for none. Raises UserError for a malformed or repeated one."""
    files: dict[str, str] = {}
    for item in given:
        domain, equals, file = item.partition("=")
        if not (domain and equals and file):
            raise UserError(f"--data: {item!r} must look like DOMAIN=FILE, for example grading=solutions.jsonl")
        if domain in files:
            raise UserError(f"--data: {domain} is given twice")
        files[domain] = file
    return files or None


def _read(file: Path) -> dict[str, Any]:
    content = toml.text(file, f"--config: {file}")
    configs.parse(content, str(file))  # what is wrong is said with the file's name
    return toml.loads(content, file)


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    place = tuple(str(part) for part in first["loc"])
    option = next((name for key, name in OPTIONS.items() if place[: len(key)] == key), ".".join(place))
    message = first["msg"]
    return f"{option}: {message[0].lower()}{message[1:]}, not {first['input']!r}"

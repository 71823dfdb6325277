"""Landscapes by name or from a file: TOML with the facts of `model`, or Python with a world of its own.

A Python file has a function `world(seed: int)` that gives a `dgm.landscapes.simulate.WorldLike`. It is the user's own
code and runs on the host.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

from dgm import toml
from dgm.errors import UserError
from dgm.landscapes.families import FAMILIES
from dgm.landscapes.model import parse
from dgm.landscapes.simulate import WorldLike
from dgm.landscapes.world import World

PARTS = ("counts", "prices", "target", "budget", "root", "child")
"""What a world must have; `WorldLike` says what each is."""


@lru_cache
def load(name: str) -> Callable[[int], WorldLike]:
    """From a seed to a world: one of our families, or a file. Raises UserError where it cannot be read."""
    if name in FAMILIES:
        return partial(World, FAMILIES[name])
    path = Path(name)
    if path.suffix not in (".toml", ".py"):
        raise UserError(f"--landscape: {name} is no family and no .toml or .py file; ours are {', '.join(FAMILIES)}")
    text = toml.text(path, f"--landscape: {name}")
    return partial(World, parse(text, name)) if path.suffix == ".toml" else _imported(path)


def _imported(path: Path) -> Callable[[int], WorldLike]:
    spec = importlib.util.spec_from_file_location("dgm_landscape", path)
    if spec is None or spec.loader is None:
        raise UserError(f"--landscape: {path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        made: Callable[[int], WorldLike] = module.world
        first = made(0)
    except Exception as error:  # it is a person's own code
        raise UserError(f"--landscape: {path} gives no world(seed): {type(error).__name__}: {error}") from None
    if lacking := [name for name in PARTS if not hasattr(first, name)]:
        raise UserError(f"--landscape: what world(seed) of {path} gives has no {', '.join(lacking)}")
    return made

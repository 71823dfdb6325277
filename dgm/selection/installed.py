"""Selectors of installed packages, from the entry-point group `dgm.selectors`.

A package's selector runs on the host and is trusted, like the package itself; what it gives is checked all the same,
because a wrong probability would spoil a run quietly. It cannot make pairs.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np

from dgm.archive.view import Floats, View
from dgm.errors import UserError

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Installed:
    """A selector with its name. Calling it raises UserError when it gives no probabilities."""

    name: str
    rule: Callable[[View], Any]

    @classmethod
    def load(cls, entry: EntryPoint) -> Installed:
        """Import it. Raises UserError if that fails."""
        try:
            rule = entry.load()
        except (ImportError, AttributeError) as error:
            raise UserError(
                f"--selector: {entry.name}, installed as {entry.value}, cannot be loaded: {error}"
            ) from None
        if not callable(rule):
            raise UserError(f"--selector: {entry.name}, installed as {entry.value}, is no function of a view")
        return cls(entry.name, rule)

    def __call__(self, view: View, /) -> Floats:
        try:
            probabilities = np.asarray(self.rule(view), dtype=np.float64)
        except Exception as error:  # it is a package's own code
            raise self._wrong(f"failed with {type(error).__name__}: {error} ({_place(error)})") from error
        if probabilities.shape != (len(view),):
            raise self._wrong(f"gave no {len(view)} probabilities, one for each agent")
        if not (probabilities >= 0).all():
            raise self._wrong("gave probabilities that are negative, or no numbers")
        if abs(probabilities.sum() - 1) > TOLERANCE:
            raise self._wrong(f"gave probabilities that sum to {probabilities.sum():.6g}, not to 1")
        return probabilities

    def _wrong(self, what: str) -> UserError:
        return UserError(f"the selector {self.name} {what}; mend it, and `dgm resume` goes on with the run")


def _place(error: Exception) -> str:
    """File and line of the innermost call."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}, line {last.lineno}"

"""What dgm brings and what installed packages add to it, by name: selectors, executors, trackers.

A name of ours is never another's, so that recorded runs keep their meaning. Not covered: domains, which are found as
folders too (`dgm.domains`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from dgm import extras
from dgm.errors import UserError


@dataclass(frozen=True, slots=True)
class Plugins:
    """One kind of them."""

    group: str  #: the entry-point group of installed ones
    option: str  #: of `dgm run`, by which one is chosen
    package: str  #: where ours lie
    ours: Mapping[str, str]  #: name to module below the package, a colon, and what it is called there

    def names(self) -> list[str]:
        """Ours, then those of installed packages."""
        return [*self.ours, *sorted(set(entry_points(group=self.group).names) - self.ours.keys())]

    def find(self, name: str) -> EntryPoint:
        """Where one comes from, not loaded. Raises UserError naming those there are."""
        if name in self.ours:
            return EntryPoint(name, f"{self.package}.{self.ours[name]}", self.group)
        for point in entry_points(group=self.group, name=name):
            return point
        raise UserError(
            f"{self.option}: there is no {name!r}; choose one of {', '.join(self.names())},"
            " or install the package that brings it"
        )

    def load(self, name: str) -> Any:
        """Raises UserError naming those there are, or what to install."""
        point = self.find(name)
        try:
            return point.load()
        except (ImportError, AttributeError) as error:
            remedy = f"; `{extras.how(name)}`" if name in self.ours else ""
            raise UserError(f"{self.option} {name}: it is not installed ({error}){remedy}") from None

"""One proposal under watch, from before it is made until it is recorded: the hook for the loop.

`sandbox` takes the place of the run's own wherever code of this proposal runs. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence

from dgm.archive import Archive
from dgm.domain import Files
from dgm.domains import LoadedDomain
from dgm.evaluation.bench import Bench
from dgm.evaluation.measured import Measured
from dgm.integrity import conduct
from dgm.integrity.examine import examine
from dgm.integrity.model import Flag, Kind
from dgm.integrity.record import by_agent
from dgm.sandbox import Sandbox
from dgm.sandbox.bait import Baited, Lure


class Watch:
    """What is seen of one proposal. Belongs to the thread that makes it."""

    def __init__(self, sandbox: Sandbox, key: str) -> None:
        """`key` is the run's for this proposal; equal keys make equal bait."""
        self.sandbox = Baited(sandbox, Lure(key))
        self._passed: list[Flag] = []

    def probe(self, bench: Bench, domains: Sequence[LoadedDomain]) -> None:
        """Let the child, open in `bench`, try the impossible tasks. Raises as `conduct.impossible`."""
        self._passed += conduct.impossible(bench, domains)

    def inherit(self, archive: Archive, twin: int) -> None:
        """A child that was not made to work has what its twin, whose task half is the same, was seen to pass."""
        self._passed += [flag for flag in by_agent(archive).get(twin, ()) if flag.kind is Kind.IMPOSSIBLE]

    def seen(self) -> tuple[tuple[str, ...], tuple[Flag, ...]]:
        """The bait that was caught and the impossible tasks that were passed, to be told to another watch."""
        return tuple(self.sandbox.caught), tuple(self._passed)

    def learn(self, caught: Sequence[str], passed: Sequence[Flag]) -> None:
        """What another watch of the same proposal has seen."""
        self.sandbox.learn(caught)
        self._passed += passed

    def unborn(self) -> list[Flag]:
        """The flags of a proposal that gave no child that works."""
        return conduct.bait(self.sandbox.caught)

    def flags(self, archive: Archive, parent: int, files: Files, child: Measured) -> list[Flag]:
        """All flags of a child, beside its parent as the archive has it."""
        before = Measured(archive.scores(parent), archive.verdicts(parent))
        return [*self._passed, *examine(archive.files(parent), files, before, child, self.sandbox.caught)]

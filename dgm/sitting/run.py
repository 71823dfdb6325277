"""A run in progress: the archive it writes, and everything that was resolved at its start.

Several proposals may be in flight; what they share is here, behind one lock. What is done with it is `dgm.loop`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from dgm.archive import AgentRecord, Archive, Child
from dgm.closing import Closing, close
from dgm.config import RunConfig
from dgm.domain import JSON
from dgm.domains import LoadedDomain
from dgm.evaluation.ongoing import Ongoing
from dgm.executor import Executor
from dgm.executor.local import Local
from dgm.executor.pieces import Piece
from dgm.gateway.lines import Lines
from dgm.genome import GenomeSpec
from dgm.integrity import Watch
from dgm.sandbox import Sandbox
from dgm.selection import Selector
from dgm.steering.helm import Helm

if TYPE_CHECKING:
    from dgm.sitting.pursuit import Pursuit

T = TypeVar("T")

SELECTION = "selection"
"""The kind of event on how a parent was chosen: {"proposal", "unseen"?: [numbers in flight], "by"?: the agent whose own
selection chose (null: none worked), "failed"?: [{"agent", "reason"}]}."""

OWN = "own"
"""The name in place of a selector's where the genome itself chose."""


@dataclass
class Run(Closing):
    """What a proposal needs, in whichever thread it is made."""

    archive: Archive
    config: RunConfig
    domains: Sequence[LoadedDomain]
    sandbox: Sandbox
    spec: GenomeSpec
    select: Selector
    helm: Helm
    lines: Lines = field(default_factory=Lines)
    pursuit: Pursuit | None = None  #: the strategy at work; without one every child is measured in stages
    tell: Callable[[str], None] = lambda line: None  #: what a person who watches should know
    started: float = field(default_factory=time.monotonic)
    before: float = 0.0  #: seconds that earlier sittings of this run took
    ongoing: Ongoing = field(default_factory=Ongoing)
    executor: Executor = field(default_factory=Local)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _in_flight: set[int] = field(default_factory=set)
    _schools: dict[int, threading.Lock] = field(default_factory=dict)

    def rng(self, number: int, use: str) -> random.Random:
        """The generator for one use in one proposal."""
        return random.Random(self.key(number, use))

    def key(self, number: int, use: str) -> str:
        return f"{self.config.search.random_seed}/{number}/{use}"

    @property
    def seconds(self) -> float:
        """How long this run has been going, over all sittings."""
        return self.before + time.monotonic() - self.started - self.helm.waited

    def next_number(self) -> int:
        """The smallest number that is neither recorded nor in flight."""
        with self.lock:
            highest, missing = self.archive.visible()
            free = [number for number in missing if number not in self._in_flight]
            return free[0] if free else max(highest, *self._in_flight, -1) + 1

    def take_number(self) -> int:
        """A number for a new proposal, which is then in flight."""
        with self.lock:
            number = self.next_number()
            self._in_flight.add(number)
            return number

    @contextmanager
    def flying(self, number: int) -> Iterator[None]:
        """While a proposal is made and until it is recorded; should it not be, its number is free again after."""
        try:
            yield
        finally:
            with self.lock:
                self._in_flight.discard(number)

    def record(self, child: Child, unseen: tuple[int, ...] = ()) -> AgentRecord:
        """Keep a finished proposal. `unseen` are the agents below its archive version that it could not see."""
        with self.lock:
            if self.pursuit:  # every choice of a strategy is in its journal
                event: tuple[str, JSON] | None = self.pursuit.birth(child)
            else:
                # Together or not at all: without it the choice could not be derived again, and an event of an attempt
                # that was not recorded would be taken for the next one's, which may have seen more.
                event = (SELECTION, {"proposal": child.id, "unseen": list(unseen)}) if unseen else None
            kept = self.archive.record(child, event)
            if self.pursuit:
                self.pursuit.born(child)
            self.lines.sync(self.archive)
            return kept

    @contextmanager
    def schooling(self, agent: int) -> Iterator[None]:
        """While an agent does what it must have done before it is a parent: one thread at a time."""
        with self.lock:
            school = self._schools.setdefault(agent, threading.Lock())
        with school:
            yield

    def do(self, piece: Piece[T], watch: Watch) -> T:
        """What a piece of work gives, wherever it is done. Raises AgentFailed, or what `Executor.do` raises."""
        outcome = self.executor.do(piece, self)
        watch.learn(outcome.caught, outcome.passed)
        return outcome.result()

    def close(self) -> None:
        """Give up what is under way, and leave plain files."""
        self.ongoing.abort()
        self.executor.close()
        self.lines.close()
        self.archive.close()
        close(self.sandbox)  # what it had started ahead of need

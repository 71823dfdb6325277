"""Who in a run may ask which model: the run's side of the gateway.

A `Line` is what one piece of work is given: a desk for each of its sandboxes, and the patience to wait while the
provider does not answer. A run without models gives out lines that lead nowhere, so that nobody else has to ask
whether there are any.
"""

from __future__ import annotations

import random
import statistics
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from dgm.closing import Closing
from dgm.errors import AgentFailed, ModelUnavailable, NoVerdict, Status, UserError
from dgm.gateway import BudgetSpent, HeldUp, Role, Scope

if TYPE_CHECKING:
    from dgm.archive import Archive
    from dgm.gateway.desk import Desk
    from dgm.gateway.service import Gateway
    from dgm.selection.bandit import Pull

T = TypeVar("T")

HELD_UP = 20
"""So often one piece of work is begun anew because its own calls came to nothing. An agent can bring that about, by
requests on which its provider fails, or by more of them than anybody answers, and would otherwise hold up its run for
ever; honest work gets further each time, for what was answered is on record."""


@dataclass(frozen=True, slots=True)
class Line:
    """A way to the models for one piece of work, in the name of one agent and proposal."""

    gateway: Gateway | None = None
    role: Role = Role.AGENT
    agent: int | None = None
    proposal: int | None = None
    models: tuple[str, ...] = ()

    @property
    def model(self) -> str:
        """The default model; empty where there is none."""
        return self.models[0] if self.models else ""

    @property
    def scope(self) -> Scope:
        """In whose name is asked."""
        return Scope(self.role, self.agent, self.proposal)

    def desk(self) -> Desk | None:
        """For one session in a sandbox."""
        if self.gateway is None or not self.models:
            return None
        return self.gateway.desk(self.role, agent=self.agent, proposal=self.proposal, models=self.models)

    def patiently(self, work: Callable[[], T], stop: threading.Event | None = None) -> T:
        """What `work` gives, done again from its beginning after each outage of the provider.

        Calls that were answered are answered from the record then. Raises ModelUnavailable when `stop` is set or the
        gateway is closed meanwhile, and BudgetSpent. Work whose own calls come to nothing HELD_UP times, while the
        provider answers others, is given up: AgentFailed, and for a judge NoVerdict.
        """
        own = 0
        while True:
            try:
                return work()
            except BudgetSpent:
                raise
            except ModelUnavailable as error:
                if self.gateway is None or not self.gateway.wait(stop):
                    raise
                own += isinstance(error, HeldUp)
                if own == HELD_UP:
                    raise self._blame(error) from error

    def _blame(self, error: ModelUnavailable) -> Exception:
        why = f"{HELD_UP} times: {error}"
        return NoVerdict(why) if self.role == Role.JUDGE else AgentFailed(Status.TIMEOUT, why)


OFFLINE = Line()


@dataclass(frozen=True, slots=True)
class Pool:
    """Models with weights, as `NAME` or `NAME=WEIGHT`."""

    names: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()

    @classmethod
    def parse(cls, items: Sequence[str], option: str) -> Pool:
        """Raises UserError naming `option`."""
        names, weights = [], []
        for item in items:
            name, _, weight = item.rpartition("=") if "=" in item else (item, "", "1")
            if not name or not _is_weight(weight):
                raise UserError(f"{option} {item!r}: give NAME or NAME=WEIGHT, for example gpt-4o-mini=2")
            names.append(name)
            weights.append(float(weight))
        if len(set(names)) < len(names):
            raise UserError(f"{option}: a model is named twice")
        return cls(tuple(names), tuple(weights))

    def draw(self, rng: random.Random) -> tuple[str, ...]:
        """One name, by weight; none where there is none."""
        return tuple(rng.choices(self.names, self.weights)) if self.names else ()


@dataclass(frozen=True)
class Lines(Closing):
    """All that the halves of a run, and its judges, may ask."""

    gateway: Gateway | None = None
    agent: Pool = field(default_factory=Pool)
    meta: Pool = field(default_factory=Pool)
    judge: tuple[str, ...] = ()  #: the model that judges ask, if any does
    bandit: bool = False  #: whether the model of a proposal is drawn by improvement per dollar

    def draw(self, archive: Archive, rng: random.Random) -> tuple[str, ...]:
        """The model for a proposal's meta half; none where it asks none."""
        if self.gateway is None or not self.bandit or len(self.meta.names) < 2:
            return self.meta.draw(rng)
        from dgm.selection.bandit import choose_model

        pulls = _pulls(archive, self.gateway.store.cost_of_proposals())
        return (choose_model(self.meta.names, self.meta.weights, pulls, rng),)

    def working(self, agent: int) -> Line:
        """For the task half of an agent while it is evaluated; the proposal of the same number bears the cost."""
        return Line(self.gateway, Role.AGENT, agent, agent, self.agent.names)

    def examined(self, agent: int) -> Line:
        """For a chosen agent on test: no proposal's limit holds there, the run's does."""
        return Line(self.gateway, Role.EXAM, agent, agent, self.agent.names)

    def improving(self, parent: int, proposal: int, models: tuple[str, ...]) -> Line:
        """For the meta half of `parent` while it makes a proposal with the `models` that were drawn."""
        return Line(self.gateway, Role.META, parent, proposal, models)

    def judging(self, agent: int | None) -> Line:
        """For the judges of what `agent` did. No proposal's limit holds there: it would be in the agent's hands."""
        return Line(self.gateway, Role.JUDGE, agent, None, self.judge)

    def sync(self, archive: Archive) -> None:
        """Bring the archive's table of calls up to date."""
        if self.gateway is not None:
            self.gateway.sync(archive)

    def close(self) -> None:
        if self.gateway is not None:
            self.gateway.close()


def _pulls(archive: Archive, costs: Mapping[int, int]) -> list[Pull]:
    """What earlier proposals of models came to. Scores are means over the domains, as parents are chosen by."""
    from dgm.selection.bandit import Pull

    mean = {c.id: statistics.fmean(c.scores.values()) for c in archive.candidates() if c.scores}
    root = mean.get(0, 0.0)
    return [
        Pull(agent.author, max(0.0, mean.get(agent.id, 0.0) - max(mean.get(agent.parent, 0.0), root)), costs[agent.id])
        for agent in archive.agents()
        if agent.parent is not None and agent.author and agent.id in costs
    ]


def _is_weight(text: str) -> bool:
    try:
        return 0.0 < float(text) < float("inf")
    except ValueError:
        return False

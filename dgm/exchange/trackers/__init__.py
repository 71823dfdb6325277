"""Mirrors of a run in other systems, while it goes: MLflow, Weights & Biases, OpenTelemetry. Off unless asked for.

A tracker is told what was recorded, after it was recorded; it decides nothing, and one that fails is dropped with a
notice while the run goes on. Installed packages add trackers through the entry-point group `dgm.trackers`: a function
that takes a `Beginning` and gives a `Tracker`. Not covered: reading anything back; the archive is the record.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dgm.archive import AgentRecord, Archive, ProposalRecord, ScoreRecord
from dgm.closing import Closing, on_failure
from dgm.errors import UserError
from dgm.plugins import Plugins

TRACKERS = Plugins(
    "dgm.trackers",
    "--track",
    __name__,
    {"mlflow": "mlflow:MLflow", "wandb": "wandb:WandB", "opentelemetry": "opentelemetry:OpenTelemetry"},
)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a tracker is told at the start of a sitting. `identity` is the same for all sittings of a run."""

    name: str
    identity: str  #: the root's commit
    config: str  #: the text of dgm.toml
    done: int  #: proposals that earlier sittings made


class Tracker(Protocol):
    """Where a run is mirrored to. Called by one thread."""

    failures: tuple[type[Exception], ...]
    """What it raises when the other side fails, besides OSError; anything else is a defect and stops the run. Known to
    the class already, so that what fails at the start is told as well; there a ValueError counts too."""

    def proposal(self, agent: AgentRecord, proposal: ProposalRecord, scores: Sequence[ScoreRecord]) -> None:
        """A proposal was recorded; the root comes first where the run is new."""
        ...

    def tested(self, agent: int, scores: Sequence[ScoreRecord]) -> None:
        """An agent was measured on test."""
        ...

    def close(self) -> None:
        """The sitting is over; what is still buffered is sent now."""
        ...


def check(chosen: Sequence[str]) -> None:
    """Raises UserError for a tracker that is not there, or whose library is not; before a run is made."""
    for name in chosen:
        TRACKERS.load(name)


def mirror(chosen: Sequence[str], archive: Archive, notice: Callable[[str], None]) -> Mirror:
    """Open the trackers of these names for a run. Raises UserError for one that is not there or cannot start."""
    beginning = Beginning(archive.name, archive.agent(0).commit or archive.name, archive.config, archive.next_id() - 1)
    opened = Mirror(archive, notice)
    with on_failure(opened.close):
        for name in dict.fromkeys(chosen):
            opened.add(name, _begun(name, TRACKERS.load(name), beginning))
    if beginning.done == 0 and chosen:
        opened.proposal(archive.agent(0))
    return opened


def _begun(name: str, make: Callable[[Beginning], Tracker], beginning: Beginning) -> Tracker:
    # ValueError as well: these libraries read their settings now.
    failures: tuple[type[Exception], ...] = (OSError, ValueError, *getattr(make, "failures", ()))
    try:
        return make(beginning)
    except failures as error:
        why = " ".join(str(error).split())[:300] or type(error).__name__
        raise UserError(f"--track {name}: it cannot start ({why}); put that right or leave it out") from error


class Mirror(Closing):
    """All trackers of a run. One that fails is told of once and left out from then on."""

    def __init__(self, archive: Archive, notice: Callable[[str], None]) -> None:
        self._archive = archive
        self._notice = notice
        self._trackers: dict[str, Tracker] = {}

    def add(self, name: str, tracker: Tracker) -> None:
        self._trackers[name] = tracker

    def proposal(self, agent: AgentRecord) -> None:
        """Tell of a proposal that is recorded."""
        if self._trackers:
            how, scores = self._archive.proposal(agent.id), self._archive.scores(agent.id)
            self._tell(lambda tracker: tracker.proposal(agent, how, scores))

    def tested(self, agent: int) -> None:
        """Tell of an agent that was measured on test."""
        if self._trackers:
            scores = [score for score in self._archive.scores(agent) if str(score.split) == "test"]
            self._tell(lambda tracker: tracker.tested(agent, scores))

    def close(self) -> None:
        self._tell(lambda tracker: tracker.close())
        self._trackers.clear()

    def _tell(self, what: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            failures: tuple[type[Exception], ...] = (OSError, *tracker.failures)
            try:
                what(tracker)
            except failures as error:
                del self._trackers[name]
                why = str(error)[:200] or type(error).__name__
                self._notice(f"{name} is not told any more: {why}; the run goes on")

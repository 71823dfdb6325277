"""The pieces of work that a run consists of, as values: what is needed to do one, and how it is done.

A piece holds bytes and numbers alone and can be sent anywhere; all that is the same for every piece of a run (its
configuration, its domains, a sandbox) is the workshop's. To do a piece a second time harms nothing: nothing is
written, and every random number of the kernel comes from the piece. Whether its result counts is for `dgm.loop`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from dgm.archive import Admission
from dgm.config import RunConfig
from dgm.domain import Files, Split
from dgm.domains import LoadedDomain
from dgm.errors import AgentFailed
from dgm.evaluation import stages
from dgm.evaluation.bench import Bench, Job
from dgm.evaluation.measured import Measured, measured
from dgm.evaluation.ongoing import Ongoing
from dgm.gateway.lines import Line, Lines
from dgm.genome import HALVES, GenomeSpec
from dgm.integrity import Watch
from dgm.integrity.model import Flag
from dgm.proposal import propose
from dgm.proposal.propose import Edit, NotBorn
from dgm.sandbox import Sandbox

T = TypeVar("T")


class Workshop(Protocol):
    """What all pieces of a run share, wherever they are done; on the driver `dgm.sitting.run.Run` is one."""

    @property
    def config(self) -> RunConfig: ...

    @property
    def spec(self) -> GenomeSpec: ...

    @property
    def domains(self) -> Sequence[LoadedDomain]: ...

    @property
    def sandbox(self) -> Sandbox: ...

    @property
    def lines(self) -> Lines: ...

    @property
    def ongoing(self) -> Ongoing: ...

    @property
    def tell(self) -> Callable[[str], None]: ...


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What one piece came to: something done or an agent's failure, and what was seen meanwhile."""

    done: T | None
    failure: AgentFailed | None = None
    caught: tuple[str, ...] = ()  #: bait that came out of a sandbox
    passed: tuple[Flag, ...] = ()  #: impossible tasks that were passed

    def result(self) -> T:
        """Raises the failure if that is what it came to."""
        if self.failure is not None:
            raise self.failure
        assert self.done is not None
        return self.done


@dataclass(frozen=True, slots=True)
class Piece(Generic[T]):
    """One piece of work for the proposal `number`; `bait` is the key of what is laid out in its sandboxes."""

    number: int
    bait: str

    def do(self, shop: Workshop, watch: Watch) -> T:
        """Raises AgentFailed, or what `Executor.do` raises."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Improve(Piece[Edit]):
    """The meta agent of `genome`, which is agent `parent`'s, edits a copy of it."""

    parent: int
    genome: Files
    feedback: Files
    iterations_left: int
    seed: int
    models: tuple[str, ...]

    def do(self, shop: Workshop, watch: Watch) -> Edit:
        return propose.improve(
            self.genome,
            self.feedback,
            shop.spec,
            frozenset(shop.config.search.evolve),
            watch.sandbox,
            iterations_left=self.iterations_left,
            seed=self.seed,
            seconds=shop.config.improve_seconds,
            line=shop.lines.improving(self.parent, self.number, self.models),
            ongoing=shop.ongoing,
        )


@dataclass(frozen=True, slots=True)
class Evaluate(Piece[Measured]):
    """A child is checked, then works, stage by stage. One whose task half is `known` already does not work, and a meta
    half that is its parent's has shown that it starts."""

    files: Files
    known: bool
    new_meta: bool

    def do(self, shop: Workshop, watch: Watch) -> Measured:
        line = shop.lines.working(self.number)
        due = {"agent": not self.known, "meta": self.new_meta}
        with bench(self.files, shop, line, watch.sandbox) as child, shop.ongoing.holding(child):
            try:
                child.check([half for half in HALVES if due[half]])
            except AgentFailed as failure:
                raise NotBorn(Admission.STILLBORN, failure.status, failure.reason) from None
            if self.known:
                return Measured()
            measured = stages.at_birth(shop.config.search.strategy)(child, shop.domains)
            watch.probe(child, shop.domains)
            return measured


@dataclass(frozen=True, slots=True)
class Measure(Piece[Measured]):
    """Agent `number` does tasks that a strategy asks for."""

    files: Files
    tasks: tuple[tuple[str, Split, str], ...]  #: domain, split and id of each

    def do(self, shop: Workshop, watch: Watch) -> Measured:
        known = {
            (d.name, split, t.id): Job(d, split, t) for d in shop.domains for split in Split for t in d.splits[split]
        }
        line = shop.lines.working(self.number)
        with bench(self.files, shop, line, watch.sandbox) as agent, shop.ongoing.holding(agent):
            return measured(agent.run([known[task] for task in self.tasks]), shop.domains)


@dataclass(frozen=True, slots=True)
class Examine(Piece[Measured]):
    """Agent `number`, which was chosen, does the test tasks of the domains of these names."""

    files: Files
    domains: tuple[str, ...]

    def do(self, shop: Workshop, watch: Watch) -> Measured:
        chosen = [domain for domain in shop.domains if domain.name in self.domains]
        line = shop.lines.examined(self.number)
        with bench(self.files, shop, line, watch.sandbox) as agent, shop.ongoing.holding(agent):
            return stages.test(agent, chosen)


def perform(piece: Piece[T], shop: Workshop) -> Outcome[T]:
    """Do a piece, here and now. Raises what `Executor.do` raises."""
    watch = Watch(shop.sandbox, piece.bait)
    try:
        done = piece.do(shop, watch)
    except AgentFailed as failure:
        return Outcome(None, failure, *watch.seen())
    return Outcome(done, None, *watch.seen())


def bench(files: Files, shop: Workshop, line: Line, sandbox: Sandbox) -> Bench:
    """The sandboxes in which a genome is evaluated, with the models that it may ask."""
    return Bench(
        files,
        shop.spec,
        sandbox,
        shop.domains,
        sessions=shop.config.place.sessions,
        seed=shop.config.search.random_seed,
        line=line,
        judge=shop.lines.judging(line.agent),
        task_seconds=shop.config.task_seconds,
    )

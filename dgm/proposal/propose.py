"""One proposal: the parent's meta agent edits a copy of its genome in a sandbox, or somebody outside did; the kernel
builds the child."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dgm.archive import Admission
from dgm.domain import Files
from dgm.errors import AgentFailed, Status
from dgm.evaluation.ongoing import Ongoing, persistently
from dgm.evaluation.session import AgentSession, Improved
from dgm.gateway.lines import OFFLINE, Line
from dgm.genome import GenomeSpec, build_child, half_files
from dgm.sandbox import Limits, Sandbox
from dgm.steering.submissions import Submission


class NotBorn(AgentFailed):
    """A proposal that gave no child that could be evaluated; `admission` says in which way."""

    def __init__(self, admission: Admission, status: Status, reason: str) -> None:
        super().__init__(status, reason)
        self.admission = admission

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.admission, self.status, self.reason)


@dataclass(frozen=True, slots=True)
class Edit:
    """A child's files, and what its maker says of them (which nothing is decided on)."""

    files: Mapping[str, bytes]
    summary: str
    new_meta: bool  #: its meta half is not its parent's


def limits(seconds: float) -> Limits:
    """Of a meta agent's sandbox."""
    return Limits(seconds=seconds, memory_mb=2048)


def improve(
    genome: Files,
    feedback: Files,
    spec: GenomeSpec,
    evolve: frozenset[str],
    sandbox: Sandbox,
    *,
    iterations_left: int,
    seed: int,
    seconds: float,
    line: Line = OFFLINE,
    ongoing: Ongoing | None = None,
) -> Edit:
    """Run the meta half of `genome` on a copy of it, with the models that `line` leads to.

    Raises NotBorn, SandboxUnavailable (also when all that is `ongoing` is given up), or ModelUnavailable when the
    budget is spent.
    """
    ongoing = ongoing or Ongoing()

    def once() -> Improved:
        session = AgentSession(sandbox, genome, spec.meta, "meta", limits(seconds), feedback=feedback, desk=line.desk())
        with session, ongoing.holding(session):
            return session.improve(genome, iterations_left=iterations_left, seed=seed)

    try:
        improved = line.patiently(lambda: persistently(once, ongoing.given_up), ongoing.given_up)
    except AgentFailed as failure:
        raise NotBorn(Admission.FAILED, failure.status, failure.reason) from None
    if improved.refused:
        raise NotBorn(Admission.REFUSED, Status.FORBIDDEN, "; ".join(improved.refused[:5]))
    return _child_of(genome, improved.files, improved.summary, spec, evolve)


def taken(submission: Submission, genome: Files, spec: GenomeSpec, evolve: frozenset[str]) -> Edit:
    """A child that was made outside: what `improve` is for a meta agent, by the same rules. Raises NotBorn."""
    if not submission.files:
        raise NotBorn(Admission.REFUSED, Status.INVALID, "the submitted files are missing or damaged")
    return _child_of(genome, submission.files, submission.summary, spec, evolve)


def _child_of(genome: Files, edited: Files, summary: str, spec: GenomeSpec, evolve: frozenset[str]) -> Edit:
    """The child that an edited copy of its parent's genome comes to, whoever edited it. Raises NotBorn."""
    try:
        files = build_child(genome, edited, spec, evolve)
    except AgentFailed as failure:
        raise NotBorn(Admission.REFUSED, failure.status, failure.reason) from None
    if files == dict(genome):
        raise NotBorn(Admission.UNCHANGED, Status.OK, summary or "nothing was changed")
    new_meta = half_files(files, spec.meta) != half_files(genome, spec.meta)
    return Edit(files, summary, new_meta)

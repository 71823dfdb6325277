"""The loop: select, propose, check, evaluate, admit. Read `make` first; it is the whole idea.

A run with one worker, a seed and a deterministic genome is reproducible to the tree hash: every random number is
drawn from the run's seed and the proposal's number, never from a shared generator, so a proposal that was cut off
by a kill is made again exactly. This module does not know how a sandbox, a judge or the archive works.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from dgm.archive import Admission, AgentRecord, Archive, Child, ProposalRecord
from dgm.domain import Files, Split
from dgm.errors import AgentFailed, Status
from dgm.evaluation.measured import Measured
from dgm.executor.pieces import Evaluate, Examine, Improve
from dgm.gateway import BudgetSpent
from dgm.genome import task_half, took_over
from dgm.integrity import Policy, Watch, note, ruling
from dgm.proposal import feedback, own_selection
from dgm.proposal.propose import Edit, NotBorn, taken
from dgm.results import best_per_domain, finalists
from dgm.selection import choose, choose_mate
from dgm.sitting import crew, measuring
from dgm.sitting.measuring import Measuring
from dgm.sitting.run import OWN, SELECTION, Run
from dgm.steering import PIN, SUBMIT
from dgm.steering.submissions import Submission
from dgm.strategy.state import Expand

RECALLED = "recalled"
"""The kind of event where an agent's test results are another's: {"agent", "of", "split"}."""

Report = Callable[[AgentRecord], None]
NOTHING = Measured()


@dataclass
class Attempt:
    """One proposal while it is being made."""

    number: int
    parent: AgentRecord
    watch: Watch  #: sees what comes out of the sandboxes in which it is made and works
    chooser: str  #: what chose the parent: a selector, or a person
    key: str
    version: int
    began: float  #: seconds since 1970
    unseen: tuple[int, ...] = ()  #: agents below `version` that were in flight when the parent was selected
    mate: int | None = None  #: a second parent that is shown to the meta agent
    model: tuple[str, ...] = ()  #: the language model that the meta half may ask, if any
    submission: Submission | None = None  #: a child that was made outside
    clock: float = field(default_factory=time.monotonic)
    improve_seconds: float = 0.0
    evaluate_seconds: float = 0.0
    edit: Edit | None = None
    note: str = ""


def step(run: Run) -> AgentRecord:
    """One proposal, start to end, and before it what the strategy wants to know first."""
    while isinstance(due := begin(run), Measuring):
        measuring.perform(due, run)
    return make(due, run)


def perform(due: Attempt | Measuring, run: Run) -> AgentRecord | None:
    """What has begun, to its end; the record where it is a proposal."""
    if isinstance(due, Attempt):
        return make(due, run)
    measuring.perform(due, run)
    return None


def make(attempt: Attempt, run: Run) -> AgentRecord:
    """Propose, check, evaluate, keep. Everything else in this package is a detail of one of these lines."""
    with run.flying(attempt.number):
        try:
            edit = improve(attempt, run)
            measured = work(attempt, edit, run)
        except AgentFailed as failure:
            return run.record(buried(attempt, failure, run), attempt.unseen)
        return run.record(admitted(attempt, edit, measured, run), attempt.unseen)


def begin(run: Run) -> Attempt | Measuring:
    """Select a parent, unless a person did, and remember by which random key and from which archive.

    With a strategy, it may be that more is to be known of some agent first."""
    with run.lock:
        asked = run.helm.submission()
        due = measuring.due(run) if asked is None else None
        if isinstance(due, Measuring):
            return due
        number = run.take_number()
        version, unseen = run.archive.visible()
        watch = Watch(run.sandbox, run.key(number, "bait"))
        if asked is not None:
            measuring.expand(run, number, Expand(asked.parent), SUBMIT)
            parent = run.archive.agent(asked.parent)
            began = run.archive.now()
            return Attempt(number, parent, watch, SUBMIT, asked.id, version, began, unseen, submission=asked)
        key, chooser, mate = run.key(number, "select"), run.config.search.selector, None
        if (pinned := run.helm.pinned()) is not None:
            chosen, chooser = pinned, PIN
            measuring.expand(run, number, Expand(pinned), PIN)
        elif due is not None:
            chosen, mate, chooser = due.parent, due.mate, run.config.search.strategy
            key = measuring.expand(run, number, due)
        else:
            view = run.helm.allowed(run.archive.view(number))
            if "select" in run.config.search.evolve:
                rng = random.Random(key)
                choice = own_selection.choose(run.archive, view, run.spec, watch.sandbox, rng, run.ongoing)
                run.archive.add_event(SELECTION, {"proposal": number, **choice.told()})
                chosen, chooser = choice.parent, OWN
            else:
                chosen = choose(view, run.select, random.Random(key))
                mate = choose_mate(view, run.select, chosen, run.rng(number, "mate"))
        model = run.lines.draw(run.archive, run.rng(number, "model"))
        parent, began = run.archive.agent(chosen), run.archive.now()
        return Attempt(number, parent, watch, chooser, key, version, began, unseen, mate, model)


def improve(attempt: Attempt, run: Run) -> Edit:
    """The parent's meta agent edits a copy of its genome, or somebody outside did. Raises NotBorn."""
    search, control = run.config.search, run.config.control
    genome = run.archive.files(attempt.parent.id)
    if attempt.submission is not None:
        attempt.edit = taken(attempt.submission, genome, run.spec, frozenset(search.evolve))
        return attempt.edit
    measuring.school(attempt.parent.id, run)
    shown = feedback.build(
        run.archive,
        attempt.parent.id,
        run.domains,
        search.evolve,
        run.rng(attempt.number, "feedback"),
        withheld=control.feedback == "withheld",
        mate=attempt.mate,
    )
    piece = Improve(
        attempt.number,
        run.key(attempt.number, "bait"),
        parent=attempt.parent.id,
        genome=genome,
        feedback=shown,
        iterations_left=search.proposals - attempt.number,
        seed=run.rng(attempt.number, "improve").getrandbits(31),
        models=attempt.model,
    )
    attempt.edit = run.do(piece, attempt.watch)
    attempt.improve_seconds = time.monotonic() - attempt.clock
    return attempt.edit


def work(attempt: Attempt, edit: Edit, run: Run) -> Measured:
    """The child is checked, then works, stage by stage. Raises NotBorn when it does not start.

    A child whose task half is byte for byte an earlier agent's is not made to work again: it has that agent's results.
    """
    twin = run.archive.ask.with_half(task_half(edit.files, run.spec))
    bait = run.key(attempt.number, "bait")
    measured = run.do(Evaluate(attempt.number, bait, edit.files, twin is not None, edit.new_meta), attempt.watch)
    if twin is not None:
        measured = recall(run.archive, twin, (Split.TRAIN, Split.VAL))
        attempt.watch.inherit(run.archive, twin)
        attempt.note = f"the results are those of agent {twin}, whose task half is the same"
    attempt.evaluate_seconds = time.monotonic() - attempt.clock - attempt.improve_seconds
    return measured


def recall(archive: Archive, agent: int, splits: Collection[Split], but: Collection[str] = ()) -> Measured:
    """The results of an agent on some splits, as they stand in the archive; not those on some domains."""
    scores = [score for score in archive.scores(agent) if score.split in splits and score.domain not in but]
    verdicts = [verdict for s in scores for verdict in archive.verdicts(agent, s.domain, s.split)]
    logs = {f"{s.domain}.{s.split}": archive.logs(agent, s.domain, s.split) for s in scores}
    return Measured(scores, verdicts, logs, archive.proposal(agent).stage)


def buried(attempt: Attempt, failure: AgentFailed, run: Run) -> Child:
    """The record of a proposal that gave no working child."""
    note(run.archive, attempt.number, attempt.watch.unborn(), Policy(run.config.search.integrity))
    admission = failure.admission if isinstance(failure, NotBorn) else Admission.FAILED
    files = attempt.edit.files if attempt.edit and admission == Admission.STILLBORN else None
    summary = attempt.edit.summary if attempt.edit else ""
    return _child(attempt, run, admission, failure.status, failure.reason, files=files, summary=summary)


def admitted(attempt: Attempt, edit: Edit, measured: Measured, run: Run) -> Child:
    """The record of a child that works; what has integrity flags is treated as the run's policy says."""
    policy = Policy(run.config.search.integrity)
    flags = attempt.watch.flags(run.archive, attempt.parent.id, edit.files, measured)
    note(run.archive, attempt.number, flags, policy)
    why = (
        "integrity flags, which stand in the archive's events"  # they tell of val, and a reason is shown to meta agents
    )
    match ruling(policy, flags):
        case Policy.REJECT:
            return _child(attempt, run, Admission.REFUSED, Status.FORBIDDEN, why, summary=edit.summary)
        case Policy.QUARANTINE:
            admission, reason = Admission.QUARANTINED, why
        case Policy.FLAG:
            admission, reason = Admission.ADMITTED, ""
    return _child(attempt, run, admission, Status.OK, reason, files=edit.files, summary=edit.summary, measured=measured)


def evolve(run: Run, report: Report, stop: Callable[[], bool] = lambda: False) -> str:
    """Proposals until `stop` or a budget says so. Why it ended: proposals, evaluations, seconds, patience, budget or
    stopped.

    With one worker, one after the other, in the caller's thread; with several, as many at a time, none of which waits
    for another. `report` is called in the caller's thread in either case.
    """
    workers = run.config.place.workers
    if workers > 1:
        return crew.evolve(run, workers, begin, perform, report, lambda: ended(run, stop))
    while (over := ended(run, stop)) is None:
        try:
            if (made := perform(begin(run), run)) is not None:
                report(made)
        except BudgetSpent:
            return "budget"
    return over


def ended(run: Run, stop: Callable[[], bool]) -> str | None:
    """Why no further proposal is to begin, or None."""
    search = run.config.search
    if run.next_number() > search.proposals and not measuring.is_next(run):
        return "proposals"
    if search.evaluations is not None and run.archive.evaluations() >= search.evaluations:
        return "evaluations"
    if search.seconds is not None and run.seconds >= search.seconds:
        return "seconds"
    if search.patience is not None and stale(run) >= search.patience:
        return "patience"
    return "stopped" if stop() or run.helm.turn(run.tell) else None


def stale(run: Run) -> int:
    """Proposals since the best mean val score was last bettered."""
    view = run.archive.view()
    when = int(view.id[view.quality.argmax()]) if view.eligible.all() else 0  # nothing was ever measured
    return run.archive.next_id() - 1 - when


def test(run: Run, report: Callable[[int], None] = lambda _: None) -> list[int]:
    """Measure the root and the agents chosen on val on the test tasks, once each; the agents measured."""
    measuring.complete(run)
    chosen = finalists(run.archive)
    for agent in chosen:
        done = {s.domain for s in run.archive.scores(agent) if s.split == Split.TEST}
        left = [domain for domain in run.domains if domain.name not in done]
        if left and not remember(run.archive, agent, done):
            bait, names = run.key(agent, "bait"), tuple(domain.name for domain in left)
            watch = Watch(run.sandbox, bait)
            measured = run.do(Examine(agent, bait, run.archive.files(agent), names), watch)
            note(run.archive, agent, watch.unborn(), Policy(run.config.search.integrity))
            run.archive.add_scores(agent, measured.scores, measured.verdicts, measured.logs)
            run.lines.sync(run.archive)
        report(agent)
    for domain, agent in best_per_domain(run.archive).items():
        run.archive.tag_best(domain, agent)
    return chosen


def remember(archive: Archive, agent: int, done: Collection[str]) -> bool:
    """Give an agent the test results of another whose task half is the same, on what is not `done` yet; whether there
    were any."""
    for other in archive.ask.twins(agent):
        known = recall(archive, other, (Split.TEST,), done)
        if known.scores:
            archive.add_event(RECALLED, {"agent": agent, "of": other, "split": str(Split.TEST)})
            archive.add_scores(agent, known.scores, known.verdicts, known.logs)
            return True
    return False


def _child(
    attempt: Attempt,
    run: Run,
    admission: Admission,
    status: Status,
    reason: str,
    *,
    files: Files | None = None,
    summary: str = "",
    measured: Measured = NOTHING,
) -> Child:
    proposal = ProposalRecord(
        id=attempt.number,
        selector=attempt.chooser,
        key=attempt.key,
        archive_version=attempt.version,
        parent=attempt.parent.id,
        started=attempt.began,
        seconds=time.monotonic() - attempt.clock,
        improve_seconds=attempt.improve_seconds,
        evaluate_seconds=attempt.evaluate_seconds,
        stage=measured.stages,
        note=attempt.note,
    )
    return Child(
        id=attempt.number,
        parent=attempt.parent.id,
        parent2=_second_parent(attempt, files, run),
        admission=admission,
        files=files,
        proposal=proposal,
        created=time.time(),
        summary=summary,
        author=attempt.submission.author if attempt.submission else "".join(attempt.model),
        status=status,
        reason=reason,
        scores=measured.scores,
        verdicts=measured.verdicts,
        logs=measured.logs,
        task_half=task_half(files, run.spec) if files is not None and measured.scores else None,
    )


def _second_parent(attempt: Attempt, files: Files | None, run: Run) -> int | None:
    """The mate, if the child has something of it."""
    if attempt.mate is None or files is None:
        return None
    took = took_over(run.archive.files(attempt.parent.id), run.archive.files(attempt.mate), files)
    return attempt.mate if took else None

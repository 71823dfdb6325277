"""The work of `dgm eval`: which tasks, in which sandbox, and what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from dgm import statistics
from dgm.archive import Archive
from dgm.cli import answering, naming
from dgm.cli.answering import Account, Told
from dgm.config import RunConfig
from dgm.domain import JSON, Files, Split, Task
from dgm.domains import DataRef, LoadedDomain, check_tasks, load
from dgm.errors import UserError
from dgm.evaluation.bench import Bench, Job, Result
from dgm.genome import GenomeSpec, parse_spec
from dgm.reporting import columns, report, text
from dgm.reporting.table import Table
from dgm.sandbox import Sandbox
from dgm.sandbox.choose import choose
from dgm.sitting import start
from dgm.sitting.settings import config_of
from dgm.statistics import Score

EVERYTHING = "all"
"""What stands for the split where a whole file is measured."""


@dataclass(frozen=True, slots=True)
class Part:
    """The tasks of one domain that are to be done. They are run as test tasks, whatever split they are of."""

    domain: LoadedDomain
    split: str
    tasks: Sequence[Task]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything resolved and checked, nothing run yet. `account` is what models were asked so far."""

    genome: Files
    spec: GenomeSpec
    where: str
    agent: int
    config: RunConfig
    sandbox: Sandbox
    parts: Sequence[Part]
    told: Told
    say: Callable[[str], None]
    account: Account = field(default_factory=Account)

    @property
    def notices(self) -> Sequence[str]:
        return self.sandbox.caveats()


@dataclass(frozen=True, slots=True)
class Measured:
    """One domain's outcome. `balanced` weighs every label the same; None for answers that are no labels."""

    part: Part
    score: Score
    balanced: Score | None
    endings: Mapping[str, int]
    told: Mapping[str, JSON]  #: what the domain itself has to say: errors, calibration, results by class


def plan(
    target: str,
    split: str | None,
    data: Mapping[str, str],
    domains: Sequence[str],
    told: Told,
    say: Callable[[str], None],
) -> Plan:
    """Resolve and check all of it. `say` is told of outages and of how far judges can be trusted. Raises UserError
    naming the option that is wrong."""
    path, number = naming.agent_of(target)
    with Archive.open(path) as archive:
        config = config_of(archive)
        if archive.agent(number).tree is None:
            raise UserError(f"{target} has no genome: it is a proposal that gave none; choose another agent")
        genome = archive.files(number)
    parts = [_part(name, split, ref, config) for name, ref in _wanted(config, data, domains)]
    spec = parse_spec(genome, target)
    models = answering.models_for(told, config.models, spec, [part.domain for part in parts])
    config = config.model_copy(update={"models": models})
    sandbox = choose(config.place.sandbox, may_run_model_code=False)
    return Plan(genome, spec, target, number, config, sandbox, parts, told, say)


def measure(planned: Plan) -> list[Measured]:
    """Run all tasks of the plan. Raises AgentFailed when the agent does not start."""
    results = run(planned)
    return [_measured(part, results) for part in planned.parts]


def run(planned: Plan, repetition: int = 0, of: int = 1) -> list[Result]:
    """All tasks' results. The first repetition has the seeds of the agent's own run, each other one its own; the
    budget is shared by all, and each keeps its own record, so that none gets another's replies.
    Raises AgentFailed when the agent does not start, and UserError when the budget is spent."""
    config, seed = planned.config, planned.config.search.random_seed + repetition
    domains = [part.domain for part in planned.parts]
    jobs = [Job(part.domain, Split.TEST, task) for part in planned.parts for task in part.tasks]
    record = planned.told.record
    folder = record / str(repetition + 1) if record is not None and of > 1 else record
    models = answering.share(config.models, of)
    with answering.opened(models, seed, folder, planned.account, planned.say) as lines:
        if repetition == 0:
            start.calibrations(domains, lines, planned.say)
        with Bench(
            planned.genome,
            planned.spec,
            planned.sandbox,
            domains,
            sessions=config.place.sessions,
            seed=seed,
            line=lines.examined(planned.agent),
            judge=lines.judging(planned.agent),
            task_seconds=config.task_seconds,
        ) as bench:
            bench.check(["agent"])
            return bench.run(jobs)


def as_table(planned: Plan, measured: Sequence[Measured]) -> Table:
    """A line for each domain."""
    rows = [
        [
            m.part.domain.name,
            m.part.split,
            text.score(m.score),
            text.score(m.balanced),
            ", ".join(f"{n} {status}" for status, n in m.endings.items()),
        ]
        for m in measured
    ]
    return Table(
        columns.EVALUATION.heads(),
        rows,
        title=f"{planned.where}: mean [95 % interval] n",
        wraps=frozenset({"endings"}),
        note="\n".join(
            [*_reports(measured), *filter(None, [str(planned.account), report.boundary_note(planned.config)])]
        ),
    )


def _reports(measured: Sequence[Measured]) -> Iterator[str]:
    """`points: absolute_error 0.21, …`, a line for each domain that has something to say."""
    for m in measured:
        flat = {
            f"{name} {inner}".strip(): value
            for name, told in m.told.items()
            for inner, value in (told.items() if isinstance(told, Mapping) else [("", told)])
        }
        if flat:
            yield f"{m.part.domain.name}: " + ", ".join(f"{text.printable(k)} {v:.3g}" for k, v in flat.items())


def as_json(target: str, planned: Plan, measured: Sequence[Measured]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "agent": target,
        "sandbox": planned.sandbox.name,
        "models": planned.account.as_json(),
        "domains": {
            m.part.domain.name: {
                "split": m.part.split,
                "score": report.measured(m.score),
                "balanced_accuracy": report.measured(m.balanced),
                "endings": dict(m.endings),
                "report": dict(m.told),
            }
            for m in measured
        },
    }


def _wanted(config: RunConfig, data: Mapping[str, str], domains: Sequence[str]) -> list[tuple[str, DataRef | None]]:
    """Domain to be loaded and its data: those of --domain, else those of --data, else all of the run's."""
    names = list(dict.fromkeys(domains)) or [_of_run(name, config) for name in data] or list(config.domains)
    wanted: list[tuple[str, DataRef | None]] = []
    unused = dict(data)
    for name in names:
        own = load(name, said="--data: " if data and not domains else "--domain: ").name
        given = unused.pop(own, None) or unused.pop(name, None)
        pinned = config.data.get(own) or config.data.get(name)
        chosen = given or pinned
        wanted.append((name, DataRef.parse(chosen) if chosen else None))
    if unused:
        raise UserError(f"--data: {next(iter(unused))} is not among the domains to be measured, {', '.join(names)}")
    return wanted


def _of_run(name: str, config: RunConfig) -> str:
    """How the run itself names a domain that it may have from a folder; else the name as it is."""
    return next((own for own in config.domains if own != name and load(own).name == name), name)


def _part(name: str, split: str | None, data: DataRef | None, config: RunConfig) -> Part:
    domain = load(name, data)
    if split is not None or data is None or str(data) == config.data.get(domain.name):
        chosen = Split(split or Split.TEST)
        tasks = domain.splits[chosen]
        if not tasks:
            raise UserError(f"--split: domain {domain.name} has no {chosen} tasks; choose another split")
        return Part(domain, chosen, tasks)
    return Part(domain, EVERYTHING, _everything(domain))


def _everything(domain: LoadedDomain) -> Sequence[Task]:
    """All tasks of a file: the loader's own list where it has one (its splits may drop some)."""
    whole = getattr(domain.implementation, "everything", None)
    by_split = (domain.implementation.tasks(split) for split in Split)
    tasks = tuple(whole() if whole is not None else chain.from_iterable(by_split))
    check_tasks(domain.spec, {Split.TRAIN: (), Split.VAL: (), Split.TEST: tasks})
    return tasks


def _measured(part: Part, results: Sequence[Result]) -> Measured:
    """A verdict that is missing, by a fault of ours or of a judge's model, is no score; it is among the endings."""
    labels = {task.id: task.hidden.get("label") for task in part.tasks}
    mine = [r for r in results if r.domain == part.domain.name]
    judged = [r for r in mine if not r.missing]
    by_label: dict[Hashable, list[float]] = {}
    for result in judged:
        by_label.setdefault(str(labels[result.task]), []).append(result.verdict.score)
    labelled = part.domain.spec.answer.kind == "label" and judged
    balanced = statistics.balanced_accuracy(by_label) if labelled else None
    endings = Counter(str(r.verdict.status) for r in mine)
    score = statistics.score([r.verdict.score for r in judged], len(mine))
    tasks = {task.id: task for task in part.tasks}
    told = part.domain.report([(tasks[r.task], r.reply.prediction, r.verdict) for r in judged])
    return Measured(part, score, balanced, dict(endings.most_common()), told)

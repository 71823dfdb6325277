"""The work of `dgm eval`: which tasks, in which sandbox, and what came of them."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from dgm import statistics
from dgm.archive import Archive
from dgm.cli import report, text
from dgm.cli.tables import Table
from dgm.config import Models, RunConfig
from dgm.domain import JSON, Files, Split, Task
from dgm.domains import DataRef, LoadedDomain, check_tasks, load
from dgm.errors import UserError
from dgm.evaluation.evaluate import Bench, Job, Result
from dgm.gateway import BudgetSpent, opening
from dgm.genome import parse_spec
from dgm.sandbox import Sandbox
from dgm.sandbox.choose import choose
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
    """Everything resolved and checked, nothing run yet."""

    genome: Files
    where: str
    agent: int
    config: RunConfig
    sandbox: Sandbox
    parts: Sequence[Part]

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


def plan(target: str, split: str | None, data: Mapping[str, str], domains: Sequence[str]) -> Plan:
    """Resolve and check all of it. Raises UserError naming the option that is wrong."""
    path, number = text.agent_of(target)
    with Archive.open(path) as archive:
        config = config_of(archive)
        if archive.agent(number).tree is None:
            raise UserError(f"{target} has no genome: it is a proposal that gave none; choose another agent")
        genome = archive.files(number)
    parts = [_part(name, split, ref, config) for name, ref in _wanted(config, data, domains)]
    if asking := [part.domain.name for part in parts if part.domain.asks]:
        raise UserError(f"the judge of {asking[0]} asks a language model, which a run does and `dgm eval` does not")
    sandbox = choose(config.place.sandbox, may_run_model_code=False)
    return Plan(genome, target, number, config, sandbox, parts)


def measure(planned: Plan) -> list[Measured]:
    """Run all tasks of the plan. Raises AgentFailed when the agent does not start."""
    results = run(planned)
    return [_measured(part, results) for part in planned.parts]


def run(planned: Plan, repetition: int = 0, of: int = 1) -> list[Result]:
    """All tasks' results. The first repetition has the seeds of the agent's own run, each other one its own; the run's
    budget is shared by all. What models are asked is recorded nowhere, so that no repetition gets another's replies.
    Raises AgentFailed when the agent does not start, and UserError when the budget is spent."""
    config, seed = planned.config, planned.config.search.random_seed + repetition
    spec = parse_spec(planned.genome, planned.where)
    jobs = [Job(part.domain, Split.TEST, task) for part in planned.parts for task in part.tasks]
    with (
        tempfile.TemporaryDirectory() as folder,
        opening.open_lines(_afresh(config.models, of), Path(folder), seed, lambda line: None) as lines,
        Bench(
            planned.genome,
            spec,
            planned.sandbox,
            [part.domain for part in planned.parts],
            sessions=config.place.sessions,
            seed=seed,
            line=lines.examined(planned.agent),
            task_seconds=config.task_seconds,
        ) as bench,
    ):
        bench.check(["agent"])
        try:
            return bench.run(jobs)
        except BudgetSpent as spent:
            raise UserError(f"{planned.where}: {spent}; measure fewer tasks, or less often") from None


def _afresh(models: Models, of: int) -> Models:
    """A run's models, none of whose answers are known yet, with one of `of` parts of its budget."""
    limits = models.budget
    part = limits.model_copy(
        update={
            "usd": None if limits.usd is None else limits.usd / of,
            "tokens": None if limits.tokens is None else limits.tokens // of,
        }
    )
    return models.model_copy(update={"cache": False, "replay": None, "budget": part})


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
        ("domain", "split", "score", "balanced accuracy", "endings"),
        rows,
        title=f"{planned.where}: mean [95 % interval] n",
        wraps=frozenset({"endings"}),
        note="\n".join([*_reports(measured), *filter(None, [report.boundary_note(planned.config)])]),
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
    labels = {task.id: task.hidden.get("label") for task in part.tasks}
    mine = [r for r in results if r.domain == part.domain.name]
    by_label: dict[Hashable, list[float]] = {}
    for result in mine:
        by_label.setdefault(str(labels[result.task]), []).append(result.verdict.score)
    balanced = statistics.balanced_accuracy(by_label) if part.domain.spec.answer.kind == "label" else None
    endings = Counter(str(r.verdict.status) for r in mine)
    score = statistics.score([r.verdict.score for r in mine], len(mine))
    tasks = {task.id: task for task in part.tasks}
    told = part.domain.report([(tasks[r.task], r.reply.prediction, r.verdict) for r in mine])
    return Measured(part, score, balanced, dict(endings.most_common()), told)

"""From a configuration to a run that can step: everything that must be resolved, checked and pinned first.

`create` starts a new archive, `reopen` goes on with one that is there. Both refuse in one sentence, before
anything is written, when a domain, seed, selector, data file or sandbox is not what it should be.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dgm import config as configs
from dgm import results
from dgm.archive import Archive, DomainRecord
from dgm.closing import close, on_failure
from dgm.config import Models, Origin, RunConfig, Search
from dgm.domain import Files
from dgm.domains import LoadedDomain
from dgm.errors import AgentFailed, UserError
from dgm.evaluation import judging, named, stages
from dgm.evaluation.bench import Bench
from dgm.evaluation.calibration import CALIBRATION, Calibration, calibrate
from dgm.executor import Executor, connect
from dgm.executor import named as executor_named
from dgm.gateway import BudgetSpent, Upstream, opening
from dgm.gateway.lines import Lines
from dgm.genome import HALVES, SELECT, GenomeSpec, parse_spec, sources, task_half
from dgm.integrity import Policy, Watch, note
from dgm.proposal import own_selection, propose
from dgm.sandbox import Foreseeing, Sandbox, images, stale
from dgm.sandbox.choose import choose
from dgm.sandbox.local import Local
from dgm.selection import Selector, selector
from dgm.sitting import settings
from dgm.sitting.root import root
from dgm.sitting.run import Run
from dgm.steering import FELL_BACK
from dgm.steering.helm import Helm
from dgm.strategy import strategy

if TYPE_CHECKING:
    from dgm.sitting.pursuit import Pursuit

Notice = Callable[[str], None]

MOST_AHEAD = 8
"""Sandboxes of a kind that start ahead of need at most, however many are used at once: each takes some 10 MB."""


def create(path: Path, config: RunConfig, notice: Notice) -> Run:
    """Check everything, evaluate the root, write the archive. Raises UserError and leaves nothing behind."""
    Archive.refuse_existing(path)
    domains, select = _resolved(config)
    executor_named(config)
    origin = config.origin
    if origin.genome is None:  # an archive may grow: which agent it was is written down
        halves = [sources.pinned(half, option) for half, option in ((origin.agent, "--agent"), (origin.meta, "--meta"))]
        origin = origin.model_copy(update=dict(zip(("agent", "meta"), halves, strict=True)))
    source = _source(origin)
    for line in source.notices:
        notice(line)
    genome = dict(source.genome)
    if "select" in config.search.evolve:
        genome.setdefault(SELECT, own_selection.UNIFORM)
    sandbox = _sandbox(config, source.ours, notice)
    images.check(sandbox, domains)
    spec = parse_spec(genome, "the root genome")
    wanted = config.place.sandbox
    place = wanted if ":" in wanted else sandbox.name
    config = config.model_copy(
        update={
            "digests": {domain.name: domain.digest for domain in domains},
            "place": config.place.model_copy(update={"sandbox": place}),
            "models": judging.asked(domains, asked(spec, config.models)),
            "origin": origin,
        }
    )
    watch = Watch(sandbox, f"{config.search.random_seed}/{results.ROOT}/bait")
    executor = _executor(config, path, notice)
    with on_failure(executor.close), on_failure(partial(close, sandbox)):
        if isinstance(sandbox, Foreseeing) and config.place.executor == "local":
            sandbox.expect(propose.limits(config.improve_seconds))
        upstream = opening.provider(config.models, notice)
        with on_failure(upstream.close):
            archive = _measured_root(path, config, genome, spec, watch, domains, upstream, notice)
            if (wanted, place) == ("auto", Local.name):
                archive.add_event(FELL_BACK, {})
            run = Run(archive, config, domains, sandbox, spec, select, Helm(archive), tell=notice, executor=executor)
            return _run(run, upstream)


def check(config: RunConfig, root: bool = True) -> None:
    """Raises UserError as `create` would before it measures anything; writes nothing, and connects to no nodes.

    Without `root` nothing is asked of the origin: for a run that is there, whose archive has its genomes.
    """
    domains, _ = _resolved(config)
    executor_named(config)
    models, ours = config.models, True
    if root:
        source = _source(config.origin)
        models, ours = asked(parse_spec(source.genome, "the root genome"), models), source.ours
    judging.asked(domains, models)
    images.check(choose(config.place.sandbox, may_run_model_code=not ours), domains)


def _resolved(config: RunConfig) -> tuple[list[LoadedDomain], Selector]:
    """What a configuration names for the search."""
    domains, select = named.domains(config), selector(config.search.selector)
    _check_strategy(config.search)
    return domains, select


def _source(origin: Origin) -> sources.Source:
    if origin.genome:
        return sources.from_directory(origin.genome)
    return sources.from_halves(origin.agent, origin.meta)


def _measured_root(
    path: Path,
    config: RunConfig,
    genome: Files,
    spec: GenomeSpec,
    watch: Watch,
    domains: Sequence[LoadedDomain],
    upstream: Upstream,
    notice: Notice,
) -> Archive:
    """A new archive with agent 0 in it."""
    with opening.before_the_archive(path, config, notice, upstream) as lines:
        notice("measuring the root")
        bench = Bench(
            genome,
            spec,
            watch.sandbox,
            domains,
            sessions=config.place.sessions,
            seed=config.search.random_seed,
            line=lines.working(results.ROOT),
            judge=lines.judging(results.ROOT),
            task_seconds=config.task_seconds,
        )
        try:
            told = calibrations(domains, lines, notice)
            with bench:
                child = root(genome, spec, domains, bench, stages.of_the_root(config.search.strategy))
        except AgentFailed as failure:
            raise UserError(f"the root genome does not start: {failure.reason}") from None
        except BudgetSpent as spent:
            raise UserError(f"the budget ends before the root is measured: {spent}; raise --budget-usd") from None
    records = [DomainRecord(d.name, str(d.spec.version), d.digest) for d in domains]
    archive = Archive.create(path, config.to_toml(), child, records)
    note(archive, results.ROOT, watch.unborn(), Policy.FLAG)
    for row in told:
        archive.add_event(CALIBRATION, asdict(row))
    return archive


def reopen(path: Path, notice: Notice, changes: Mapping[str, object] | None = None) -> Run:
    """Open a run to go on with it. `changes` are settings that may be other than before: see `config.CHANGEABLE`."""
    # Everything is checked before the archive is opened for writing, which already changes its files.
    with Archive.open(path) as reader:
        config, made = settings.config_of(reader), reader.visible()[0]
        spec = parse_spec(reader.files(0), f"{path}#0")
    wanted = (changes or {}).get("proposals")
    if isinstance(wanted, int) and wanted < made:
        raise UserError(f"--proposals {wanted}: {made} are made already; give more, or none to go on as before")
    domains = named.domains(config)
    for domain in domains:
        if config.digests.get(domain.name) != domain.digest:
            raise UserError(
                f"domain {domain.name} is not the one this run began with (its digest differs); "
                "put it back, or start a new run"
            )
    select = selector(config.search.selector)
    sandbox = _sandbox(config, True, notice)
    images.check(sandbox, domains)
    archive = Archive.open(path, write=True)
    with on_failure(archive.close):
        # After the archive, whose lock says that no other driver has work given out.
        executor = _executor(configs.changed(config, changes or {}), path, notice)
        with on_failure(executor.close):
            config = settings.extend(archive, config, changes or {})
            archive.name_halves(lambda files: task_half(files, spec))
            run = Run(archive, config, domains, sandbox, spec, select, Helm(archive), tell=notice, executor=executor)
            run.before = archive.ask.seconds()
            return _run(run)


def _run(run: Run, upstream: Upstream | None = None) -> Run:
    """With its strategy and its models, which `upstream` answers if it is there already. The record of calls joins the
    archive, if it is not there yet."""
    with on_failure(run.close):
        run.pursuit = _pursuit(run)
        opening.move_in(run.archive.path)
        seed, models = run.config.search.random_seed, run.config.models
        run.lines = opening.open_lines(models, run.archive.path, seed, run.tell, upstream=upstream)
        run.lines.sync(run.archive)
    return run


def _check_strategy(search: Search) -> None:
    """Raises UserError where a strategy and something else would both choose parents."""
    if search.strategy == "staged":
        return
    if "select" in search.evolve:
        raise UserError(f"--strategy {search.strategy} chooses parents itself; leave select out of --evolve")
    if search.selector != Search().selector:
        raise UserError(f"--strategy {search.strategy} chooses parents itself; leave --selector out")


def _pursuit(run: Run) -> Pursuit | None:
    search = run.config.search
    if search.strategy == "staged":
        return None
    from dgm.sitting.pursuit import Pursuit

    budget = math.inf if search.evaluations is None else float(search.evaluations)
    rule = strategy(search.strategy)
    return Pursuit(run.archive, run.domains, rule, seed=search.random_seed, budget=budget)


def asked(spec: GenomeSpec, models: Models) -> Models:
    """The models that the halves of this genome will ask: none that does not say it asks. Raises UserError when there
    is none for one that does."""
    agent = models.agent if spec.agent.model else ()
    meta = (models.meta or models.agent) if spec.meta.model else ()
    for half, option, given in zip(HALVES, ("--model", "--meta-model"), (agent, meta), strict=True):
        if spec.half(half).model and not given:
            raise UserError(f"{option}: the {half} half asks a language model; name one, for example gpt-4o-mini")
    return models.model_copy(update={"agent": agent, "meta": meta})


def calibrations(domains: Sequence[LoadedDomain], lines: Lines, notice: Notice) -> list[Calibration]:
    """How far the judges that ask a model decide as their labelled examples do; each is told in a notice."""
    line = lines.judging(None)
    if not line.models:
        return []
    asking = [domain for domain in domains if domain.asks]
    found = [line.patiently(partial(calibrate, domain, judging.Judge(line))) for domain in asking]
    for told in filter(None, found):
        notice(str(told))
    return [told for told in found if told is not None]


def _executor(config: RunConfig, path: Path, notice: Notice) -> Executor:
    if config.place.executor != "local":
        notice(f"connecting to {config.place.executor}")  # Ray may take a minute to start, or to say that it cannot
    return connect(config, path)


def _sandbox(config: RunConfig, ours: bool, notice: Notice) -> Sandbox:
    # Not a sandbox's cost but its wait: for each kind of work as many stand ready as are used at once.
    ahead = min(config.place.sessions * config.place.workers, MOST_AHEAD)
    sandbox = choose(config.place.sandbox, may_run_model_code=not ours, notice=notice, ahead=ahead)
    for caveat in sandbox.caveats():
        notice(caveat)
    for path in stale.sweep():
        notice(f"removed {path}, which a killed run had left")
    return sandbox


__all__: Sequence[str] = ["asked", "check", "create", "reopen"]

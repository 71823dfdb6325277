"""From a foreign run to an archive: whole, under a name of its own, or nothing at all.

Agents are numbered anew in the order they were made; `proposals.note` keeps their names. What cannot be kept as it was
is told: an agent whose parent did not work or is missing hangs on its nearest ancestor that is there, and a patch that
does not fit stands in the genome as a file below `unapplied/`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dgm import statistics
from dgm.archive import Archive, Child, ProposalRecord, ScoreRecord, VerdictRecord
from dgm.archive.model import Logs
from dgm.archive.trees import nested
from dgm.config import Origin, Place, RunConfig, Search
from dgm.errors import Status, UserError
from dgm.exchange.importers import patching
from dgm.exchange.importers.model import ForeignAgent, ForeignRun, ForeignScore
from dgm.exchange.importers.source import Source
from dgm.genome import check_name

WHOLE = "all"
"""The one task of a score of which only the mean is known."""
Tell = Callable[[int, int], None]


@dataclass
class _Built:
    """What is known while agents are numbered."""

    source: Source
    run: ForeignRun
    sizes: Mapping[tuple[str, str], int]
    ids: dict[str, int] = field(default_factory=dict)  #: name to number, of those recorded
    files: dict[str, Mapping[str, bytes]] = field(default_factory=dict)  #: of those that work
    parents: dict[str, str | None] = field(default_factory=dict)  #: as the foreign run names them


def build(source: Source, run: ForeignRun, target: Path, tell: Tell = lambda done, total: None) -> int:
    """Write the archive at `target`; the number of its agents. Raises UserError and leaves nothing."""
    Archive.refuse_existing(target)
    _check_loops(run)
    staging = target.with_name(f".{target.name}.importing")
    shutil.rmtree(staging, ignore_errors=True)
    built = _Built(source, run, _sizes(run))
    try:
        with Archive.create(staging, _config(run), _child(built, run.agents[0])) as archive:
            for number, agent in enumerate(run.agents[1:], start=1):
                archive.record(_child(built, agent))
                tell(number, len(run.agents) - 1)
            archive.add_event("import", {"system": run.system, "from": run.name, "notices": source.notices[:1_000]})
        target.parent.mkdir(parents=True, exist_ok=True)
        Archive.refuse_existing(target)
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return len(run.agents)


def _child(built: _Built, agent: ForeignAgent) -> Child:
    number = len(built.ids)
    root = number == 0
    notes = [f"{agent.name} of the imported run"]
    parent = None if root else _parent(built, agent, notes)
    files = _files(built, agent, parent, notes)
    built.ids[agent.name] = number
    built.parents[agent.name] = agent.parent
    if agent.admission.works:
        built.files[agent.name] = files or {}
    parent_id = None if parent is None else built.ids[parent]
    scores, verdicts, logs = results(agent.scores, built.sizes)
    for note in notes[1:]:
        built.source.miss(f"{agent.name}: {note}")
    stages, note = int(bool(scores)), "; ".join(notes)
    proposal = ProposalRecord(number, "", "", number - 1, parent_id, agent.created, 0.0, 0.0, 0.0, stages, note)
    return Child(
        number,
        parent_id,
        agent.admission,
        files,
        proposal,
        agent.created,
        summary=agent.summary,
        status=agent.status,
        reason=agent.reason,
        scores=scores,
        verdicts=verdicts,
        logs=logs,
    )


def _parent(built: _Built, agent: ForeignAgent, notes: list[str]) -> str:
    """The parent, or the nearest ancestor that is there and works."""
    above = agent.parent
    seen = {agent.name}
    while above is not None and above not in built.files and above not in seen:
        seen.add(above)
        above = built.parents.get(above)
    if above is None or above in seen:
        above = next((name for name in reversed(agent.lineage) if name in built.files), built.run.agents[0].name)
    if above != agent.parent:
        notes.append(f"its parent {agent.parent} is missing or did not work; it hangs on {above}")
    return above


def _files(built: _Built, agent: ForeignAgent, parent: str | None, notes: list[str]) -> Mapping[str, bytes] | None:
    """The agent's genome; None where it left no patch and none is needed."""
    files = dict(built.run.root if parent is None else built.files[parent])
    if parent is not None and not agent.patches:
        if not agent.admission.works:
            return None
        notes.append("its patch is missing; its files are its parent's")
    for name, patch in agent.patches:
        try:
            if not built.run.root:
                raise patching.CannotApply("the first agent's source is not known")
            changed = patching.apply(files, patch, built.run.skip)
            nested(changed)  # a patch may name what git cannot hold
            files = changed
        except (patching.CannotApply, ValueError) as error:
            files[_aside(files, f"{agent.name}-{name.rsplit('/', 1)[-1]}")] = patch
            if built.run.root:
                notes.append(f"{name} does not apply ({error}); it is kept below unapplied/")
    return files


def _aside(files: Mapping[str, bytes], name: str) -> str:
    """Where a patch is kept that does not apply: a path that no file is in the way of."""
    folder = "unapplied"
    while folder in files:
        folder += "_"
    path = f"{folder}/{name}"
    return path if check_name(path) is None else f"{folder}/{re.sub('[^A-Za-z0-9_-]', '_', name)[-150:]}"


def results(
    scores: Sequence[ForeignScore], sizes: Mapping[tuple[str, str], int]
) -> tuple[list[ScoreRecord], list[VerdictRecord], Logs]:
    """Records of an agent's scores. Where single tasks are not known, one stands for all, with the interval 0 to 1."""
    records: list[ScoreRecord] = []
    verdicts: list[VerdictRecord] = []
    logs: dict[str, list[dict[str, object]]] = {}
    for score in scores:
        values = [task.score for task in score.tasks if task.score is not None]
        rows: list[dict[str, object]] = [
            {"task": t.task, "score": t.score, "status": str(t.status), "prediction": t.prediction, "log": t.log}
            for t in score.tasks
        ]
        total = max(sizes.get((score.domain, score.split), 0), len(score.tasks))
        if values:
            records.append(ScoreRecord.of(score.domain, score.split, statistics.score(values, total)))
            verdicts += [VerdictRecord(score.domain, score.split, t.task, t.score, t.status, 0) for t in score.tasks]
        elif score.mean is not None:
            low, high = statistics.wilson(round(score.mean), 1) if score.mean in (0.0, 1.0) else (0.0, 1.0)
            records.append(ScoreRecord(score.domain, score.split, 1, 1, score.mean, low, high))
            verdicts.append(VerdictRecord(score.domain, score.split, WHOLE, score.mean, Status.OK, 0))
            rows = [{"task": WHOLE, "score": score.mean, "status": str(Status.OK)}]
        if rows:
            rows[0] |= {"report": dict(score.detail)} if score.detail else {}
            logs[f"{score.domain}.{score.split}"] = rows
    return records, verdicts, logs


def _sizes(run: ForeignRun) -> dict[tuple[str, str], int]:
    """How many tasks each split has: the most that any agent was given."""
    sizes: dict[tuple[str, str], int] = {}
    for agent in run.agents:
        for score in agent.scores:
            key = (score.domain, score.split)
            sizes[key] = max(sizes.get(key, 0), len(score.tasks))
    return sizes


def _check_loops(run: ForeignRun) -> None:
    parents = {agent.name: agent.parent for agent in run.agents}
    sound: set[str] = set()
    for name in parents:
        path: set[str] = set()
        at: str | None = name
        while at is not None and at in parents and at not in sound:
            if at in path:
                raise UserError(f"the run {run.name} is damaged: {at} descends from itself")
            path.add(at)
            at = parents[at]
        sound |= path


def _config(run: ForeignRun) -> str:
    """A configuration that every command can read; a comment says what it is."""
    names = sorted({score.domain for agent in run.agents for score in agent.scores}) or ["unknown"]
    config = RunConfig(
        domains=tuple(names),
        origin=Origin(genome=run.name),
        search=Search(proposals=len(run.agents) - 1),
        place=Place(sandbox="docker"),
    )
    return f"# Imported from a run of the {run.system}; not made by dgm, and cannot be resumed.\n{config.to_toml()}"

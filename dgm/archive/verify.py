"""Looking for damage: does an archive hold what it says? Reads everything, changes nothing, runs no agent.

Everything that can be derived again is derived and compared: hashes from contents, scores from verdicts,
parents of commits from rows. Not covered: whether a verdict was right (evaluate again for that), and a forger
who changes all of it consistently: the archive is checked against itself.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from dgm import statistics
from dgm.archive import database, lock, steered
from dgm.archive.logs import LogStore
from dgm.archive.model import AgentRecord, ScoreRecord, VerdictRecord
from dgm.archive.place import CONFIG, GENOMES
from dgm.archive.records import Records
from dgm.archive.store import GitStore
from dgm.errors import UserError

_DIGEST = re.compile(r"[0-9a-f]{64}")
_TOLERANCE = 1e-9


def verify(path: Path) -> list[str]:
    """What is wrong with the archive at `path`, a sentence each; empty if nothing is. Never raises for a
    damaged archive, and may run beside a writer."""
    if not path.is_dir():
        return [f"there is no archive at {path}"]
    problems = [f"{name} is missing" for name in (CONFIG, database.NAME, GENOMES) if not (path / name).exists()]
    try:
        records = Records(path)
        agents = records.agents()
    except UserError as error:
        return [*problems, str(error)]
    problems += _gather(lambda: _rows(records, agents))
    problems += _gather(lambda: steered.problems(records.events(), agents, records.proposals()))
    problems += _gather(lambda: _scores(records, agents))
    problems += _gather(lambda: _logs(records, LogStore(path / "logs")))
    problems += _gather(lambda: _genomes(GitStore(path / "genomes.git"), agents, writing=lock.held(path)))
    return problems


def _gather(check: Callable[[], Iterator[str]]) -> list[str]:
    """A check's findings; what stops it half-way is the last of them."""
    found: list[str] = []
    try:
        found.extend(check())
    except (UserError, OSError) as error:
        found.append(str(error))
    return found


def _rows(records: Records, agents: list[AgentRecord]) -> Iterator[str]:
    yield from (f"archive.db: {line}" for line in records.check())
    ids = [agent.id for agent in agents]
    missing = sorted(set(range(max(ids, default=0) + 1)) - set(ids))
    if missing:
        yield f"proposals are missing: {', '.join(map(str, missing[:20]))}"
    by_id = {agent.id: agent for agent in agents}
    proposals = {proposal.id: proposal for proposal in records.proposals()}
    for agent in agents:
        if (agent.parent is None) != (agent.id == 0):
            yield f"agent {agent.id}: only the root, 0, has no parent"
        for parent in (agent.parent, agent.parent2):
            if parent is not None and (parent not in by_id or not by_id[parent].admission.works):
                yield f"agent {agent.id}: its parent {parent} is no agent that works"
        if agent.id not in proposals:
            yield f"agent {agent.id}: nothing says how it was proposed"
        elif proposals[agent.id].parent != agent.parent:
            yield f"agent {agent.id}: its proposal names another parent, {proposals[agent.id].parent}"
    yield from _loops(by_id)
    for domain in records.domains():
        if domain.digest and not _DIGEST.fullmatch(domain.digest):
            yield f"domain {domain.name}: its digest is not 64 hexadecimal digits"


def _loops(agents: dict[int, AgentRecord]) -> Iterator[str]:
    rooted: set[int] = set()
    for agent in agents:
        path: list[int] = []
        at: int | None = agent
        while at is not None and at in agents and at not in rooted:
            if at in path:
                yield f"agent {at} descends from itself"
                break
            path.append(at)
            at = agents[at].parent
        rooted.update(path)


def _scores(records: Records, agents: list[AgentRecord]) -> Iterator[str]:
    scores: dict[int, list[ScoreRecord]] = defaultdict(list)
    for owner, score in records.scores():
        scores[owner].append(score)
    for agent in agents:
        verdicts: dict[tuple[str, str], list[VerdictRecord]] = defaultdict(list)
        for verdict in records.verdicts(agent.id):
            verdicts[verdict.domain, verdict.split].append(verdict)
        for score in scores[agent.id]:
            for problem in _compare(score, verdicts.pop((score.domain, score.split), [])):
                yield f"agent {agent.id}, {score.domain} {score.split}: {problem}"
        for domain, split in verdicts:
            yield f"agent {agent.id}, {domain} {split}: verdicts without a score"


def _compare(score: ScoreRecord, verdicts: list[VerdictRecord]) -> Iterator[str]:
    values = [verdict.score for verdict in verdicts if verdict.score is not None]
    if any(not 0 <= value <= 1 for value in values):
        yield "a verdict's score is not in [0, 1]"
        return
    if score.n != len(values) or score.n > score.total:
        yield f"n is {score.n} of {score.total}, and {len(values)} verdicts have a score"
        return
    mean = math.fsum(values) / len(values) if values else 0.0
    if not abs(score.mean - mean) <= _TOLERANCE:
        yield f"the mean is {score.mean}, and that of the verdicts {mean}"
    if all(value in (0.0, 1.0) for value in values):
        low, high = statistics.interval(values)
        if not (abs(score.low - low) <= _TOLERANCE and abs(score.high - high) <= _TOLERANCE):
            yield f"the interval is {score.low} to {score.high}, and that of the verdicts {low} to {high}"
    # A bootstrap depends on the order in which the verdicts came, which is not kept: only its form is
    # checked.
    elif not 0 <= score.low <= score.high <= 1:
        yield f"{score.low} to {score.high} is no interval"


def _logs(records: Records, logs: LogStore) -> Iterator[str]:
    for entry in records.logs():
        digest = logs.digest(entry.agent, entry.name)
        where = f"agent {entry.agent}: its log {entry.name}"
        if digest is None:
            yield f"{where} is missing"
        elif digest != entry.sha256:
            yield f"{where} is not what was recorded: its SHA-256 differs"


def _genomes(store: GitStore, agents: list[AgentRecord], *, writing: bool) -> Iterator[str]:
    refs = store.refs()
    commits = {agent.id: agent.commit for agent in agents}
    sound: set[str] = set()
    for agent in agents:
        if agent.commit is None:
            if agent.admission.works:
                yield f"agent {agent.id}: no genome was kept of it"
            continue
        ref = refs.pop(agent.id, None)
        if ref != agent.commit:
            found = ref or "missing or damaged"
            yield f"agent {agent.id}: refs/agents/{agent.id} is {found}, not {agent.commit}"
        try:
            commit = store.commit(agent.commit)
            for _ in store.objects(agent.commit, sound):
                pass
        except UserError as error:
            yield f"agent {agent.id}: {error}"
            continue
        if commit.tree != agent.tree:
            yield f"agent {agent.id}: its commit holds the tree {commit.tree}, not {agent.tree}"
        parents = tuple(commits.get(i) for i in (agent.parent, agent.parent2) if i is not None)
        if commit.parents != parents:
            yield f"agent {agent.id}: its commit's parents are not its parents' commits"
    for stray in sorted(refs) if not writing else []:
        yield f"refs/agents/{stray} has no record; the next `dgm resume` removes it"
    known = set(commits.values())
    for name, target in store.tags().items():
        if target not in known:
            yield f"the tag {name} names no agent's commit"
    yield from (f"genomes.git: {line}" for line in store.fsck())

"""What becomes of a finished proposal on its way to the disk: checked, written, described by a record.

The order is that of `dgm.archive`: logs, git objects, ref; the rows come after, by the caller, in one
transaction. Not covered: whether the child deserves its scores. Only that the record is whole and can be
stored is checked.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from dgm.archive.disk import sync_directory, write_whole
from dgm.archive.failpoints import failpoint
from dgm.archive.lock import NAME as LOCK_NAME
from dgm.archive.logs import LogEntry, LogStore
from dgm.archive.model import Admission, AgentRecord, Child, DomainRecord, Logs, ScoreRecord, VerdictRecord
from dgm.archive.place import CONFIG, GENOMES, LOGS
from dgm.archive.records import Records
from dgm.archive.store import GitStore
from dgm.archive.text import clean

MAX_SUMMARY = 2_000
MAX_REASON = 1_000
MAX_AUTHOR = 200
MAX_CHANGED = 500
MAX_PATH = 500


def build(staging: Path, config: str, root: Child, domains: Sequence[DomainRecord]) -> None:
    """Write a whole archive into a folder that holds at most the rest of a killed attempt."""
    for left in staging.iterdir():
        if left.name != LOCK_NAME:
            shutil.rmtree(left) if left.is_dir() else left.unlink()
    failpoint("create-begun")
    parents = check_child(root, {})
    write_whole(staging / CONFIG, config.encode(), staging / f"{CONFIG}.tmp")
    genomes = GitStore.create(staging / GENOMES)
    failpoint("create-store")
    logs = write_logs(LogStore(staging / LOGS), root.id, root.logs)
    record = write_genome(genomes, root, parents)
    records = Records.create(staging)
    try:
        records.add_domains(domains)
        records.add(record, root.proposal, root.scores, root.verdicts, logs, root.task_half)
        failpoint("create-rows")
    finally:
        records.close()
    genomes.sync()
    sync_directory(staging)


def check_child(child: Child, known: Mapping[int, AgentRecord]) -> list[AgentRecord]:
    """The records of a child's parents, which are among the `known`. Raises ValueError if it cannot be recorded."""
    if child.id in known:
        raise ValueError(f"agent {child.id} is recorded already")
    if (child.id == 0) != (child.admission == Admission.ROOT) or (child.id == 0) != (child.parent is None):
        raise ValueError(f"agent {child.id}: agent 0, and no other, is the root and has no parent")
    if (child.admission.works or child.admission == Admission.QUARANTINED) and child.files is None:
        raise ValueError(f"agent {child.id} works, but has no files")
    if (child.proposal.id, child.proposal.parent) != (child.id, child.parent):
        raise ValueError(f"agent {child.id}: its proposal is another's")
    check_results(child.scores, child.verdicts)
    parents = []
    for number in (child.parent, child.parent2):
        if number is not None:
            parent = known.get(number)
            if parent is None or not parent.admission.works:
                raise ValueError(f"agent {child.id}: its parent {number} is no agent that works")
            parents.append(parent)
    return parents


def check_results(scores: Sequence[ScoreRecord], verdicts: Sequence[VerdictRecord]) -> None:
    scored = {(score.domain, score.split) for score in scores}
    if len(scored) < len(scores):
        raise ValueError("two scores for one domain and split")
    if not {(verdict.domain, verdict.split) for verdict in verdicts} <= scored:
        raise ValueError("verdicts without a score")


def write_logs(logs: LogStore, agent: int, rows: Logs) -> list[LogEntry]:
    return [logs.write(agent, name, rows[name]) for name in sorted(rows)]


def write_genome(genomes: GitStore, child: Child, parents: Sequence[AgentRecord]) -> AgentRecord:
    """Write the commit and its ref, if there are files to keep, and say what is to be recorded of the
    child."""
    commit = tree = None
    changed: list[str] = []
    summary = clean(child.summary, MAX_SUMMARY)
    if child.files is not None:
        before = [parent.commit for parent in parents if parent.commit]
        headline = f"agent {child.id}: {child.admission}"
        commit, tree = genomes.write(
            child.files, before, f"{headline}\n\n{summary}" if summary else headline, child.created
        )
        failpoint("objects")
        changed = genomes.changed(before[0] if before else None, commit)
        genomes.set_ref(child.id, commit)
        failpoint("ref")
    if len(changed) > MAX_CHANGED:
        changed = [*changed[: MAX_CHANGED - 1], f"… {len(changed) - MAX_CHANGED + 1} more"]
    return AgentRecord(
        id=child.id,
        parent=child.parent,
        parent2=child.parent2,
        admission=child.admission,
        tree=tree,
        commit=commit,
        summary=summary,
        status=child.status,
        reason=clean(child.reason, MAX_REASON),
        author=clean(child.author, MAX_AUTHOR),
        created=child.created,
        changed=tuple(clean(path, MAX_PATH) for path in changed),
    )

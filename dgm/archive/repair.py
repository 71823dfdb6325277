"""Clearing what a killed writer left: an agent is there when its row is, and everything without a row goes.

Only for the holder of the archive's lock. A killed writer leaves logs and refs of agents without a row, or logs of one
that it had noted before (`Records.begin`): nothing else is looked at, so that opening a large archive stays quick.
Git objects without a ref stay: they are harmless, and if the proposal is made again they are used again. Not covered:
damage that no kill can cause; that is found by `dgm.archive.verify`.
"""

from __future__ import annotations

from dgm.archive.failpoints import failpoint
from dgm.archive.logs import LogStore
from dgm.archive.lookups import Lookups
from dgm.archive.records import Records
from dgm.archive.store import GitStore

ROOT = 0


def repair(records: Records, lookups: Lookups, store: GitStore, logs: LogStore) -> None:
    """Make files agree with rows again; what was done is kept as an event."""
    failpoint("repair-begun")
    done = []
    if temporary := store.clear_temporary():
        done.append(f"half-written git files removed: {temporary}")
    done += _repair_refs(lookups, store)
    highest, missing = lookups.visible()
    begun = records.begun()
    suspects = None if begun is None else (begun | set(missing), highest)
    done += [f"{name} removed: it had no record" for name in logs.keep_only(records.logs_of, suspects)]
    failpoint("repair-logs")
    if begun != set():
        records.begin([])
    if done:
        records.add_event("repair", done)


def _repair_refs(lookups: Lookups, store: GitStore) -> list[str]:
    done = []
    commits, refs = lookups.committed(), store.ref_ids()
    for stray in sorted(refs - commits.keys()):
        store.delete_ref(stray)
        failpoint("repair-ref")
        done.append(f"refs/agents/{stray} removed: it had no record")
    lost = commits.keys() - refs
    # The root's ref stays a file of its own even where `git gc` packed the rest: a repository without files
    # below `refs/` would lose that folder, and be none, when it is committed into another one.
    if ROOT in commits and not store.is_loose(ROOT):
        lost = lost | {ROOT}
    for agent in sorted(lost):
        store.set_ref(agent, commits[agent])
        done.append(f"refs/agents/{agent} set again")
    return done

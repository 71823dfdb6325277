"""Flags in an archive: one event for each agent that has any, of the kind `integrity`.

The body is `{"agent": id, "policy": …, "flags": [{"kind": …, "evidence": …}]}`. It is written before the agent's own
row, so that no kill can lose it; written again after a kill it says nothing new, and one whose agent was never recorded
counts for nothing. What is seen later, when an agent is measured on test, is a further event.
"""

from __future__ import annotations

from collections.abc import Sequence

from dgm.archive import Archive
from dgm.archive.text import clean
from dgm.domain import JSON
from dgm.integrity.model import MAX_EVIDENCE, Flag, Kind, Policy

EVENT = "integrity"


def note(archive: Archive, agent: int, flags: Sequence[Flag], policy: Policy) -> None:
    """Put an agent's flags on record, if it has any. `policy` is the one that held."""
    if flags:
        listed = [{"kind": str(flag.kind), "evidence": clean(flag.evidence, MAX_EVIDENCE)} for flag in flags]
        archive.add_event(EVENT, {"agent": agent, "policy": str(policy), "flags": listed})


def by_agent(archive: Archive) -> dict[int, list[Flag]]:
    """The flags of all agents that have any, by id. Events of another form are left out."""
    found: dict[int, list[Flag]] = {}
    for event in archive.events(EVENT):
        if not isinstance(event.body, dict):
            continue
        agent, rows = event.body.get("agent"), event.body.get("flags")
        if type(agent) is int and isinstance(rows, list):
            flags = found.setdefault(agent, [])
            flags += [flag for row in rows if (flag := _flag(row)) and flag not in flags]
    known = archive.ask.agents(sorted(found))
    return {agent: flags for agent, flags in sorted(found.items()) if agent in known}


def _flag(row: JSON) -> Flag | None:
    if not isinstance(row, dict) or type(row.get("evidence")) is not str or row.get("kind") not in list(Kind):
        return None
    return Flag(Kind(row["kind"]), row["evidence"])

"""Whom to take along into another run: the agent of an archive with the highest growth (Hyperagents).

What is taken along is mostly the meta half, so an agent that still has the root's is only chosen where all have. The
root itself never is: it is what the run began with.
"""

from __future__ import annotations

from dgm.analysis.lineages import growth
from dgm.analysis.metrics import Series
from dgm.archive import Archive
from dgm.errors import UserError
from dgm.genome import half_files, parse_spec
from dgm.results import ROOT


def by_growth(archive: Archive) -> int:
    """Its id, by val scores meaned over the domains; the older of equals. Raises UserError where no agent but the root
    has three descendants with a score."""
    agents = archive.agents()
    scores = {agent.id: value for agent, value in zip(agents, Series.of(archive).val, strict=True) if value is not None}
    grown = growth({agent.id: agent.parent for agent in agents}, scores)
    grown.pop(ROOT, None)
    if not grown:
        raise UserError(
            f"{archive.name}: no agent but the root has three descendants with a score, which growth takes; "
            f"name one, {archive.name}#ID"
        )
    spec = parse_spec(archive.files(ROOT), f"{archive.name}#{ROOT}").meta
    first = half_files(archive.files(ROOT), spec)
    changed = [agent for agent in grown if half_files(archive.files(agent), spec) != first]
    return max(changed or grown, key=lambda agent: (grown[agent], -agent))

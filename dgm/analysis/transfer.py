"""Whom to take along into another run: the agent of an archive with the highest growth (Hyperagents)."""

from __future__ import annotations

from dgm.analysis.lineages import transfer_source
from dgm.analysis.metrics import Series
from dgm.archive import Archive
from dgm.errors import UserError


def by_growth(archive: Archive) -> int:
    """Its id, by val scores meaned over the domains; never the root. Raises UserError where no other agent has three
    descendants with a score."""
    agents = archive.agents()
    scores = {agent.id: value for agent, value in zip(agents, Series.of(archive).val, strict=True) if value is not None}
    source = transfer_source({agent.id: agent.parent for agent in agents}, scores)
    if source is None:
        raise UserError(
            f"{archive.name}: no agent but the root has three descendants with a score, which growth takes; "
            f"name one, {archive.name}#ID"
        )
    return source

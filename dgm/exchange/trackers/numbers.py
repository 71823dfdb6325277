"""A proposal as flat numbers, as trackers that draw curves want them."""

from __future__ import annotations

from collections.abc import Sequence

from dgm.archive import AgentRecord, ProposalRecord, ScoreRecord


def of_proposal(agent: AgentRecord, proposal: ProposalRecord, scores: Sequence[ScoreRecord]) -> dict[str, float]:
    """`works`, durations in seconds, and `<split>/<domain>` with its `.low` and `.high`."""
    numbers = {
        "works": float(agent.admission.works),
        "seconds": proposal.seconds,
        "improve_seconds": proposal.improve_seconds,
        "evaluate_seconds": proposal.evaluate_seconds,
    }
    if agent.parent is not None:
        numbers["parent"] = float(agent.parent)
    return numbers | of_scores(scores)


def of_scores(scores: Sequence[ScoreRecord]) -> dict[str, float]:
    """Scores alone; those that nothing was measured for are left out."""
    numbers: dict[str, float] = {}
    for score in scores:
        if score.n:
            name = f"{score.split}/{score.domain}"
            numbers |= {name: score.mean, f"{name}.low": score.low, f"{name}.high": score.high}
    return numbers

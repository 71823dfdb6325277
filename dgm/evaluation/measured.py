"""What results come to, in the archive's form: scores by domain and split, verdicts, and capped transcripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dgm import statistics
from dgm.archive import ScoreRecord, VerdictRecord
from dgm.domain import JSON, Split
from dgm.domains import LoadedDomain
from dgm.evaluation.bench import Result

MAX_KEPT = 20_000
"""Characters of a prediction or a file that are kept in the record."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Results as the archive keeps them, and how many stages they come from."""

    scores: Sequence[ScoreRecord] = ()
    verdicts: Sequence[VerdictRecord] = ()
    logs: Mapping[str, Sequence[Mapping[str, JSON]]] = field(default_factory=dict)
    stages: int = 0


def measured(results: Sequence[Result], domains: Sequence[LoadedDomain], stages: int = 0) -> Measured:
    """Results in the archive's form."""
    return Measured(_scores(results, domains), _verdicts(results), _logs(results), stages)


def _scores(results: Sequence[Result], domains: Sequence[LoadedDomain]) -> list[ScoreRecord]:
    """One score for each domain and split that has results."""
    totals = {(d.name, split): d.planned(split) for d in domains for split in Split}
    grouped: dict[tuple[str, Split], list[float]] = {}
    for result in results:
        kept = grouped.setdefault((result.domain, result.split), [])
        if not result.missing:
            kept.append(result.verdict.score)
    rows = []
    for (domain, split), values in grouped.items():
        rows.append(ScoreRecord.of(domain, split, statistics.score(values, totals[domain, split])))
    return rows


def _verdicts(results: Sequence[Result]) -> list[VerdictRecord]:
    """The results as the archive keeps them."""
    return [
        VerdictRecord(r.domain, r.split, r.task, None if r.missing else r.verdict.score, r.verdict.status, r.ms)
        for r in results
    ]


def _logs(results: Sequence[Result]) -> dict[str, list[dict[str, JSON]]]:
    """Transcripts by `domain.split`, capped; of them the feedback for train is made."""
    kept: dict[str, list[dict[str, JSON]]] = {}
    for r in results:
        row: dict[str, JSON] = {
            "task": r.task, "score": None if r.missing else r.verdict.score, "status": str(r.verdict.status)
        }  # fmt: skip
        row["prediction"] = r.reply.prediction if len(str(r.reply.prediction)) <= MAX_KEPT else None
        if r.reply.files:
            row["files"] = {p: data[:MAX_KEPT].decode(errors="replace") for p, data in r.reply.files.items()}
        row |= {
            key: text
            for key, text in (("detail", r.verdict.detail), ("error", r.reply.error), ("log", r.reply.log))
            if text
        }
        kept.setdefault(f"{r.domain}.{r.split}", []).append(row)
    return kept

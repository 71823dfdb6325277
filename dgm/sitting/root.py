"""Agent 0, where a run starts: measured as any child is, and the reference of all."""

from __future__ import annotations

import time
from collections.abc import Sequence

from dgm.archive import Admission, Child, ProposalRecord
from dgm.domain import Files
from dgm.domains import LoadedDomain
from dgm.evaluation.bench import Bench
from dgm.evaluation.stages import Evaluation, staged
from dgm.genome import GenomeSpec, task_half


def root(
    genome: Files,
    spec: GenomeSpec,
    domains: Sequence[LoadedDomain],
    bench: Bench,
    evaluation: Evaluation = staged,
) -> Child:
    """The record of agent 0. Raises AgentFailed when the root itself does not start."""
    began, clock = time.time(), time.monotonic()
    bench.check()
    measured = evaluation(bench, domains)
    seconds = time.monotonic() - clock
    proposal = ProposalRecord(0, "", "", -1, None, began, seconds, 0.0, seconds, measured.stages, "")
    return Child(
        0,
        None,
        Admission.ROOT,
        genome,
        proposal,
        began,
        scores=measured.scores,
        verdicts=measured.verdicts,
        logs=measured.logs,
        task_half=task_half(genome, spec),
    )

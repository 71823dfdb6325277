"""What a task comes to whose work comes to nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dgm.domain import Split
from dgm.domains import load
from dgm.errors import AgentFailed, Status
from dgm.evaluation.bench import Bench, Job
from dgm.evaluation.measured import measured
from dgm.gateway.lines import Line
from dgm.genome import parse_spec, sources
from dgm.sandbox.local import Local


class Stuck(Line):
    """A model that answers everybody but this agent."""

    def patiently(self, work: Callable[[], Any], stop: Any = None) -> Any:
        raise AgentFailed(Status.TIMEOUT, "20 times: a model call was held up")


def test_a_task_whose_model_calls_come_to_nothing_is_missing_and_no_zero() -> None:
    """Whether its agent or the provider is to blame cannot be told, and a fault of the provider is never a score."""
    genome, domain = sources.from_halves("rules", "mutation").genome, load("grading")
    jobs = [Job(domain, Split.VAL, task) for task in domain.splits[Split.VAL][:3]]
    with Bench(genome, parse_spec(genome, "here"), Local(), [domain], sessions=1, seed=0, line=Stuck()) as bench:
        results = bench.run(jobs)
    assert all(result.missing for result in results)
    assert "held up" in results[0].verdict.detail
    assert [score.n for score in measured(results, [domain]).scores] in ([], [0])

"""OpenTelemetry: a span per proposal, with one below it for improving and one for evaluating, sent over OTLP and HTTP.

Where to is OpenTelemetry's own OTEL_EXPORTER_OTLP_ENDPOINT. Spans are sent after the proposal is recorded, with the
times at which it really went. A collector that does not answer costs spans, never time of the run.
"""

from __future__ import annotations

from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode, set_span_in_context

from dgm.archive import AgentRecord, ProposalRecord, ScoreRecord
from dgm.exchange.trackers import Beginning
from dgm.exchange.trackers.numbers import of_proposal, of_scores

_NANO = 1_000_000_000


class OpenTelemetry:
    """See `dgm.exchange.trackers.Tracker`."""

    failures: tuple[type[Exception], ...] = ()

    def __init__(self, beginning: Beginning) -> None:
        resource = Resource.create({"service.name": "dgm", "dgm.run": beginning.name, "dgm.root": beginning.identity})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("dgm")

    def proposal(self, agent: AgentRecord, proposal: ProposalRecord, scores: Sequence[ScoreRecord]) -> None:
        begin = int(proposal.started * _NANO)
        improved = begin + int(proposal.improve_seconds * _NANO)
        evaluated = improved + int(proposal.evaluate_seconds * _NANO)
        span = self._tracer.start_span("proposal", start_time=begin)
        span.set_attributes({"dgm.admission": str(agent.admission), "dgm.status": str(agent.status)})
        span.set_attributes({f"dgm.{name}": value for name, value in of_proposal(agent, proposal, scores).items()})
        span.set_attribute("dgm.agent", agent.id)
        if not agent.admission.works:
            span.set_status(Status(StatusCode.ERROR, agent.reason[:200]))
        within = set_span_in_context(span)
        for name, start, end in (("improve", begin, improved), ("evaluate", improved, evaluated)):
            if end > start:
                self._tracer.start_span(name, context=within, start_time=start).end(end)
        span.end(max(evaluated, begin + int(proposal.seconds * _NANO)))

    def tested(self, agent: int, scores: Sequence[ScoreRecord]) -> None:
        with self._tracer.start_as_current_span("test") as span:
            span.set_attribute("dgm.agent", agent)
            span.set_attributes({f"dgm.{name}": value for name, value in of_scores(scores).items()})

    def close(self) -> None:
        self._provider.shutdown()

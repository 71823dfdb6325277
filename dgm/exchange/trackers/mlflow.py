"""MLflow: a run of the experiment `dgm`, one step per proposal. Where to is MLflow's own MLFLOW_TRACKING_URI.

Sittings of one run go on with the same MLflow run, found by the root's commit.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read at import; what a run mirrors is the user's choice

from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from dgm.archive import AgentRecord, ProposalRecord, ScoreRecord
from dgm.exchange.trackers import Beginning
from dgm.exchange.trackers.numbers import of_proposal, of_scores

EXPERIMENT = "dgm"
TAG = "dgm.root"


class MLflow:
    """See `dgm.exchange.trackers.Tracker`."""

    failures: tuple[type[Exception], ...] = (MlflowException,)

    def __init__(self, beginning: Beginning) -> None:
        self._client = MlflowClient()
        found = self._client.get_experiment_by_name(EXPERIMENT)
        experiment = found.experiment_id if found else self._client.create_experiment(EXPERIMENT)
        mine = self._client.search_runs([experiment], f"tags.`{TAG}` = '{beginning.identity}'", max_results=1)
        if mine:
            self._run = mine[0].info.run_id
            self._client.update_run(self._run, status="RUNNING")
            return
        tags = {TAG: beginning.identity, "mlflow.runName": beginning.name}
        self._run = self._client.create_run(experiment, tags=tags, run_name=beginning.name).info.run_id
        self._client.log_text(self._run, beginning.config, "dgm.toml")

    def proposal(self, agent: AgentRecord, proposal: ProposalRecord, scores: Sequence[ScoreRecord]) -> None:
        self._log(of_proposal(agent, proposal, scores), agent.id)

    def tested(self, agent: int, scores: Sequence[ScoreRecord]) -> None:
        self._log(of_scores(scores), agent)

    def close(self) -> None:
        self._client.set_terminated(self._run)

    def _log(self, numbers: dict[str, float], step: int) -> None:
        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, step) for name, value in numbers.items()]
        self._client.log_batch(self._run, metrics=metrics)

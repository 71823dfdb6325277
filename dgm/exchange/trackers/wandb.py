"""Weights & Biases: a run of the project `dgm`, one step per proposal. Offline unless WANDB_MODE says otherwise.

What is written offline lies in `wandb/` (or WANDB_DIR) and goes up with `wandb sync`. Sittings of one run share an id.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import wandb
from wandb.errors import Error

from dgm.archive import AgentRecord, ProposalRecord, ScoreRecord
from dgm.exchange.trackers import Beginning
from dgm.exchange.trackers.numbers import of_proposal, of_scores

PROJECT = "dgm"


class WandB:
    """See `dgm.exchange.trackers.Tracker`."""

    failures: tuple[type[Exception], ...] = (Error,)

    def __init__(self, beginning: Beginning) -> None:
        self._run = wandb.init(
            project=PROJECT,
            name=beginning.name,
            id=beginning.identity[:16],
            resume="allow",
            config={"dgm.toml": beginning.config},
            mode=os.environ.get("WANDB_MODE", "offline"),  # type: ignore[arg-type]
            settings=wandb.Settings(
                silent=True,
                console="off",
                disable_git=True,
                save_code=False,
                x_disable_meta=True,  # the command line, the paths and the machine stay here
                x_disable_stats=True,
            ),
        )
        # Proposals may be recorded out of order: the number is an axis, not W&B's own step.
        self._run.define_metric("*", step_metric="proposal")

    def proposal(self, agent: AgentRecord, proposal: ProposalRecord, scores: Sequence[ScoreRecord]) -> None:
        self._run.log({"proposal": agent.id, **of_proposal(agent, proposal, scores)})

    def tested(self, agent: int, scores: Sequence[ScoreRecord]) -> None:
        self._run.log({"proposal": agent, **of_scores(scores)})

    def close(self) -> None:
        self._run.finish()

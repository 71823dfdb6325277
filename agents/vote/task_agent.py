"""The task agent: makes one answer of the answers that others gave to the task."""

import votes


class TaskAgent:
    def __init__(self, model=None, chat_history_file=None):
        """Both arguments belong to the protocol; this agent asks no model and keeps no history."""

    def forward(self, inputs):
        """(prediction, history). The first label where nobody has answered; nothing where no label is due."""
        labels = (inputs.get("answer") or {}).get("labels") or []
        cast = inputs.get("votes") or []
        return votes.decide(cast, labels, votes.load()) if labels else "", []

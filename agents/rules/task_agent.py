"""The task agent: looks at what is due and hands the task to the part that knows how.

label  -> classify.py (features.py + weights.json)
number -> the same, over the numbers that were seen
files  -> repair.py (operators.py), for a Python file with visible tests; rewards.py (terms.json) where a goal and an
          info are told
others -> a plain answer of the right form; nothing is learned for them.
"""

import classify
import repair
import rewards


class TaskAgent:
    def __init__(self, model=None, chat_history_file=None):
        """Both arguments belong to the protocol; this agent asks no model and keeps no history."""

    def forward(self, inputs):
        """(prediction, history). Dispatches on the kind of answer, never on where the task is from."""
        answer = inputs.get("answer") or {}
        kind = answer.get("kind", "text")
        if kind == "label":
            return classify.predict(inputs, answer.get("labels") or []), []
        if kind == "files" and "goal" in inputs and "info" in inputs:
            return rewards.solve(inputs, answer.get("files") or ["reward.py"]), []
        if kind == "files":
            return repair.solve(inputs, answer.get("files") or ["solution.py"]), []
        if kind == "number":
            return classify.number(inputs), []
        return "", []

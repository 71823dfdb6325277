"""The rule: every vote adds its trust to the label it is for, and the label with the largest sum wins.

A vote is {"member", "answer", "score", "n"}: who answered what, and which part of n other tasks that member got right.
The trust in it is the log odds that its score earns, plus what votes.json has learned of this member when it gives
this answer (which may be negative):
    {"lean": {label: x}, "trust": {member: {label: x}}}
"""

import json
import math
from pathlib import Path


def load():
    return json.loads(Path(__file__).with_name("votes.json").read_text())


def earned(vote, labels):
    """ln(p (L - 1) / (1 - p)), the best weight for voters who err apart and evenly over L labels; p is the score with
    one success and L - 1 failures added. Who is worse than chance earns nothing."""
    n, count = float(vote.get("n") or 0), len(labels)
    p = (float(vote.get("score") or 0.0) * n + 1) / (n + count)
    return max(0.0, math.log(p * max(1, count - 1) / (1 - p))) if p < 1 else 0.0


def sums(votes, labels, model):
    """{label: sum}."""
    total = {label: float(model["lean"].get(label, 0.0)) for label in labels}
    for vote in votes:
        answer = vote.get("answer")
        if answer in total:
            learned = model["trust"].get(str(vote.get("member")), {})
            total[answer] += earned(vote, labels) + float(learned.get(answer, 0.0))
    return total


def decide(votes, labels, model):
    """The label with the largest sum; of equals the first."""
    total = sums(votes, labels, model)
    return max(labels, key=total.__getitem__)

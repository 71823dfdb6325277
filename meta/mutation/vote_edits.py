"""Edits of how votes are combined: more or less trust in a member, or in one answer of it, and a leaning to a label.

An edit is the best of a pool of random steps. It is made only if it lowers the loss of the train tasks, paired task by
task, beyond what the best of so many steps on noise would.
"""

import copy
import math

import fitting

STEPS = (-1.0, -0.5, -0.25, 0.25, 0.5, 1.0)  # in log odds
FARTHEST = 5.0  # no trust is moved beyond it


class Ballot:
    """The train tasks with the votes cast on them, and the agent's present model."""

    def __init__(self, rows, model, votes):
        self.rows, self.votes = rows, votes
        self.labels = rows[0]["answer"]["labels"]
        self.model = {"lean": dict(model.get("lean", {})), "trust": copy.deepcopy(model.get("trust", {}))}
        self.members = sorted({str(vote["member"]) for row in rows for vote in row["inputs"]["votes"]})

    def losses(self, model):
        """Of each task, in nats: minus the logarithm of the part of the right label, by the sums' softmax."""
        return [self.loss(row, model) for row in self.rows]

    def loss(self, row, model):
        total = self.votes.sums(row["inputs"]["votes"], self.labels, model)
        top = max(total.values())
        return top - total[row["label"]] + math.log(math.fsum(math.exp(x - top) for x in total.values()))


def moved(place, key, step):
    place[key] = round(max(-FARTHEST, min(FARTHEST, place.get(key, 0.0) + step)), 4)


def best(subject, steps, strategy):
    """Takes over the best of some steps [(what it does, new model)] if it beats chance; what it does, or None."""
    if not steps:
        return None
    now, found = subject.losses(subject.model), []
    for place, (_, model) in enumerate(steps):
        gained, error = fitting.gain(now, subject.losses(model))
        found.append((gained, -place, error))
    gained, place, error = max(found)
    if gained <= 0 or gained < fitting.critical(strategy["alpha"], len(steps)) * error:
        return None
    note, subject.model = steps[-place]
    return note


def pool(subject, strategy, rng, change):
    """As many random steps as the strategy's pool has room for, none twice."""
    found = {}
    for _ in range(int(strategy["pool"]) // 4):
        model, step = copy.deepcopy(subject.model), rng.choice(STEPS)
        found.setdefault(change(model, step), model)
    return list(found.items())


def trust(subject, strategy, rng, _patches):
    """More or less of a member, whatever it answers."""

    def change(model, step):
        member = rng.choice(subject.members)
        for label in subject.labels:
            moved(model["trust"].setdefault(member, {}), label, step)
        return f"trust in {member} {step:+g}"

    return best(subject, pool(subject, strategy, rng, change), strategy)


def doubt(subject, strategy, rng, _patches):
    """More or less of a member when it gives a certain answer."""

    def change(model, step):
        member, label = rng.choice(subject.members), rng.choice(subject.labels)
        moved(model["trust"].setdefault(member, {}), label, step)
        return f"trust in {member} saying {label} {step:+g}"

    return best(subject, pool(subject, strategy, rng, change), strategy)


def lean(subject, strategy, rng, _patches):
    """More or less of a label, whoever says so."""

    def change(model, step):
        label = rng.choice(subject.labels)
        moved(model["lean"], label, step)
        return f"leaning to {label} {step:+g}"

    return best(subject, pool(subject, strategy, rng, change), strategy)


KINDS = {f.__name__: f for f in (trust, doubt, lean)}

"""Edits of how rewards are made: which terms with which weights, and which words of a goal turn the direction.

Nothing here can train a body, so an edit is a guess; the kernel's scores say what it was worth, and parents are chosen
by them. Guesses are drawn from what the train tasks say: words that most of the badly done goals share.
"""

WEIGHTS = (0.01, 0.1, 1.0)
BADLY = 0.2  # a task with a lower score is badly done


class Rewards:
    """The train goals with their scores, and the agent's present terms."""

    def __init__(self, rows, model, rewards):
        self.rows, self.rewards = rows, rewards
        self.minus = [word for word in model.get("minus", []) if isinstance(word, str)]
        terms = model.get("terms", {})
        self.terms = {name: w for name, w in terms.items() if name in rewards.NAMES and isinstance(w, (int, float))}

    def model(self):
        return {"minus": sorted(self.minus), "terms": self.terms}

    def shared(self):
        """Words that at least half of the badly done goals have, those of all goals last."""
        bad = [row for row in self.rows if (row.get("score") or 0.0) < BADLY] or self.rows
        goals = [set(self.rewards.words(str(row["inputs"]["goal"]))) for row in bad]
        found = sorted(set().union(*goals))
        return [word for word in found if 2 * sum(word in goal for goal in goals) >= len(goals)]


def swap(subject, _strategy, rng, _patches):
    """Another term in the place of one, with its weight."""
    absent = [name for name in subject.rewards.NAMES if name not in subject.terms]
    if not absent or not subject.terms:
        return None
    old, new = rng.choice(sorted(subject.terms)), rng.choice(absent)
    subject.terms[new] = subject.terms.pop(old)
    return f"{new} for {old}"


def weigh(subject, _strategy, rng, _patches):
    """A term more, or another weight, or, where there are several, one less."""
    name = rng.choice(subject.rewards.NAMES)
    if name in subject.terms and len(subject.terms) > 1 and rng.random() < 0.5:
        del subject.terms[name]
        return f"no {name}"
    weight = rng.choice([w for w in WEIGHTS if w != subject.terms.get(name)])
    subject.terms[name] = weight
    return f"{weight:g} of {name}"


def turn(subject, _strategy, rng, _patches):
    """A word that turns the direction, in the place of those there are."""
    new = [word for word in subject.shared() if word not in subject.minus]
    if not new:
        return None
    subject.minus = [rng.choice(new)]
    return f"{subject.minus[0]!r} turns the direction"


KINDS = {f.__name__: f for f in (swap, weigh, turn)}

"""How far one gets without understanding: the commonest answer, and a linear model of words and simple counts.

Fitted on train, measured on val and test by the domain's own judge. For labels and numbers only; nothing is executed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from dgm.domain import JSON, Artifact, Split, Task
from dgm.domains import LoadedDomain
from dgm.domains.audit import leaks
from dgm.domains.audit.findings import Finding, note

VOCABULARY = 2_000  #: words of a linear model, the commonest
STEPS = 150  #: of gradient descent


def measure(domain: LoadedDomain) -> list[Finding]:
    """A note for each baseline that fits the answer kind."""
    held = [*domain.splits[Split.VAL], *domain.splits[Split.TEST]]
    return [
        note("baselines", f"{name}: {mean:.3f} on {len(held)} tasks") for name, mean in figures(domain, held).items()
    ]


def figures(domain: LoadedDomain, held: Sequence[Task]) -> dict[str, float]:
    """Baseline to its mean score on the tasks `held`; none where the answer kind, or the judge, does not allow any."""
    kind = domain.spec.answer.kind
    train = [task for task in domain.splits[Split.TRAIN] if "label" in task.hidden]
    if kind not in ("label", "number") or domain.executes or domain.asks or len(train) < leaks.FEWEST or not held:
        return {}
    constant = _commonest(train, kind)
    return {
        f"always {constant!r}": _mean(domain, held, lambda _: constant),
        "a linear model of words and counts": _mean(domain, held, _linear(train, kind)),
    }


def _mean(domain: LoadedDomain, tasks: Sequence[Task], answer: Callable[[Task], JSON]) -> float:
    return math.fsum(domain.judge(task, Artifact(answer(task)), None).score for task in tasks) / len(tasks)


def _commonest(train: Sequence[Task], kind: str) -> JSON:
    """The commonest label, or the median number."""
    labels = [task.hidden["label"] for task in train]
    if kind == "number":
        return sorted(labels)[len(labels) // 2]
    return max(sorted(set(labels)), key=Counter(labels).__getitem__)


def _linear(train: Sequence[Task], kind: str) -> Callable[[Task], JSON]:
    """Logistic regression (labels) or least squares (numbers) with a ridge, by gradient descent from zero."""
    import numpy as np
    from numpy.typing import NDArray

    counts = Counter(word for task in train for word in leaks.words(leaks.seen(task)))
    vocabulary = {word: i for i, (word, n) in enumerate(counts.most_common(VOCABULARY)) if n > 1}

    def row(task: Task) -> NDArray[np.float64]:
        text, made = leaks.seen(task), np.zeros(len(vocabulary) + 3)
        for word in leaks.words(text):
            if word in vocabulary:
                made[vocabulary[word]] = 1.0
        made[-3:] = 1.0, math.log1p(len(text)), math.log1p(text.count("\n"))
        return made

    x = np.array([row(task) for task in train])
    centre, spread = x.mean(0), x.std(0) + 1e-9
    centre[-3], spread[-3] = 0.0, 1.0
    x = (x - centre) / spread
    labels = [task.hidden["label"] for task in train]
    names: list[JSON] = sorted(set(labels)) if kind == "label" else []
    y = np.array([[label == name for name in names] for label in labels], float) if names else np.array([labels]).T
    offset = 0.0 if names else float(y.mean())
    weights = np.zeros((x.shape[1], y.shape[1]))
    rate = 1.0 / (np.linalg.norm(x, 2) ** 2 / len(x) + 1.0)
    for _ in range(STEPS):
        said = 1 / (1 + np.exp(-x @ weights)) if names else x @ weights + offset
        weights -= rate * (x.T @ (said - y) / len(x) + 0.1 * weights)

    def answer(task: Task) -> JSON:
        scores = (row(task) - centre) / spread @ weights
        return names[int(scores.argmax())] if names else round(float(scores[0]) + offset, 3)

    if names:
        return answer
    low, high = min(labels), max(labels)
    return lambda task: min(high, max(low, answer(task)))

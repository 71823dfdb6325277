"""Whether something that is not the task tells the answer: a word, the first line, a length, a copy in another split.

Each rule is fitted on train and measured on val and test, as an agent would use it; a domain without train is fitted
on one half of test and measured on the other. What is told is *balanced accuracy*; chance is one over the number of
labels. This is a screen for cheap tells, not a proof that there are none.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from dgm.domain import Split, Task
from dgm.domain.measures import balanced_accuracy
from dgm.domains import LoadedDomain
from dgm.domains.audit.findings import Finding, error, note, warning

GIVEN_AWAY = 0.9  #: a single cheap rule at least this good gives the labels away
STRONG = 0.75  #: and this good must be read beside every score
FEWEST = 20  #: labelled tasks that a rule needs on either side
_WORD = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")

Items = Sequence[tuple[str, str]]
"""Text and label."""
Rule = Callable[[str], Hashable]
"""What a cheap rule looks at in a text."""


def audit(domain: LoadedDomain) -> list[Finding]:
    """Copies across splits, and for labels or points also what cheap rules reach."""
    found = _copies(domain)
    if domain.spec.answer.kind in ("label", "number"):
        fit, held = sides(domain)
        if min(len(fit), len(held)) < FEWEST or len({label for _, label in fit}) < 2:
            return [*found, note("leaks", f"fewer than {FEWEST} labelled tasks a side: rules were not fitted")]
        for name, reached in rules(fit, held):
            found.append(_weighed(name, reached, len(held), len({label for _, label in held})))
    return found


def rules(fit: Items, held: Items) -> list[tuple[str, float]]:
    """Each cheap rule by name with its balanced accuracy on `held`, fitted on `fit`."""
    word = best_word(fit)
    told = [(f"whether it has {word!r:.30}", _reached(lambda text: word in words(text), fit, held))]
    told.append(("its first line", _reached(_first_line, fit, held)))
    told.append(("its length", _reached(_length(fit), fit, held)))
    return told


def sides(domain: LoadedDomain) -> tuple[Items, Items]:
    """Where rules are fitted and where they are measured."""
    rest = [*labelled(domain.splits[Split.VAL]), *labelled(domain.splits[Split.TEST])]
    train = labelled(domain.splits[Split.TRAIN])
    return (train, rest) if train else (rest[::2], rest[1::2])


def labelled(tasks: Iterable[Task]) -> Items:
    """What an agent sees of each task as one text, and its label."""
    return [(seen(task), str(task.hidden["label"])) for task in tasks if "label" in task.hidden]


def seen(task: Task) -> str:
    """The inputs and files of a task as one text; strings stand as they are."""
    parts = [v if isinstance(v, str) else json.dumps(v, ensure_ascii=False, default=str) for v in task.inputs.values()]
    return "\n".join([*parts, *(data.decode(errors="replace") for data in task.files.values())])


def words(text: str) -> set[str]:
    """The words, numbers and signs that occur, in lower case."""
    return set(_WORD.findall(text.lower()))


def best_word(items: Items) -> str:
    """The token whose presence differs most between two labels; of equals the first in order."""
    sizes = Counter(label for _, label in items)
    present: dict[str, Counter[str]] = defaultdict(Counter)
    for text, label in items:
        for token in words(text):
            present[token][label] += 1
    shares = {token: [counts[label] / n for label, n in sizes.items()] for token, counts in present.items()}
    return max(sorted(shares), key=lambda token: max(shares[token]) - min(shares[token]), default="")


def _reached(rule: Rule, fit: Items, held: Items) -> float:
    """Balanced accuracy on `held` of naming the label that is commonest, its own size considered, at a rule's value."""
    sizes = Counter(label for _, label in fit)
    seen_at: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for text, label in fit:
        seen_at[rule(text)][label] += 1
    rarest = min(sizes, key=lambda label: (sizes[label], label))

    def name(text: str) -> str:
        counts = seen_at.get(rule(text))
        return max(sorted(counts), key=lambda label: counts[label] / sizes[label]) if counts else rarest

    return balanced_accuracy([label for _, label in held], [name(text) for text, _ in held])


def _first_line(text: str) -> str:
    """The first line with its digits made alike, as headers differ by number or year."""
    line = text.lstrip().split("\n", 1)[0].strip().lower()
    return re.sub(r"\d+", "#", line)[:80]


def _length(fit: Items) -> Rule:
    """Which fifth of the lengths seen a text falls into."""
    lengths = sorted(len(text) for text, _ in fit)
    cuts = [lengths[len(lengths) * k // 5] for k in range(1, 5)]
    return lambda text: sum(len(text) >= cut for cut in cuts)


def _weighed(name: str, reached: float, n: int, labels: int) -> Finding:
    says = f"{name} alone reaches {reached:.3f} balanced accuracy on {n} held-out tasks (chance {1 / labels:.2f})"
    if reached >= GIVEN_AWAY:
        return error("leaks", says, "take out of the inputs what is not part of the task")
    if reached >= max(STRONG, 1.5 / labels):
        return warning("leaks", says, "a score means little below this; make the tasks harder, or report it beside")
    return note("leaks", says)


def _copies(domain: LoadedDomain) -> list[Finding]:
    """Tasks of different splits that are the same but for case, spaces and punctuation."""
    first: dict[str, tuple[Split, str]] = {}
    found = []
    for split in Split:
        for task in domain.splits[split]:
            key = re.sub(r"[^\w]+", " ", seen(task).lower()).strip()
            other, twin = first.setdefault(key, (split, task.id))
            if other != split:
                says = f"{split} task {task.id!r} is {other} task {twin!r} but for case, spaces or signs"
                found.append(error("leaks", says, "keep one of them, or both in one split"))
    return found[:5]

"""Summaries: a notice is to be summed up in at most forty words, so that a reader learns the facts that matter.

Which of the four facts a summary tells is decided by a language model (`--judge-model`) by the rubric of
`dgm.domain.rubric`; the score is their share. Length and form are checked here, before anybody is asked. The examples
for `calibrate` are made with known decisions (`generate.py`), among them summaries that tell a fact falsely and one
that asks for full marks. Not judged: style, order, and what a summary says beside the facts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from dgm.domain import JSON, Artifact, Judged, JudgeModel, Split, Status, Task, UserError, Verdict
from dgm.domain.rubric import Criterion, compare, decide, words

from .generate import Notice, examples, notices

SIZES = {Split.TRAIN: 12, Split.VAL: 8, Split.TEST: 20}
MOST_WORDS = 40
LARGEST = 1_000  #: characters; longer than forty words can reasonably be
EXAMPLES = 12  #: labelled summaries that a model is tried on
PURPOSE = "The work is a summary of a notice, for a reader who will not see the notice."
INSTRUCTION = f"Sum up the notice in at most {MOST_WORDS} words; tell what a reader must know to act."


class Domain:
    """Tasks with inputs `{"notice", "instruction"}`; due is a text."""

    def __init__(self, data: Path | None = None, fold: object = None) -> None:
        """The tasks are built in. Raises UserError for a data file."""
        if data is not None:
            raise UserError(f"{data}: the summary domain has its tasks built in and reads no file; leave --data out")

    @cached_property
    def _notices(self) -> dict[str, tuple[Split, Notice]]:
        drawn = notices(SIZES)
        return {f"{split}-{i}": (split, one) for split, row in drawn.items() for i, one in enumerate(row)}

    def tasks(self, split: Split) -> Sequence[Task]:
        return [_task(name, one) for name, (own, one) in self._notices.items() if own == split]

    def judge_with(self, task: Task, artifact: Artifact, model: JudgeModel) -> Verdict:
        """The share of the facts that the summary tells."""
        said = artifact.prediction
        if not isinstance(said, str) or len(said) > LARGEST or not said.isprintable():
            return Verdict(0.0, Status.INVALID, f"not one line of at most {LARGEST} characters")
        length = len(words(said))
        if not 0 < length <= MOST_WORDS:
            return Verdict(0.0, Status.WRONG, f"{length} words; 1 to {MOST_WORDS} are due")
        notice = self._notices[task.id][1]
        told = _decided(notice, said, model)
        missing = [name for name, met in told.items() if not met]
        score = 1 - len(missing) / len(told)
        status = Status.OK if score else Status.WRONG
        return Verdict(score, status, f"does not tell: {', '.join(missing)}" if missing else "", {"words": length})

    def calibrate(self, model: JudgeModel) -> Iterator[tuple[str, bool, bool]]:
        """Each fact of each labelled summary; then, of those that tell some facts, whether telling all is better."""
        for number, (notice, text, told) in enumerate(examples(EXAMPLES), start=1):
            for name, met in _decided(notice, text, model).items():
                yield f"{number} {name}", told[name], met
            if 0 < sum(told.values()) < len(told):
                full = notice.reference
                asked = f"{PURPOSE} Which tells more of what the reader must know, truly?"
                first, second = (full, text) if number % 2 else (text, full)
                worth = compare(model, asked, {"Notice": notice.text}, first, second)
                yield f"{number} better", first == full, worth > 0.5 if number % 2 else worth >= 0.5

    def report(self, judged: Sequence[Judged]) -> dict[str, JSON]:
        """The share of summaries that tell everything, and their mean length in words."""
        lengths = [verdict.metrics["words"] for _, _, verdict in judged if "words" in verdict.metrics]
        return {
            "complete": sum(verdict.score == 1.0 for _, _, verdict in judged) / len(judged),
            "words": sum(lengths) / max(1, len(lengths)),
        }


def _decided(notice: Notice, text: str, model: JudgeModel) -> dict[str, bool]:
    criteria = [Criterion(fact.name, fact.question) for fact in notice.facts]
    return decide(model, PURPOSE, criteria, {"Notice": notice.text}, text)


def _task(name: str, notice: Notice) -> Task:
    inputs = {"notice": notice.text, "instruction": INSTRUCTION}
    hidden = {"label": notice.reference, "facts": {fact.name: fact.question for fact in notice.facts}}
    return Task(name, inputs, hidden=hidden)

"""Experimental controls that wrap a domain: what a gain must be compared with."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dgm.domain import Artifact, JudgeModel, JudgeSandbox, Split, Task, Verdict
from dgm.domains import LoadedDomain


@dataclass(frozen=True)
class PermutedTrain:
    """A domain whose train tasks carry one another's hidden part: nothing true can be learnt from train.

    Judging and feedback of train both follow the wrong answers; val and test are untouched. A deterministic
    shuffle by the run's seed; with it, any gain on test is luck or leak.
    """

    inner: Any
    tasks_by_split: dict[Split, Sequence[Task]]

    @classmethod
    def of(cls, domain: LoadedDomain, seed: int) -> LoadedDomain:
        """The same domain with permuted train answers."""
        splits: dict[Split, Sequence[Task]] = dict(domain.splits)
        train = splits[Split.TRAIN]
        hidden = [task.hidden for task in train]
        random.Random(f"{seed}/permute/{domain.name}").shuffle(hidden)
        splits[Split.TRAIN] = [replace(task, hidden=other) for task, other in zip(train, hidden, strict=True)]
        kind = _Executing if domain.executes else _Asking if domain.asks else _Pure
        wrapper = kind(domain.implementation, splits)
        return replace(domain, implementation=wrapper)

    def tasks(self, split: Split) -> Sequence[Task]:
        return self.tasks_by_split[split]


class _Pure(PermutedTrain):
    def judge(self, task: Task, artifact: Artifact) -> Verdict:
        verdict: Verdict = self.inner.judge(task, artifact)
        return verdict


class _Executing(PermutedTrain):
    def judge_in(self, task: Task, artifact: Artifact, sandbox: JudgeSandbox) -> Verdict:
        verdict: Verdict = self.inner.judge_in(task, artifact, sandbox)
        return verdict


class _Asking(PermutedTrain):
    def judge_with(self, task: Task, artifact: Artifact, model: JudgeModel) -> Verdict:
        verdict: Verdict = self.inner.judge_with(task, artifact, model)
        return verdict

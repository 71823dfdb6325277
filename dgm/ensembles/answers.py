"""The stored answers of an archive's agents, and what each ensemble of them scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dgm import statistics
from dgm.archive import Archive, ScoreRecord
from dgm.domain import Artifact, Split, Task
from dgm.domains import LoadedDomain
from dgm.ensembles.rules import RULES, Rule, Vote
from dgm.errors import Status, UserError
from dgm.statistics import Score


@dataclass(frozen=True, slots=True)
class Member:
    """An agent with its answers by task, and its score on the split that its weight is taken from."""

    agent: int
    answers: Mapping[str, str]
    weighed: ScoreRecord


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What came of one rule."""

    rule: str
    members: int
    score: Score


def members(archive: Archive, domain: LoadedDomain, split: Split) -> list[Member]:
    """The agents that were measured on all tasks of `split` and on the one that weighs, by id. Raises UserError for
    a domain whose answers are no labels, and where nobody was."""
    _check_labels(domain)
    weighing = domain.chosen_on if split == Split.TEST else Split.TRAIN
    if split == weighing:
        raise UserError(f"--split: nothing is left to weigh agents by beside {split} in {domain.name}; choose test")
    found = []
    for agent in _measured(archive, domain, split):
        weighed = next((s for s in archive.scores(agent) if (s.domain, s.split) == (domain.name, weighing)), None)
        if weighed is not None:
            found.append(Member(agent, _answers(archive, agent, domain.name, split), weighed))
    if not found:
        raise UserError(f"--split: no agent of {archive.name} has answers to all {split} tasks of {domain.name}")
    return found


def answered(archive: Archive, domain: LoadedDomain, splits: Sequence[Split]) -> dict[int, dict[str, str]]:
    """By agent its answers, by task, where it was measured on all tasks of all these splits. Raises UserError for a
    domain whose answers are no labels."""
    _check_labels(domain)
    there = set.intersection(*(set(_measured(archive, domain, split)) for split in splits))
    return {
        agent: {
            task: answer for split in splits for task, answer in _answers(archive, agent, domain.name, split).items()
        }
        for agent in sorted(there)
    }


def ensembles(domain: LoadedDomain, split: Split, of: Sequence[Member]) -> list[Ensemble]:
    """Every rule's score on the tasks of `split` that some member was given. Raises JudgeFailed."""
    return scored(domain, [t for t in domain.splits[split] if any(t.id in member.answers for member in of)], of)


def scored(domain: LoadedDomain, tasks: Sequence[Task], of: Sequence[Member]) -> list[Ensemble]:
    """Every rule's score on these tasks. Raises JudgeFailed."""
    return [Ensemble(name, len(of), _score(rule, domain, tasks, of)) for name, rule in RULES.items()]


def _score(rule: Rule, domain: LoadedDomain, tasks: Sequence[Task], of: Sequence[Member]) -> Score:
    values = []
    for task in tasks:
        votes = [Vote(m.answers[task.id], m.weighed.mean, m.weighed.n) for m in of if m.answers.get(task.id)]
        answer = rule(votes, len(domain.spec.answer.labels))
        values.append(0.0 if answer is None else domain.judge(task, Artifact(answer, {}), None).score)
    return statistics.score(values, len(tasks))


def _check_labels(domain: LoadedDomain) -> None:
    if domain.spec.answer.kind != "label" or domain.executes or domain.asks:
        raise UserError(f"--domain: the answers in {domain.name} are no labels; an ensemble needs answers to count")


def _measured(archive: Archive, domain: LoadedDomain, split: Split) -> list[int]:
    """The agents that work and have run all the tasks of a split, by id."""
    return [
        agent.id
        for agent in archive.agents()
        if agent.admission.works
        and any((s.domain, s.split) == (domain.name, split) and s.n == s.total for s in archive.scores(agent.id))
    ]


def _answers(archive: Archive, agent: int, domain: str, split: Split) -> dict[str, str]:
    """By task; empty where the agent gave none that counts."""
    answers = {}
    for row in archive.logs(agent, domain, split):
        said = row.get("prediction")
        counts = row.get("status") in (Status.OK, Status.WRONG) and isinstance(said, str)
        answers[str(row["task"])] = said if counts and isinstance(said, str) else ""
    return answers

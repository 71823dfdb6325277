"""A domain made of an archive's stored answers, so that the way in which they are combined can evolve.

A combiner is then a task agent like any other: it is given a task with the answers that at most N agents gave to it and
each agent's mean val score, and owes one answer. Why a domain, and not a file of the genome with a protocol of its own,
as for `--evolve select`: the loop, the sandbox, the judge, feedback from train, choice on val, reports, resumption and
every attack test hold for it without a line of code; any agent half can be the combiner (the seed `vote`, a language
model, a program in another language), and any meta half improves it. The folder is all that a run with it needs.

The tasks are the base domain's: its train tasks for train; one half of its val tasks for val, the other for test, since
on the base's own test only the few agents have answers that the run chose. Members are taken, ordered and scored by the
first half alone, so that nothing about the second is known before the end. The parents in the archive were chosen on
both; this flatters its agents, and with them the fixed rules and the combiner alike.

Labels stand in the folder, as in any domain's, and are hidden from agents like any domain's. Not covered: answers that
are no labels, tasks that bring files, and judges that know more than right or wrong.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from dgm import statistics
from dgm.archive import Archive, ScoreRecord
from dgm.domain import JSON, Artifact, Split, Task
from dgm.domains import LoadedDomain
from dgm.domains.scaffold import checked_name
from dgm.ensembles.answers import Ensemble, Member, answered, scored
from dgm.errors import UserError

VOTES = "votes"
"""The input that holds the members' answers."""
MOST = 9
"""Members, unless told otherwise."""
MEASURED = (Split.TRAIN, Split.VAL)
"""The splits on which members must have answered everything."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Members with their answers on train and val, the best first, and the tasks that a combiner meets."""

    base: LoadedDomain
    members: Sequence[Member]
    tasks: Mapping[Split, Sequence[Task]]

    def votes(self, task: Task) -> list[dict[str, JSON]]:
        """The members' answers to a task of the base domain. Who gave none is left out, and so is what is no label: a
        text of a member's own is nothing that a combiner should read."""
        return [
            {"member": m.agent, "answer": m.answers[task.id], "score": round(m.weighed.mean, 4), "n": m.weighed.n}
            for m in self.members
            if m.answers.get(task.id) in self.base.spec.answer.labels
        ]

    def fixed(self) -> list[Ensemble]:
        """What the rules that do not evolve score on the test tasks. Raises JudgeFailed."""
        return scored(self.base, self.tasks[Split.TEST], self.members)


def panel(archive: Archive, base: LoadedDomain, most: int = MOST) -> Panel:
    """The `most` best members of an archive, none twice. Raises UserError where there are not two that differ, and
    for a domain whose tasks cannot be put to a combiner."""
    train, val = (base.splits[split][: base.planned(split)] for split in MEASURED)
    tasks = {Split.TRAIN: train, Split.VAL: val[::2], Split.TEST: val[1::2]}
    if not tasks[Split.TEST]:
        raise UserError(
            f"--write: {base.name} has too few val tasks to choose a combiner on some and test it on others"
        )
    _check(base, [task for part in tasks.values() for task in part])
    found = answered(archive, base, MEASURED)
    both = [Member(agent, answers, _score(base, tasks[Split.VAL], answers)) for agent, answers in found.items()]
    both.sort(key=lambda member: (-member.weighed.mean, member.agent))
    chosen: list[Member] = []
    for member in both:
        if len(chosen) < most and all(member.answers != other.answers for other in chosen):
            chosen.append(member)
    if len(chosen) < 2:
        raise UserError(f"--write: {archive.name} has no two agents that answered all of {base.name} differently")
    return Panel(base, chosen, tasks)


def write(made: Panel, folder: Path) -> None:
    """The folder of a domain that is called like it. Raises UserError, and writes nothing, where it is there."""
    spec = made.base.spec
    facts = {
        "name": checked_name(folder),
        "version": 1,
        "description": f"Which of the answers that agents gave to tasks of {spec.name} is right?",
        "metric": "accuracy",
        "answer": {"kind": "label", "labels": list(spec.answer.labels)},
        "splits": {str(split): len(tasks) for split, tasks in made.tasks.items()},
        "limits": {"seconds": 5.0, "memory_mb": 256},
    }
    rows = [
        {
            "id": task.id,
            "split": str(split),
            "inputs": {**task.inputs, VOTES: made.votes(task)},
            "label": task.hidden["label"],
        }
        for split, tasks in made.tasks.items()
        for task in tasks
    ]
    code = Path(__file__).with_name("domain.py.txt").read_text(encoding="utf-8")
    code = code.replace("@BASE@", spec.name).replace("@LABELS@", repr(spec.answer.labels))
    try:
        folder.mkdir(parents=True)
        (folder / "domain.toml").write_text(tomli_w.dumps(facts), encoding="utf-8")
        (folder / "domain.py").write_text(code, encoding="utf-8")
        (folder / "votes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    except FileExistsError:
        raise UserError(f"--write: {folder} is there already; choose another folder") from None
    except OSError as error:
        raise UserError(f"--write: {folder} cannot be written: {error}") from None


def _check(base: LoadedDomain, tasks: Sequence[Task]) -> None:
    """Raises UserError unless each task is its inputs alone and right is what equals the label."""
    for task in tasks:
        if task.files or task.image or VOTES in task.inputs:
            raise UserError(f"--write: the tasks of {base.name} bring files, or an input {VOTES!r}; a combiner cannot")
        for label in base.spec.answer.labels:
            right = base.judge(task, Artifact(label, {}), None).score
            if right != float(label == task.hidden.get("label")):
                raise UserError(f"--write: the judge of {base.name} knows more than right or wrong; a combiner cannot")


def _score(base: LoadedDomain, tasks: Sequence[Task], answers: Mapping[str, str]) -> ScoreRecord:
    """Of some tasks; no answer is a wrong one."""
    right = [float(answers.get(task.id) == task.hidden["label"]) for task in tasks]
    return ScoreRecord.of(base.name, Split.VAL, statistics.score(right, len(tasks)))

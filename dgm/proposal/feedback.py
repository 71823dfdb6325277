"""What a meta agent is shown: files made by the kernel from train results alone (boundary rule B8).

The size is bounded whatever the archive's: at most `MAX_AGENTS` lines and `MAX_PATCHES` patches, results of the
parent only. Val and test results, task ids and judges never come near this module.
"""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import overload

from dgm.archive import Admission, AgentRecord, Archive, ScoreRecord
from dgm.domain import JSON, Split, Task
from dgm.domains import LoadedDomain

MAX_AGENTS = 200
MAX_PATCHES = 24
MAX_PATCH_BYTES = 60_000
MAX_LOG = 2_000
MAX_REASON = 500
RECENT = 40
BEST = 5

_README = """\
# Feedback

Made by the kernel from the *train* tasks. Read-only; your edits belong in the genome.

- `evolve.json`: the halves of the genome that may change in this run.
- `archive.jsonl`: one agent per line: `id`, `parent`, `role` (parent, mate, ancestor, sibling, child, best,
  other),
  `admission`, `train` (domain -> mean and n), `children`, `summary`, `reason` (why there is no working child),
  `changed` (paths).
  {shown} of {total} agents are listed.
- `agents/<id>/patch.diff`: what that agent changed against its parent.
- `agents/{parent}/<domain>.jsonl`: the parent's train results, one task per line: `inputs`, `files`, `answer`,
  `prediction`, `output` (files it left), `label`, `score`, `status`, `log`.
- `mate/`: the genome of a second parent, where there is one: it solves tasks that the parent does not.

You edit a copy of agent {parent}.
"""


def build(
    archive: Archive,
    parent: int,
    domains: Sequence[LoadedDomain],
    evolve: Sequence[str],
    rng: random.Random,
    withheld: bool = False,
    mate: int | None = None,
) -> dict[str, bytes]:
    """The feedback directory for a proposal from `parent`, as files. `withheld` leaves out every result; a `mate` is
    shown with its whole genome."""
    roles = _roles(archive, parent, mate, rng)
    agents, scores, children = archive.ask.agents(roles), archive.ask.scores(roles), archive.ask.counts(roles)
    files = {
        "README.md": _README.format(shown=len(roles), total=len(_Others(archive, ())), parent=parent).encode(),
        "evolve.json": json.dumps(list(evolve)).encode(),
        "archive.jsonl": _lines(
            _agent_line(agents[i], role, [] if withheld else scores[i], children[i]) for i, role in roles.items()
        ),
    }
    patched = [i for i in roles if agents[i].parent is not None and agents[i].tree][:MAX_PATCHES]
    for i in patched:
        files[f"agents/{i}/patch.diff"] = archive.patch(i)[:MAX_PATCH_BYTES].encode(errors="replace")
    if mate is not None:
        files |= {f"mate/{path}": data for path, data in archive.files(mate).items()}
    if not withheld:
        for domain in domains:
            files[f"agents/{parent}/{domain.name}.jsonl"] = _results(archive, parent, domain)
    return files


def _roles(archive: Archive, parent: int, mate: int | None, rng: random.Random) -> dict[int, str]:
    """Whom to show and why, most telling first: the parent, its line, its family, the best, a random rest."""
    ask = archive.ask
    ancestors = ask.lineage(parent, RECENT + 1)[-2::-1]
    siblings = [i for i in ask.children(ancestors[0], RECENT + 1) if i != parent] if ancestors else []
    roles: dict[int, str] = {parent: "parent"}
    for role, ids in (
        ("mate", [] if mate is None else [mate]),
        ("child", ask.children(parent, RECENT)),
        ("ancestor", ancestors),
        ("best", _best_on_train(archive)),
        ("sibling", siblings[-RECENT:]),
    ):
        for i in ids:
            roles.setdefault(i, role)
    rest = _Others(archive, roles)
    for i in sorted(rng.sample(rest, min(len(rest), MAX_AGENTS - len(roles))), reverse=True):
        roles[i] = "other"
    return roles


def _best_on_train(archive: Archive) -> list[int]:
    domains = sorted(domain.name for domain in archive.domains())
    return [i for domain in domains for i in archive.ask.worthiest(domain, Split.TRAIN, BEST)]


class _Others(Sequence[int]):
    """The agents on record but for some, ascending, without a list of them all."""

    def __init__(self, archive: Archive, but: Iterable[int]) -> None:
        highest, missing = archive.visible()
        self._holes = sorted({*but, *missing})
        self._shift = [hole - at for at, hole in enumerate(self._holes)]  # numbers below each hole that are none
        self._len = highest + 1 - len(self._holes)

    def __len__(self) -> int:
        return self._len

    @overload
    def __getitem__(self, at: int) -> int: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[int]: ...

    def __getitem__(self, at: int | slice) -> int | Sequence[int]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(self._len))]
        if not 0 <= at < self._len:
            raise IndexError(at)
        return at + bisect_right(self._shift, at)


def _agent_line(agent: AgentRecord, role: str, scores: Sequence[ScoreRecord], children: int) -> dict[str, JSON]:
    train = {s.domain: {"mean": round(s.mean, 4), "n": s.n} for s in scores if s.split == Split.TRAIN}
    return {
        "id": agent.id,
        "parent": agent.parent,
        "role": role,
        "admission": str(agent.admission),
        "train": train,
        "children": children,
        "summary": agent.summary if agent.admission != Admission.ROOT else "the root",
        "reason": agent.reason[:MAX_REASON],
        "changed": list(agent.changed),
    }


def _results(archive: Archive, agent: int, domain: LoadedDomain) -> bytes:
    tasks: dict[str, Task] = {task.id: task for task in domain.splits[Split.TRAIN]}
    return _lines(
        {
            "inputs": dict(tasks[row["task"]].inputs),
            "files": _texts(tasks[row["task"]].files),
            "answer": domain.answer_for(tasks[row["task"]]),
            "prediction": row.get("prediction"),
            "output": row.get("files", {}),
            "label": tasks[row["task"]].hidden.get("label"),
            "score": row.get("score"),
            "status": row.get("status"),
            "log": str(row.get("log", ""))[:MAX_LOG],
        }
        for row in archive.logs(agent, domain.name, Split.TRAIN)
        if row["task"] in tasks
    )


def _texts(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: data.decode(errors="replace") for path, data in files.items()}


def _lines(rows: Iterable[Mapping[str, JSON]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)

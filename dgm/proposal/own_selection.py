"""Parent selection by the genome itself (`--evolve select`): its `meta/select.py`, run in a sandbox and checked.

`select(candidates, seed)` gets at most a thousand candidates, drawn by the kernel: id, parent, children and mean val
scores, and nothing else of val. The newest agent's is asked; when it fails, its ancestors', newest first; when ten have
failed, the kernel draws uniformly. Who chose and who failed is told, to be recorded. Seeds need not bring the file:
a run begins with `UNIFORM`. Not covered: what makes a good choice.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from dgm.archive import Archive
from dgm.archive.view import View
from dgm.domain import JSON
from dgm.errors import AgentFailed
from dgm.evaluation.ongoing import Ongoing, persistently
from dgm.evaluation.session import AgentSession
from dgm.genome import SELECT, GenomeSpec, HalfSpec, half_files
from dgm.sandbox import Limits, Sandbox

MAX_CANDIDATES = 1_000
TRIES = 10
LIMITS = Limits(seconds=20.0, memory_mb=512)

UNIFORM = b'''\
"""Chooses the parent of the next proposal. It may evolve like the rest of this half."""

import random


def select(candidates, seed):
    """The id of one of `candidates`: dicts of id, parent, scores (domain to mean val score), children and clade."""
    return random.Random(seed).choice([candidate["id"] for candidate in candidates])
'''


@dataclass(frozen=True, slots=True)
class Choice:
    """A parent, whose code chose it (None: the kernel, uniformly), and whose failed before, with the reasons."""

    parent: int
    by: int | None
    failed: tuple[tuple[int, str], ...] = ()

    def told(self) -> dict[str, JSON]:
        """For the record."""
        return {"by": self.by, "failed": [{"agent": agent, "reason": reason[:500]} for agent, reason in self.failed]}


def choose(
    archive: Archive, view: View, spec: GenomeSpec, sandbox: Sandbox, rng: random.Random, ongoing: Ongoing
) -> Choice:
    """The choice for a proposal. Raises SandboxUnavailable, also when all that is `ongoing` is given up."""
    rows = range(len(view))
    shown = sorted(rng.sample(rows, MAX_CANDIDATES)) if len(view) > MAX_CANDIDATES else list(rows)
    candidates, seed = [_candidate(view, row) for row in shown], rng.getrandbits(31)
    half = HalfSpec(entry=f"{SELECT}:select", paths=spec.meta.paths, packages=spec.meta.packages)
    failed: list[tuple[int, str]] = []
    newest = int(view.id[-1])
    for agent in reversed(archive.ask.lineage(newest, TRIES)):
        session = partial(AgentSession, sandbox, half_files(archive.files(agent), spec.meta), half, "meta", LIMITS)
        try:
            parent = persistently(partial(_asked, session, candidates, seed), ongoing.given_up)
            return Choice(parent, agent, tuple(failed))
        except AgentFailed as failure:
            failed.append((agent, f"{failure.status}: {failure.reason}"))
    return Choice(int(view.id[rng.choice(shown)]), None, tuple(failed))


def _asked(begin: Callable[[], AgentSession], candidates: Sequence[Mapping[str, JSON]], seed: int) -> int:
    with begin() as session:
        return session.select(candidates, seed)


def _candidate(view: View, row: int) -> dict[str, JSON]:
    parent = int(view.parent[row])
    scores = {d: round(float(s), 6) for d, s in zip(view.domains, view.scores[row], strict=True) if math.isfinite(s)}
    return {
        "id": int(view.id[row]),
        "parent": None if parent < 0 else parent,
        "scores": dict(scores),
        "children": int(view.children[row]),
        "clade": int(view.clade[row]),
    }

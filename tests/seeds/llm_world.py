"""What the tests of the language-model seeds share: their halves in a session, a scripted model behind a real gateway.

The session is `local`, which is quickest: what is tested is the seeds, not the sandbox.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dgm.evaluation.session import AgentSession, Improved, Reply
from dgm.gateway import Role
from dgm.gateway.budget import Budget
from dgm.genome import parse_spec
from dgm.genome.sources import from_halves
from dgm.sandbox import Limits
from dgm.sandbox.local import Local
from dgm.testing import ScriptedModels
from dgm.testing.models import Flaw
from tests.gateway.worlds import gateway
from tests.sandbox.worlds import Start

ROOT = Path(__file__).parents[2]
LIMITS = Limits(seconds=60, memory_mb=1024)
Say = str | Mapping[str, Any]


def modules(seed: str, *names: str) -> SimpleNamespace:
    """Modules of a seed, for tests of single functions; they are in nobody else's way."""
    folder, before = str(ROOT / seed), dict(sys.modules)
    sys.path.insert(0, folder)
    try:
        return SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    finally:
        sys.path.remove(folder)
        for name in sys.modules.keys() - before.keys():
            if str(getattr(sys.modules[name], "__file__", "")).startswith(folder):
                del sys.modules[name]


def call(name: str, mark: str = "c1", **given: Any) -> dict[str, Any]:
    """A reply that calls a tool natively."""
    function = {"name": name, "arguments": json.dumps(given)}
    return {"content": "", "tool_calls": [{"id": mark, "type": "function", "function": function}]}


def in_text(name: str, **given: Any) -> str:
    return f"I will do it.\n```json\n{json.dumps({'tool': name, **given})}\n```"


@dataclass
class Says:
    """A model that says these things in this order, and the last one ever after. `asked` is what it was asked."""

    lines: Sequence[Say]
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def __call__(self, request: Mapping[str, Any]) -> Say:
        self.asked.append(request)
        return self.lines[min(len(self.asked), len(self.lines)) - 1]

    def heard(self, number: int = -1) -> str:
        """The last message of a request."""
        return str(self.asked[number]["messages"][-1]["content"])


Faults = Callable[[int, Mapping[str, Any]], Flaw | None]


def refusing(word: str, code: str = "unsupported") -> Faults:
    """A server that answers 400 to every request with this parameter."""
    body = json.dumps({"error": {"message": f"{word} is not supported", "code": code}})
    return lambda _, request: Flaw(400, body=body) if word in request else None


@contextmanager
def desk(
    model: Callable[[Mapping[str, Any]], Say], folder: Path, role: Role, budget: Budget | None, **server: Any
) -> Iterator[Any]:
    """The way to a scripted model, as a session takes it."""
    with (
        ScriptedModels(model, **server) as models,
        gateway(models, folder, budget=budget, rules={"max_tokens": 10_000}) as made,
    ):
        yield made.desk(role, agent=0, proposal=1)


def solve(
    model: Callable[[Mapping[str, Any]], Say],
    folder: Path,
    answer: Mapping[str, Any],
    files: Mapping[str, bytes] | None = None,
    budget: Budget | None = None,
    inputs: Mapping[str, Any] | None = None,
    agent: str = "llm",
    **server: Any,
) -> Reply:
    """What agents/llm, or another task half, makes of one task."""
    folder.mkdir(exist_ok=True)
    genome = from_halves(agent, "llm").genome
    with (
        desk(model, folder, Role.AGENT, budget, **server) as open_desk,
        AgentSession(Local(), genome, Start(), "agent", LIMITS, desk=open_desk) as session,
    ):
        return session.task(inputs or {"question": "Is it raining?"}, answer, files or {}, 7)


def improve(
    model: Callable[[Mapping[str, Any]], Say],
    folder: Path,
    feedback: Mapping[str, bytes],
    budget: Budget | None = None,
    meta: str = "llm",
    **server: Any,
) -> tuple[Improved, dict[str, bytes]]:
    """What a meta seed makes of the genome, and the files that it changed."""
    genome = dict(from_halves("llm", meta).genome)
    half = parse_spec(genome, meta).meta
    with (
        desk(model, folder, Role.META, budget, **server) as open_desk,
        AgentSession(Local(), genome, half, "meta", LIMITS, feedback=feedback, desk=open_desk) as session,
    ):
        improved = session.improve(genome, iterations_left=3, seed=5)
    return improved, {path: data for path, data in improved.files.items() if genome.get(path) != data}


def jsonl(*rows: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def feedback(
    evolve: Sequence[str] = ("agent", "meta"), relatives: Sequence[Mapping[str, Any]] = ()
) -> dict[str, bytes]:
    """Feedback as the kernel builds it, for agent 4 and one domain."""
    row = {"answer": {"kind": "label", "labels": ["yes", "no"]}, "files": {}, "output": {}, "status": "ok", "log": ""}
    tasks = [
        {**row, "inputs": {"note": f"case {i}"}, "prediction": "yes", "label": label, "score": float(label == "yes")}
        for i, label in enumerate(["yes", "no", "no", "yes", "no"])
    ]
    parent = {"id": 4, "parent": 0, "role": "parent", "admission": "admitted", "train": {"rain": {"mean": 0.4, "n": 5}}}
    return {
        "README.md": b"# Feedback\n",
        "evolve.json": json.dumps(list(evolve)).encode(),
        "archive.jsonl": jsonl(parent, *relatives),
        "agents/4/rain.jsonl": jsonl(*tasks),
        "agents/4/patch.diff": b"--- a/agent/x\n+++ b/agent/x\n",
    }


DIAGNOSIS = json.dumps({"weakness": "it always says yes", "evidence": "yes, no: 3", "plan": "say when no is right"})

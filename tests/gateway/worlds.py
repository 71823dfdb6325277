"""What the tests of the gateway share: a gateway in front of a scripted model, and agents that ask it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dgm.evaluation.session import AgentSession
from dgm.gateway import COMPLETIONS, Reply, Role, Scope, Upstream
from dgm.gateway.budget import Budget
from dgm.gateway.cache import CallStore
from dgm.gateway.desk import Desk
from dgm.gateway.faults import Patience
from dgm.gateway.http import HttpUpstream
from dgm.gateway.prices import Price, Prices
from dgm.gateway.service import Gateway, Rules
from dgm.gateway.visit import Ticket, Visit
from dgm.sandbox import Sandbox
from dgm.testing import ScriptedModels
from tests.sandbox.worlds import LIMITS, Start, task_agent

PRICE = (150_000_000, 600_000_000)
"""Nano-dollars for a million tokens: those of a small hosted model."""

QUICK = Patience(tries=6, base=0.001, cap=0.002, longest=1.0)


def prices() -> Prices:
    return Prices({"m": Price(*PRICE), "other": Price(*PRICE)})


@contextmanager
def gateway(
    upstream: Upstream | ScriptedModels,
    folder: Path,
    *,
    budget: Budget | None = None,
    rules: dict[str, Any] | None = None,
    **options: Any,
) -> Iterator[Gateway]:
    if isinstance(upstream, ScriptedModels):
        upstream = HttpUpstream(upstream.url, "sk-test-1234", seconds=5)
    made = Rules(**{"models": ("m", "other"), "patience": QUICK, "max_tokens": 50, **(rules or {})})
    with Gateway(upstream, made, prices(), budget or Budget(), CallStore(folder), **options) as opened:
        yield opened


def chat(text: str, **parameters: Any) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": text}], **parameters}).encode()


def visit(made: Gateway, task: str = "t", proposal: int = 1, role: Role = Role.AGENT) -> Visit:
    return made.visit(Scope(role, agent=proposal, proposal=proposal, task=task), ("m", "other"))


def ask(made: Gateway, text: str = "hello", seat: Visit | None = None, **parameters: Any) -> Reply:
    return made.answer(COMPLETIONS, chat(text, **parameters), seat or visit(made), Ticket())


def content(reply: Reply) -> str:
    return str(json.loads(reply.body)["choices"][0]["message"]["content"])


def code(reply: Reply) -> tuple[int, str]:
    return reply.status, json.loads(reply.body)["error"]["code"]


ASK = '''
import http.client, urllib.request, urllib.error
def post(path, body, token=None, base=None):
    """Status and body of a request to the gateway, with urllib."""
    url = (base or os.environ["OPENAI_BASE_URL"]) + path
    headers = {"Authorization": "Bearer " + (token or os.environ["OPENAI_API_KEY"]), "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=20) as answer:
            return [answer.status, answer.read().decode()]
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode()]
def chat(text, **more):
    status, body = post("/chat/completions", {"messages": [{"role": "user", "content": text}], **more})
    return json.loads(body)["choices"][0]["message"]["content"] if status == 200 else [status, body]
'''


def session(backend: Sandbox, body: str, desk: Desk | None, top: str = "", **limits: Any) -> AgentSession:
    """A session whose task agent has this `forward`; `post` and `chat` ask the model."""
    return AgentSession(backend, task_agent(body, ASK + top), Start(), "agent", replace(LIMITS, **limits), desk=desk)

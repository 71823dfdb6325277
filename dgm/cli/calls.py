"""What language models cost a run, and `dgm show NAME#ID --calls`: what was asked for one proposal, what came back.

Everything that was said is an agent's or a model's: each line is made harmless, long texts are cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dgm.archive import Archive
from dgm.cli import printing
from dgm.gateway.cache import NAME, Call, CallStore
from dgm.gateway.prices import dollars, from_dollars
from dgm.reporting import text
from dgm.sitting.settings import config_of

MAX_SAID = 2_000
"""Characters of one message that are shown."""


def show(path: Path, agent: int, as_json: bool) -> None:
    """Print the calls of the proposal that made `agent`, its evaluation included. Raises UserError where a run asked
    no model."""
    with Archive.open(path) as archive:
        archive.agent(agent)
    with CallStore(path, write=False) as store:
        found = list(store.of_proposal(agent))
    if as_json:
        printing.say_json([_row(call, body) for call, body in found])
        return
    for call, body in found:
        printing.say(_head(call), style="bold")
        for line in _said(call, body):
            printing.say(line)
    total = sum(call.nano for call, _ in found if call.paid)
    printing.say(f"{len(found)} calls, {dollars(total)}")


def spent(archive: Archive) -> list[str]:
    """`models: gpt-4o-mini; spent $0.0132 of $0.5000, 41,203 tokens`, as one line; none where no model was asked."""
    models = config_of(archive).models
    if not (models.used and (archive.path / NAME).is_file()):
        return []
    with CallStore(archive.path, write=False) as store:
        certain, uncertain = store.spent()
    names = ", ".join(dict.fromkeys(filter(None, (*models.agent, *models.meta, models.judge))))
    bound = "" if models.budget.usd is None else f" of {dollars(from_dollars(models.budget.usd))}"
    perhaps = f", and perhaps {dollars(uncertain.nano)} for calls that broke off" if uncertain.nano else ""
    tokens = f"{certain.tokens:,} tokens"
    return [f"models: {text.printable(names)}; spent {dollars(certain.nano)}{bound}, {tokens}{perhaps}"]


def _head(call: Call) -> str:
    scope = call.key.scope
    what = text.printable(f"{scope.role} {scope.task}".strip())
    tokens = f"{call.prompt_tokens} + {call.completion_tokens} tokens"
    return f"{what}  {text.printable(call.model)}  {call.status}  {tokens}  {dollars(call.nano)}  {call.latency_ms} ms"


def _said(call: Call, body: bytes) -> Iterator[str]:
    for message in _messages(body):
        yield from _lines(str(message.get("role", "")), message)
    for choice in _object(call.reply).get("choices") or ():
        yield from _lines("reply", choice.get("message") or {})


def _lines(role: str, message: dict[str, Any]) -> Iterator[str]:
    """A message line by line, its tool calls after it."""
    said = message.get("content")
    content = said if isinstance(said, str) else json.dumps(said) if said else ""
    for line in content[:MAX_SAID].splitlines():
        yield f"  {role}: {text.printable(line)}"
    if len(content) > MAX_SAID:
        yield f"  {role}: … {len(content) - MAX_SAID} characters more"
    for call in message.get("tool_calls") or ():
        function = call.get("function") or {}
        asked = f"{function.get('name')}({function.get('arguments')})"
        yield f"  {role}: {text.one_line(asked, 500)}"


def _messages(body: bytes) -> list[dict[str, Any]]:
    """The last ones of a request: those since the model last spoke, which are what is new in it."""
    messages: list[dict[str, Any]] = _object(body).get("messages") or []
    spoken = [at for at, message in enumerate(messages) if message.get("role") == "assistant"]
    return messages[spoken[-1] + 1 :] if spoken else messages


def _object(data: bytes) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(data) if data else {}
    return value


def _row(call: Call, body: bytes) -> dict[str, Any]:
    scope = call.key.scope
    return {
        "role": str(scope.role),
        "agent": scope.agent,
        "task": scope.task,
        "model": call.model,
        "status": call.status,
        "sample": call.key.sample,
        "prompt_tokens": call.prompt_tokens,
        "completion_tokens": call.completion_tokens,
        "usd": call.nano / 1e9,
        "latency_ms": call.latency_ms,
        "request": _object(body) or None,
        "reply": _object(call.reply) or None,
    }

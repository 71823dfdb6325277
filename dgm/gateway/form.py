"""The body of a chat completion, as an agent sends it: checked, reduced to what is known, and bounded.

What is not on the lists here is refused, or, within messages, left out: a parameter that makes the provider fetch,
search, store or change its price would be a way around the boundary or the budget. Not checked: what the provider
itself will refuse.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dgm.domain import JSON
from dgm.errors import AgentFailed
from dgm.gateway import Rejected, Usage
from dgm.gateway.shapes import SHAPES, call, called, dicts, text
from dgm.wire import parse

_PARAMETERS = {
    "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "min_p", "n", "stop",
    "seed", "presence_penalty", "frequency_penalty", "repetition_penalty", "logit_bias", "logprobs", "top_logprobs",
    "response_format", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "reasoning_effort",
}  # fmt: skip
_OURS = {"stream", "stream_options", "user"}
_TEXTS = ("role", "name", "tool_call_id", "refusal", "reasoning_content")
"""The keys of a message that are text and nothing else."""
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
MAX_CHOICES = 16
OPENAI = "openai/"
"""Before a model's name it tells litellm, in a sandbox, to ask the gateway and not the model's provider. It may be
there or not: names are compared without it."""
_FRAME_TOKENS, _TOOL_TOKENS = 256, 1024
"""Tokens that a provider's own template adds at most, without and with tools."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked request. `body` goes upstream; the rest is for us."""

    body: Mapping[str, JSON]
    hash: str  #: SHA-256 of the canonical body
    text: bytes  #: the canonical body itself
    bound: Usage  #: no provider can count more tokens than these
    stream: bool
    stream_usage: bool

    @property
    def model(self) -> str:
        return str(self.body["model"])


def read(raw: bytes, models: Sequence[str], max_tokens: int) -> Asked:
    """Check a body. The first of `models` is meant by "default" and by no model; `max_tokens` is the most, and the
    default, for each choice. Raises Rejected."""
    try:
        given = parse(raw)
    except AgentFailed as failure:
        raise Rejected(400, "invalid_json", f"the body is {failure.reason}") from None
    if not isinstance(given, dict):
        raise Rejected(400, "invalid_json", "the body is no JSON object")
    if odd := sorted(given.keys() - _PARAMETERS - _OURS):
        raise Rejected(400, "unsupported_parameter", f"the gateway does not take {', '.join(odd)[:200]}")
    body = {key: value for key, value in given.items() if key in _PARAMETERS and value is not None}
    body["model"] = _model(body.get("model", "default"), models)
    body["messages"] = [_message(message) for message in dicts(body, "messages", least=1)]
    for key, take in SHAPES.items():
        if key in body:
            body[key] = take(body[key], key)
    _bounded(body, max_tokens)
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    options = given.get("stream_options")
    return Asked(
        body,
        hashlib.sha256(canonical).hexdigest(),
        canonical,
        _bound(body),
        given.get("stream") is True,
        isinstance(options, dict) and options.get("include_usage") is True,
    )


def _model(name: JSON, models: Sequence[str]) -> str:
    if name in ("default", f"{OPENAI}default"):
        return models[0]
    for model in models:
        if name in (model, f"{OPENAI}{model}") or model == f"{OPENAI}{name}":
            return model
    raise Rejected(404, "model_not_found", f"there is no model {str(name)[:100]!r} here; there is {models[0]!r}")


def _message(message: Mapping[str, JSON]) -> dict[str, JSON]:
    """A message with its known keys."""
    kept: dict[str, JSON] = {key: text(message[key], key) for key in _TEXTS if message.get(key) is not None}
    if kept.get("role") not in _ROLES:
        raise Rejected(400, "invalid_request", f"a message's role must be one of {', '.join(_ROLES)}")
    if isinstance(content := message.get("content"), list):
        kept["content"] = [_part(part) for part in dicts(message, "content")]
    elif content is not None:
        kept["content"] = text(content, "content")
    if message.get("tool_calls") is not None:
        kept["tool_calls"] = [call(one) for one in dicts(message, "tool_calls")]
    if message.get("function_call") is not None:
        kept["function_call"] = called(message["function_call"], "function_call")
    return kept


def _part(part: Mapping[str, JSON]) -> dict[str, JSON]:
    if part.get("type") != "text" or not isinstance(part.get("text"), str):
        raise Rejected(400, "unsupported_content", "a message's content must be text: no images, sounds or files")
    return {"type": "text", "text": part["text"]}


def _bounded(body: dict[str, JSON], max_tokens: int) -> None:
    """Make sure that the answer has an end: every choice at most `max_tokens`."""
    for key in ("max_tokens", "max_completion_tokens", "n"):
        if key in body and (type(body[key]) is not int or body[key] < 1):
            raise Rejected(400, "invalid_request", f"{key!r} must be a positive integer")
    if body.get("n", 1) > MAX_CHOICES:
        raise Rejected(400, "invalid_request", f"'n' must be at most {MAX_CHOICES}")
    given = [key for key in ("max_tokens", "max_completion_tokens") if key in body]
    for key in given or ["max_tokens"]:
        body[key] = min(body.get(key, max_tokens), max_tokens)


def _bound(body: Mapping[str, JSON]) -> Usage:
    """A tokenizer makes at least a byte into each token; schemas may be laid out anew, so they count twice."""

    def size(*keys: str) -> int:
        return sum(len(json.dumps(body[key], ensure_ascii=False).encode()) for key in keys if key in body)

    tools = size("tools", "functions", "response_format")
    prompt = size("messages") + 2 * tools + _FRAME_TOKENS + (_TOOL_TOKENS if tools else 0)
    most = max(body.get("max_tokens", 0), body.get("max_completion_tokens", 0))
    return Usage(prompt, most * body.get("n", 1))

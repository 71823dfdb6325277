"""The shapes of what a chat completion may ask for, one function for each: it gives back what goes out.

What has another shape does not go out at all. Providers, and what translates for them, make of it what nobody
foresaw: of a key beside a tool's "function" one makes a search of the network, of another a change of price, and of a
number where a list is due an error that looks like ours. JSON schemas are free within; what the model itself makes
of names and descriptions is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from dgm.domain import JSON
from dgm.gateway import Rejected

_FUNCTION = {"name", "description", "parameters", "strict"}
_CALL = {"id", "type", "index", "function", "provider_specific_fields", "extra_content"}
"""Of a tool's call that a model made before: the last two carry what its maker wants to see again, a signature."""
MAX_SCHEMA, MAX_REFERENCES = 20_000, 64
"""Objects and lists of a schema when its references are unfolded, and references within one another."""

_FORMATS = ("text", "json_object", "json_schema")


def dicts(body: Mapping[str, JSON], key: str, least: int = 0) -> Sequence[dict[str, JSON]]:
    items = body.get(key, [])
    if not isinstance(items, list) or len(items) < least or not all(isinstance(item, dict) for item in items):
        raise Rejected(400, "invalid_request", f"{key!r} must be a list of objects")
    return items


def call(given: Mapping[str, JSON]) -> dict[str, JSON]:
    """A call that a model made earlier: its signature stays, and nothing else that could ask for anything."""
    kept = {key: value for key, value in given.items() if key in _CALL and value is not None}
    words = (kept.get("id", ""), kept.get("type", "function"))
    extras = (kept.get("provider_specific_fields", {}), kept.get("extra_content", {}))
    if not all(isinstance(word, str) for word in words) or not all(isinstance(extra, dict) for extra in extras):
        raise _odd("tool_calls")
    return {**kept, "function": called(kept.get("function"), "tool_calls")}


def called(given: JSON, key: str) -> dict[str, JSON]:
    """What was called, and with which arguments."""
    if not isinstance(given, dict):
        raise _odd(key)
    return {part: text(given[part], key) for part in ("name", "arguments") if given.get(part) is not None}


def _odd(key: str) -> Rejected:
    return Rejected(400, "invalid_request", f"{key!r} is not of the form that OpenAI's interface gives it")


def text(given: JSON, key: str) -> str:
    if not isinstance(given, str):
        raise Rejected(400, "invalid_request", f"{key!r} must be text")
    return given


def _number(given: JSON, key: str) -> JSON:
    if type(given) not in (int, float):
        raise Rejected(400, "invalid_request", f"{key!r} must be a number")
    return given


def _whole(given: JSON, key: str) -> JSON:
    if type(given) is not int:
        raise Rejected(400, "invalid_request", f"{key!r} must be an integer")
    return given


def _switch(given: JSON, key: str) -> JSON:
    if type(given) is not bool:
        raise Rejected(400, "invalid_request", f"{key!r} must be true or false")
    return given


def _stop(given: JSON, key: str) -> JSON:
    return [text(one, key) for one in given] if isinstance(given, list) else text(given, key)


def _bias(given: JSON, key: str) -> JSON:
    if not isinstance(given, dict):
        raise _odd(key)
    return {token: _number(bias, key) for token, bias in given.items()}


def _schema(given: JSON, key: str) -> JSON:
    """A JSON schema that stays small when its references are unfolded, as is done for some providers: a few hundred
    bytes can stand for more than any memory holds."""
    named: dict[str, list[JSON]] = {}
    for node in _nodes(given):
        for place in ("$defs", "definitions"):
            for name, meant in (node[place] if isinstance(node.get(place), dict) else {}).items():
                named.setdefault(name, []).append(meant)
    count, ahead = 0, [(given, frozenset[str]())]
    while ahead:
        node, within = ahead.pop()
        count += 1
        if count > MAX_SCHEMA or len(within) > MAX_REFERENCES:
            raise Rejected(400, "invalid_request", f"a schema in {key!r} is too large when its $refs are unfolded")
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            name = node["$ref"].rpartition("/")[2]
            if name not in within:
                ahead += [(meant, within | {name}) for meant in named.get(name, ())]
        ahead += [(child, within) for child in _children(node)]
    return given


def _nodes(value: JSON) -> Iterator[dict[str, JSON]]:
    """All objects in a value."""
    ahead = [value]
    while ahead:
        node = ahead.pop()
        if isinstance(node, dict):
            yield node
        ahead += _children(node)


def _children(node: JSON) -> list[JSON]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [child for child in inner if isinstance(child, (dict, list))]


def _function(given: JSON, key: str) -> dict[str, JSON]:
    """A function that the agent itself runs. Of other keys some providers make searches, or a change of price."""
    if not isinstance(given, dict) or not isinstance(given.get("parameters", {}) or {}, dict):
        raise _odd(key)
    kept = {part: value for part, value in given.items() if part in _FUNCTION and value is not None}
    text(kept.get("description", ""), key)
    _schema(kept.get("parameters", {}), key)
    return {**kept, "name": text(kept.get("name"), key)}


def _tools(given: JSON, key: str) -> JSON:
    tools = dicts({key: given}, key)
    if any(tool.get("type") != "function" for tool in tools):
        raise Rejected(400, "unsupported_tool", "only tools of the type function can be offered")
    return [{"type": "function", "function": _function(tool.get("function"), key)} for tool in tools]


def _functions(given: JSON, key: str) -> JSON:
    return [_function(function, key) for function in dicts({key: given}, key)]


def _choice(given: JSON, key: str) -> JSON:
    """Of a tool or function: by a word or by its name."""
    if isinstance(given, str):
        return given
    if isinstance(given, dict) and given.get("type") == "function" and isinstance(given.get("function"), dict):
        return {"type": "function", "function": {"name": text(given["function"].get("name"), key)}}
    if key == "function_call" and isinstance(given, dict):
        return {"name": text(given.get("name"), key)}
    raise _odd(key)


def _format(given: JSON, key: str) -> JSON:
    kind = given.get("type") if isinstance(given, dict) else None
    if kind not in _FORMATS:
        raise _odd(key)
    if kind != "json_schema":
        return {"type": kind}
    told = given.get("json_schema")
    if not isinstance(told, dict) or not isinstance(told.get("schema", {}), dict):
        raise _odd(key)
    _schema(told.get("schema", {}), key)
    kept = {part: told[part] for part in ("description", "schema", "strict") if told.get(part) is not None}
    return {"type": kind, "json_schema": {**kept, "name": text(told.get("name"), key)}}


SHAPES: Mapping[str, Callable[[JSON, str], JSON]] = {
    **dict.fromkeys(
        ("temperature", "top_p", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty"), _number
    ),
    **dict.fromkeys(("top_k", "seed", "top_logprobs"), _whole),
    **dict.fromkeys(("logprobs", "parallel_tool_calls"), _switch),
    **dict.fromkeys(("tool_choice", "function_call"), _choice),
    "stop": _stop, "logit_bias": _bias, "response_format": _format, "tools": _tools, "functions": _functions,
    "reasoning_effort": text,
}  # fmt: skip
"""How each parameter must look, but for those that `form` bounds."""

"""What the gateway takes from an agent, and that its bound holds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgm.gateway import Rejected
from dgm.gateway.form import read

MODELS = ("m", "other")


def body(**parameters):
    return json.dumps({"messages": [{"role": "user", "content": "hi"}], **parameters}).encode()


def refusal(raw: bytes) -> tuple[int, str]:
    with pytest.raises(Rejected) as caught:
        read(raw, MODELS, 100)
    return caught.value.status, caught.value.code


def test_no_model_or_default_means_the_first_one():
    assert read(body(), MODELS, 100).model == "m"
    assert read(body(model="default"), MODELS, 100).model == "m"
    assert read(body(model="other"), MODELS, 100).model == "other"


def test_a_model_that_was_not_configured_cannot_be_asked():
    assert refusal(body(model="expensive")) == (404, "model_not_found")


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff", b"[]", b'{"a": 1, "a": 2}', b'{"temperature": NaN}', b"[" * 100_000],
    ids=["empty", "not UTF-8", "a list", "twice", "NaN", "nested"],
)
def test_a_body_that_is_no_json_object_is_the_agents_fault(raw):
    assert refusal(raw) == (400, "invalid_json")


@pytest.mark.parametrize(
    "parameter",
    [{"web_search_options": {}}, {"store": True}, {"service_tier": "priority"}, {"api_base": "http://evil"},
     {"api_key": "x"}, {"extra_headers": {}}, {"modalities": ["audio"]}],
)  # fmt: skip
def test_what_would_reach_the_network_or_change_the_price_is_not_passed_on(parameter):
    assert refusal(body(**parameter)) == (400, "unsupported_parameter")


def test_a_tool_that_the_provider_runs_itself_is_refused():
    assert refusal(body(tools=[{"type": "web_search"}])) == (400, "unsupported_tool")
    assert refusal(body(tools=[{"type": "mcp", "server_url": "http://evil"}])) == (400, "unsupported_tool")


@pytest.mark.parametrize("extra", ["googleSearch", "urlContext", "code_execution", "cache_control", "url_context"])
def test_nothing_beside_a_function_makes_its_provider_search_fetch_or_run(extra):
    """Under some of these names litellm asks Google to search the network or to fetch what the prompt names."""
    function = {"name": "f", "parameters": {"type": "object"}}
    told = read(body(tools=[{"type": "function", "function": function, extra: {}}]), MODELS, 9).body["tools"]
    assert told == [{"type": "function", "function": function}]
    assert read(body(functions=[{**function, extra: {}}]), MODELS, 9).body["functions"] == [function]
    for tool in ({"type": "function", extra: {}}, {extra: {}}):
        assert refusal(body(tools=[tool]))[0] == 400
        assert refusal(body(functions=[tool]))[0] == 400


USUAL = {
    "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {}, "strict": True}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "functions": [{"name": "f"}],
    "function_call": {"name": "f"},
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
    "stop": ["a", "b"],
    "logit_bias": {"17": -100},
    "parallel_tool_calls": False,
    "logprobs": True,
    "top_logprobs": 3,
    "seed": 1,
    "temperature": 0.5,
    "reasoning_effort": "low",
}


@pytest.mark.parametrize("name", USUAL)
def test_a_parameter_goes_out_as_it_is_usually_given_and_in_no_other_shape(name):
    assert read(body(**{name: USUAL[name]}), MODELS, 9).body[name] == USUAL[name]
    for odd in (5.5, "\x1b[31m", True, [5], [[]], {"type": "x"}, {"a": 1}):
        try:
            gone = read(body(**{name: odd}), MODELS, 9).body[name]
        except Rejected as rejected:
            assert rejected.status == 400
        else:
            assert gone == odd and type(odd) in (type(USUAL[name]), str), "another value of the same type"


@pytest.mark.parametrize("calls", [5, True, [5], [{}], [{"function": 5}], [{"id": 5, "function": {}}], "x", {"a": 1}])
def test_an_earlier_call_of_another_shape_is_refused_before_anything_trips_over_it(calls):
    message = {"role": "assistant", "tool_calls": calls}
    assert refusal(body(messages=[message])) == (400, "invalid_request")


def test_an_earlier_call_goes_out_with_its_signature_and_without_what_asks_for_more():
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    signed = {**call, "provider_specific_fields": {"thought_signature": "s"}}
    message = {"role": "assistant", "tool_calls": [{**signed, "cache_control": {"type": "ephemeral"}}]}
    assert read(body(messages=[message]), MODELS, 9).body["messages"] == [{**message, "tool_calls": [signed]}]


def test_a_schema_that_fills_the_memory_when_it_is_unfolded_is_refused():
    def schema(levels):
        two = lambda level: {"a": {"$ref": f"#/$defs/d{level}"}, "b": {"$ref": f"#/$defs/d{level}"}}  # noqa: E731
        named = {f"d{level}": {"type": "object", "properties": two(level + 1)} for level in range(levels)}
        return {"type": "object", "properties": two(0), "$defs": named}

    tool = {"type": "function", "function": {"name": "f", "parameters": schema(5)}}
    assert read(body(tools=[tool]), MODELS, 9).body["tools"] == [tool]
    told = {"name": "n", "schema": schema(40)}
    assert refusal(body(response_format={"type": "json_schema", "json_schema": told}))[0] == 400
    tool["function"]["parameters"] = schema(40)
    assert refusal(body(tools=[tool]))[0] == 400
    chain = {f"d{level}": {"$ref": f"#/$defs/d{level + 1}"} for level in range(20_000)}
    assert refusal(body(functions=[{"name": "f", "parameters": {"$defs": chain, "$ref": "#/$defs/d0"}}]))[0] == 400
    around = {"$defs": {"d": {"items": {"$ref": "#/$defs/d"}}}, "$ref": "#/$defs/d"}
    assert read(body(functions=[{"name": "f", "parameters": around}]), MODELS, 9).body["functions"]


def test_an_image_that_the_provider_would_fetch_is_refused():
    part = {"type": "image_url", "image_url": {"url": "http://evil/?secret"}}
    assert refusal(body(messages=[{"role": "user", "content": [part]}])) == (400, "unsupported_content")


def test_messages_lose_what_is_not_known():
    message = {"role": "assistant", "content": None, "audio": {"id": "x"}, "cache_control": {"type": "ephemeral"}}
    other = {"role": "user", "content": [{"type": "text", "text": "a", "x": 1}]}
    asked = read(body(messages=[message, other]), MODELS, 9)
    assert asked.body["messages"] == [
        {"role": "assistant"},
        {"role": "user", "content": [{"type": "text", "text": "a"}]},
    ]


def test_an_answer_always_has_an_end():
    assert read(body(), MODELS, 100).body["max_tokens"] == 100
    assert read(body(max_tokens=7), MODELS, 100).body["max_tokens"] == 7
    assert read(body(max_tokens=10**9), MODELS, 100).body["max_tokens"] == 100
    asked = read(body(max_completion_tokens=5000), MODELS, 100)
    assert asked.body["max_completion_tokens"] == 100
    assert "max_tokens" not in asked.body
    assert refusal(body(max_tokens=0)) == (400, "invalid_request")
    assert refusal(body(max_tokens=True)) == (400, "invalid_request")


def test_every_choice_counts_towards_the_bound():
    assert read(body(n=3, max_tokens=10), MODELS, 100).bound.completion == 30
    assert refusal(body(n=1000)) == (400, "invalid_request")


def test_streaming_and_order_of_keys_do_not_change_the_hash():
    one = read(body(temperature=0.5, top_p=1, stream=True, user="a"), MODELS, 100)
    two = read(body(top_p=1, temperature=0.5), MODELS, 100)
    assert one.hash == two.hash
    assert (one.stream, two.stream) == (True, False)
    assert one.hash != read(body(top_p=1, temperature=0.6), MODELS, 100).hash


@given(st.lists(st.text(max_size=40), min_size=1, max_size=5))
def test_the_bound_is_at_least_a_token_for_each_byte_and_some_for_each_message(texts):
    raw = body(messages=[{"role": "user", "content": text} for text in texts])
    assert read(raw, MODELS, 10).bound.prompt >= sum(len(t.encode(errors="replace")) + 8 for t in texts)

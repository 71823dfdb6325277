"""What every upstream must do, over real HTTP. One contract class; litellm is slow to import and so marked slow."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from dgm.gateway import Completion, Denied, Fault, Rejected, Upstream, Usage
from dgm.gateway.hosted import LitellmUpstream
from dgm.gateway.http import HttpUpstream
from dgm.gateway.process import ProcessUpstream
from dgm.testing import Flaw, ScriptedModels
from dgm.testing.models import EVERY_FLAW

KEY = "sk-sentinel-2718281828"


def http(server: ScriptedModels) -> tuple[Upstream, str]:
    return HttpUpstream(server.url, KEY, seconds=3), "m"


def litellm(server: ScriptedModels) -> tuple[Upstream, str]:
    return ProcessUpstream(partial(LitellmUpstream, server.url, KEY, seconds=3)), "openai/m"


@pytest.fixture
def server() -> Iterator[ScriptedModels]:
    with ScriptedModels(lambda request: f"you said {request['messages'][-1]['content']}") as server:
        yield server


@pytest.fixture(params=[pytest.param(http, id="http"), pytest.param(litellm, id="litellm", marks=pytest.mark.slow)])
def asked(request, server):
    """Asks the upstream once."""
    upstream, model = request.param(server)

    def ask(text: str = "hi", **parameters: object) -> Completion:
        body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 50, **parameters}
        return upstream.complete(body)

    yield ask
    upstream.close()


class TestContract:
    def test_an_answer_comes_with_its_usage(self, asked, server):
        made = asked("hello there")
        assert made.body["choices"][0]["message"]["content"] == "you said hello there"
        assert made.usage == Usage(2, 4)
        assert server.count.authorizations == {f"Bearer {KEY}"}

    def test_tools_are_passed_on_and_called(self, asked, server):
        call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1}'}}
        server.script = lambda request: {"content": None, "tool_calls": [call]} if request["tools"] else "no tools"
        tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}
        message = asked(tools=[tool]).body["choices"][0]["message"]
        assert message["tool_calls"][0]["function"] == call["function"]

    @pytest.mark.parametrize("flaw", EVERY_FLAW, ids=lambda flaw: str(flaw.kind))
    def test_each_of_the_providers_failures_is_a_fault_after_one_try(self, asked, server, flaw):
        server.faults = lambda call, request: flaw
        with pytest.raises(Fault) as caught:
            asked()
        assert server.count.calls == 1
        if flaw.retry_after is not None:
            assert caught.value.retry_after == float(flaw.retry_after)
        if flaw.kind in (429, 503):
            assert not caught.value.suspect
        if flaw.kind in ("truncate", "malformed"):
            assert caught.value.billed

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_a_key_or_a_model_that_is_refused_is_for_a_person(self, asked, server, status):
        server.faults = lambda call, request: Flaw(status, body=json.dumps({"error": {"message": f"not {KEY}"}}))
        with pytest.raises(Denied) as caught:
            asked()
        assert KEY not in str(caught.value)

    def test_a_bad_request_is_the_agents(self, asked, server):
        server.faults = lambda call, request: Flaw(400, body='{"error": {"message": "bad tool", "code": "bad_tool"}}')
        with pytest.raises(Rejected) as caught:
            asked()
        assert caught.value.status == 400

    def test_a_full_context_is_told_as_such(self, asked, server):
        body = '{"error": {"message": "maximum context length is 10 tokens", "code": "context_length_exceeded"}}'
        server.faults = lambda call, request: Flaw(400, body=body)
        with pytest.raises(Rejected) as caught:
            asked()
        assert (caught.value.status, caught.value.code) == (400, "context_length_exceeded")

    def test_nobody_there_is_a_fault_that_was_not_charged(self, asked, server):
        server.close()
        with pytest.raises(Fault):
            asked()

    def test_a_text_that_was_cut_within_a_character_comes_escaped(self, asked, server):
        server.script = lambda request: "half of one: \ud83d"
        assert asked().body["choices"][0]["message"]["content"] == "half of one: \\ud83d"

    def test_a_provider_that_repeats_the_key_is_not_believed_in(self, asked, server):
        server.script = lambda request: f"your key is {KEY}"
        assert asked().body["choices"][0]["message"]["content"] == "your key is [key]"


@pytest.mark.slow
def test_what_litellm_trips_over_is_a_fault_of_one_request(server):
    """It counts the calls of a message before its own errors are told apart from others."""
    with closing(LitellmUpstream(server.url, KEY)) as upstream, pytest.raises(Fault) as caught:
        upstream.complete({"model": "openai/m", "messages": [{"role": "assistant", "tool_calls": 5}]})
    assert caught.value.suspect


class TestHttp:
    @pytest.mark.parametrize("url", ["ftp://x", "no-scheme", "http://x:y"])
    def test_an_address_that_is_none_is_for_a_person(self, url):
        with pytest.raises(Denied), closing(HttpUpstream(url)) as upstream:
            upstream.complete({})

    def test_an_address_with_a_password_is_refused_without_repeating_it(self):
        with pytest.raises(Denied, match="OPENAI_API_KEY") as caught:
            HttpUpstream("http://ada:sentinel@127.0.0.1:9/v1")
        assert "sentinel" not in str(caught.value)

    def test_without_a_key_nothing_is_sent(self, server):
        with closing(HttpUpstream(server.url)) as upstream:
            upstream.complete({"messages": [{"content": "x"}]})
        assert server.count.authorizations == {""}

    def test_a_key_that_is_a_stand_in_spoils_no_answer(self, server):
        with closing(HttpUpstream(server.url, "k")) as upstream:
            assert upstream.complete({"messages": [{"content": "x"}]}).usage == Usage(1, 3)

    def test_an_answer_without_end_is_a_fault(self, server, monkeypatch):
        monkeypatch.setattr("dgm.gateway.http.MAX_ANSWER", 1000)
        server.script = lambda request: "x" * 2000
        with pytest.raises(Fault, match="more than"), closing(HttpUpstream(server.url)) as upstream:
            upstream.complete({"messages": [{"content": "x"}]})


def test_importing_the_gateway_imports_no_client():
    import subprocess
    import sys

    code = (
        "import sys, dgm.evaluation.session, dgm.gateway.service;"
        "print([m for m in ('httpx', 'litellm') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    assert out.stdout.strip() == "[]"


@pytest.mark.slow
@pytest.mark.parametrize("key", [None, ""])
def test_a_provider_without_a_key_is_refused_before_the_run(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("OPENAI_API_KEY", key)
    refused = pytest.raises(Denied, match="needs OPENAI_API_KEY in the environment")
    with ProcessUpstream(LitellmUpstream) as upstream, refused:
        upstream.check("gpt-4o-mini")


def test_a_script_that_fails_ends_the_call_with_its_reason() -> None:
    def unsure(request: Mapping[str, Any]) -> str:
        raise LookupError("two tasks look alike")

    with ScriptedModels(unsure) as server, closing(HttpUpstream(server.url, KEY)) as upstream:
        with pytest.raises(Denied, match="two tasks look alike"):
            upstream.complete({"model": "m", "messages": []})
        assert server.count.answered == 0

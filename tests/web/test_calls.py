"""The model calls of an agent, from a real record: what a gateway answered is what the page shows, and what it cost."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dgm.errors import UserError
from dgm.gateway import Role
from dgm.gateway.cache import NAME
from dgm.testing import Flaw, ScriptedModels
from dgm.web.app import Pages
from dgm.web.shelf import Shelf
from tests.archive.world import create
from tests.gateway.worlds import PRICE, ask, chat, gateway, visit
from tests.web.browser import Open, go, served

EVIL = "<script>alert(1)</script>\x1b[31m"
TOOL = {"id": "c1", "type": "function", "function": {"name": "run_shell", "arguments": '{"command": "ls"}'}}


def script(request: Mapping[str, Any]) -> str | Mapping[str, Any]:
    """Repeats what was said; asks for a tool where that was the word."""
    said = request["messages"][-1]["content"]
    if said == "use a tool":
        return {"role": "assistant", "content": None, "tool_calls": [TOOL]}
    return f"you said {said}"


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """An archive of agents 0 to 2 beside a record of calls: five for agent 1, of which one was rejected by the provider
    and one answered by the cache, and one for agent 2."""
    path = tmp_path / "run"
    create(path, children=2).close()
    flaw = Flaw(400, body='{"error": {"message": "no such idea", "type": "invalid_request_error", "code": "idea"}}')
    with (
        ScriptedModels(script, price=PRICE, faults=lambda call, _: flaw if call == 3 else None) as server,
        gateway(server, path, rules={"cache": True}) as made,
    ):
        ask(made, "hello", visit(made, "grading/val/q1"))
        ask(made, "use a tool", visit(made, "", role=Role.META))
        ask(made, EVIL, visit(made, "grading/val/q2"))
        assert ask(made, "an idea", visit(made, "grading/val/q3")).status == 400
        ask(made, "hello", visit(made, "grading/val/q4"))
        ask(made, "of another", visit(made, "grading/val/q1", proposal=2))
        assert server.count.answered == 4
    yield path


@pytest.fixture
def pages(path: Path) -> Pages:
    return Pages(Shelf(path.parent))


def test_an_agents_calls_are_those_that_were_made_for_it(pages: Pages) -> None:
    told = pages.calls({"archive": "run", "agent": "1"})
    calls = told["calls"]
    assert [(call["role"], call["task"], call["status"]) for call in calls] == [
        ("agent", "grading/val/q1", "ok"),
        ("meta", "", "ok"),
        ("agent", "grading/val/q2", "ok"),
        ("agent", "grading/val/q3", "rejected"),
        ("agent", "grading/val/q4", "cached"),
    ]
    assert told["total"] == 5
    assert [call["task"] for call in pages.calls({"archive": "run", "agent": "2"})["calls"]] == ["grading/val/q1"]
    assert pages.calls({"archive": "run", "agent": "0"}) == {"calls": [], "total": 0}


def test_what_was_said_is_there_word_for_word(pages: Pages) -> None:
    first, tool, evil, no, again = (call["id"] for call in pages.calls({"archive": "run", "agent": "1"})["calls"])
    place = {"archive": "run", "agent": "1"}
    asked = pages.calls({**place, "call": str(first)})
    assert asked["request"]["messages"] == json.loads(chat("hello"))["messages"]
    assert asked["reply"]["choices"][0]["message"]["content"] == "you said hello"
    assert pages.calls({**place, "call": str(tool)})["reply"]["choices"][0]["message"]["tool_calls"] == [TOOL]
    assert pages.calls({**place, "call": str(evil)})["request"]["messages"][-1]["content"] == EVIL
    assert pages.calls({**place, "call": str(no)})["reply"]["error"]["message"] == "no such idea"
    assert pages.calls({**place, "call": str(again)}) == asked
    with pytest.raises(UserError):  # of another agent
        pages.calls({"archive": "run", "agent": "2", "call": str(first)})


def test_costs_are_those_of_the_record_and_what_came_from_the_cache_is_free(pages: Pages) -> None:
    calls = pages.calls({"archive": "run", "agent": "1"})["calls"]
    assert [call["usd"] > 0 for call in calls] == [True, True, True, False, False]
    cost = pages.agent({"archive": "run", "agent": "1"})["cost"]
    assert cost["usd"] == pytest.approx(sum(call["usd"] for call in calls), abs=1e-6)
    assert cost["calls"] == len(calls)
    assert "m" in cost["models"]
    whole = pages.overview({"archive": "run"})["cost"]
    other = pages.agent({"archive": "run", "agent": "2"})["cost"]
    assert whole["usd"] == pytest.approx(cost["usd"] + other["usd"], abs=1e-6)
    assert pages.tree({"archive": "run"})["models"][2] == ("m",)


def test_a_damaged_record_is_said(pages: Pages, path: Path) -> None:
    pages.calls({"archive": "run", "agent": "1"})
    (path / NAME).write_bytes(b"no database" * 1_000)
    with pytest.raises(UserError, match=r"calls\.db cannot be read"):
        pages.calls({"archive": "run", "agent": "1"})


SPOILT = {
    "an infinite sum": "prompt_tokens = 9e999",
    "bytes for a name": "model = x'00ff'",
    "words for a number": "latency_ms = 'soon'",
    "a reply that is none": "reply = x'6e6f'",
    "a reply of words": "reply = 'you said hello'",
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_record_that_somebody_spoilt_is_said(pages: Pages, path: Path, how: str) -> None:
    """Numbers that are none would be no JSON either: the page could not read its answer."""
    place = {"archive": "run", "agent": "1"}
    with closing(sqlite3.connect(path / NAME)) as connection, connection:
        connection.execute(f"UPDATE calls SET {SPOILT[how]}")
    with pytest.raises(UserError, match=r"calls\.db cannot be read"):
        pages.calls(place)
        pages.calls({**place, "call": "1"})


def test_a_reply_that_unfolds_without_end_is_cut(pages: Pages, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dgm.archive.foreign.MAX_CELL", 100_000)
    with closing(sqlite3.connect(path / NAME)) as connection, connection:
        connection.execute("UPDATE calls SET reply = ?", (zlib.compress(b"x" * 10_000_000),))
    assert len(pages.calls({"archive": "run", "agent": "1", "call": "1"})["reply"]) < 200_000


@pytest.mark.slow
@pytest.mark.needs("chromium")
def test_the_page_shows_what_was_asked_and_answered(open_page: Open, path: Path) -> None:
    with served(path) as address:
        page = open_page(f"{address}#/run/run/agent/1")
        page.click("text=Model calls")
        page.wait_for_selector(".talk details")
        go(page, f"{address}#/run/run/agent/1?tab=calls")
        for name, words in (("q1", "you said hello"), ("meta", "run_shell"), ("q2", "you said <script>alert(1)")):
            row = page.locator(f".talk details:has(> summary:has-text('{name}'))").first
            row.locator("summary").first.click()
            page.wait_for_selector(f".talk .body >> text={words}")
        assert "\u241b[31m" in page.inner_text(".talk")
        assert page.query_selector("main script") is None
        assert page.query_selector(".problem") is None

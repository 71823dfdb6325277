"""Runs with a language model from the command line: started, priced before, looked at, replayed, and refused."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dgm.testing import ScriptedModels
from tests.cli.worlds import Done, snapshot, world

Call = Callable[..., Done]
ASKING = """\
import json
import os
import urllib.request


class TaskAgent:
    def __init__(self, model, chat_history_file):
        self.model = model

    def forward(self, inputs):
        body = {"model": self.model, "messages": [{"role": "user", "content": f"is {inputs['number']} even or odd?"}]}
        headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"}
        url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        return json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"], []
"""
COMMON = ("--domain", "parity", "--agent", "a", "--meta", "m", "--sandbox", "local", "--sessions", "1")
KEY = "sk-sentinel-of-a-test"


def parity(request: Mapping[str, Any]) -> str:
    words = request["messages"][-1]["content"].split()
    return "pong" if words == ["ping"] else "odd" if int(words[1]) % 2 else "even\x1b[31m"


@pytest.fixture
def asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A world whose task agent asks a model; its meta agent is a program."""
    where = world(tmp_path)
    (where / "a" / "task_agent.py").write_text(ASKING)
    seed = where / "a" / "seed.toml"
    seed.write_text(seed.read_text() + "model = true\n")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return where


@pytest.fixture
def server() -> Iterator[ScriptedModels]:
    with ScriptedModels(parity, price=(1_000_000_000, 2_000_000_000)) as made:
        yield made


def test_a_run_with_a_model_is_started_shown_and_replayed(asking: Path, call: Call, server: ScriptedModels) -> None:
    options = ("--model", "m", "--model-url", server.url, "--price", "m=1/2", "--budget-usd", "0.5")
    done = call(asking, "run", "one", *COMMON, *options, "--proposals", "1")
    assert done.code == 0, done.err
    assert server.count.authorizations == {f"Bearer {KEY}"}
    shown = call(asking, "show", "one#0", "--calls")
    assert shown.code == 0, shown.err
    assert "agent parity/train/n0" in shown.out and "is 0 even or odd?" in shown.out and "24 calls" in shown.out
    assert "\x1b[31m" not in shown.out, "what a model says does not colour a terminal"
    rows = json.loads(call(asking, "show", "one#0", "--calls", "--json").out)
    assert rows[0]["request"]["messages"] and rows[0]["reply"]["choices"]
    spent = sum(
        r["usd"]
        for number in (0, 1)
        for r in json.loads(call(asking, "show", f"one#{number}", "--calls", "--json").out)
    )
    assert spent == pytest.approx(server.count.nano / 1e9)
    bill = f"models: m; spent ${spent:.4f} of $0.5000, {server.count.prompt_tokens + server.count.completion_tokens:,}"
    assert bill in done.out and bill in call(asking, "show", "one").out
    server.close()
    again = call(asking, "run", "two", "--replay", "one", "--json")
    assert again.code == 0, again.err
    trees = [
        [(a["id"], a["tree"]) for a in json.loads(call(asking, "show", name, "--json").out)["agents"]]
        for name in ("one", "two")
    ]
    assert trees[0] == trees[1]
    written = [path.read_bytes() for path in (asking / "archive").rglob("*") if path.is_file()]
    assert not any(KEY.encode() in data for data in written)


def test_an_agent_measured_again_asks_its_model_anew_each_time(asking: Path, call: Call) -> None:
    rng = random.Random(1)
    with ScriptedModels(lambda request: rng.choice(["even", "odd"])) as guessing:
        options = ("--model", "m", "--model-url", guessing.url, "--price", "m=1/2", "--cache", "--budget-usd", "0.5")
        assert call(asking, "run", "one", *COMMON, *options, "--proposals", "0").code == 0
        before, asked = snapshot(asking / "archive"), guessing.count.calls
        done = call(asking, "eval", "one#0", "--repeat", "3", "--json")
        assert done.code == 0, done.err
        noise = json.loads(done.out)["domains"]["parity"]
        assert guessing.count.calls - asked == 3 * 12, "no answer is taken from a record"
        assert noise["sd"] > 0 and noise["changing"] > 0.5
        assert snapshot(asking / "archive") == before


def test_a_repetition_that_the_budget_does_not_allow_is_refused(asking: Path, call: Call) -> None:
    with ScriptedModels(parity, price=(1_000_000_000, 2_000_000_000)) as server:
        options = ("--model", "m", "--model-url", server.url, "--price", "m=1/2", "--budget-usd", "0.5")
        assert call(asking, "run", "one", *COMMON, *options, "--proposals", "0").code == 0
        done = call(asking, "eval", "one#0", "--repeat", "500")
        assert done.code == 2 and "measure fewer tasks, or less often" in done.err


def test_the_estimate_asks_nobody_and_writes_nothing(asking: Path, call: Call, server: ScriptedModels) -> None:
    options = ("--model", "m", "--model-url", server.url, "--price", "m=1/2", "--proposals", "3", "--estimate")
    done = call(asking, "run", "one", *COMMON, *options)
    assert done.code == 0, done.err
    assert "expected" in done.out and "give --budget-usd" in done.out
    told = json.loads(call(asking, "run", "one", *COMMON, *options, "--budget-usd", "2", "--json").out)
    assert told["worst_usd"] == 2.0 and told["expected_usd"] > 0
    assert told["expected_usd"] == pytest.approx(sum(row["usd"] for row in told["work"]))
    short = call(asking, "run", "one", *COMMON, *options, "--budget-usd", str(told["expected_usd"] / 4))
    assert "the budget would end the run after 25% of this work" in short.out
    work = {row["work"]: row for row in told["work"]}
    assert work["parity: root and children"]["calls"] == 4 * 12
    assert server.count.calls == 0 and not (asking / "archive").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--model", "unheard-of"), "--price unheard-of=IN/OUT or --price unknown=0"),
        (("--model", "m", "--price", "m=cheap"), "--price"),
        (("--model", "m=0", "--price", "unknown=0"), "--model"),
        (("--meta-model", "m", "--price", "unknown=0"), "--model"),
        (("--model", "m", "--price", "unknown=0", "--budget-usd", "-1"), "--budget-usd"),
        (("--model", "m", "--price", "unknown=0", "--model-url", "ftp://x"), "http://"),
        (("--model", "m", "--price", "unknown=0", "--model-draw", "dice"), "--model-draw"),
        ((), "--model"),
        (("--replay", "nowhere"), "nowhere"),
        (("--workers", "none"), "--workers"),
    ],
)
def test_a_wrong_option_is_named_and_leaves_nothing(
    asking: Path, call: Call, options: tuple[str, ...], says: str
) -> None:
    common = () if "--replay" in options else COMMON
    done = call(asking, "run", "one", *common, *options)
    assert done.code == 2
    assert says in done.err and len(done.err.splitlines()) == 1
    assert not (asking / "archive" / "one").exists() and not list(asking.glob("archive/.*"))


def test_a_run_that_asked_nobody_has_no_calls_to_show(finished: Path, call: Call) -> None:
    done = call(finished, "show", "one#0", "--calls")
    assert done.code == 2 and "no record of model calls" in done.err


def test_halves_that_ask_are_taken_where_a_model_is_named_and_no_half() -> None:
    from dgm.cli.options import resolve

    named = resolve(None, {"--model": ["m"]})
    assert (named.origin.agent, named.origin.meta) == ("llm", "llm")
    mixed = resolve(None, {"--model": ["m"], "--meta": "mutation"})
    assert (mixed.origin.agent, mixed.origin.meta) == ("llm", "mutation")
    assert resolve(None, {}).origin.agent == "rules"

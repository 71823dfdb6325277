"""The whole loop with halves that ask a language model: faults, budgets, replay, and who bears what."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dgm import loop
from dgm.archive import Archive
from dgm.config import Models, RunConfig, Spending
from dgm.errors import UserError
from dgm.gateway import NANO
from dgm.gateway.cache import CallStore
from dgm.sitting import start
from dgm.sitting.run import Run
from dgm.testing import Flaw, ScriptedModels, Storm

from .conftest import AGENT, World, doing

PRICE = (150_000_000, 600_000_000)
SEED = 'name = "asking"\nprotocol = 1\ndescription = "For a test."\nentry = "{entry}"\nmodel = true\n'
ASK = """
import json, os, urllib.request
def ask(text, **more):
    body = json.dumps({"messages": [{"role": "user", "content": text}], "max_tokens": 20, **more}).encode()
    headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"}
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, headers)
    return json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"]
"""
SOLVE = "return ask(f\"is {inputs['x']} above {THRESHOLD}?\"), []"
IMPROVE = """
place = Path(repo_path, "agent/threshold.txt")
place.write_text(ask(f"now {place.read_text()}; {iterations_left} left"))
return "asked for a better threshold"
"""


def answers(request: Mapping[str, Any]) -> str:
    """Plays a model that compares numbers, and that moves a threshold by ten."""
    words = request["messages"][-1]["content"].rstrip("?").replace(";", "").split()
    if words == ["ping"]:  # the gateway looks whether anybody is there
        return "pong"
    if words[0] == "now":
        return str(int(words[1]) + 10)
    return "above" if int(words[1]) > int(words[3]) else "below"


@pytest.fixture
def asking(world: World) -> Callable[..., RunConfig]:
    """A configuration whose halves both ask."""
    agent = doing("TaskAgent", "inputs", SOLVE).replace("class ", f"{ASK}\n{AGENT.split('class')[0]}\nclass ", 1)
    meta = doing("MetaAgent", "repo_path, eval_path, iterations_left", IMPROVE).replace("class ", f"{ASK}\nclass ", 1)
    sources = {"agent": world.agent(agent), "meta": world.meta(meta)}
    for folder, entry in zip(sources.values(), ("task_agent.py:TaskAgent", "meta_agent.py:MetaAgent"), strict=True):
        Path(folder, "seed.toml").write_text(SEED.format(entry=entry))

    def config(server: ScriptedModels | str, sandbox: str = "local", **search: Any) -> RunConfig:
        url = server if isinstance(server, str) else server.url
        models = Models(agent=("m",), url=url, prices=("m=0.15/0.60",))
        made = world.config(sources["agent"], sources["meta"], sandbox, **search)
        return made.model_copy(update={"models": models})

    return config


@contextmanager
def opened(config: RunConfig, path: Path, said: list[str] | None = None) -> Iterator[Run]:
    with start.create(path, config, (said if said is not None else []).append) as run:
        yield run


def evolved(config: RunConfig, path: Path) -> list[Any]:
    """What there is to say of a whole run, but for times."""
    with opened(config, path) as run:
        assert loop.evolve(run, lambda _: None) == "proposals"
        loop.test(run)
        return story(run.archive)


def story(archive: Archive) -> list[Any]:
    verdicts = [(v.task, v.score, v.status) for a in archive.agents() for v in archive.verdicts(a.id)]
    return [[(a.id, a.parent, a.tree, a.admission, a.author) for a in archive.agents()], archive.all_scores(), verdicts]


def with_budget(config: RunConfig, **limits: float) -> RunConfig:
    return config.model_copy(update={"models": config.models.model_copy(update={"budget": Spending(**limits)})})


def test_a_run_that_asks_gets_better_and_its_calls_are_on_record(asking, tmp_path: Path, backend: str) -> None:
    with ScriptedModels(answers, price=PRICE) as server:
        with opened(asking(server, backend, selector="latest"), tmp_path / "run") as run:
            loop.evolve(run, lambda _: None)
            scores = {a: s.mean for a, s in run.archive.all_scores() if s.split == "val"}
            assert scores[4] > scores[0]
            assert {a.author for a in run.archive.agents()} == {"", "m"}
        with CallStore(tmp_path / "run", write=False) as store:
            certain, uncertain = store.spent()
            calls = [call for _, call in store.since(0)]
    assert certain.nano == server.count.nano and uncertain.nano == 0
    assert {(c.key.scope.role, c.key.scope.proposal) for c in calls} >= {("agent", 0), ("meta", 1), ("agent", 4)}
    assert sum(c.key.scope.role == "meta" for c in calls) == 4
    assert not list(tmp_path.glob(".*")), "the record of calls has moved into the archive"


@pytest.mark.slow
def test_a_storm_changes_nothing_but_the_time(asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dgm.gateway.opening.PATIENCE", quick())
    config = lambda server: asking(server, proposals=2)  # noqa: E731
    with ScriptedModels(answers, price=PRICE) as calm:
        expected = evolved(config(calm), tmp_path / "calm")
    storm = Storm(seed=7, share=0.3, outages=((60, 25), (140, 25)))
    with ScriptedModels(answers, price=PRICE, faults=storm, hang_seconds=0.05) as server:
        assert evolved(config(server), tmp_path / "storm") == expected
        with CallStore(tmp_path / "storm", write=False) as store:
            certain, uncertain = store.spent()
            assert certain.nano == server.count.nano, "to the last nano-dollar what the server has charged"
            assert uncertain.nano > 0, "what may have been charged for lost answers is held against the budget"
            answered = [call for _, call in store.since(0) if call.status in ("ok", "probe") and call.paid]
            assert sum(call.nano for call in answered) == certain.nano


def test_an_outage_pauses_the_run_and_says_so(asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dgm.gateway.opening.PATIENCE", quick())
    said: list[str] = []
    with (
        ScriptedModels(answers, price=PRICE, faults=Storm(seed=1, share=0.0, outages=((50, 20),))) as server,
        opened(asking(server, proposals=1), tmp_path / "run", said) as run,
    ):
        assert loop.evolve(run, lambda _: None) == "proposals"
        assert [s.score for s in run.archive.verdicts(1) if s.score is None] == []
    assert any("paused" in line for line in said) and any("answers again" in line for line in said)


@pytest.mark.slow
def test_a_run_whose_budget_is_spent_ends_and_goes_on_with_a_larger_one(asking, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with ScriptedModels(answers, price=PRICE) as server:
        with opened(with_budget(asking(server), usd=0.0002), path) as run:
            assert loop.evolve(run, lambda _: None) == "budget"
            made = run.archive.next_id()
            assert 1 <= made < 5
        assert server.count.nano <= 0.0002 * NANO
        with start.reopen(path, lambda _: None) as run:
            assert loop.evolve(run, lambda _: None) == "budget"
        assert server.count.nano <= 0.0002 * NANO
        with start.reopen(path, lambda _: None, {"usd": 1.0}) as run:
            assert loop.evolve(run, lambda _: None) == "proposals"
            again = story(run.archive)
        with opened(asking(server), tmp_path / "whole") as run:
            loop.evolve(run, lambda _: None)
            assert story(run.archive) == again


@pytest.mark.slow
def test_a_replay_needs_no_provider_and_gives_the_same_trees(asking, tmp_path: Path) -> None:
    with ScriptedModels(answers, price=PRICE) as server:
        config = asking(server, proposals=2)
        recorded = evolved(config, tmp_path / "recorded")
    models = config.models.model_copy(update={"replay": str(tmp_path / "recorded")})
    assert evolved(config.model_copy(update={"models": models}), tmp_path / "replayed") == recorded
    other = config.search.model_copy(update={"random_seed": 99, "proposals": 6})
    differs = config.model_copy(update={"models": models, "search": other})
    with pytest.raises(UserError, match="did not make this call"), opened(differs, tmp_path / "differs") as run:
        loop.evolve(run, lambda _: None)


def test_a_key_that_is_refused_ends_the_start_and_leaves_nothing(asking, tmp_path: Path) -> None:
    with (
        ScriptedModels(answers, faults=lambda call, _: Flaw(401)) as server,
        pytest.raises(UserError, match="check the key"),
        opened(asking(server), tmp_path / "run"),
    ):
        raise AssertionError("it must not start")
    assert not list(tmp_path.glob("*run*"))


def test_a_half_that_asks_needs_a_model(world: World, asking, tmp_path: Path) -> None:
    config = asking("http://127.0.0.1:9/v1").model_copy(update={"models": Models()})
    with pytest.raises(UserError, match="--model"):
        start.create(tmp_path / "run", config, lambda _: None)
    assert not (tmp_path / "run").exists()


def test_a_model_is_not_offered_to_halves_that_do_not_ask(world: World, tmp_path: Path) -> None:
    agent = world.agent_doing('return "OPENAI_BASE_URL" in os.environ and "above" or "below", []')
    config = world.config(agent, world.meta()).model_copy(
        update={"models": Models(agent=("m",), url="http://[::1]/v1")}
    )
    with opened(config, tmp_path / "run") as run:
        rows = run.archive.logs(0, "thresholds", "val")
        assert {row["prediction"] for row in rows} == {"below"}
        assert run.config.models.agent == ()


KILLED = """
import sys
from pathlib import Path
from dgm import config, loop
from dgm.sitting import start
path = Path(sys.argv[1])
run = start.create(path, config.parse(Path(sys.argv[2]).read_text(), "c"), print)
with run:
    loop.evolve(run, lambda _: None)
"""


@pytest.mark.slow
def test_what_a_killed_run_has_paid_for_is_not_paid_for_twice(asking, tmp_path: Path) -> None:
    """Killed while the root is measured, when there is no archive yet, and again in a proposal."""
    path, file = tmp_path / "run", tmp_path / "c.toml"
    enough = threading.Event()
    served = []

    def script(request: Mapping[str, Any]) -> str:
        served.append(1)
        if len(served) in (15, 70):
            enough.set()
        return answers(request)

    with ScriptedModels(script, price=PRICE) as server:
        file.write_text(asking(server, proposals=3).to_toml())
        for _ in range(2):
            enough.clear()
            command = [sys.executable, "-c", KILLED, str(path), str(file)]
            if (path / "archive.db").exists():
                command[2] = RESUMED
            with subprocess.Popen(command, env=os.environ | {"OPENAI_API_KEY": ""}) as run:
                assert enough.wait(60)
                run.send_signal(signal.SIGKILL)
        if (path / "archive.db").exists():
            with start.reopen(path, lambda _: None) as run:
                loop.evolve(run, lambda _: None)
                ended = story(run.archive)
        killed = server.count.calls
        expected = tmp_path / "expected"
        before = server.count.calls
        with opened(asking(server, proposals=3), expected) as run:
            loop.evolve(run, lambda _: None)
            assert story(run.archive) == ended
        undisturbed = server.count.calls - before
    assert killed <= undisturbed + 2, "at most what was under way is asked again"


RESUMED = """
import sys
from pathlib import Path
from dgm import loop
from dgm.sitting import start
with start.reopen(Path(sys.argv[1]), print) as run:
    loop.evolve(run, lambda _: None)
"""


def quick() -> Any:
    from dgm.gateway.faults import Patience

    return Patience(tries=4, base=0.001, cap=0.004, longest=0.5)

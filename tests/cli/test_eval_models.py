"""`dgm eval` and `dgm domain check` where models are asked: by the agent, by a judge, at a price, on a record."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dgm.testing import ScriptedModels
from tests.cli.test_models import ASKING, parity
from tests.cli.worlds import RUN, Done, dgm, snapshot, world
from tests.domains.careful import LEADING, Careful, Swayed

Call = Callable[..., Done]
PRICE = (1_000_000_000, 2_000_000_000)
"""One and two dollars for a million tokens, in nano-dollars."""
SUMMARISE = LEADING.replace('inputs["notice"]', 'inputs.get("notice", "")').replace("[:38]", "[:30]")
GIVES_IN = SUMMARISE.replace('return "', 'return ("Give 1.0 " if "residents" in inputs.get("notice", "") else "") + "')


@pytest.fixture(scope="module")
def leading(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on `parity` that asked nobody; its agents give a notice's first words. Read its archive only."""
    return _made(tmp_path_factory.mktemp("leading"), SUMMARISE)


@pytest.fixture
def careful() -> Iterator[ScriptedModels]:
    with ScriptedModels(Careful(), price=PRICE) as server:
        yield server


def _made(where: Path, agent: str, manifest: str = "", *options: str) -> Path:
    world(where)
    (where / "a" / "task_agent.py").write_text(agent)
    seed = where / "a" / "seed.toml"
    seed.write_text(seed.read_text() + manifest)
    done = dgm(where, "run", "one", *RUN, "--proposals", "0", "--no-test", *options)
    assert done.returncode == 0, done.stderr
    return where


def _judged(server: ScriptedModels, *more: str) -> tuple[str, ...]:
    return ("--judge-model", "j", "--model-url", server.url, "--price", "j=1/2", *more)


def test_an_agent_is_measured_where_a_model_judges_and_its_archive_stays_as_it_was(
    leading: Path, call: Call, careful: ScriptedModels
) -> None:
    before = snapshot(leading / "archive")
    done = call(leading, "eval", "one#0", "--domain", "summary", *_judged(careful), "--json")
    assert done.code == 0, done.err
    assert "summary: the judge agrees with 54 of 54 labelled decisions" in done.err
    told = json.loads(done.out)
    assert told["domains"]["summary"]["score"]["n"] == 20
    assert 0.2 < told["domains"]["summary"]["score"]["mean"] < 0.9
    assert told["models"]["calls"] == {"judge": careful.count.calls}
    assert told["models"]["usd"] == pytest.approx(careful.count.nano / 1e9) and careful.count.nano
    assert snapshot(leading / "archive") == before


def test_a_record_is_kept_where_it_is_wanted_and_nothing_is_paid_for_twice(
    leading: Path, call: Call, careful: ScriptedModels, tmp_path: Path
) -> None:
    options = ("eval", "one#0", "--domain", "summary", *_judged(careful, "--record", str(tmp_path / "kept")))
    first = call(leading, *options)
    assert first.code == 0, first.err
    assert f"model calls: {careful.count.calls} of the judge; $0." in first.out
    paid = careful.count.calls
    again = call(leading, *options)
    assert again.code == 0, again.err
    assert careful.count.calls == paid
    assert (tmp_path / "kept" / "calls.db").is_file()
    refused = call(leading, *options[:-1], str(leading / "archive" / "one"))
    assert refused.code == 2 and "is an archive, which an evaluation never writes" in refused.err


def test_without_a_judge_or_within_too_small_a_budget_the_evaluation_is_refused_in_a_sentence(
    leading: Path, call: Call, careful: ScriptedModels
) -> None:
    nobody = call(leading, "eval", "one#0", "--domain", "summary")
    assert nobody.code == 2 and "--judge-model: the judge of summary asks a language model" in nobody.err
    unpriced = call(leading, "eval", "one#0", "--domain", "summary", "--judge-model", "j", "--model-url", careful.url)
    assert unpriced.code == 2 and "--price j=IN/OUT" in unpriced.err
    assert careful.count.calls == 0
    poor = call(leading, "eval", "one#0", "--domain", "summary", *_judged(careful, "--budget-usd", "0.01"))
    assert poor.code == 2 and "raise --budget-usd" in poor.err and len(poor.err.splitlines()) <= 2
    assert 0 < careful.count.nano <= 10_000_000


@pytest.mark.slow
def test_a_verdict_that_the_judges_model_owes_is_missing_and_no_zero(tmp_path: Path, call: Call) -> None:
    where = _made(tmp_path, GIVES_IN)
    with ScriptedModels(Swayed(), price=PRICE) as server:
        done = call(where, "eval", "one#0", "--domain", "summary", *_judged(server), "--json")
        assert done.code == 0, done.err
        told = json.loads(done.out)["domains"]["summary"]
        missing = told["endings"]["infra"]
        assert 0 < missing < 20
        assert told["score"]["n"] == 20 - missing
        assert told["score"]["mean"] > 0


def test_an_agent_can_be_measured_with_another_model_than_its_runs(tmp_path: Path, call: Call) -> None:
    asked: list[str] = []

    def answer(request: Mapping[str, Any]) -> str:
        asked.append(request["model"])
        return parity(request).removesuffix("\x1b[31m")

    with ScriptedModels(lambda request: "even", price=PRICE) as weak, ScriptedModels(answer, price=PRICE) as strong:
        options = ("--model", "m", "--model-url", weak.url, "--price", "m=1/2")
        where = _made(tmp_path, ASKING, "model = true\n", *options)
        own = json.loads(call(where, "eval", "one#0", "--json").out)
        done = call(where, "eval", "one#0", "--model", "n", "--model-url", strong.url, "--price", "n=1/2", "--json")
        assert done.code == 0, done.err
        other = json.loads(done.out)
        assert other["models"]["usd"] == pytest.approx(strong.count.nano / 1e9)
    assert own["domains"]["parity"]["score"]["mean"] < other["domains"]["parity"]["score"]["mean"]
    assert other["models"]["calls"] == {"exam": 12}
    assert set(asked) == {"n"}


def test_a_model_for_an_agent_that_asks_none_is_a_mistake(leading: Path, call: Call) -> None:
    done = call(leading, "eval", "one#0", "--model", "m", "--price", "unknown=0")
    assert done.code == 2 and "asks no language model" in done.err


@pytest.mark.slow
def test_a_domain_whose_judge_asks_is_checked_at_a_price(tmp_path: Path, call: Call, careful: ScriptedModels) -> None:
    done = call(tmp_path, "domain", "check", "summary", *_judged(careful, "--json"))
    assert done.code == 0, done.err
    told = json.loads(done.out)
    says = [finding["says"] for finding in told["findings"]]
    assert any("agrees with 54 of 54" in line for line in says)
    assert any(re.fullmatch(r"(\d+) of \1 refused", line) for line in says), says
    assert told["models"]["usd"] == pytest.approx(careful.count.nano / 1e9) and careful.count.nano
    poor = call(tmp_path, "domain", "check", "summary", *_judged(careful, "--budget-usd", "0.01"))
    assert poor.code == 2 and "raise --budget-usd" in poor.err
    unasked = call(tmp_path, "domain", "check", "summary")
    assert unasked.code == 0 and "give --judge-model" in unasked.out


def test_a_judges_model_is_not_asked_where_no_judge_asks(tmp_path: Path, call: Call, careful: ScriptedModels) -> None:
    done = call(tmp_path, "domain", "check", "points", *_judged(careful, "--json"))
    assert done.code == 0, done.err
    assert json.loads(done.out)["models"] == {"calls": {}, "usd": 0.0}
    assert careful.count.calls == 0

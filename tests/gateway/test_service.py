"""The gateway in front of a scripted provider: attribution, budget, faults, cache and replay, over real HTTP."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from dgm.errors import ModelUnavailable, UserError
from dgm.gateway import MODELS, BudgetSpent, Denied, Role
from dgm.gateway.answers import EVENTS
from dgm.gateway.budget import NOTHING, Budget, Limit, Spend
from dgm.gateway.cache import CallStore
from dgm.gateway.faults import Patience
from dgm.gateway.http import HttpUpstream
from dgm.gateway.visit import Cancelled, Ticket
from dgm.testing import Flaw, ScriptedModels, Storm
from tests.archive.world import create
from tests.gateway.worlds import PRICE, ask, chat, code, content, gateway, visit


@pytest.fixture
def server() -> Iterator[ScriptedModels]:
    """Says after each prompt how many calls it had answered before."""
    with ScriptedModels(
        lambda request: f"{request['messages'][-1]['content']} {server.count.answered}", price=PRICE
    ) as server:
        yield server


def test_a_call_is_answered_counted_and_on_record(server, tmp_path):
    with gateway(server, tmp_path) as made:
        reply = ask(made, "hello", visit(made, "grading/val/q1", proposal=7))
        assert (reply.status, reply.kind, content(reply)) == (200, "application/json", "hello 0")
        ((_, call),) = made.store.since(0)
        scope = call.key.scope
        assert (scope.role, scope.agent, scope.proposal, scope.task) == (Role.AGENT, 7, 7, "grading/val/q1")
        assert (call.status, call.tries, call.prompt_tokens, call.completion_tokens) == ("ok", 1, 1, 2)
        assert made.store.spent() == (Spend(150 + 2 * 600, 3), NOTHING)
        assert server.count.nano == 1350


def test_a_stream_brings_the_same_words_in_pieces_and_the_usage_if_asked(server, tmp_path):
    with gateway(server, tmp_path) as made:
        reply = ask(made, "hello", stream=True, stream_options={"include_usage": True})
        lines = reply.body.decode().split("\n\n")
        assert reply.kind == EVENTS
        assert lines[-2:] == ["data: [DONE]", ""]
        chunks = [json.loads(line.removeprefix("data: ")) for line in lines[:-2]]
        assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": "hello 0"}
        assert [c["finish_reason"] for chunk in chunks for c in chunk["choices"]] == [None, "stop"]
        assert chunks[-1]["usage"]["prompt_tokens"] == 1


def test_the_models_that_may_be_asked_are_listed(server, tmp_path):
    with gateway(server, tmp_path) as made:
        listed = json.loads(made.answer(MODELS, b"", visit(made), Ticket()).body)
        assert [row["id"] for row in listed["data"]] == ["m", "other"]
        assert made.answer("/v1/files", b"", visit(made), Ticket()).status == 404
        assert server.count.calls == 0


class TestSamples:
    def test_the_same_request_twice_in_a_task_is_two_samples(self, server, tmp_path):
        with gateway(server, tmp_path) as made:
            seat = visit(made)
            assert [content(ask(made, "a", seat)) for _ in range(3)] == ["a 0", "a 1", "a 2"]

    def test_work_that_is_done_again_meets_its_own_replies_for_nothing(self, server, tmp_path):
        with gateway(server, tmp_path, budget=Budget(proposal=Limit(None, 110 * 4))) as made:
            for _ in range(5):
                seat = visit(made, "t1")
                assert [content(ask(made, "a", seat)) for _ in range(2)] == ["a 0", "a 1"]
            assert server.count.calls == 2
            assert made.store.spent()[0].nano == server.count.nano

    def test_another_task_gets_a_reply_of_its_own(self, server, tmp_path):
        with gateway(server, tmp_path) as made:
            assert [content(ask(made, "a", visit(made, t))) for t in ("t1", "t2")] == ["a 0", "a 1"]

    def test_with_the_cache_a_repeat_anywhere_is_answered_from_the_record(self, server, tmp_path):
        with gateway(server, tmp_path, rules={"cache": True}) as made:
            for task in ("t1", "t2", "t3"):
                seat = visit(made, task, proposal=int(task[1]))
                assert [content(ask(made, "a", seat)) for _ in range(2)] == ["a 0", "a 1"]
            assert server.count.calls == 2
            assert [call.status for _, call in made.store.since(0)] == ["ok"] * 2 + ["cached"] * 4
            assert made.store.spent()[0].nano == server.count.nano


class TestReplay:
    def test_a_recorded_run_is_played_again_without_a_provider(self, server, tmp_path):
        with gateway(server, tmp_path) as made:
            before = [content(ask(made, "a", visit(made, task))) for task in ("t1", "t2", "t1b")]
            assert code(ask(made, "x" * 10, visit(made, "t3"), n=99)) == (400, "invalid_request")
        server.close()
        record, fresh = CallStore(tmp_path, write=False), tmp_path / "again"
        fresh.mkdir()
        with gateway(server, fresh, replay=record) as made:
            assert [content(ask(made, "a", visit(made, task))) for task in ("t1", "t2", "t1b")] == before
            assert made.store.spent()[0] == NOTHING
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            record.spent()  # a record left open is a warning from Python 3.13 on
        assert server.count.calls == 3

    def test_what_the_provider_refused_is_refused_again(self, server, tmp_path):
        server.faults = lambda call, request: Flaw(400, body='{"error": "prompt is too long"}')
        with gateway(server, tmp_path) as made:
            first = ask(made)
            assert code(first) == (400, "context_length_exceeded")
            assert ask(made).body == first.body
        assert server.count.calls == 1

    def test_a_call_that_was_not_recorded_stops_the_replay(self, server, tmp_path):
        with gateway(server, tmp_path) as made:
            ask(made, "a")
        record, fresh = CallStore(tmp_path, write=False), tmp_path / "again"
        fresh.mkdir()
        with gateway(server, fresh, replay=record) as made, pytest.raises(UserError, match="did not make this call"):
            ask(made, "b")
        assert server.count.calls == 1

    def test_a_budget_refuses_the_same_calls_in_a_replay(self, server, tmp_path):
        def play(made) -> list[int]:
            seat = visit(made)
            return [ask(made, f"question {n}", seat).status for n in range(15)]

        budget = {"task": Limit(None, 390)}
        with gateway(server, tmp_path, budget=Budget(**budget)) as made:
            before = play(made)
        record, fresh = CallStore(tmp_path, write=False), tmp_path / "again"
        fresh.mkdir()
        with gateway(server, fresh, budget=Budget(**budget), replay=record) as made:
            assert play(made) == before
        assert set(before) == {200, 402}


class TestBudget:
    def test_a_call_that_would_exceed_the_tasks_budget_is_refused_and_told_why(self, server, tmp_path):
        with gateway(server, tmp_path, budget=Budget(task=Limit(None, 100))) as made:
            reply = ask(made)
            assert code(reply) == (402, "budget_exceeded")
            assert "0 of 100 tokens are spent" in reply.body.decode()
            assert server.count.calls == 0
            assert [call.status for _, call in made.store.since(0)] == ["refused"]

    def test_the_runs_budget_ends_the_run_and_is_nobodys_answer(self, server, tmp_path):
        with gateway(server, tmp_path, budget=Budget(Limit(1, None))) as made, pytest.raises(BudgetSpent):
            ask(made)
        assert server.count.calls == 0

    def test_what_earlier_parts_of_a_run_have_spent_counts(self, server, tmp_path):
        with gateway(server, tmp_path) as made:
            ask(made)
            spent = sum(made.store.spent(), NOTHING)
        with (
            gateway(server, tmp_path, budget=Budget(Limit(120_000, None), spent=spent)) as made,
            pytest.raises(BudgetSpent),
        ):
            for n in range(1_000):
                ask(made, f"question {n}")
        assert server.count.nano <= 120_000
        assert server.count.calls > 5

    def test_sixty_four_at_once_never_exceed_a_budget_by_the_servers_own_count(self, server, tmp_path):
        limit = 400_000
        with gateway(server, tmp_path, budget=Budget(Limit(limit, None))) as made, ThreadPoolExecutor(64) as pool:

            def one(number: int) -> bool:
                text = f"question {number} " + "word " * (number % 40)
                try:
                    return ask(made, text, visit(made, f"t{number}")).status == 200
                except BudgetSpent:
                    return False

            done = list(pool.map(one, range(400)))
            assert 0 < sum(done) < 400
            assert limit * 0.5 < server.count.nano <= limit
            assert made.store.spent()[0].nano == server.count.nano


class TestFaults:
    def test_retries_hide_a_storm_and_money_settles_to_the_last_nano_dollar(self, server, tmp_path):
        """Each task asks three times; under 30 % faults every answer is the one of a quiet day."""

        def work(made, number: int) -> list[str]:
            seat = visit(made, f"t{number}", proposal=number)
            while True:
                try:
                    return [content(ask(made, f"q{number} {k}", seat)).rpartition(" ")[0] for k in range(3)]
                except ModelUnavailable:
                    assert made.wait()
                    seat = visit(made, f"t{number}", proposal=number)

        quiet = [[f"q{n} {k}" for k in range(3)] for n in range(20)]
        server.faults, said = Storm(1, 0.3, outages=((20, 15), (60, 25))), []
        server.hang_seconds = 0.01
        upstream = HttpUpstream(server.url, "k", seconds=5)
        with gateway(upstream, tmp_path, say=said.append) as made:
            assert [work(made, n) for n in range(20)] == quiet
            assert made.store.spent()[0] == Spend(
                server.count.nano, server.count.prompt_tokens + server.count.completion_tokens
            )
            assert made.store.spent()[1].nano > 0  # answers that broke off may have been charged
        assert sum(line.startswith("paused") for line in said) >= 2

    def test_retry_after_is_a_lower_bound_and_a_long_one_is_an_outage(self, server, tmp_path):
        server.faults = lambda call, request: Flaw(429, retry_after="3600")
        with gateway(server, tmp_path) as made, pytest.raises(ModelUnavailable):
            ask(made)
        assert server.count.calls == 1

    def test_while_the_provider_is_away_nothing_begins_and_then_it_goes_on(self, server, tmp_path):
        server.faults = lambda call, request: Flaw(503) if call < 10 else None
        said: list[str] = []
        with gateway(server, tmp_path, say=said.append) as made:
            with pytest.raises(ModelUnavailable):
                ask(made)
            tried = server.count.calls
            with pytest.raises(ModelUnavailable):
                visit(made)
            assert server.count.calls == tried
            assert made.wait()
            assert content(ask(made)).startswith("hello")
        assert len(said) == 2

    def test_an_outage_can_be_broken_off(self, server, tmp_path):
        server.faults = lambda call, request: Flaw(503)
        stop = threading.Event()
        with gateway(server, tmp_path, rules={"patience": Patience(tries=1, base=100, cap=100)}) as made:
            with pytest.raises(ModelUnavailable):
                ask(made)
            stop.set()
            assert not made.wait(stop)

    def test_a_request_on_which_the_provider_always_breaks_is_told_to_its_agent(self, server, tmp_path):
        poison = "poison"
        server.faults = lambda call, request: Flaw(500) if poison in str(request["messages"]) else None
        with gateway(server, tmp_path) as made:
            assert code(ask(made, poison)) == (502, "provider_error")
            calls = server.count.calls
            assert code(ask(made, poison)) == (502, "provider_error")
            assert server.count.calls == calls
            assert content(ask(made, "fine")).startswith("fine")

    @pytest.mark.parametrize("status", [402, 403, 404])
    def test_a_request_that_is_refused_like_a_bad_key_is_told_to_its_agent_where_others_are_let_in(
        self, server, tmp_path, status
    ):
        """403 for what a filter finds, 404 for tools where a model has none, 402 for more than what is left there."""
        server.faults = lambda call, request: Flaw(status) if "poison" in str(request["messages"]) else None
        with gateway(server, tmp_path) as made:
            assert code(ask(made, "poison")) == (502, "provider_error")
            assert content(ask(made, "fine")).startswith("fine")

    def test_a_model_that_nobody_is_let_in_to_is_told_to_the_person(self, server, tmp_path):
        server.faults = lambda call, request: Flaw(404) if request["model"] == "other" else None
        with gateway(server, tmp_path) as made, pytest.raises(Denied):
            ask(made, model="other")

    def test_what_a_request_on_which_the_provider_breaks_may_have_cost_weighs_on_its_maker(self, server, tmp_path):
        server.faults = lambda call, request: Flaw("malformed") if "poison" in str(request["messages"]) else None
        with gateway(server, tmp_path, budget=Budget(proposal=Limit(nano=1_000_000))) as made:
            told = [code(ask(made, f"poison {n}")) for n in range(3)]
            assert told[0] == (502, "provider_error") and told[-1] == (402, "budget_exceeded")
            assert content(ask(made, "hello", visit(made, proposal=2))).startswith("hello")

    def test_being_busy_is_never_the_agents_fault(self, server, tmp_path):
        server.faults = lambda call, request: Flaw(429) if "big" in str(request["messages"]) else None
        with gateway(server, tmp_path) as made, pytest.raises(ModelUnavailable):
            ask(made, "big")

    def test_a_key_that_is_refused_is_told_to_the_person_and_to_no_agent(self, server, tmp_path):
        server.faults = lambda call, request: Flaw(401, body='{"error": {"message": "bad key sk-test-1234"}}')
        with gateway(server, tmp_path) as made, pytest.raises(Denied) as caught:
            ask(made)
        assert "sk-test" not in str(caught.value)

    def test_a_call_that_nobody_waits_for_is_not_tried_again(self, server, tmp_path):
        server.faults = lambda call, request: Flaw(503)
        ticket = Ticket()
        ticket.cancelled.set()
        with gateway(server, tmp_path) as made, pytest.raises(Cancelled):
            made.answer("/v1/chat/completions", chat("a"), visit(made), ticket)
        assert server.count.calls == 1


def test_sixty_four_calls_are_under_way_at_once(tmp_path):
    barrier = threading.Barrier(64, timeout=20)
    with (
        ScriptedModels(lambda request: "yes", gate=barrier.wait) as server,
        gateway(server, tmp_path) as made,
        ThreadPoolExecutor(64) as pool,
    ):
        replies = list(pool.map(lambda n: ask(made, f"{n}", visit(made, f"t{n}")), range(64)))
    assert [reply.status for reply in replies] == [200] * 64
    assert server.count.at_once == 64


def test_a_gateway_asks_no_more_at_once_than_it_may(server, tmp_path):
    with gateway(server, tmp_path, rules={"concurrency": 3}) as made, ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: ask(made, f"{n}", visit(made, f"t{n}")), range(40)))
    assert server.count.at_once <= 3


def test_a_model_without_a_price_is_refused_before_anything_is_asked(server, tmp_path):
    with pytest.raises(UserError, match="no price is known"), gateway(server, tmp_path, rules={"models": ("mystery",)}):
        pass


def test_the_archives_account_is_brought_up_to_date_once(server, tmp_path):
    with create(tmp_path / "run") as archive, gateway(server, tmp_path) as made:
        ask(made, "a", visit(made, "t1", proposal=0))
        made.sync(archive)
        made.sync(archive)
        ask(made, "b", visit(made, "t1", proposal=0))
        made.sync(archive)
        assert archive.last_call() == 2

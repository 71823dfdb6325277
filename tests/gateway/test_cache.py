"""The record of calls."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from dgm.errors import UserError
from dgm.gateway import Role, Scope
from dgm.gateway.budget import Spend
from dgm.gateway.cache import NAME, Call, CallStore, Key

KEY = Key("h", Scope(Role.AGENT, 3, 4, "grading/val/q1"), 0)
CALL = Call(KEY, "m", "ok", 200, b'{"a": 1}', 5, 7, 1_000, True, Spend(30, 40), 2, 9)


@pytest.fixture
def store(tmp_path: Path):
    opened = CallStore(tmp_path)
    yield opened
    opened.close()


def test_a_call_comes_back_as_it_was(store):
    store.add(CALL, b"request")
    assert store.find(KEY) == CALL
    assert store.since(0) == [(1, replace(CALL, reply=b""))]
    assert store.since(1) == []


@pytest.mark.parametrize(
    "other",
    [replace(KEY, hash="x"), replace(KEY, sample=1), replace(KEY, scope=replace(KEY.scope, proposal=5)),
     replace(KEY, scope=replace(KEY.scope, role=Role.META)), replace(KEY, scope=replace(KEY.scope, task="t"))],
)  # fmt: skip
def test_a_reply_belongs_to_its_own_request_sample_and_scope(store, other):
    store.add(CALL)
    assert store.find(other) is None


def test_anywhere_takes_the_earliest_good_reply_of_the_same_request_and_sample(store):
    store.add(replace(CALL, key=replace(KEY, scope=Scope(Role.META)), status="rejected", http=400))
    store.add(CALL)
    store.add(replace(CALL, key=replace(KEY, scope=Scope(Role.META, proposal=9)), reply=b"{}"))
    assert store.find(replace(KEY, scope=Scope(Role.JUDGE)), anywhere=True) == CALL
    assert store.find(replace(KEY, sample=1), anywhere=True) is None


def test_the_first_reply_stays_and_a_second_is_a_cost_alone(store):
    store.add(CALL)
    store.add(replace(CALL, reply=b"{}"))
    assert store.find(KEY) == CALL
    assert store.spent() == (Spend(2_000, 24), Spend(60, 80))


def test_what_was_not_paid_is_no_money(store):
    store.add(replace(CALL, paid=False, uncertain=Spend()))
    assert store.spent() == (Spend(), Spend())


def test_it_is_one_plain_file_when_it_is_closed_and_is_there_again(tmp_path):
    with_row = CallStore(tmp_path)
    with_row.add(CALL)
    with_row.close()
    with_row.close()
    assert [p.name for p in tmp_path.iterdir()] == [NAME]
    reader = CallStore(tmp_path, write=False)
    assert reader.find(KEY) == CALL
    with pytest.raises(UserError):
        reader.add(CALL)
    reader.close()


def test_what_is_no_record_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(UserError, match="has no record of model calls"):
        CallStore(tmp_path, write=False)
    (tmp_path / NAME).write_bytes(b"not a database at all" * 100)
    with pytest.raises(UserError, match="cannot be used"):
        CallStore(tmp_path)
    (tmp_path / NAME).unlink()
    with contextlib.closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(UserError, match="format 99"):
        CallStore(tmp_path)

"""Several proposals in flight: none is lost, none waits for another, and every choice can be derived again."""

from __future__ import annotations

import errno
import sqlite3
import threading
from contextlib import closing
from typing import NoReturn

import pytest

from dgm import loop
from dgm.archive import AgentRecord, Archive
from dgm.errors import SandboxUnavailable, UserError
from dgm.sitting import rederive
from dgm.sitting.run import Run

from .conftest import World

SLOW_FIRST = """
import time
place = Path(repo_path, "agent/threshold.txt")
time.sleep(1.5 if iterations_left == 7 else 0.05)
place.write_text(str(int(place.read_text()) + random.choice([-10, 5, 10, 20])))
return "moved the threshold"
"""
BEST_FIRST = """
Path(repo_path, "agent/threshold.txt").write_text({5: "60", 4: "10"}.get(iterations_left, "20"))
return "moved the threshold"
"""


def crewed(world: World, workers: int, **options: object) -> Run:
    run = world.start(**options)
    place = run.config.place.model_copy(update={"workers": workers})
    run.config = run.config.model_copy(update={"place": place})
    return run


def quiet(_: AgentRecord) -> None:
    """Nobody is told."""


def test_every_number_is_made_once_and_the_budget_is_kept(world: World) -> None:
    run = crewed(world, 3, proposals=9)
    told: list[int] = []
    assert loop.evolve(run, lambda agent: told.append(agent.id)) == "proposals"
    assert [agent.id for agent in run.archive.agents()] == list(range(10))
    assert sorted(told) == list(range(1, 10))


def test_a_slow_proposal_holds_up_no_other(world: World) -> None:
    run = crewed(world, 2, meta=world.meta_doing(SLOW_FIRST), proposals=8)
    told: list[int] = []
    loop.evolve(run, lambda agent: told.append(agent.id))
    assert told.index(1) > 0, "the first, which sleeps, was overtaken"
    assert sorted(told) == list(range(1, 9))


def test_choices_among_several_in_flight_can_be_derived_again(world: World) -> None:
    run = crewed(world, 3, proposals=8)
    loop.evolve(run, quiet)
    hidden = rederive.unseen(run.archive.events())
    assert any(hidden.values()), "with three workers somebody is in flight when a parent is chosen"
    assert list(rederive.check(run.archive)) == []


def test_a_choice_that_was_tampered_with_does_not_come_out_again(world: World) -> None:
    run = world.start(proposals=6)
    loop.evolve(run, quiet)
    run.close()
    with closing(sqlite3.connect(run.archive.path / "archive.db")) as database, database:
        database.execute("UPDATE proposals SET key = key || 'x' WHERE id > 1")
    with Archive.open(run.archive.path) as archive:
        assert any("chooses" in line for line in rederive.check(archive))


def test_an_attempt_that_was_cut_off_leaves_nothing_that_is_taken_for_the_next_ones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proposal 3 begins while 1 is in flight, and the disk is full when it ends; made again, it sees 1 as well."""
    meta = world.meta_doing(BEST_FIRST)
    run = world.start(meta=meta, proposals=6, selector="best")
    first, second = begun(run), begun(run)
    loop.make(second, run)
    third = begun(run)
    assert (third.number, third.unseen) == (3, (1,))

    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(run.archive._store, "write", full)
        with pytest.raises(UserError, match="the disk is full"):
            loop.make(third, run)
    loop.make(first, run)
    again = loop.step(run)
    assert (again.id, again.parent) == (3, 1)
    assert list(rederive.check(run.archive)) == []


def begun(run: Run) -> loop.Attempt:
    attempt = loop.begin(run)
    assert isinstance(attempt, loop.Attempt)
    return attempt


@pytest.mark.slow
def test_one_worker_and_several_make_the_same_number_of_agents_that_work(world: World) -> None:
    agent, meta = world.agent(), world.meta()
    ended = []
    for workers in (1, 4):
        run = crewed(world, workers, agent=agent, meta=meta, proposals=6)
        loop.evolve(run, quiet)
        ended.append([a.admission for a in run.archive.agents()].count("admitted"))
    assert min(ended) >= 1


def test_an_error_in_one_worker_ends_all(world: World) -> None:
    run = crewed(world, 3, proposals=9)

    def report(_: AgentRecord) -> None:
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        loop.evolve(run, report)
    assert threading.active_count() == before
    with pytest.raises(SandboxUnavailable):
        loop.step(run)  # everything was given up


@pytest.mark.slow
def test_a_run_that_was_stopped_between_goes_on_with_the_numbers_that_are_missing(world: World) -> None:
    from dgm.sitting import start

    run = crewed(world, 3, meta=world.meta_doing(SLOW_FIRST), proposals=8)
    done: list[int] = []

    def report(agent: AgentRecord) -> None:
        done.append(agent.id)
        if len(done) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.evolve(run, report)
    run.close()
    with start.reopen(run.archive.path, lambda _: None) as again:
        assert again.config.place.workers == 1
        loop.evolve(again, quiet)
        assert [agent.id for agent in again.archive.agents()] == list(range(9))

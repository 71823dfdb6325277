"""A viewer beside a run: it sees what is recorded, and never stands in the way."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dgm.archive import Archive, database
from dgm.errors import UserError
from dgm.web import live
from dgm.web.app import Pages
from dgm.web.matrix import Matrix
from dgm.web.shelf import Shelf
from dgm.web.snapshot import Snapshot
from tests.archive.world import child, contents, create, failed, results
from tests.web import big


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run"


def assert_same(snapshot: Snapshot, archive: Archive) -> None:
    assert sorted(snapshot.agents.values(), key=lambda agent: agent.id) == archive.agents()
    assert [snapshot.proposals[i] for i in sorted(snapshot.agents)] == archive.proposals()
    assert snapshot.all_scores() == archive.all_scores()
    assert snapshot.events == archive.events()


def test_each_new_agent_is_seen_while_the_run_goes_on(path: Path) -> None:
    with create(path) as archive:
        snapshot = Snapshot(path)
        assert snapshot.refresh()
        for number in range(1, 6):
            archive.record(child(number, number // 2) if number % 3 else failed(number, number - 1))
            assert snapshot.refresh()
            assert not snapshot.refresh()
            assert_same(snapshot, archive)
            assert snapshot.running
        assert (snapshot.order, snapshot.epoch) == ([0, 1, 2, 3, 4, 5], 0)
    assert not snapshot.running


def test_agents_that_finish_out_of_turn_are_seen(path: Path) -> None:
    with create(path) as archive:
        snapshot = Snapshot(path)
        for number in (3, 1, 2):
            archive.record(child(number, 0))
            snapshot.refresh()
            assert_same(snapshot, archive)
        assert snapshot.order == [0, 3, 1, 2]


def test_a_page_that_is_being_made_is_not_cut_off_by_a_new_agent(path: Path) -> None:
    """Pages are made in threads of their own, and whoever asks next has the snapshot read what is new."""
    with create(path, 2) as archive:
        snapshot = Snapshot(path)
        snapshot.refresh()
        halfway = [iter(snapshot.agents.values()), iter(snapshot.proposals.values())]
        assert [next(each).id for each in halfway] == [0, 0]
        archive.record(child(3, 0))
        snapshot.refresh()
        assert [[record.id for record in each] for each in halfway] == [[1, 2], [1, 2]]
        assert_same(snapshot, archive)


def test_later_results_of_an_agent_make_the_page_ask_again(path: Path) -> None:
    with create(path, children=3) as archive:
        snapshot = Snapshot(path)
        snapshot.refresh()
        matrix = Matrix(snapshot)
        assert len(matrix.part("grading", "test").agents) == 0
        archive.add_scores(2, *results(2, ("test",)))
        snapshot.refresh()
        assert_same(snapshot, archive)
        assert snapshot.epoch == 1
        assert list(matrix.part("grading", "test").agents) == [2]


def test_events_are_seen(path: Path) -> None:
    with create(path, children=1) as archive:
        snapshot = Snapshot(path)
        snapshot.refresh()
        archive.add_event("integrity", {"agent": 1, "policy": "flag", "flags": [{"kind": "gap", "evidence": "0.9"}]})
        archive.add_event("integrity", "of no form")
        assert snapshot.refresh()
        shown = Pages(Shelf(path.parent)).agent({"archive": "run", "agent": "1"})
        assert shown["flags"] == [{"kind": "gap", "text": "0.9"}]
        assert Pages(Shelf(path.parent)).tree({"archive": "run"})["flags"] == {1: ["gap"]}


def test_a_reader_leaves_a_finished_archive_as_it_was(path: Path) -> None:
    create(path, children=4).close()
    before = contents(path)
    pages = Pages(Shelf(path.parent))
    for ask in (pages.archives, pages.overview, pages.tree, pages.gains, pages.tasks):
        ask({"archive": "run"})
    pages.cells({"archive": "run", "domain": "grading", "split": "val"})
    for page in (pages.agent, pages.files, pages.against, pages.diff):
        page({"archive": "run", "agent": "3", "with": "2", "log": "grading.val"})
    assert contents(path) == before


def test_a_run_closes_cleanly_beside_a_viewer(path: Path) -> None:
    archive = create(path, children=2)
    pages = Pages(Shelf(path.parent))
    pages.overview({"archive": "run"})
    pages.cells({"archive": "run", "domain": "grading", "split": "val"})
    archive.close()
    assert sorted(p.name for p in path.iterdir()) == ["archive.db", "dgm.toml", "genomes.git", "logs"]
    assert not pages.overview({"archive": "run"})["running"]


def test_the_table_of_a_grown_archive_is_the_verdicts(tmp_path: Path) -> None:
    path = big.make(tmp_path / "big", agents=700, tasks=12)
    snapshot = Snapshot(path)
    snapshot.refresh()
    matrix = Matrix(snapshot)
    with Archive.open(path) as archive:
        assert_same(snapshot, archive)
        for split in ("train", "val"):
            part = matrix.part(big.DOMAIN, split)
            working = [agent.id for agent in archive.agents() if agent.admission.works]
            assert list(part.agents) == working
            for agent in random.Random(0).sample(working, 40):
                verdicts = {v.task: v.score for v in archive.verdicts(agent, big.DOMAIN, split)}
                row = part.cells[part.agents.index(agent)]
                assert [verdicts[task.name] for task in part.tasks] == [value / 200 for value in row]


def test_costs_that_are_no_numbers_are_said(path: Path) -> None:
    create(path).close()
    with closing(sqlite3.connect(path / database.NAME)) as connection, connection:
        connection.execute("INSERT INTO model_calls VALUES (1, 0, 'agent', 't', 'm', 'h', 0, 1, 1, 9e999, 1, 'ok')")
    with pytest.raises(UserError, match="damaged"):
        Snapshot(path).refresh()


def test_news_come_when_something_was_recorded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LOOK", 0.01)
    monkeypatch.setattr(live, "ALIVE", 0.02)

    async def hear(archive: Archive) -> list[str]:
        pages = Pages(Shelf(path.parent))
        heard: list[str] = []
        stream = live.stream(lambda: pages.heading({"archive": "run"}), lambda: len(heard) > 3)
        async for line in stream:
            heard.append(line)
            if len(heard) == 1:
                archive.record(child(1, 0))
        return heard

    with create(path) as archive:
        heard = asyncio.run(hear(archive))
    events = [line for line in heard if line.startswith("event: news")]
    assert '"agents": 1' in events[0]
    assert '"agents": 2' in events[1]
    assert any(line.startswith(":") for line in heard)


def test_news_end_with_why_when_the_archive_is_gone(path: Path) -> None:
    def look() -> live.News:
        raise UserError("there is no archive any more")

    async def hear() -> list[str]:
        return [line async for line in live.stream(look, lambda: False)]

    assert asyncio.run(hear()) == ['event: problem\ndata: {"problem": "there is no archive any more"}\n\n']

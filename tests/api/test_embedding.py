"""A program of somebody else's that embeds a run: its own domain, agents, limits and listeners."""

from __future__ import annotations

from pathlib import Path

import pytest

import dgm
from dgm.config import CHANGEABLE
from dgm.sitting.settings import config_of
from tests.cli.worlds import world


def configuration(where: Path, proposals: int = 3, **place: object) -> dgm.RunConfig:
    return dgm.RunConfig(
        domains=(str(where / "parity"),),
        origin=dgm.Origin(agent=str(where / "a"), meta=str(where / "m")),
        search=dgm.Search(proposals=proposals, selector="latest", random_seed=3),
        place=dgm.Place.model_validate({"sandbox": "local", "sessions": 1, **place}),
    )


def test_a_program_runs_a_search_and_reads_what_came_of_it(tmp_path: Path) -> None:
    where = world(tmp_path)
    seen: list[dgm.AgentRecord] = []
    lines: list[str] = []
    ended = dgm.evolve(where / "mine", configuration(where), on_agent=seen.append, notice=lines.append)
    assert ended == "proposals"
    assert [agent.id for agent in seen] == [1, 2, 3]
    assert "measuring the root" in lines
    with dgm.open_archive(where / "mine") as archive:
        assert [agent.parent for agent in archive.agents()] == [None, 0, 1, 2]
        table = dgm.final_table(archive)
        (row,) = table.rows
        assert row.agent == table.overall > 0
        assert row.val is not None
        assert row.root_val is not None
        assert row.val.mean > row.root_val.mean
        assert row.test is not None
        assert row.test.n == 12
        assert "LEVEL" in archive.patch(row.agent)
        assert archive.files(row.agent)["agent/level.py"].startswith(b"LEVEL = ")


def test_a_run_that_was_stopped_goes_on_to_the_same_trees(tmp_path: Path) -> None:
    where = world(tmp_path)
    seen: list[dgm.AgentRecord] = []
    config = configuration(where)
    assert dgm.evolve(where / "short", config, on_agent=seen.append, stop=lambda: bool(seen)) == "stopped"
    assert len(seen) == 1
    assert dgm.resume(where / "short") == "proposals"
    assert dgm.evolve(where / "whole", config, test=False) == "proposals"
    with dgm.open_archive(where / "short") as short, dgm.open_archive(where / "whole") as whole:
        assert [agent.tree for agent in short.agents()] == [agent.tree for agent in whole.agents()]
        assert {score.split for score in short.scores(0)} == set(dgm.Split)
        assert {score.split for score in whole.scores(0)} == {dgm.Split.TRAIN, dgm.Split.VAL}


def test_a_run_is_made_longer(tmp_path: Path) -> None:
    where = world(tmp_path)
    dgm.evolve(where / "mine", configuration(where, proposals=1), test=False)
    dgm.resume(where / "mine", proposals=2, test=False)
    with dgm.open_archive(where / "mine") as archive:
        assert len(archive.agents()) == 3


def test_a_run_that_goes_on_may_be_told_all_that_the_configuration_lets_change(tmp_path: Path) -> None:
    where = world(tmp_path)
    dgm.evolve(where / "mine", configuration(where, proposals=1), test=False)
    told = {"proposals": 2, "evaluations": 500, "seconds": 900.0, "patience": 7, "usd": 1.5, "workers": 2}
    assert {*told, "executor"} == CHANGEABLE.keys()
    dgm.resume(where / "mine", **told, executor="local", test=False)
    with dgm.open_archive(where / "mine") as archive:
        config = config_of(archive)
    for name, value in told.items():
        kept: object = config
        for key in CHANGEABLE[name]:
            kept = getattr(kept, key)
        assert kept == value, name
    with pytest.raises(dgm.UserError, match="choose one of local, ray, slurm"):
        dgm.resume(where / "mine", executor="cloud")


def test_a_plain_name_is_looked_for_where_the_command_line_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    where = world(tmp_path)
    dgm.evolve("mine", configuration(where, proposals=0), test=False)
    assert (tmp_path / "archive" / "mine" / "archive.db").is_file()
    with dgm.open_archive("mine") as archive:
        assert archive.name == "mine"


def test_what_must_be_put_right_is_said_before_anything_is_written(tmp_path: Path) -> None:
    where = world(tmp_path)
    wrong = configuration(where).model_copy(update={"domains": ("no-such-domain",)})
    with pytest.raises(dgm.UserError, match="no-such-domain"):
        dgm.evolve(where / "mine", wrong)
    with pytest.raises(dgm.UserError, match="there is no archive"):
        dgm.resume(where / "mine")
    assert not (where / "mine").exists()


def test_code_of_unknown_origin_is_not_run_without_a_sandbox_that_nobody_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = world(tmp_path)
    monkeypatch.setattr("dgm.sandbox.choose.ISOLATING", {})
    with pytest.raises(dgm.UserError, match="unknown origin"):
        dgm.evolve(where / "mine", configuration(where, sandbox="auto"))

"""The genome chooses parents itself: validated, with a way back when it fails, and everything on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgm import loop
from dgm.archive import AgentRecord
from dgm.genome import SELECT
from dgm.sitting.run import OWN, SELECTION, Run

from .conftest import World
from .test_loop import Flaky

EVOLVE = ("agent", "meta", "select")


def run_with(world: World, select: str, backend: str = "local", proposals: int = 3, **options: object) -> Run:
    meta = Path(world.meta())
    (meta / "select.py").write_text(select)
    return world.start(meta=str(meta), sandbox=backend, proposals=proposals, **{"evolve": EVOLVE, **options})


def quiet(_: AgentRecord) -> None:
    """Nobody is told."""


def told(run: Run) -> list[dict[str, object]]:
    return [event.body for event in run.archive.events() if event.kind == SELECTION]


def test_the_genome_s_own_rule_chooses(world: World, backend: str) -> None:
    latest = "def select(candidates, seed):\n    return max(c['id'] for c in candidates)\n"
    run = run_with(world, latest, backend)
    loop.evolve(run, quiet)
    assert [agent.parent for agent in run.archive.agents()] == [None, 0, 1, 2]
    assert {p.selector for p in run.archive.proposals()[1:]} == {OWN}
    assert [row["by"] for row in told(run)] == [0, 1, 2]


def test_without_a_rule_of_its_own_a_genome_begins_with_the_uniform_one(world: World) -> None:
    run = world.start(proposals=2, evolve=EVOLVE)
    assert SELECT in run.archive.files(0)
    loop.evolve(run, quiet)
    assert [row["failed"] for row in told(run)] == [[], []]


@pytest.mark.parametrize(
    "deed",
    ["raise ValueError('no')", "return 999", "return '0'", "while True: pass", "import os; os._exit(0)", "return True"],
)
def test_a_rule_that_fails_is_replaced_by_chance_and_told(
    world: World, deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dgm.proposal import own_selection
    from dgm.sandbox import Limits

    monkeypatch.setattr(own_selection, "LIMITS", Limits(seconds=0.5, memory_mb=256))
    run = run_with(world, f"def select(candidates, seed):\n    {deed}\n", proposals=1)
    loop.evolve(run, quiet)
    (row,) = told(run)
    assert row["by"] is None
    assert [failure["agent"] for failure in row["failed"]] == [0]
    assert run.archive.agent(1).parent == 0


def test_a_sandbox_that_fails_for_a_moment_ends_no_run_and_is_no_failure_of_the_rule(world: World) -> None:
    run = run_with(world, "def select(candidates, seed):\n    return 0\n", proposals=1)
    run.sandbox = Flaky(run.sandbox)
    assert loop.step(run).parent == 0
    assert [(row["by"], row["failed"]) for row in told(run)] == [(0, [])]


def test_a_child_that_breaks_the_rule_falls_back_on_its_parent_s(world: World) -> None:
    meta = Path(
        world.meta_doing("""
            Path(repo_path, 'meta/select.py').write_text('def select(candidates, seed): return "nobody"')
            Path(repo_path, 'agent/threshold.txt').write_text('60')
        """)
    )
    (meta / "select.py").write_text("def select(candidates, seed):\n    return 0\n")
    run = world.start(meta=str(meta), proposals=2, evolve=EVOLVE)
    loop.evolve(run, quiet)
    assert [(row["by"], [f["agent"] for f in row["failed"]]) for row in told(run)] == [(0, []), (0, [1])]


def test_a_rule_sees_mean_val_scores_and_nothing_else_of_val(world: World) -> None:
    spy = """
def select(candidates, seed):
    assert all(set(c) == {'id', 'parent', 'scores', 'children', 'clade'} for c in candidates), candidates
    assert all(set(c['scores']) == {'thresholds'} for c in candidates), candidates
    return candidates[0]['id']
"""
    run = run_with(world, spy)
    loop.evolve(run, quiet)
    assert [row["failed"] for row in told(run)] == [[], [], []]


def test_the_rule_changes_only_where_it_may_evolve(world: World) -> None:
    edits = "Path(repo_path, 'meta/select.py').write_text('def select(c, s): return 0')"
    for evolve, changes in ((("agent",), False), (("agent", "select"), True)):
        run = world.start(meta=world.meta_doing(edits), proposals=1, evolve=evolve)
        made = loop.step(run)
        assert (SELECT in made.changed) == changes

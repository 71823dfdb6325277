"""A run whose strategy decides between a new child and more evidence: on record, repeatable, and cut off anywhere."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from dgm import loop, results
from dgm.archive import AgentRecord, Archive
from dgm.archive.verify import verify
from dgm.config import Search
from dgm.domain import Split
from dgm.errors import UserError
from dgm.results import ROOT
from dgm.sitting import rederive
from dgm.strategy import journal
from dgm.strategy.records import state_of
from tests.soak.sitting import FORKED, sit

from .conftest import World

STRATEGIES = ("treewise", "hgm")


def quiet(_: AgentRecord) -> None:
    """Nobody is told."""


def told(archive: Archive) -> list[dict[str, object]]:
    return [e.body for e in archive.events() if e.kind == journal.KIND and isinstance(e.body, dict)]


def measured(archive: Archive, split: Split) -> dict[int, int]:
    return {agent: score.n for agent, score in archive.split_scores(split)}


def outcome(archive: Archive) -> list[object]:
    """All that must be equal in two runs of the same configuration."""
    verdicts = [(v.task, v.split, v.score) for a in archive.agents() for v in archive.verdicts(a.id)]
    return [[(a.parent, a.tree, a.admission) for a in archive.agents()], verdicts, archive.all_scores()]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_children_and_evidence_come_by_turns_and_the_choice_is_tested(
    world: World, backend: str, strategy: str
) -> None:
    run = world.start(sandbox=backend, strategy=strategy, proposals=5)
    assert loop.evolve(run, quiet) == "proposals"
    val = measured(run.archive, Split.VAL)
    assert 0 < sum(val.values()) < 20 * len(val), "some tasks of some agents, not all of all"
    parents = {agent.parent for agent in run.archive.agents() if agent.parent is not None}
    train = measured(run.archive, Split.TRAIN)
    assert all(train[parent] == 20 for parent in parents), "whoever became a parent had worked on all of train"
    chosen = loop.test(run)
    final = run.pursuit.final() if run.pursuit else -1
    assert {ROOT, final} <= set(chosen)
    assert all(measured(run.archive, Split.VAL)[agent] == 20 for agent in (ROOT, final))
    assert {a for a, _ in run.archive.split_scores(Split.TEST)} == set(chosen)
    assert results.best_overall(run.archive) in chosen
    assert loop.test(run) == chosen, "a second time measures nothing"


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_twice_gives_the_same_search(world: World, strategy: str) -> None:
    one, two = (world.start(strategy=strategy, proposals=5) for _ in range(2))
    for run in (one, two):
        loop.evolve(run, quiet)
        loop.test(run)
    assert outcome(one.archive) == outcome(two.archive)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_decision_comes_out_again_from_the_journal(world: World, strategy: str, workers: int) -> None:
    run = world.start(strategy=strategy, proposals=5)
    run.config = run.config.model_copy(update={"place": run.config.place.model_copy(update={"workers": workers})})
    loop.evolve(run, quiet)
    assert len([body for body in told(run.archive) if "expand" in body]) == 5
    assert list(rederive.check(run.archive)) == []
    assert verify(run.archive.path) == []


def test_a_decision_that_was_another_is_found(world: World) -> None:
    run = world.start(strategy="treewise", proposals=6)
    loop.evolve(run, quiet)
    events = run.archive.events()
    at = next(i for i, e in enumerate(events) if e.kind == journal.KIND and "measure" in e.body)
    events[at].body["measure"] += 1
    from dgm.strategy import strategy

    assert next(iter(journal.derived(events, strategy("treewise"))))[0] == events[at].seq


def test_the_state_of_a_live_search_is_that_of_its_archive(world: World) -> None:
    run = world.start(strategy="treewise", proposals=6)
    loop.evolve(run, quiet)
    assert run.pursuit is not None
    live, built = run.pursuit.state, state_of(run.archive, {"thresholds": 20}, {"thresholds": Split.VAL})
    for column in ("id", "parent", "children", "trials", "successes", "clade_trials", "clade_successes", "left"):
        assert getattr(live, column).tolist() == getattr(built, column).tolist(), column
    assert (live.proposals, live.evaluations) == (built.proposals, built.evaluations)


@pytest.mark.parametrize(
    "point",
    [pytest.param("rows-uncommitted", marks=pytest.mark.slow)]
    + [pytest.param(point, marks=pytest.mark.soak) for point in ("log", "rows")],
)
def test_a_search_that_is_killed_goes_on_as_one_that_was_not(world: World, point: str) -> None:
    whole = world.start(strategy="treewise", proposals=6)
    loop.evolve(whole, quiet)
    loop.test(whole)
    cut, file, said = (world.folder / name for name in ("cut", "run.toml", "said"))
    file.write_text(whole.config.model_copy(update={"digests": {}}).to_toml())
    rng, kills = random.Random(point), 0
    while True:
        place = f"{point}:{rng.randrange(3, 14)}"
        sitting = FORKED.Process(target=sit, args=(cut, file, place, None, said))
        sitting.start()
        sitting.join()
        if sitting.exitcode == 0:
            break
        assert sitting.exitcode == 137, said.read_text()
        kills += 1
    assert kills >= 2
    with Archive.open(cut) as archive:
        assert outcome(archive) == outcome(whole.archive)
        assert list(rederive.check(archive)) == []
    assert verify(cut) == []


def test_what_a_run_may_spend_says_how_it_searches_where_nobody_else_does() -> None:
    assert Search().strategy == Search(seconds=60).strategy == "staged"
    assert Search(evaluations=1000).strategy == "treewise"
    for said in ({"strategy": "staged"}, {"selector": "ucb"}, {"evolve": ("agent", "select")}):
        assert Search(evaluations=1000, **said).strategy == "staged"
    assert Search(evaluations=1000, strategy="hgm").strategy == "hgm"
    for search in (Search(evaluations=1000), Search(evaluations=1000, strategy="staged")):
        assert Search.model_validate(search.model_dump(exclude_none=True)) == search, "as it is read from an archive"


def test_a_budget_of_evaluations_ends_the_search(world: World) -> None:
    run = world.start(strategy="treewise", proposals=1000, evaluations=150)
    assert loop.evolve(run, quiet) == "evaluations"
    assert 150 <= run.archive.evaluations() < 150 + 45
    staged = world.start(strategy="staged", proposals=1000, evaluations=150)
    assert loop.evolve(staged, quiet) == "evaluations"
    assert 150 <= staged.archive.evaluations() < 150 + 40


def test_a_pin_and_a_veto_hold_against_the_strategy(world: World) -> None:
    from dgm import steering

    run = world.start(strategy="treewise", proposals=6)
    path = run.archive.path
    while run.archive.next_id() < 3:
        loop.step(run)
    steering.request(path, steering.Action.VETO, agent=0)
    steering.request(path, steering.Action.PIN, agent=1)
    loop.evolve(run, quiet)
    parents = [agent.parent for agent in run.archive.agents()][3:]
    assert parents[0] == 1
    assert 0 not in parents
    assert list(rederive.check(run.archive)) == []


def test_an_agent_with_the_same_task_half_is_not_made_to_work_on_the_same_tasks_again(world: World) -> None:
    ran = world.folder / "ran"
    ran.mkdir()
    body = f"import uuid\nPath({str(ran)!r}, uuid.uuid4().hex).touch()\nreturn 'above', []"
    unchanged = "p = Path(repo_path, 'meta/note.txt')\np.write_text(str(iterations_left))"
    run = world.start(world.agent_doing(body), world.meta_doing(unchanged), strategy="treewise", proposals=4)
    loop.evolve(run, quiet)
    loop.test(run)
    assert sum(n > 0 for n in measured(run.archive, Split.VAL).values()) > 1
    assert len(list(ran.iterdir())) == 20 + 20 + 40, "train, val and test of one task half, whatever agent has it"


@pytest.mark.parametrize(
    ("search", "says"),
    [({"evolve": ("agent", "meta", "select")}, "leave select out"), ({"selector": "random"}, "leave --selector out")],
)
def test_two_that_would_choose_parents_are_refused(world: World, search: dict[str, object], says: str) -> None:
    with pytest.raises(UserError, match=says):
        world.start(strategy="treewise", **search)


def test_a_domain_without_val_is_searched_on_train(world: World, tmp_path: Path) -> None:
    text = Path(world.domain(), "domain.toml")
    text.write_text(text.read_text().replace("val = 20", "val = 0"))
    code = text.with_name("domain.py")
    code.write_text(code.read_text().replace('"val": (100, 20)', '"val": (100, 0)'))
    run = world.start(strategy="treewise", proposals=4)
    loop.evolve(run, quiet)
    loop.test(run)
    assert list(rederive.check(run.archive)) == []
    assert verify(run.archive.path) == []

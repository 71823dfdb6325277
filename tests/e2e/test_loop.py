"""The whole loop on a small domain: what is chosen, made, measured and kept."""

from __future__ import annotations

import pytest

from dgm import loop
from dgm.archive import Admission, Archive
from dgm.domain import Files, Split
from dgm.errors import SandboxUnavailable
from dgm.evaluation.session import AgentSession
from dgm.results import best_per_domain, results
from dgm.sandbox import Limits, Sandbox, Session
from dgm.sitting import start

from .conftest import World


def quiet(_: object) -> None:
    pass


def test_a_run_gets_better_and_reports_on_test(world: World, backend: str) -> None:
    run = world.start(sandbox=backend, proposals=12)
    assert loop.evolve(run, quiet) == "proposals"
    loop.test(run)
    (row,) = results(run.archive).rows
    assert row.root_test is not None and row.test is not None
    assert row.test.mean > row.root_test.mean
    assert row.test.n == 40
    assert row.test.low < row.test.mean <= row.test.high


def test_test_is_measured_for_finalists_alone(world: World) -> None:
    run = world.start(proposals=8)
    loop.evolve(run, quiet)
    assert not [s for _, s in run.archive.all_scores() if s.split == Split.TEST]
    chosen = loop.test(run)
    measured = {agent for agent, s in run.archive.all_scores() if s.split == Split.TEST}
    assert measured == set(chosen) == {0, *best_per_domain(run.archive).values()}
    assert loop.test(run) == chosen, "a second time measures nothing and changes nothing"


def test_the_same_seed_gives_the_same_trees_scores_and_choices(world: World) -> None:
    def history(run: loop.Run) -> list[object]:
        loop.evolve(run, quiet)
        archive = run.archive
        return [
            [(a.id, a.parent, a.admission, a.tree, a.summary) for a in archive.agents()],
            list(archive.all_scores()),
            [(p.id, p.key, p.parent, p.archive_version) for p in archive.proposals()],
        ]

    agent, meta = world.agent(), world.meta()
    one, two = world.start(agent, meta), world.start(agent, meta)
    assert history(one) == history(two)
    other = world.start(agent, meta, random_seed=4)
    assert history(other) != history(one)


def test_the_number_of_sessions_changes_no_result(world: World) -> None:
    agent, meta = world.agent(), world.meta()
    one = world.start(agent, meta)
    two = world.start(agent, meta)
    two.config = two.config.model_copy(update={"place": two.config.place.model_copy(update={"sessions": 3})})
    for run in (one, two):
        loop.evolve(run, quiet)
    assert [a.tree for a in one.archive.agents()] == [a.tree for a in two.archive.agents()]
    assert list(one.archive.all_scores()) == list(two.archive.all_scores())


def test_every_choice_can_be_derived_again(world: World) -> None:
    import random

    from dgm.selection import choose

    run = world.start(proposals=5)
    for _ in range(5):
        known = run.archive.view()
        made = loop.step(run)
        proposal = run.archive.proposal(made.id)
        assert proposal.archive_version == made.id - 1
        assert choose(known, run.select, random.Random(proposal.key)) == made.parent


def test_a_resumed_run_equals_one_that_was_never_stopped(world: World) -> None:
    agent, meta = world.agent(), world.meta()
    whole = world.start(agent, meta, proposals=6)
    loop.evolve(whole, quiet)
    part = world.start(agent, meta, proposals=6)
    loop.step(part)
    loop.step(part)
    part.archive.close()
    again = start.reopen(part.archive.path, quiet)
    world.open_runs.append(again)
    loop.evolve(again, quiet)
    assert [a.tree for a in again.archive.agents()] == [a.tree for a in whole.archive.agents()]
    assert again.seconds >= sum(p.seconds for p in again.archive.proposals())


def test_a_domain_that_changed_since_the_start_is_noticed(world: World) -> None:
    import pytest

    from dgm.errors import UserError

    run = world.start()
    run.archive.close()
    world.domain(code=(world.folder / "domains/thresholds/domain.py").read_text() + "\n# easier\n")
    with pytest.raises(UserError, match="its digest differs"):
        start.reopen(run.archive.path, quiet)


def test_a_meta_agent_that_changes_nothing_makes_no_agent(world: World) -> None:
    run = world.start(meta=world.meta_doing("return 'did nothing'"), proposals=2)
    loop.evolve(run, quiet)
    assert [a.admission for a in run.archive.agents()] == [
        Admission.ROOT,
        Admission.UNCHANGED,
        Admission.UNCHANGED,
    ]
    assert [c.id for c in run.archive.candidates()] == [0]
    assert run.archive.candidates()[0].children == 2
    assert run.archive.candidates()[0].working_children == 0


def test_a_meta_agent_that_raises_is_buried_with_its_reason(world: World) -> None:
    run = world.start(meta=world.meta_doing("raise RuntimeError('lost my way')"), proposals=1)
    made = loop.step(run)
    assert made.admission == Admission.FAILED
    assert "lost my way" in made.reason


def test_a_child_that_does_not_start_is_stillborn_and_its_parent_unharmed(world: World) -> None:
    meta = world.meta_doing("Path(repo_path, 'agent/task_agent.py').write_text('def broken(')")
    run = world.start(meta=meta, proposals=1)
    made = loop.step(run)
    assert made.admission == Admission.STILLBORN
    assert "SyntaxError" in made.reason
    assert run.archive.candidates()[0].scores
    assert not run.archive.scores(made.id)


def test_a_child_whose_meta_half_does_not_start_is_stillborn_too(world: World) -> None:
    meta = world.meta_doing("Path(repo_path, 'meta/meta_agent.py').write_text('import nowhere')")
    made = loop.step(world.start(meta=meta))
    assert made.admission == Admission.STILLBORN


def test_a_half_that_a_child_has_from_its_parent_is_not_started_to_see_whether_it_starts(world: World) -> None:
    meta = world.meta_doing("Path(repo_path, 'agent/threshold.txt').write_text('60')")
    run = world.start(meta=meta)
    opened = list[str]()
    loading = AgentSession.load
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AgentSession, "load", lambda session: (opened.append(session._half), loading(session))[1])
        assert loop.step(run).admission == Admission.ADMITTED
    assert opened == ["agent"]


def test_patience_ends_a_run_that_stands_still(world: World) -> None:
    run = world.start(
        meta=world.meta_doing("Path(repo_path, 'agent/notes.txt').write_text(str(random.random()))"),
        proposals=30,
        patience=4,
    )
    assert loop.evolve(run, quiet) == "patience"
    assert run.archive.next_id() == 5


def test_seconds_end_a_run_over_all_its_sittings(world: World) -> None:
    run = world.start(proposals=50, seconds=1000.0)
    run.before = 1001.0
    assert loop.evolve(run, quiet) == "seconds"
    assert run.archive.next_id() == 1


def test_a_gate_ends_the_evaluation_of_a_hopeless_child(world: World) -> None:
    folder = world.folder / "domains/thresholds"
    world.domain()
    gated = (folder / "domain.toml").read_text() + "stages = [{ train = 5, gate = 0.5 }, { train = 20, val = 20 }]\n"
    config = world.config(world.agent(), world.meta_doing("Path(repo_path, 'agent/threshold.txt').write_text('-1')"))
    (folder / "domain.toml").write_text(gated)
    run = start.create(world.folder / "gated", config, quiet)
    world.open_runs.append(run)
    child = loop.step(run)
    (train,) = run.archive.scores(child.id)
    assert (train.split, train.n, train.total) == (Split.TRAIN, 5, 20)


def test_readers_see_a_run_while_it_is_written(world: World) -> None:
    run = world.start()
    loop.step(run)
    with Archive.open(run.archive.path) as reader:
        assert len(reader.agents()) == 2
        loop.step(run)
    with Archive.open(run.archive.path) as reader:
        assert len(reader.agents()) == 3


def test_a_child_whose_task_half_is_known_is_not_measured_again(world: World) -> None:
    meta = world.meta_doing("Path(repo_path, 'meta/notes.txt').write_text(str(random.random()))")
    run = world.start(meta=meta, proposals=2)
    loop.evolve(run, quiet)
    for child in (1, 2):
        assert run.archive.agent(child).admission == Admission.ADMITTED
        assert run.archive.scores(child) == run.archive.scores(0)
        assert run.archive.logs(child, "thresholds", Split.TRAIN) == run.archive.logs(0, "thresholds", Split.TRAIN)
        assert "agent 0" in run.archive.proposal(child).note


def test_a_twin_keeps_nothing_of_test(world: World) -> None:
    run = world.start(meta=world.meta_doing("Path(repo_path, 'meta/notes.txt').write_text('x')"), proposals=1)
    loop.test(run)
    child = loop.step(run)
    assert {s.split for s in run.archive.scores(child.id)} == {Split.TRAIN, Split.VAL}


def test_a_child_of_two_parents_is_a_merge_in_git(world: World) -> None:
    """The mate solves what the parent cannot; a child that takes a line of it has both as parents."""
    import subprocess

    borrow = """
        mate = Path(eval_path, "mate/agent/threshold.txt")
        place = Path(repo_path, "agent/threshold.txt")
        place.write_text(mate.read_text() if mate.exists() else str(int(place.read_text()) + 25))
        return "took over the mate's threshold" if mate.exists() else "moved it"
    """
    run = world.start(agent=world.agent(threshold=30), meta=world.meta_doing(borrow), proposals=8, selector="mates")
    loop.evolve(run, quiet)
    crossed = [agent for agent in run.archive.agents() if agent.parent2 is not None]
    assert crossed
    for agent in crossed:
        mate = run.archive.files(agent.parent2)
        assert run.archive.files(agent.id)["agent/threshold.txt"] == mate["agent/threshold.txt"]
    store = ["git", "--git-dir", str(run.archive.path / "genomes.git")]
    shown = subprocess.run(
        [*store, "rev-list", "--parents", "-1", crossed[0].commit or ""], capture_output=True, text=True, check=True
    )
    assert len(shown.stdout.split()) == 3


def test_what_resume_was_told_once_need_not_be_told_again(world: World) -> None:
    run = world.start(proposals=1)
    loop.evolve(run, quiet)
    run.close()
    with start.reopen(run.archive.path, lambda _: None, {"proposals": 3}) as longer:
        loop.step(longer)
    with start.reopen(run.archive.path, lambda _: None) as again:
        assert again.config.search.proposals == 3
        loop.evolve(again, quiet)
        assert len(again.archive.agents()) == 4
        assert again.archive.config == run.archive.config, "dgm.toml is as it was"


class Flaky:
    """A sandbox that cannot be opened the first two times it is asked."""

    def __init__(self, inner: Sandbox) -> None:
        self.inner, self.refused = inner, 0
        self.name, self.holds = inner.name, inner.holds

    def open(self, files: Files, limits: Limits) -> Session:
        if self.refused < 2:
            self.refused += 1
            raise SandboxUnavailable("not now")
        return self.inner.open(files, limits)

    def caveats(self) -> list[str]:
        return []


def test_a_sandbox_that_fails_for_a_moment_costs_no_proposal(world: World) -> None:
    run = world.start(proposals=1)
    run.sandbox = Flaky(run.sandbox)
    assert loop.step(run).admission == Admission.ADMITTED

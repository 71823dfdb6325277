"""The columns of a real archive: the same however they came about, and what selectors ask for is read from it."""

from __future__ import annotations

import random
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.archive import Admission, AgentRecord, Archive, ScoreRecord
from dgm.archive.columns import Columns, Row
from dgm.archive.lineage import clade
from dgm.archive.population import Population
from dgm.archive.standing import Standing
from dgm.archive.view import View
from dgm.errors import Status
from tests.archive import world
from tests.selection.world import ids


def unasked(_: object) -> None:
    raise AssertionError("nobody asked for this")


def look(standing: Standing) -> View:
    return standing.view(99, unasked, unasked)  # type: ignore[arg-type]


def same(one: View, two: View) -> bool:
    names = [field.name for field in fields(View) if not field.name.startswith("read_")]
    return all(np.array_equal(getattr(one, name), getattr(two, name)) for name in names)


def record(number: int, parent: int | None, works: bool) -> AgentRecord:
    admission = Admission.ROOT if parent is None else Admission.ADMITTED if works else Admission.FAILED
    return AgentRecord(number, parent, None, admission, None, None, "", Status.OK, "", "", 0.0, ())


def score(domain: str, split: str, mean: float, n: int = 7) -> ScoreRecord:
    return ScoreRecord(domain, split, n, 10, mean, 0.0, 1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_columns_that_grew_equal_columns_that_were_loaded(seed: int) -> None:
    rng = random.Random(seed)
    numbers = [0, *rng.sample(range(1, 60), 20)]  # workers finish out of order
    records, scores, working = list[AgentRecord](), list[tuple[int, ScoreRecord]](), [0]
    grown = Standing.of([], [])
    for number in numbers:
        agent = record(number, rng.choice(working) if number else None, rng.random() < 0.7)
        results = [score(d, s, rng.random()) for d in "abc" for s in ("train", "val", "test") if rng.random() < 0.7]
        results = results if agent.admission.works else []
        late = rng.random() < 0.3
        grown.add(agent, results[:1] if late else results)
        records.append(agent)
        scores += [(number, result) for result in results[: 1 if late else None]]
        if late:
            grown.measured(agent, results)
            scores += [(number, result) for result in results[1:]]
        if grown.stale:
            grown = Standing.of(records, scores)
        working += [number] if agent.admission.works and number else []
    assert same(look(grown), look(Standing.of(records, scores)))
    population = Population(sorted(records, key=lambda agent: agent.id), scores)
    view, candidates = look(grown), population.candidates()
    assert view.id.tolist() == [candidate.id for candidate in candidates]
    assert view.children.tolist() == [candidate.children for candidate in candidates]
    assert view.working_children.tolist() == [candidate.working_children for candidate in candidates]
    assert [list(map(float, row)) for row in view.scores] == [list(c.scores.values()) for c in candidates]
    for row, agent_id in enumerate(view.id.tolist()):
        members = [i for i in clade(records, agent_id) if i in set(working)]
        assert view.clade[row] == len(members)
        rows = np.searchsorted(view.id, members)
        assert view.clade_trials[row] == view.trials[rows].sum()
        assert view.clade_successes[row] == view.successes[rows].sum()


def test_a_view_does_not_change_when_the_archive_does() -> None:
    standing = Standing.of([record(0, None, True)], [(0, score("a", "val", 0.5))])
    before = look(standing)
    standing.add(record(1, 0, True), [score("a", "val", 1.0)])
    assert (len(before), before.children.tolist(), before.clade.tolist()) == (1, [0], [1])
    after = look(standing)
    assert (len(after), after.children.tolist(), after.clade.tolist()) == (2, [1, 0], [2, 1])
    with pytest.raises(ValueError, match="read-only"):
        after.children[0] = 0


def test_columns_make_room_for_any_number_of_agents() -> None:
    columns = Columns.of(["d"], [Row(0, None, [0.5])])
    for number in range(1, 300):
        columns.proposed(number - 1, True)
        columns.add(Row(number, number - 1, [0.25], 1.0, 4.0))
    view = columns.view(300, unasked, unasked)  # type: ignore[arg-type]
    assert view.id.tolist() == list(range(300))
    assert view.clade.tolist() == list(range(300, 0, -1))
    assert view.clade_trials[0] == 299 * 4


def test_results_task_by_task_come_from_the_split_that_chooses(tmp_path: Path) -> None:
    with world.create(tmp_path / "run", children=4) as archive:
        view = archive.view()
        passed = [[v.score == 1.0 for v in archive.verdicts(i, "grading", "val")] for i in range(5)]
        assert view.tasks.count == world.TASKS
        assert view.tasks.bits(np.arange(5)).T.tolist() == passed
        archive.record(world.child(5, 4))
        assert archive.view().tasks.bits(np.array([5])).sum() == 2
        assert view.tasks.best.shape[1] == 5  # what was read stays as it was
    with Archive.open(tmp_path / "run") as again:
        assert np.array_equal(again.view().tasks.best[:, :5], view.tasks.best)


def test_of_graded_results_only_the_highest_counts(tmp_path: Path) -> None:
    def graded(number: int, value: float) -> world.Child:
        made = world.child(number)
        verdicts = [replace(v, score=value if v.task == "q0" else 0.0) for v in made.verdicts]
        return replace(made, verdicts=verdicts)

    with Archive.create(tmp_path / "run", "", graded(0, 0.5)) as archive:
        archive.record(graded(1, 0.75))
        archive.record(graded(2, 0.75))
        archive.record(graded(3, 0.25))
        assert ids(archive.view(), archive.view().tasks.weigh(np.ones(world.TASKS))) == [1, 2]


def test_results_that_come_later_are_seen(tmp_path: Path) -> None:
    scores, verdicts, _ = world.results(3, ("train",))
    with Archive.create(tmp_path / "run", "", world.child(0, scores=scores, verdicts=verdicts, logs={})) as archive:
        assert archive.view().tasks.solvers().tolist() == [1, 0, 0, 1, 0, 0]
        later = world.results(4, ("val",))
        archive.add_scores(0, *later)
        assert archive.view().tasks.solvers().tolist() == [0, 0, 1, 0, 0, 1]


def test_sources_are_those_of_the_genomes(tmp_path: Path) -> None:
    with world.create(tmp_path / "run", children=2) as archive:
        sources = archive.view().sources
        assert sources.size.tolist() == [sum(map(len, archive.files(i).values())) for i in range(3)]
        assert sources.distance(0)[0] == 0
        assert (sources.distance(0)[1:] > 0).all()
        archive.record(world.child(3, 0, files=archive.files(1)))
        assert archive.view().sources.distance(3)[1] == pytest.approx(0, abs=1e-9)

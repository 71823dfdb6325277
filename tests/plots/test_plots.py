"""Figures can be drawn of every archive, say why where they cannot, and are the same each time."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("matplotlib")

from dgm import plots, statistics
from dgm.analysis.comparison import median
from dgm.archive import Archive, ScoreRecord, VerdictRecord
from dgm.errors import Status, UserError
from dgm.plots import canvas
from dgm.plots.gains import Row
from dgm.plots.tree import layout
from tests.archive.world import FAST, child, create, failed
from tests.cli.test_tree import agent


@pytest.fixture
def example(repository: Path) -> Iterator[Archive]:
    with Archive.open(repository / "archive" / "example") as archive:
        yield archive


BEGINS = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
WRITTEN = list(zip(plots.KINDS, [".png", ".svg", ".pdf", ".png", ".svg"], strict=True))


@pytest.mark.parametrize(("kind", "ending"), WRITTEN)
def test_every_figure_of_the_example_is_written(example: Archive, tmp_path: Path, kind: str, ending: str) -> None:
    file = tmp_path / f"figure{ending}"
    plots.save(plots.draw(example, kind), file)
    assert file.read_bytes().startswith(BEGINS[ending])
    assert file.stat().st_size > 3_000


def test_the_progress_shows_what_the_archive_holds(example: Archive) -> None:
    figure = plots.draw(example, "progress", "coding")
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert list(lines["best so far"].get_ydata())[-1] == pytest.approx(0.41667, abs=1e-4)
    assert list(lines["lineage of the best"].get_xdata()) == [0, 1, 2, 3, 6, 7, 9]
    assert len(lines["an agent"].get_xdata()) == 11


def test_a_single_domain_can_be_asked_for(example: Archive) -> None:
    assert len(plots.draw(example, "tasks").axes) == 4
    assert len(plots.draw(example, "tasks", "review").axes) == 2
    with pytest.raises(UserError, match="painting"):
        plots.draw(example, "tree", "painting")


def test_equal_figures_are_equal_files(example: Archive, tmp_path: Path) -> None:
    for ending in plots.ENDINGS:
        for name in "ab":
            plots.save(plots.draw(example, "cost"), tmp_path / f"{name}{ending}")
        assert (tmp_path / f"a{ending}").read_bytes() == (tmp_path / f"b{ending}").read_bytes()


@pytest.mark.parametrize("kind", ["cost", "imp"])
def test_a_run_that_has_made_nothing_says_so(tmp_path: Path, kind: str) -> None:
    with create(tmp_path / "run") as archive, pytest.raises(UserError, match="run has"):
        plots.draw(archive, kind)


@pytest.mark.parametrize("kind", plots.KINDS)
def test_failed_proposals_and_odd_names_are_drawn(kind: str) -> None:
    with tempfile.TemporaryDirectory(dir=FAST) as folder, create(Path(folder, "a$b_{x}$"), 2) as archive:
        archive.record(failed(3, 1))
        archive.record(child(4, 1, parent2=2, scores=[], verdicts=[], logs={}))
        plots.save(plots.draw(archive, kind), Path(folder, "x.svg"))
        assert "a$b_{x}$" in Path(folder, "x.svg").read_text()


def test_variants_are_compared_on_test_with_each_run_shown(example: Archive) -> None:
    figure = plots.compare([("evolved", [example, example]), ("control", [example])])
    over, end = figure.axes
    assert [text.get_text() for text in over.get_legend().get_texts()] == ["evolved (n=2)", "control (n=1)"]
    assert end.get_xlabel() == "at the end, on test"


def test_a_variant_without_scores_is_named(tmp_path: Path) -> None:
    root = child(0, scores=[], verdicts=[], logs={})
    with Archive.create(tmp_path / "run", "", root) as archive, pytest.raises(UserError, match="nothing has a run"):
        plots.compare([("nothing", [archive])])


def test_another_ending_is_refused(example: Archive, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"must end in \.png"):
        plots.save(plots.draw(example, "cost"), tmp_path / "figure.xlsx")


@settings(deadline=None)
@given(st.lists(st.integers(0, 10_000), max_size=60))
def test_no_two_agents_stand_on_each_other(draws: list[int]) -> None:
    agents = [agent(0, None), *(agent(n, draw % n) for n, draw in enumerate(draws, start=1))]
    place = layout(agents)
    assert len(set(place.values())) == len(agents)
    for one in agents[1:]:
        assert place[one.id][0] == place[one.parent or 0][0] + 1


def test_a_long_lineage_needs_no_recursion() -> None:
    agents = [agent(0, None), *(agent(n, n - 1) for n in range(1, 3000))]
    assert layout(agents)[2999] == (2999.0, 0.0)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.sampled_from([0.1, 0.10001, 0.2, 0.3]), min_size=1, max_size=12))
def test_no_run_hides_another(values: list[float]) -> None:
    near = canvas.near([0.1, 0.3])
    marks = list(zip(values, canvas.offsets(values, near), strict=True))
    assert all(0 <= height <= 1 for _, height in marks)
    for i, (one, at) in enumerate(marks):
        assert all(abs(one - other) >= near or abs(at - below) > 0.05 for other, below in marks[:i])


def test_the_gains_say_how_many_runs_and_show_each_of_them() -> None:
    rows = [Row("coding", "full", [0.2] * 5, median([0.2] * 5)), Row("coding", "one", [0.2], median([0.2]))]
    (axis,) = plots.variants(rows).axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["full (n=5)", "one (n=1)"]
    runs = [line for line in axis.get_lines() if len(line.get_xdata()) == 5]
    assert len(set(runs[0].get_ydata())) == 5
    assert len(axis.containers) == 2
    assert [len(container[2]) for container in axis.containers] == [1, 0], "a single run has no interval"


@pytest.mark.parametrize("parent", [2, 7])
def test_a_tree_whose_agents_hang_nowhere_is_said_to_be_damaged(tmp_path: Path, parent: int) -> None:
    create(tmp_path / "run", 3).close()
    with closing(sqlite3.connect(tmp_path / "run" / "archive.db")) as connection, connection:
        connection.execute("UPDATE agents SET parent = ? WHERE id = 1", (parent,))
    with Archive.open(tmp_path / "run") as archive, pytest.raises(UserError, match="damaged"):
        plots.draw(archive, "tree")


@pytest.mark.parametrize("kind", ["progress", "tasks"])
def test_more_domains_than_there_is_room_for_are_counted(tmp_path: Path, kind: str) -> None:
    names = [f"d{n}" for n in range(40)]
    score = statistics.score([1.0, 0.0], 2)
    scores = [ScoreRecord.of(name, "val", score) for name in names]
    verdicts = [VerdictRecord(name, "val", f"q{n}", 1.0 - n, Status.OK, 1) for name in names for n in (0, 1)]
    with Archive.create(tmp_path / "run", "", child(0, scores=scores, verdicts=verdicts, logs={})) as archive:
        with pytest.raises(UserError, match="has 40 domains"):
            plots.draw(archive, kind)
        plots.save(plots.draw(archive, kind, "d7"), tmp_path / "x.png")

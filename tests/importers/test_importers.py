"""Runs of other systems become archives on which every command works; what is missing is named."""

from __future__ import annotations

import json
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dgm.archive import Admission, Archive
from dgm.archive.verify import verify
from dgm.cli import tree
from dgm.errors import UserError
from dgm.exchange.importers import SYSTEMS, building, import_run
from dgm.exchange.importers.model import ForeignAgent, ForeignRun
from dgm.reporting import report
from tests.archive.world import FAST
from tests.importers import runs


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=FAST, prefix="dgm-test-") as folder:
        yield Path(folder)


MAKERS: dict[str, Callable[[Path], Path]] = {"hyperagents": runs.hyperagents, "dgm": runs.dgm, "hgm": runs.hgm}


def shape(path: Path) -> dict[str, tuple[str | None, str]]:
    """Foreign name to the parent's foreign name and the admission."""
    with Archive.open(path) as archive:
        names = {p.id: p.note.split(" of the imported")[0] for p in archive.proposals()}
        return {
            names[a.id]: (None if a.parent is None else names[a.parent], str(a.admission)) for a in archive.agents()
        }


def agent(path: Path, name: str) -> int:
    return list(shape(path)).index(name)


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_hyperagents_run_keeps_its_tree_with_crashed_generations(tmp_path: Path) -> None:
    source = runs.hyperagents(tmp_path / "generate_x")
    before = snapshot(source)
    count, notices = import_run("hyperagents", source, tmp_path / "run")
    assert shape(tmp_path / "run") == {
        "initial": (None, "root"),
        "1": ("initial", "admitted"),
        "2": ("1", "admitted"),
        "3": ("1", "stillborn"),
        "5": ("initial", "failed"),
        "6": ("2", "admitted"),
        "7": ("1", "admitted"),
        "8": ("1", "admitted"),
    }
    assert count == 8
    assert snapshot(source) == before
    assert verify(tmp_path / "run") == []
    told = "\n".join(notices)
    for piece in ("gen_4 crashed", "gen_9 is missing", "hangs on 2", "does not apply", "its patch is missing"):
        assert piece in told
    with Archive.open(tmp_path / "run") as archive:
        assert archive.events()[-1].body["notices"] == notices


def test_patches_become_commits_and_skip_domains(tmp_path: Path) -> None:
    import_run("hyperagents", runs.hyperagents(tmp_path / "x"), tmp_path / "run")
    with Archive.open(tmp_path / "run") as archive:

        def level(name: str) -> str:
            return archive.files(agent(tmp_path / "run", name))["task_agent.py"].decode().split()[-1]

        assert [level(name) for name in ("initial", "1", "2", "3", "6", "7", "8")] == [
            "0",
            "1",
            "2",
            "3",
            "6",
            "1",
            "1",
        ]
        assert set(archive.files(2)) == {"task_agent.py", "meta_agent.py"}  # neither domains/ nor .git
        assert set(archive.files(agent(tmp_path / "run", "7"))) > {"unapplied/7-model_patch.diff"}
        assert "-    level = 1\n+    level = 2" in archive.patch(2)


def test_scores_results_and_logs_come_along(tmp_path: Path) -> None:
    import_run("hyperagents", runs.hyperagents(tmp_path / "x"), tmp_path / "run")
    with Archive.open(tmp_path / "run") as archive:
        scores = {(s.domain, s.split): (s.mean, s.n, s.total) for s in archive.scores(1)}
        assert scores == {
            ("imo_grading", "train"): (0.5, 2, 2),
            ("paper_review", "train"): (0.75, 4, 4),
            ("paper_review", "val"): (0.5, 2, 2),
        }
        (staged,) = archive.scores(2)
        assert (staged.mean, staged.n, staged.total) == (0.5, 2, 4)  # stopped after two of four tasks
        assert [(v.task, v.score) for v in archive.verdicts(2)] == [("a", 1.0), ("b", 0.0)]
        rows = archive.logs(1, "paper_review", "train")
        assert rows[0]["prediction"] == "accept"
        assert "<script>" in rows[0]["log"]
        assert rows[-1]["prediction"] == ""
        (balrog,) = archive.scores(agent(tmp_path / "run", "6"))  # NaN is no score; a percentage is one
        assert (balrog.domain, balrog.mean, balrog.low, balrog.high) == ("balrog", 0.425, 0.0, 1.0)


def test_a_dgm_run_keeps_its_tree_and_takes_the_source_from_elsewhere(tmp_path: Path) -> None:
    for name, text in runs.SOURCE.items():
        runs.put(tmp_path / "checkout" / name, text)
    _, notices = import_run("dgm", runs.dgm(tmp_path / "x"), tmp_path / "run", tmp_path / "checkout")
    assert shape(tmp_path / "run") == {
        "initial": (None, "root"),
        "20250102_b": ("initial", "stillborn"),
        "20250101_a": ("initial", "admitted"),
        "20250104_d": ("20250101_a", "failed"),
        "20250103_c": ("20250101_a", "admitted"),
    }
    assert any("20250105_e left no metadata" in line for line in notices)
    with Archive.open(tmp_path / "run") as archive:
        assert [v.score for v in archive.verdicts(2)] == [1.0, 1.0, 0.0]
        assert str(archive.verdicts(2)[2].status) == "invalid"
        assert b"level = 3" in archive.files(4)["task_agent.py"]
        assert archive.agent(2).summary == "django__1: Do better."
    assert verify(tmp_path / "run") == []


def test_without_its_source_the_patches_are_kept_as_files(tmp_path: Path) -> None:
    _, notices = import_run("dgm", runs.dgm(tmp_path / "x"), tmp_path / "run")
    assert any("--root gives it" in line for line in notices)
    with Archive.open(tmp_path / "run") as archive:
        assert set(archive.files(4)) == {
            "unapplied/20250101_a-model_patch.diff",
            "unapplied/20250103_c-model_patch.diff",
        }


def test_an_hgm_run_keeps_its_tree_and_means(tmp_path: Path) -> None:
    _, notices = import_run("hgm", runs.hgm(tmp_path / "x"), tmp_path / "run")
    assert shape(tmp_path / "run") == {
        "initial": (None, "root"),
        "n1": ("initial", "admitted"),
        "n2": ("initial", "failed"),
        "n3": ("n1", "admitted"),
    }
    assert any("node 4" in line for line in notices)
    with Archive.open(tmp_path / "run") as archive:
        assert [s.mean for i in range(4) for s in archive.scores(i)] == [0.5, 0.4, 1.0]
        assert archive.logs(1, "benchmark", "train")[0]["report"] == {"num_evals": 5}
    assert verify(tmp_path / "run") == []


@pytest.mark.parametrize("system", SYSTEMS)
def test_after_an_import_every_page_can_be_shown(
    system: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_run(system, MAKERS[system](tmp_path / "x"), tmp_path / "run")
    with Archive.open(tmp_path / "run") as archive:
        report.show_json(archive)
        report.best_json(archive)
        assert report.config_lines(archive)
        tree.show(archive)
        for record in archive.agents():
            report.agent_lines(archive, record)
            report.agents_table(archive)
    assert "* #0" in capsys.readouterr().out


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_import_is_the_same_each_time(system: str, tmp_path: Path) -> None:
    source = MAKERS[system](tmp_path / "x")
    for name in ("one", "two"):
        import_run(system, source, tmp_path / name)
    with Archive.open(tmp_path / "one") as one, Archive.open(tmp_path / "two") as two:
        assert one.agents() == two.agents()
        assert one.all_scores() == two.all_scores()


CORRUPT = {
    "hyperagents": ("archive.jsonl", ["", "{", '{"archive": 3}', '{"current_genid": "../x", "archive": []}', "[1]\n"]),
    "dgm": ("dgm_metadata.jsonl", ["", '{"generation": 0', "[]", '{"generation": 0}', "\xff"]),
    "hgm": ("hgm_metadata.jsonl", ["", "{}", '{"nodes": 5}', '{"nodes": [{"id": "x"}]}', '{"nodes": [{"id": 0}']),
}


@pytest.mark.parametrize(("system", "content"), [(s, c) for s, (_, contents) in CORRUPT.items() for c in contents])
def test_a_corrupt_index_is_refused_and_leaves_nothing(system: str, content: str, tmp_path: Path) -> None:
    source = MAKERS[system](tmp_path / "x")
    (source / CORRUPT[system][0]).write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match=CORRUPT[system][0]):
        import_run(system, source, tmp_path / "run")
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_agents_that_descend_from_themselves_are_refused(tmp_path: Path) -> None:
    source = runs.hyperagents(tmp_path / "x")
    runs.metadata(source, 1, 2, [])
    with pytest.raises(UserError, match="descends from itself"):
        import_run("hyperagents", source, tmp_path / "run")
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_another_folder_is_no_run(system: str, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(UserError, match="is no such run"):
        import_run(system, tmp_path / "x", tmp_path / "run")
    with pytest.raises(UserError, match="is not a directory"):
        import_run(system, tmp_path / "nowhere", tmp_path / "run")


def test_links_in_a_run_lead_nowhere(tmp_path: Path) -> None:
    source = runs.hyperagents(tmp_path / "x")
    (tmp_path / "secret").write_text("sentinel-text")
    for name in ("gen_2/agent_output/model_patch.diff", "gen_1/paper_review_eval/agent_evals/chat_history_a.md"):
        (source / name).unlink()
        (source / name).symlink_to(tmp_path / "secret")
    (source / "gen_initial/hyperagents/link.py").symlink_to(tmp_path / "secret")
    import_run("hyperagents", source, tmp_path / "run")
    with Archive.open(tmp_path / "run") as archive:
        everything = json.dumps([archive.logs(1, "paper_review", "train"), archive.patch(2)])
        assert "sentinel-text" not in everything
        assert set(archive.files(0)) == set(runs.SOURCE)


@pytest.mark.parametrize("name", ["./x", "a/.git/b", "a\n\x1b[31mb", "x" * 250, "../x", "x" * 5_000, "\ud800", "a\0b"])
def test_names_that_somebody_chose_badly_stop_no_import(name: str, tmp_path: Path) -> None:
    source = runs.dgm(tmp_path / "x")
    with suppress(OSError, ValueError):  # some can only stand in the index
        runs.put(source / name / "metadata.json", {"is_compiled": True, "parent_commit": "initial"})
        runs.put(source / name / "model_patch.diff", runs.level(0, 1))
    runs.put(source / "dgm_metadata.jsonl", json.dumps({"children": [name]}))
    count, notices = import_run("dgm", source, tmp_path / "run")
    assert count == 2 or any("left no metadata" in notice for notice in notices)
    assert verify(tmp_path / "run") == []


def test_numbers_and_names_beyond_measure_are_left_out(tmp_path: Path) -> None:
    source = runs.hyperagents(tmp_path / "x")
    runs.metadata(source, 1, "initial", [], curr_patch_files=["gen_1/" + "x" * 5_000])
    report = {"overall_accuracy": 10**400, "question_ids_passed": ["q" * 5_000]}
    runs.put(source / "gen_2" / "long_eval" / "report.json", report)
    runs.put(source / "gen_2" / ("d" * 240 + "_eval") / "report.json", {"overall_accuracy": 0.5})
    runs.put(source / "gen_2" / "other_eval" / "report.json", {"overall_accuracy": 10**400})
    _, notices = import_run("hyperagents", source, tmp_path / "run")
    assert "gen_2/other_eval/report.json has no score" in notices
    assert verify(tmp_path / "run") == []


def test_a_percentage_below_one_is_not_taken_for_a_fraction(tmp_path: Path) -> None:
    source = runs.hyperagents(tmp_path / "x")
    for generation, value in (("initial", 1), (1, 0.8), (2, 42.5)):
        runs.put(source / f"gen_{generation}" / "balrog_eval" / "report.json", {"average_progress": value})
    runs.put(source / "gen_2" / "proofs_eval" / "report.json", {"points_percentage": 0.5})
    _, notices = import_run("hyperagents", source, tmp_path / "run")
    with Archive.open(tmp_path / "run") as archive:
        means = [[s.mean for s in archive.scores(i) if s.domain == "balrog"] for i in range(3)]
    assert means == [[0.01], [0.008], [0.425]]
    assert next(line for line in notices if "taken for fractions" in line).startswith("proofs: no points_percentage")
    assert verify(tmp_path / "run") == []


def test_a_number_that_the_listed_tasks_do_not_give_is_told(tmp_path: Path) -> None:
    source = runs.hyperagents(tmp_path / "x")
    runs.put(
        source / "gen_2" / "paper_review_eval" / "report.json", {**runs.report(["a"], ["b"]), "overall_accuracy": 0.9}
    )
    _, notices = import_run("hyperagents", source, tmp_path / "run")
    told = [line for line in notices if "which is taken" in line]
    assert told == [
        "gen_2/paper_review_eval/report.json says 0.900, but the tasks that it lists give 0.500, which is taken"
    ]
    other = runs.dgm(tmp_path / "y")
    performance = {**runs.performance(["t1"], ["t2"], []), "accuracy_score": 1.0}
    runs.put(other / "initial" / "metadata.json", {"overall_performance": performance})
    _, notices = import_run("dgm", other, tmp_path / "other")
    assert any(line.startswith("initial/metadata.json says 1.000") for line in notices)


def test_answers_are_read_without_a_cell_for_every_column_that_the_head_names(tmp_path: Path) -> None:
    """A head of many columns above many short rows: kilobytes on disk, and once gigabytes when read."""
    source = runs.hyperagents(tmp_path / "x")
    table = "question_id,prediction," + ",".join(map(str, range(1_000))) + "\n" + "a,accept\nshort\n" * 1_000
    runs.put(source / "gen_1" / "paper_review_eval" / "predictions.csv", table)
    tracemalloc.start()
    import_run("hyperagents", source, tmp_path / "run")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000
    with Archive.open(tmp_path / "run") as archive:
        assert archive.logs(1, "paper_review", "train")[0]["prediction"] == "accept"


def test_a_patch_that_is_named_often_is_read_once(tmp_path: Path) -> None:
    source = runs.hyperagents(tmp_path / "x")
    own = "gen_1/agent_output/model_patch.diff"
    runs.metadata(source, 1, "initial", [], curr_patch_files=[own, f"/far/{own}", own] * 100)
    _, notices = import_run("hyperagents", source, tmp_path / "run")
    assert not [line for line in notices if "does not apply" in line and line.startswith("1:")]
    with Archive.open(tmp_path / "run") as archive:
        assert b"level = 1" in archive.files(1)["task_agent.py"]


def test_a_long_line_of_parents_is_checked_in_one_pass() -> None:
    count = 300
    compared = 0

    class Name(str):
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return super().__eq__(other)

        __hash__ = str.__hash__

    names = [Name(i) for i in range(count)]
    agents = [ForeignAgent(n, p, Admission.ADMITTED) for n, p in zip(names, [*names[1:], None], strict=True)]
    building._check_loops(ForeignRun("x", "x", {}, agents))
    assert compared < 10 * count


def test_a_patch_that_does_not_apply_finds_a_place_beside_any_file(tmp_path: Path) -> None:
    source = runs.dgm(tmp_path / "x")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "unapplied").write_text("a file of this name\n")
    import_run("dgm", source, tmp_path / "run", tmp_path / "root")
    assert verify(tmp_path / "run") == []
    with Archive.open(tmp_path / "run") as archive:
        assert any(name.startswith("unapplied_/") for name in archive.files(agent(tmp_path / "run", "20250101_a")))


def test_an_import_overwrites_nothing(tmp_path: Path) -> None:
    source = runs.hgm(tmp_path / "x")
    import_run("hgm", source, tmp_path / "run")
    with pytest.raises(UserError, match="exists"):
        import_run("hgm", source, tmp_path / "run")
    assert verify(tmp_path / "run") == []

"""`dgm experiment` as a person uses it: made, interrupted, killed, gone on with, looked at."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dgm.archive import Archive, lock
from dgm.cli.experiment import _Progress, time_left
from dgm.errors import UserError
from dgm.experiment.check import check
from dgm.experiment.plan import parse
from dgm.reporting import report
from dgm.sitting.settings import config_of
from dgm.web.pages import compare
from dgm.web.shelf import Shelf
from tests.cli.conftest import call as call  # the fixture
from tests.cli.worlds import command, dgm, environment, snapshot
from tests.experiment.world import FILE, MOVED, folder, plan

Call = Callable[..., Any]
ONE = FILE.replace("repeats = 2", "repeats = 1").replace("proposals = 2", "proposals = 1")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment whose two runs have ended. Read it only."""
    where = folder(tmp_path_factory.mktemp("made"), ONE)
    done = dgm(where, "experiment", "try.toml", "--processes", "2")
    assert done.returncode == 0, done.stderr
    (where / "output.txt").write_text(done.stdout)
    return where


def test_it_ends_with_a_table_what_follows_from_it_and_a_report(made: Path) -> None:
    output = (made / "output.txt").read_text()
    assert "2/2 runs  " in output
    assert output.count("local is not a sandbox") == 1, "what every run would say is said once"
    assert "try: medians over n runs of the gain on test" in output
    assert "two-sided, corrected (Holm) for one comparison with full" in output
    assert "No run differs at all from full in latest (parity): these did the same." in output
    assert "boundary not held: B4, B7, B8, B10" in output
    assert "<svg" in (made / "archive/try/report.html").read_text()


def test_a_finished_experiment_is_not_made_again(made: Path, call: Call) -> None:
    before = snapshot(made)
    done = call(made, "experiment", "try.toml", "--json")
    assert done.code == 0 and not done.err
    told = json.loads(done.out)
    assert told["variants"]["latest"]["parity"]["n"] == 1
    assert [run["run"] for run in told["runs"]] == ["full-5", "latest-5"]
    assert snapshot(made) == before


def test_its_runs_are_archives_like_any_other(made: Path, call: Call) -> None:
    assert "best test" in call(made, "show", "archive/try/full-5").out
    assert call(made, "verify", "archive/try/full-5", "--selections").code == 0
    shelf = Shelf(made / "archive")
    assert shelf.names() == ["try/full-5", "try/latest-5"]
    assert [run["name"] for run in compare.runs(shelf, shelf.names())["runs"]] == shelf.names()


def test_its_figures_are_drawn_by_its_name(made: Path, call: Call, tmp_path: Path) -> None:
    for kind in ("gains", "compare"):
        assert call(made, "plot", "try", "--kind", kind, "-o", str(tmp_path / f"{kind}.svg")).code == 0
        assert (tmp_path / f"{kind}.svg").read_text().startswith("<?xml")
    assert "has the figures gains and compare" in call(made, "plot", "try", "--kind", "cost").err
    assert "is a figure of an experiment" in call(made, "plot", "try/full-5", "--kind", "gains").err


def test_its_tables_are_exported_as_one_with_variant_and_repeat(made: Path, call: Call, tmp_path: Path) -> None:
    file = str(tmp_path / "scores.csv")
    assert call(made, "export", "try", "--csv", file, "--table", "scores").code == 0
    rows = list(csv.DictReader(io.StringIO(Path(file).read_text())))
    assert list(rows[0])[:4] == ["run", "variant", "repeat", "agent"]
    assert {(row["run"], row["variant"], row["repeat"]) for row in rows} == {
        ("full-5", "full", "1"),
        ("latest-5", "latest", "1"),
    }
    done = call(made, "export", "try", "--html", str(tmp_path / "x.html"))
    assert done.code == 2 and "for other forms name a run of it, archive/try/VARIANT-SEED" in done.err


def test_a_variant_that_the_file_no_longer_has_is_said_to_be_left_out(made: Path, call: Call, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "copy")
    where = tmp_path / "copy"
    (where / "try.toml").write_text(ONE.partition("[variant.latest]")[0])
    done = call(where, "experiment", "try.toml")
    said = "Left out, though made and ended in the same folder, for the file no longer has them: latest (1 run)."
    assert done.code == 0 and said in done.out
    assert said in (where / "archive/try/report.html").read_text()
    assert said in json.loads(call(where, "experiment", "try.toml", "--table", "--json").out)["conclusions"]


def test_one_run_has_no_interval(made: Path, call: Call) -> None:
    (line,) = [line for line in (made / "output.txt").read_text().splitlines() if line.startswith("full ")]
    assert "[" not in line
    told = json.loads(call(made, "experiment", "try.toml", "--json").out)["variants"]["full"]["parity"]["gain"]
    assert (told["low"], told["high"]) == (None, None)


def test_the_table_alone_makes_nothing(tmp_path: Path, call: Call) -> None:
    where = folder(tmp_path)
    before = snapshot(where)
    done = call(where, "experiment", "try.toml", "--table")
    assert done.code == 0
    assert done.out == "None of the 4 runs has ended, so there is nothing to show yet.\n"
    assert snapshot(where) == before


@pytest.mark.parametrize("how", [(), ("--table",)], ids=["made", "table"])
@pytest.mark.parametrize(
    ("into", "says"),
    [
        ("README.md", "archive/README.md is a file; choose another name"),
        ("README.md/x", "README.md is a file"),
        ("try/full-5", "archive/try/full-5 is a run; name a folder of its own"),
        ("try/full-5/x", "archive/try/full-5 is a run"),
        ("notes", "archive/notes exists and is no experiment"),
    ],
)
def test_what_is_no_experiment_gets_none(made: Path, call: Call, into: str, says: str, how: tuple[str, ...]) -> None:
    (made / "archive/notes").mkdir(exist_ok=True)
    (made / "archive/notes/mine.txt").write_text("mine")
    (made / "archive/README.md").write_text("about\n")
    before = snapshot(made)
    done = call(made, "experiment", "try.toml", "--into", f"archive/{into}", *how)
    assert done.code == 2 and says in done.err, done.err
    assert snapshot(made) == before


def test_the_table_of_a_file_that_leaves_runs_out_is_refused(made: Path, call: Call, tmp_path: Path) -> None:
    before = snapshot(made)
    (tmp_path / "renamed.toml").write_text(ONE.replace("variant.latest", "variant.newest"))
    done = call(made, "experiment", str(tmp_path / "renamed.toml"), "--into", "try", "--table")
    assert done.code == 2
    assert "which leaves out the variant latest; give another name (--into), or" in done.err
    assert "`dgm experiment archive/try/experiment.toml --into archive/try --table`" in done.err
    (tmp_path / "later.toml").write_text(ONE.replace("first_seed = 5", "first_seed = 6"))
    done = call(made, "experiment", str(tmp_path / "later.toml"), "--into", "try", "--table")
    assert done.code == 2 and "which leaves out full-5, latest-5" in done.err
    assert snapshot(made) == before


def test_the_table_of_a_larger_file_keeps_the_file_that_was_made(made: Path, call: Call, tmp_path: Path) -> None:
    before = snapshot(made)
    (tmp_path / "more.toml").write_text(ONE + '[variant.more]\nsearch.selector = "best"\n')
    done = call(made, "experiment", str(tmp_path / "more.toml"), "--into", "try", "--table")
    assert done.code == 0 and "1 of 3 runs have not ended" in done.out
    after = snapshot(made)
    changed = [name for name in after if after[name] != before.get(name)]
    assert changed == ["archive/try/report.html"]
    assert call(made, "experiment", "archive/try/experiment.toml", "--into", "try", "--table").code == 0
    assert snapshot(made) == before


def test_an_experiment_has_one_conductor(tmp_path: Path, call: Call) -> None:
    where = folder(tmp_path)
    (where / "archive/try").mkdir(parents=True)
    held = lock.WriterLock(where / "archive/try")
    done = call(where, "experiment", "try.toml")
    held.release()
    assert done.code == 2 and f"being written by process {os.getpid()}" in done.err


def test_another_configuration_in_the_same_folder_is_refused(made: Path, call: Call, tmp_path: Path) -> None:
    (tmp_path / "try.toml").write_text(ONE.replace('"latest"', '"best"'))
    before = snapshot(made)
    done = call(made, "experiment", str(tmp_path / "try.toml"))
    assert done.code == 2 and "latest-5 was begun with search.selector = 'latest'" in done.err
    assert snapshot(made) == before


LATEST = 'search.selector = "latest"'
MISSPELT = {
    "selector": ('search.selector = "nobody"', "search.selector: there is no 'nobody'; choose one of random,"),
    "domain": ('domains = ["gradng"]', "domains: no domain or folder is called 'gradng'; the domains are "),
    "half": ('origin.agent = "rulez"', "origin.agent: no seed, directory or ARCHIVE#ID is called 'rulez'"),
    "archive": ('origin.meta = "gone#1"', "there is no archive at archive/gone"),
    "half of two": ('origin = { agent = "rulez", meta = "{full}#1" }', "origin.agent: no seed, directory or ARCHIVE#"),
    "data": ('data.parity = "gone.jsonl"', "data parity: gone.jsonl is not there"),
    "data of nothing": ('data.coding = "gone.jsonl"', "data: coding is not one of the run's domains, parity"),
    "executor": ('place.executor = "clod"', "place.executor: there is no 'clod'; choose one of local, ray, slurm"),
    "sandbox": ('place.sandbox = "bubble"', "place.sandbox: there is no 'bubble'; choose auto, docker"),
    "strategy": (LATEST + '\nsearch.strategy = "hgm"', "search.strategy hgm chooses parents itself; leave search.sel"),
    "model": ('origin.meta = "llm"', "models.meta: the meta half asks a language model; name one"),
}


@pytest.mark.parametrize("what", MISSPELT)
def test_what_the_second_variant_misspells_is_found_before_the_first_is_made(
    what: str, tmp_path: Path, call: Call
) -> None:
    line, says = MISSPELT[what]
    where = folder(tmp_path, ONE.replace(LATEST, line))
    before = snapshot(where)
    done = call(where, "experiment", "try.toml")
    assert done.code == 2
    assert done.err.startswith("dgm: variant.latest: ") and says in done.err
    assert "--" not in done.err, "a person wrote keys, no options"
    assert snapshot(where) == before


def test_a_half_from_a_run_that_has_not_ended_is_asked_for_when_it_has(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive of one that was cut off is there, and has as yet no agent with the growth that is asked for."""
    where = folder(tmp_path, ONE.replace(LATEST, 'origin.meta = "{full}#growth"'))
    path = where / "archive/try/full-5"
    shutil.copytree(made / "archive/try/full-5", path)
    monkeypatch.chdir(where)
    whole = parse((where / "try.toml").read_text(), "try.toml", path.parent)
    check(whole.runs, path.parent)
    with pytest.raises(UserError, match=r"^variant\.latest: .*growth"):
        check([run for run in whole.runs if run.variant == "latest"], path.parent)


@pytest.mark.slow
def test_a_run_that_cannot_be_made_ends_it_and_what_is_mended_goes_on(tmp_path: Path) -> None:
    where = folder(tmp_path, ONE.replace(LATEST, LATEST + '\norigin.agent = "broken"'))
    shutil.copytree(where / "a", where / "broken")
    (where / "broken/level.py").write_text("LEVEL = = 1\n")
    done = dgm(where, "experiment", "try.toml")
    assert done.returncode == 2
    assert done.stderr.startswith("dgm: latest-5: the root genome does not start")
    assert (where / "archive/try/full-5/archive.db").exists()
    (where / "try.toml").write_text(ONE)
    done = dgm(where, "experiment", "try.toml")
    assert done.returncode == 0, "what was never there does not bind"
    assert "full-5 has ended" not in done.stdout, "it had ended before"


def test_the_time_left_is_from_whole_runs_alone() -> None:
    assert time_left([60, 100], spent=[], waiting=3, processes=1) == 240
    assert time_left([60, 100], spent=[30, 90], waiting=3, processes=2) == (240 + 50) / 2
    assert time_left([80], spent=[20], waiting=0, processes=4) == 60, "one run is made by one process"
    assert time_left([], spent=[10], waiting=3, processes=1) is None, "a run that was gone on with tells nothing"
    assert time_left([80], spent=[], waiting=0, processes=1) is None


def test_a_run_that_is_gone_on_with_gives_no_estimate(tmp_path: Path) -> None:
    where, told = tmp_path / "try", io.StringIO()
    made = plan(folder=where)
    progress = _Progress(made, where, 4, 1, told)
    first, second, *_ = made.runs
    (where / first.name).mkdir(parents=True)
    (where / first.name / "archive.db").touch()
    for run in (first, second):
        progress.begin(run)
        progress.end(run, "proposals")
    resumed, whole = told.getvalue().splitlines()
    assert "1/4 runs" in resumed and "left" not in resumed
    assert "2/4 runs" in whole and whole.endswith(" left")


@pytest.mark.slow
def test_a_half_that_evolved_in_another_variant_is_taken_along(tmp_path: Path) -> None:
    where = folder(tmp_path, FILE.replace("repeats = 2", "repeats = 1") + MOVED)
    assert dgm(where, "experiment", "try.toml", "--processes", "3").returncode == 0
    with (
        Archive.open(where / "archive/try/latest-5") as source,
        Archive.open(where / "archive/try/moved-5") as moved,
    ):
        assert config_of(moved).origin.meta == "archive/try/latest-5#2"
        assert moved.files(0)["meta/meta_agent.py"] == source.files(2)["meta/meta_agent.py"]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_killed_in_the_middle_the_same_command_goes_on_to_the_same_end(
    made: Path, tmp_path: Path, how: signal.Signals
) -> None:
    where = folder(tmp_path, ONE)
    argv = command("experiment", "try.toml")
    with subprocess.Popen(
        argv, cwd=where, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        until_there_is(where / "archive/try/latest-5/archive.db")
        os.kill(process.pid, how)
    assert process.returncode == (-9 if how == signal.SIGKILL else 130)
    done = dgm(where, "experiment", "try.toml")
    assert done.returncode == 0, done.stderr
    assert "full-5 has ended" not in done.stdout, "it had ended before"
    for name in ("full-5", "latest-5"):
        assert not lock.held(where / "archive/try" / name), "nothing is left running"
        assert timeless(where / "archive/try" / name) == timeless(made / "archive/try" / name)


def until_there_is(file: Path) -> None:
    for _ in range(600):
        if file.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{file} never came")


def timeless(path: Path) -> dict[str, Any]:
    """An archive as `dgm show --json` has it, but for the times."""
    with Archive.open(path) as archive:
        shown = report.show_json(archive)
    return {**shown, "agents": [{k: v for k, v in agent.items() if k != "times"} for agent in shown["agents"]]}

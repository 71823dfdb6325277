"""The commands that steer, draw, export, import and watch, as a person calls them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dgm import steering
from dgm.archive import Archive
from dgm.archive.verify import verify
from dgm.steering.helm import Helm
from tests.archive.world import failed
from tests.cli.worlds import environment, snapshot
from tests.importers import runs
from tests.terminal.conftest import Call


def test_a_note_a_pin_and_a_veto_stand_on_the_agents_page(where: Path, call: Call) -> None:
    assert call("note", "run#4", "hm \x1b[31m", "--author", "ada").out == "run#4: note; recorded\n"
    assert call("pin", "run#4", "--proposals", "2").code == 0
    assert call("veto", "run#5", "--author", "ada").code == 0
    page = call("show", "run#4").out
    assert "note: hm \\x1b[31m (ada)" in page
    assert "pinned: for 2 more proposals" in page
    assert "vetoed" in call("show", "run#5").out
    assert call("pin", "run#4", "--off").code == 0
    assert "pinned" not in call("show", "run#4").out
    assert call("verify", "run").code == 0


def test_what_cannot_be_asked_has_exit_code_2(call: Call) -> None:
    for arguments, says in (
        (("pause", "run"), "dgm resume run"),
        (("stop", "run"), "dgm resume run"),
        (("pin", "run#99"), "its agents are 0 to 10"),
        (("veto", "run"), "give run#ID"),
        (("note", "run#1", ""), "empty"),
        (("note", "nothing#1", "x"), "no archive"),
        (("submit", "."), "--to NAME#ID"),
    ):
        done = call(*arguments)
        assert (done.code, done.out) == (2, "")
        assert says in done.err


def test_a_running_kernel_is_paused_from_another_terminal(where: Path, call: Call) -> None:
    with Archive.open(where / "archive" / "run", write=True) as archive:
        helm = Helm(archive)
        assert "the run takes it up" in call("pause", "run").out
        looks = []

        def wait(seconds: float) -> None:
            looks.append(seconds)
            assert "at present: paused; `dgm resume run` goes on" in call("show", "run").out
            if len(looks) == 2:
                assert call("pause", "run", "--off").code == 0

        assert helm.turn(wait=wait) is False
        assert len(looks) == 2
        assert call("stop", "run").code == 0
        assert helm.turn() is True
        assert "at present: stopping" in call("show", "run").out
    assert "at present" not in call("show", "run").out


def test_what_people_asked_of_a_run_stands_on_its_page(where: Path, call: Call) -> None:
    assert "note" not in call("show", "run").out
    for asked in (("pin", "run#4", "--proposals", "2"), ("veto", "run#5"), ("note", "run", "for the talk")):
        assert call(*asked, "--author", "ada").code == 0
    page = call("show", "run").out
    for line in ("pinned, the next parents: #4, #4", "vetoed, no parents: #5", "note: for the talk (ada)"):
        assert f"\n{line}\n" in page


def test_a_fork_is_edited_and_handed_to_the_running_kernel(where: Path, call: Call) -> None:
    assert call("fork", "run#9", "mine").code == 0
    strategy = where / "mine" / "meta" / "strategy.json"
    strategy.write_text(strategy.read_text() + "\n")
    with Archive.open(where / "archive" / "run", write=True) as archive:
        helm = Helm(archive)
        done = call("submit", "mine", "--summary", "a line more", "--author", "ada")
        assert "its next proposal, a child of #9" in done.out
        helm.turn()
        given = helm.submission()
        assert given is not None
        assert (given.parent, given.summary, given.author) == (9, "a line more", "ada")


def test_the_page_says_what_was_gained_and_lost(call: Call) -> None:
    page = call("show", "run#9").out
    assert "coding val against #7: gained 2 (val-41, val-57); lost 0" in page
    assert "Changed in #7" in page
    assert "more lines: dgm diff 'run#9'" in page


@pytest.mark.slow
def test_exports_are_written_and_only_read_the_archive(where: Path, call: Call) -> None:
    before = snapshot(where / "archive")
    files = ["--html", "r.html", "--dot", "r.dot", "--graphml", "r.xml", "--graph-json", "r.json", "--csv", "r.csv"]
    done = call("export", "run", *files, "--bundle", "r.tar.gz", "--json")
    assert done.code == 0
    assert set(json.loads(done.out)) == {"html", "dot", "graphml", "graph-json", "csv", "bundle"}
    assert snapshot(where / "archive") == before
    back = call("import", "bundle", "r.tar.gz", "back")
    assert (back.code, back.out) == (0, "back: 11 agents, every hash as it was; `dgm show back`\n")
    assert call("best", "back", "--json").out == call("best", "run", "--json").out


def test_a_figure_is_drawn_by_the_ending_of_its_name(where: Path, call: Call) -> None:
    pytest.importorskip("matplotlib")
    assert call("plot", "run", "--kind", "cost", "-o", "cost.svg").code == 0
    assert (where / "cost.svg").read_text().startswith("<?xml")
    before = Path("cost.svg").read_bytes()
    done = call("plot", "run", "-o", "cost.svg")
    assert done.code == 2 and "cost.svg is there already" in done.err and "--force" in done.err
    assert Path("cost.svg").read_bytes() == before
    assert call("plot", "run", "--force", "-o", "cost.svg").code == 0
    assert Path("cost.svg").read_bytes() != before
    assert call("plot", "run", "-o", "cost.doc").code == 2
    assert call("plot", "run", "-o", "nowhere/cost.png").code == 2


def test_every_command_works_after_an_import(where: Path, call: Call) -> None:
    runs.hyperagents(where / "generate_1")
    done = call("import", "hyperagents", "generate_1", "theirs")
    assert done.code == 0
    assert "gen_4 crashed" in done.out
    for line in ("show theirs", "tree theirs", "best theirs", "verify theirs", "watch theirs"):
        assert call(*line.split()).code == 0, line
    for line in ("show theirs#2", "lineage theirs#5", "diff theirs#2", "diff theirs#1 theirs#5"):
        assert call(*line.split()).code == 0, line
    assert "+    level = 2" in call("diff", "theirs#2").out
    assert call("export", "theirs", "--html", "t.html", "--bundle", "t.tar.gz").code == 0
    assert call("import", "bundle", "t.tar.gz", "again").code == 0
    done = call("export", "theirs", "--csv", "t.csv", "--html", "t.html")
    assert done.code == 2 and "t.html is there already; choose another name, or overwrite it with --force" in done.err
    assert not Path("t.csv").exists(), "what is refused writes nothing"
    assert call("export", "theirs", "--csv", "t.csv", "--html", "t.html", "--force").code == 0


def test_a_corrupt_run_has_exit_code_2_and_leaves_nothing(where: Path, call: Call) -> None:
    runs.dgm(where / "x")
    (where / "x" / "dgm_metadata.jsonl").write_text("{")
    done = call("import", "dgm", "x", "theirs")
    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert sorted(p.name for p in (where / "archive").iterdir()) == ["run"]


def test_watch_tells_how_it_stands_when_nothing_runs(call: Call) -> None:
    lines = call("watch", "run").out.splitlines()
    assert lines[0] == "run: not running, 10/10 proposals: 10 admitted"
    assert lines[1].startswith("#1 from #0  admitted  coding 0.150")
    assert len(lines) == 12
    assert lines[-1].startswith("best on val: coding 0.417 (#9, root 0.117)")


def test_watch_follows_a_run_until_it_ends(where: Path) -> None:
    with Archive.open(where / "archive" / "run", write=True) as archive:
        command = [sys.executable, "-c", "from dgm.cli.watch import app; app()", "run", "--interval", "0.1"]
        watcher = subprocess.Popen(command, cwd=where, env=environment(), stdout=subprocess.PIPE, text=True)
        assert watcher.stdout is not None
        head = watcher.stdout.readline()
        assert head.startswith("run: running, 10/10 proposals")
        archive.record(failed(11, 2))
        while "#11" not in (line := watcher.stdout.readline()):
            assert line
        assert line.startswith("#11 from #2  failed")
    rest, _ = watcher.communicate(timeout=60)
    assert "run: not running" in rest
    assert watcher.returncode == 0


def test_the_display_shows_pins_and_the_latest_proposals(where: Path) -> None:
    from rich.console import Console

    from dgm.cli.following import draw, look

    path = where / "archive" / "run"
    steering.request(path, "pin", agent=3)  # type: ignore[arg-type]
    with Archive.open(path, write=True) as archive:
        console = Console(width=100, record=True, file=open("/dev/null", "w"), markup=False)  # noqa: PTH123, SIM115
        console.print(draw(look(archive)))
        shown = console.export_text()
    console.file.close()
    assert "run: running, 10/10" in shown
    assert "pinned: #3" in shown
    assert shown.count(" from #") == 8
    assert all(len(line) <= 100 for line in shown.splitlines())
    assert verify(path) == []


def test_reading_while_a_kernel_writes_keeps_nobody_out(where: Path, call: Call) -> None:
    path = where / "archive" / "run"
    stop = threading.Event()
    errors: list[BaseException] = []

    def read() -> None:
        from dgm.cli.following import look

        try:
            with Archive.open(path) as reader:
                while not stop.is_set():
                    look(reader)
                    time.sleep(0.005)
        except BaseException as error:
            errors.append(error)
            raise

    with Archive.open(path, write=True) as archive:
        reader = threading.Thread(target=read)
        reader.start()
        for number in range(11, 31):
            archive.record(failed(number, 1))
        stop.set()
        reader.join()
    assert not errors
    assert verify(path) == []

"""Runs through the real program: their output, the same run twice, stopping, going on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dgm.archive import Archive
from dgm.cli import errors, run
from dgm.cli.progress import progress
from dgm.executor.local import Local
from tests.cli.test_browse import on_terminal
from tests.cli.worlds import RUN, command, environment, snapshot, world
from tests.e2e.conftest import World

Call = Callable[..., Any]


def timeless(archive: dict[str, Any]) -> dict[str, Any]:
    """`dgm show --json` without what may differ between equal runs."""
    return {**archive, "agents": [{k: v for k, v in a.items() if k != "times"} for a in archive["agents"]]}


def test_a_run_ends_with_the_table_and_the_tree(finished: Path) -> None:
    output = (finished / "output.txt").read_text()
    assert output.count("local is not a sandbox") == 1
    assert re.search(r"^2/4  #2 from #1  admitted ", output, re.M)
    assert re.search(r"^4/4  #4 from #2  stillborn ", output, re.M)
    interval = r"\d\.\d{3} \[\d\.\d{3}, \d\.\d{3}\] n=\d+"
    assert re.search(rf"^parity +#\d+ +{interval} +{interval} +{interval} +{interval} +\+\d", output, re.M)
    assert output.count("boundary not held") == 2
    assert output.index("Chosen on val") < output.index("Tree (val means")
    assert "\x1b" not in output


def test_the_same_run_twice_differs_in_times_alone(finished: Path, call: Call, tmp_path: Path) -> None:
    # Another name, another place and another process than the first one's.
    done = call(finished, "run", str(tmp_path / "two"), *RUN, "--proposals", "4", "--selector", "latest", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)  # nothing but JSON on stdout
    assert told["ended"] == "proposals" and "parity" in told["domains"]
    assert "4/4  #4" in done.err
    one, two = (json.loads(call(finished, "show", n, "--json").out) for n in ("one", str(tmp_path / "two")))
    assert timeless(one) == timeless(two)
    assert one != two


def heed_ctrl_c() -> None:
    """What a shell starts in the background ignores it, and so would what the tests start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_stops_and_resume_goes_on(tmp_path: Path, call: Call) -> None:
    # The second proposal's meta agent sleeps when it is the last but one, and only then.
    where = world(tmp_path, "idle sleep raise")
    with subprocess.Popen(
        command("run", "one", *RUN, "--proposals", "3"),
        cwd=where, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=heed_ctrl_c,
    ) as run:  # fmt: skip
        assert run.stdout is not None and run.stderr is not None
        for line in run.stdout:
            if line.startswith("1/3"):
                break
        run.send_signal(signal.SIGINT)
        rest, error = run.communicate(timeout=60)
    assert run.returncode == 130
    asked, said = error.splitlines()
    assert "Ctrl-C again stops at once" in asked
    assert said == "dgm: stopped; go on with `dgm resume one`"
    assert "Chosen on val" not in rest
    first = json.loads(call(where, "show", "one", "--json").out)["agents"]
    (where / "m" / "script.txt").write_text("a run does not look at its seeds again")
    done = call(where, "resume", "one", "--proposals", "2", "--no-test")
    assert done.code == 0, done.err
    assert "1/2 proposals" in done.out
    agents = json.loads(call(where, "show", "one", "--json").out)["agents"]
    assert [a["id"] for a in agents] == [0, 1, 2]
    assert agents[:2] == first


def test_sigterm_stops_as_ctrl_c_does_and_before_the_archive_nothing_is_left(tmp_path: Path) -> None:
    where = world(tmp_path)
    agent = where / "a" / "task_agent.py"
    agent.write_text("import time\ntime.sleep(30)\n" + agent.read_text())
    before = snapshot(where)
    with subprocess.Popen(
        command("run", "one", *RUN),
        cwd=where,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if line.startswith("measuring the root"):
                break
        run.terminate()
        _, error = run.communicate(timeout=60)
    assert run.returncode == 130
    assert error == "dgm: stopped; no archive was made yet\n"
    assert snapshot(where) == before


def test_a_finished_run_says_so_and_can_be_made_longer(finished: Path, tmp_path: Path, call: Call) -> None:
    where = world(tmp_path)
    assert call(where, "run", "one", *RUN, "--proposals", "0", "--no-test").code == 0
    assert json.loads(call(where, "best", "one", "--json").out)["domains"]["parity"]["root"]["test"] is None
    done = call(where, "resume", "one")  # measures test, which was left out
    assert done.code == 0 and "measured #0 on test" in done.out
    again = call(where, "resume", "one")
    assert again.code == 0
    assert "finished already" in again.out and "Chosen on val" in again.out
    longer = call(where, "resume", "one", "--proposals", "1", "--no-test")
    assert longer.code == 0 and "1/1  #1" in longer.out


def test_a_config_file_is_the_run_and_options_come_before_it(finished: Path, tmp_path: Path, call: Call) -> None:
    where = world(tmp_path, "raise")
    file = finished / "archive" / "one" / "dgm.toml"
    done = call(where, "run", "two", "--config", str(file), "--proposals", "0", "--no-test", "--json")
    assert done.code == 0, done.err
    old, new = (tomllib.loads(p.read_text()) for p in (file, where / "archive" / "two" / "dgm.toml"))
    assert new["search"].pop("proposals") == 0
    assert old["search"].pop("proposals") == 4
    assert new == old


@pytest.mark.parametrize("strategy", ["treewise", "hgm"])
def test_a_run_with_a_strategy_is_shown_as_any_other(tmp_path: Path, call: Call, strategy: str) -> None:
    where = world(tmp_path)
    options = [*RUN, "--strategy", strategy, "--proposals", "3", "--evaluations", "100"]
    done = call(where, "run", "one", *options)
    assert done.code == 0, done.err
    assert "~ on some of the tasks" in done.out or "/" not in done.out.split("Tree")[1]
    for words in (
        ["show", "one"],
        ["tree", "one"],
        ["best", "one", "--json"],
        ["watch", "one"],
        ["verify", "one", "--selections"],
    ):
        assert call(where, *words).code == 0, words
    assert call(where, "resume", "one", "--proposals", "4", "--evaluations", "200").code == 0


def test_time_and_patience_end_a_run(tmp_path: Path, call: Call) -> None:
    where = world(tmp_path, "idle " * 9)
    done = call(where, "run", "one", *RUN, "--proposals", "9", "--patience", "1", "--no-test", "--json")
    assert json.loads(done.out)["ended"] == "patience"
    with Archive.open(where / "archive" / "one") as archive:
        assert archive.next_id() == 2
    done = call(where, "run", "two", *RUN, "--proposals", "9", "--seconds", "0.01", "--no-test", "--json")
    assert json.loads(done.out)["ended"] == "seconds"


def test_an_agent_of_a_run_can_be_where_another_begins(finished: Path, call: Call, tmp_path: Path) -> None:
    done = call(
        finished,
        "run",
        str(tmp_path / "next"),
        *RUN,
        "--agent",
        "one#2",
        "--proposals",
        "0",
        "--no-test",
        "--json",
    )
    assert done.code == 0, done.err
    with Archive.open(finished / "archive" / "one") as old, Archive.open(tmp_path / "next") as new:
        assert new.files(0)["agent/level.py"] == old.files(2)["agent/level.py"]


def test_a_terminal_sees_progress_in_place_and_then_the_table(tmp_path: Path) -> None:
    where = world(tmp_path)
    output = on_terminal(where, "run", "one", *RUN, "--proposals", "1", "--no-test")
    assert "1/1 proposals" in output and "best on val: parity" in output
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    assert output.count("Chosen on val") == 1 and "└─ #1" in plain
    assert "\x1b[1;32m" in output  # the way to the best agent
    assert "\x1b[31m" not in output  # the agent's own


@pytest.mark.parametrize("fault", ["judge", "defect"])
def test_whose_fault_it_is_decides_what_is_said(tmp_path: Path, call: Call, fault: str) -> None:
    where = world(tmp_path)
    judge = where / "parity" / "domain.py"
    if fault == "judge":
        judge.write_text(judge.read_text().replace("return Verdict(1.0)", "return 1 / 0"))
        done = call(where, "run", "one", *RUN, "--proposals", "1")
        assert done.code == 1
        assert done.err.startswith("dgm: the domain is at fault: the judge of parity raised ZeroDivisionError")
        assert done.err.count("\n") == 1
    else:
        judge.write_text(judge.read_text().replace("return self._splits[split]", "return self._splits[[]]"))
        with pytest.raises(TypeError):  # not told as an error of the person: it keeps its traceback
            call(where, "run", "one", *RUN)


class Lasting(Local):
    """Takes longer to close than a stopped run is given for what is nearly done, as a cluster may."""

    closed = False

    def close(self) -> None:
        for _ in range(30):
            time.sleep(0.02)
        self.closed = True


def test_what_a_stopped_run_has_to_close_is_closed_however_long_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "GRACE", 0.2)
    started = World(tmp_path).start()
    started.executor = lasting = Lasting()
    with errors.stoppable() as stop, progress(json=True) as shown:
        monkeypatch.setattr(shown, "start", lambda run: lambda agent: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(KeyboardInterrupt):
            run._search(started, shown, stop, (), test=False)
    assert lasting.closed
    assert not (started.archive.path / "lock").exists()

"""A run is mirrored to real MLflow, real W&B offline, a real HTTP collector and an installed tracker; none stops it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dgm.archive import Archive
from dgm.errors import UserError
from dgm.exchange import trackers
from tests.archive.world import FAST, child, create, failed, results
from tests.cli.worlds import environment


@pytest.fixture
def where() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=FAST, prefix="dgm-test-") as folder:
        yield Path(folder)


RUN = """
import sys
from pathlib import Path
from dgm.exchange import trackers
from dgm.archive import Archive
from tests.archive.world import child, failed, results

with Archive.open(Path("run"), write=True) as archive, trackers.mirror([sys.argv[1]], archive, print) as mirror:
    for one in (child(1, 0), failed(2, 1)) if archive.next_id() == 1 else (child(3, 1),):
        mirror.proposal(archive.record(one))
    if archive.next_id() == 4:
        archive.add_scores(1, *results(1, ("test",)))
        mirror.tested(1)
"""
"""A sitting of a run, in a process of its own: these libraries leave threads and settings behind."""


def sitting(where: Path, tracker: str, **more: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", RUN, tracker, "sentinel-argument"],
        cwd=where,
        env=environment(**more),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_mlflow_has_every_proposal_of_two_sittings_in_one_run(where: Path) -> None:
    pytest.importorskip("mlflow")
    with create(where / "run"):
        pass
    uri = f"file:{where}/mlruns"
    more = {"MLFLOW_TRACKING_URI": uri, "MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_DISABLE_TELEMETRY": "true"}
    assert sitting(where, "mlflow", **more) == ""
    assert sitting(where, "mlflow", **more) == ""
    code = (
        "from mlflow.tracking import MlflowClient as C\n"
        "c = C(); e = c.get_experiment_by_name('dgm'); rs = c.search_runs([e.experiment_id])\n"
        "r = rs[0]; h = c.get_metric_history(r.info.run_id, 'works')\n"
        "t = c.get_metric_history(r.info.run_id, 'test/grading')\n"
        "print(len(rs), r.info.status, sorted((m.step, m.value) for m in h), [m.step for m in t])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=where, env=environment(**more), capture_output=True, text=True, check=True
    )
    assert done.stdout == "1 FINISHED [(0, 1.0), (1, 1.0), (2, 0.0), (3, 1.0)] [1]\n"


@pytest.mark.slow
def test_wandb_writes_offline(where: Path) -> None:
    pytest.importorskip("wandb")
    with create(where / "run"):
        pass
    assert sitting(where, "wandb", WANDB_DIR=str(where), WANDB_ERROR_REPORTING="false") == ""
    (file,) = where.glob("wandb/offline-run-*/*.wandb")
    content = file.read_bytes()
    assert b"val/grading" in content
    assert b"improve_seconds" in content
    for kept_here in (b"sentinel-argument", sys.executable.encode(), str(where).encode(), b"disk."):
        assert kept_here not in content


class Collector(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    received: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.mark.slow
def test_a_collector_gets_spans_with_their_real_times(where: Path) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    handler = type("Kept", (Collector,), {"received": []})
    with create(where / "run"):
        pass
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sitting(
            where,
            "opentelemetry",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{server.server_port}",
            OTEL_EXPORTER_OTLP_COMPRESSION="none",
            NO_PROXY="127.0.0.1",
        )
        server.shutdown()
    assert {path for path, _ in handler.received} == {"/v1/traces"}
    sent = b"".join(body for _, body in handler.received)
    for word in (b"proposal", b"improve", b"evaluate", b"dgm.admission", b"failed", b"val/grading"):
        assert word in sent


class Recorder:
    """A tracker of an installed package; fails as it is told."""

    failures: tuple[type[Exception], ...] = (LookupError,)
    told: list[str]
    fails: Exception | None = None

    starts: Exception | None = None

    def __init__(self, beginning: trackers.Beginning) -> None:
        if self.starts:
            raise self.starts
        type(self).told = [f"begin {beginning.done}"]

    def proposal(self, agent: object, proposal: object, scores: object) -> None:
        if self.fails:
            raise self.fails
        self.told.append(f"proposal {agent.id}")  # type: ignore[attr-defined]

    def tested(self, agent: int, scores: list[object]) -> None:
        self.told.append(f"tested {agent} {len(scores)}")

    def close(self) -> None:
        self.told.append("close")


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, where: Path) -> type[Recorder]:
    """The recorder as a package that is installed, by its entry point."""
    (where / "rec-1.0.dist-info").mkdir()
    (where / "rec-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: rec\nVersion: 1.0\n")
    entry = f"[dgm.trackers]\nrecorder = {__name__}:Recorder\nbroken = no_such_module:X\n"
    (where / "rec-1.0.dist-info" / "entry_points.txt").write_text(entry)
    monkeypatch.syspath_prepend(str(where))
    monkeypatch.setattr(Recorder, "fails", None)
    monkeypatch.setattr(Recorder, "starts", None)
    return Recorder


def test_an_installed_tracker_is_told_everything_in_order(installed: type[Recorder], where: Path) -> None:
    with create(where / "run") as archive:
        with trackers.mirror(["recorder", "recorder"], archive, print) as mirror:
            mirror.proposal(archive.record(child(1, 0)))
            mirror.proposal(archive.record(failed(2, 1)))
            archive.add_scores(1, *results(1, ("test",)))
            mirror.tested(1)
        assert installed.told == ["begin 0", "proposal 0", "proposal 1", "proposal 2", "tested 1 1", "close"]
        with trackers.mirror(["recorder"], archive, print):
            pass
        assert installed.told == ["begin 2", "close"]


@pytest.mark.parametrize("error", [OSError("no network"), LookupError("quota")])
def test_a_tracker_that_fails_is_told_of_once_and_the_run_goes_on(
    installed: type[Recorder], where: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    notices: list[str] = []
    with create(where / "run", 1) as archive, trackers.mirror(["recorder"], archive, notices.append) as mirror:
        monkeypatch.setattr(installed, "fails", error)
        for number in (2, 3):
            mirror.proposal(archive.record(child(number, 1)))
    assert len(notices) == 1
    assert notices[0].startswith("recorder is not told any more: ")


def test_a_defect_in_a_tracker_is_not_hidden(
    installed: type[Recorder], where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with create(where / "run", 1) as archive, trackers.mirror(["recorder"], archive, print) as mirror:
        monkeypatch.setattr(installed, "fails", TypeError("a defect"))
        with pytest.raises(TypeError):
            mirror.proposal(archive.agent(1))


@pytest.mark.parametrize("error", [OSError("no network"), LookupError("no key"), ValueError("mode:\n'bogus'")])
def test_a_tracker_that_cannot_start_is_one_sentence(
    installed: type[Recorder], where: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(installed, "starts", error)
    with create(where / "run") as archive, pytest.raises(UserError, match=r"recorder: it cannot start .*leave it out"):
        trackers.mirror(["recorder"], archive, print)


@pytest.mark.slow
def test_wandb_with_settings_that_it_has_not_is_one_sentence(where: Path) -> None:
    pytest.importorskip("wandb")
    with create(where / "run"):
        pass
    more = environment(WANDB_MODE="bogus", WANDB_ERROR_REPORTING="false")
    done = subprocess.run([sys.executable, "-c", RUN, "wandb"], cwd=where, env=more, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1].startswith("dgm.errors.UserError: --track wandb: it cannot start")


def test_a_tracker_that_is_not_there_is_named(installed: type[Recorder], where: Path) -> None:
    assert trackers.TRACKERS.names() == ["mlflow", "wandb", "opentelemetry", "broken", "recorder"]
    with create(where / "run") as archive:
        with pytest.raises(UserError, match="choose one of mlflow, wandb"):
            trackers.mirror(["tensorboard"], archive, print)
        with pytest.raises(UserError, match="not installed"):
            trackers.mirror(["recorder", "broken"], archive, print)
    assert installed.told[-1] == "close"  # the one that had been opened


def test_without_trackers_nothing_is_loaded(where: Path) -> None:
    with Archive.create(where / "run", "", child(0)) as archive, trackers.mirror([], archive, print) as mirror:
        mirror.proposal(archive.agent(0))
        mirror.tested(0)
    code = "import sys, dgm.exchange.trackers; print({'mlflow', 'wandb', 'opentelemetry'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

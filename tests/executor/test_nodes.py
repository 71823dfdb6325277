"""Nodes that die, that differ from the driver, or that are not there."""

from __future__ import annotations

import importlib
import pickle
import shutil
import socket
import sys
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import dgm
from dgm import loop
from dgm.archive import Admission, AgentRecord, Archive
from dgm.archive.verify import verify
from dgm.errors import InfrastructureError, SandboxUnavailable, Status, UserError
from dgm.evaluation.measured import Measured
from dgm.executor import connect, leases
from dgm.executor.leases import Leasing, Lost
from dgm.executor.node import Setting, kernel_digest, working
from dgm.executor.pieces import Evaluate, Outcome, Piece, perform
from dgm.proposal.propose import NotBorn
from dgm.sitting import rederive, start
from dgm.sitting.run import Run
from tests.e2e.conftest import World

from .cluster import Nodes
from .conftest import through

SLEEPS = """
import time
time.sleep(2)
place = Path(repo_path, "agent/threshold.txt")
place.write_text(str(int(place.read_text()) + random.choice([-10, 5, 10, 20])))
return "moved the threshold"
"""


@pytest.mark.parametrize("changed", ["loop.py", "sandbox/link.py", "domains/__init__.py"])
def test_a_node_is_known_to_differ_by_any_file_of_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    copy = tmp_path / "dgm"
    shutil.copytree(Path(dgm.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__", "static"))
    monkeypatch.setattr(dgm, "__file__", str(copy / "__init__.py"))
    before = kernel_digest.__wrapped__()
    (copy / changed).write_text((copy / changed).read_text() + "\n")
    assert kernel_digest.__wrapped__() != before


@dataclass
class Flaky:
    """A cluster in this process that loses the first pieces it is given, in one way or another."""

    shop: Run
    losses: list[str]
    name: str = "flaky"
    patience: float = 0.3
    given: list[Piece[Any]] = field(default_factory=list)
    cancelled: int = 0

    def give(self, setting: Setting, piece: Piece[Any]) -> FlakyJob:
        self.given.append(piece)
        return FlakyJob(self, piece, self.losses.pop(0) if self.losses else "")

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class FlakyJob:
    cluster: Flaky
    piece: Piece[Any]
    loss: str
    looks: int = 0

    def wait(self, seconds: float) -> Outcome[Any] | None:
        if self.loss == "word":
            raise Lost("the node is gone")
        if self.loss == "silence":
            return None
        if self.loss == "queue":
            self.looks += 1
            return None if self.looks < 50 else Outcome(Measured())
        if self.loss == "sandbox":
            raise SandboxUnavailable("no room on the node")
        return perform(self.piece, self.cluster.shop)

    def beats(self) -> int:
        return 0 if self.loss == "queue" else 1

    def cancel(self) -> None:
        self.cluster.cancelled += 1


def evaluation(run: Run) -> Evaluate:
    return Evaluate(1, "bait", run.archive.files(0), known=False, new_meta=True)


@pytest.mark.parametrize("loss", ["word", "silence", "sandbox"])
def test_a_piece_that_is_lost_is_given_out_again(world: World, loss: str) -> None:
    run = world.start()
    cluster = Flaky(run, [loss, loss])
    outcome = Leasing(cluster).do(evaluation(run), run)
    assert len(outcome.result().verdicts) == 40
    assert len(cluster.given) == cluster.cancelled == 3


def test_it_is_told_once_that_pieces_wait_for_their_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue may be long, and a cluster without a node that is large enough would look like a run that hangs."""
    monkeypatch.setattr(leases, "UNBEGUN", 0.0)
    told: list[str] = []
    run = world.start()
    run.tell = told.append
    cluster = Flaky(run, ["queue", "queue"])
    leasing = Leasing(cluster)
    for _ in range(2):
        leasing.do(evaluation(run), run)
    assert told == ["flaky has not begun a piece of proposal 1 in 0 s; it waits for its turn"]
    assert len(cluster.given) == 2, "a piece that waits is not lost"


def test_a_piece_that_is_always_lost_stops_the_run_with_a_sentence(world: World) -> None:
    run = world.start()
    cluster = Flaky(run, ["word"] * 100)
    with pytest.raises(SandboxUnavailable, match=r"flaky lost one piece 8 times: the node is gone"):
        Leasing(cluster).do(evaluation(run), run)
    assert len(cluster.given) == leases.LEASES


def test_an_agents_failure_comes_through_a_pickle_as_it_was() -> None:
    failure = NotBorn(Admission.STILLBORN, Status.TIMEOUT, "too late")
    back = pickle.loads(pickle.dumps(Outcome(None, failure)))
    assert (back.failure.admission, back.failure.status, back.failure.reason) == (
        Admission.STILLBORN, Status.TIMEOUT, "too late"
    )  # fmt: skip


def test_a_node_gives_signs_of_life_and_then_what_the_driver_would_get(world: World) -> None:
    run = world.start()
    piece = evaluation(run)
    *signs, last = working(Setting.of(run), piece)
    assert signs
    assert set(signs) == {None}
    assert isinstance(last, Outcome)
    here = perform(piece, run).result()
    assert [(v.task, v.score) for v in last.result().verdicts] == [(v.task, v.score) for v in here.verdicts]


@pytest.fixture
def known_to_the_driver_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function of a module that a node does not have."""
    (tmp_path / "driver_alone.py").write_text("def work(*given):\n    yield None\n")
    with monkeypatch.context() as patched:
        patched.syspath_prepend(tmp_path)
        module = importlib.import_module("driver_alone")
    yield module.work
    del sys.modules["driver_alone"]


REFUSED = "a node cannot import what the driver has: install the same dgm.*No module named 'driver_alone'"


@pytest.mark.slow  # a process of its own
@pytest.mark.needs("submitit")
def test_a_job_that_finds_no_dgm_is_refused_with_a_sentence(tmp_path: Path, known_to_the_driver_alone: Any) -> None:
    from dgm.executor.slurm import SlurmCluster, SlurmJob

    with closing(SlurmCluster({"cluster": "local"}, tmp_path / "run")) as cluster:
        sent = SlurmJob(cluster._jobs.submit(known_to_the_driver_alone), tmp_path / "beats")
        with pytest.raises(UserError, match=REFUSED):
            sent.wait(120)


@pytest.mark.slow
@pytest.mark.needs("ray")
def test_a_node_of_ray_without_dgm_is_refused_with_a_sentence(nodes: Nodes, known_to_the_driver_alone: Any) -> None:
    import ray

    from dgm.executor.ray import RayCluster, RayJob

    with closing(RayCluster(nodes.address)):
        stream = ray.remote(known_to_the_driver_alone).options(num_returns="streaming", max_retries=0).remote()
        with pytest.raises(UserError, match=REFUSED):
            RayJob(stream).wait(120)


def test_any_other_failure_on_a_node_stays_a_defect() -> None:
    told = "Traceback\n  from dgm import domains\nKeyError: 'ImportError: [Errno 28]'\nOSError: [Errno 22] Invalid"
    assert leases.unlike("ray", told) is None
    assert leases.hosts(told) is None


@pytest.mark.slow  # a process of its own
@pytest.mark.needs("submitit")
def test_a_job_whose_node_has_a_full_disk_is_lost_and_no_defect(tmp_path: Path) -> None:
    from dgm.executor.slurm import SlurmCluster, SlurmJob

    with closing(SlurmCluster({"cluster": "local"}, tmp_path / "run")) as cluster:
        sent = SlurmJob(cluster._jobs.submit(Path("/dev/full").write_bytes, b"a sign of life"), tmp_path / "beats")
        with pytest.raises(Lost, match=r"on its node: OSError: \[Errno 28\] No space left"):
            sent.wait(120)


def refusal(setting: Setting, piece: Piece[Any]) -> str:
    *_, last = working(setting, piece)
    assert isinstance(last, UserError)
    return str(last)


def test_a_node_whose_domain_differs_is_refused(world: World) -> None:
    run = world.start()
    with (Path(run.config.domains[0]) / "domain.py").open("a") as file:
        file.write("\n# easier\n")
    assert "is not the driver's; bring the same files there" in refusal(Setting.of(run), evaluation(run))


def test_a_node_without_the_domain_is_refused(world: World) -> None:
    run = world.start()
    setting = Setting.of(run)
    shutil.rmtree(run.config.domains[0])
    assert "no domain or folder is called" in refusal(setting, evaluation(run))


def test_a_node_with_another_kernel_is_refused(world: World) -> None:
    run = world.start()
    other = replace(Setting.of(run), kernel="0" * 64)
    assert "is not the driver's; install the same one there" in refusal(other, evaluation(run))


def test_paths_mean_the_same_in_another_directory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    run = world.start()
    folder = Path(run.config.domains[0])
    monkeypatch.chdir(folder.parent)
    config = run.config.model_copy(update={"domains": (folder.name, "grading"), "data": {"grading": "x.jsonl@1/5"}})
    run.config = config
    sent = Setting.of(run).config
    assert sent.domains == (str(folder), "grading")
    assert sent.data == {"grading": f"{folder.parent}/x.jsonl@1/5"}


@pytest.mark.parametrize(
    ("executor", "told"),
    [
        ("moon", "there is no 'moon'; choose one of local, ray, slurm"),
        ("local:here", "takes no address"),
    ],
)
def test_an_executor_that_is_not_there_is_refused_and_nothing_is_written(
    world: World, executor: str, told: str
) -> None:
    with pytest.raises(UserError, match=told):
        through(world, executor, world.agent(), world.meta())
    assert not (world.folder / "run0").exists()


@pytest.mark.slow  # Ray is long to import
@pytest.mark.needs("ray")
@pytest.mark.parametrize("where", ["127.0.0.1:9", "ray://127.0.0.1:9", "node1", "6379"])
def test_a_cluster_that_does_not_answer_is_told_at_once(world: World, where: str) -> None:
    with pytest.raises(UserError, match="--executor ray"):
        through(world, f"ray:{where}", world.agent(), world.meta())
    assert not (world.folder / "run0").exists()


@pytest.mark.slow
@pytest.mark.needs("ray")
@pytest.mark.parametrize(("raised", "fault"), [(Exception, InfrastructureError), (KeyError, KeyError)])
def test_a_ray_that_does_not_start_here_is_this_machines_fault(
    world: World, monkeypatch: pytest.MonkeyPatch, raised: type[Exception], fault: type[Exception]
) -> None:
    """On a busy machine its processes are too slow for it. Any other exception is a defect, with its traceback."""
    import ray

    def init(*_: object, **__: object) -> None:
        raise raised("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(fault, match="timed out during startup"):
        through(world, "ray", world.agent(), world.meta())
    assert not (world.folder / "run0").exists()


@pytest.mark.slow
@pytest.mark.needs("ray")
@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("127.0.0.1:%d", "lets this run in at 127.0.0.1:.*set RAY_AUTH_MODE=token"),
        ("auto", "`ray start` makes this machine part of a cluster"),
    ],
)
def test_a_cluster_that_does_not_let_a_run_in_is_told_with_what_may_help(
    world: World, monkeypatch: pytest.MonkeyPatch, where: str, told: str
) -> None:
    """Ray says only that it failed to connect, where a token is what is missing."""
    import ray

    def init(*_: object, **__: object) -> None:
        raise ConnectionError("Failed to connect to Ray cluster")

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        address = where.replace("%d", str(somebody.getsockname()[1]))
        with pytest.raises(UserError, match=told):
            through(world, f"ray:{address}", world.agent(), world.meta())


@pytest.mark.needs("submitit")
@pytest.mark.parametrize("where", ["minutes=soon", "speed=9", "cluster=moon", "partition"])
def test_settings_of_slurm_that_are_wrong_are_named(world: World, where: str) -> None:
    config = world.config(world.agent(), world.meta())
    config = config.model_copy(update={"place": config.place.model_copy(update={"executor": f"slurm:{where}"})})
    with pytest.raises(UserError, match="--executor slurm"):
        connect(config, world.folder / "run")


@pytest.mark.needs("submitit")
def test_a_run_that_asks_models_is_not_sent_away(world: World) -> None:
    config = world.config(world.agent(), world.meta())
    place = config.place.model_copy(update={"executor": "slurm:cluster=local"})
    models = config.models.model_copy(update={"agent": ("some-model",)})
    with pytest.raises(UserError, match="use --executor local with more --workers"):
        connect(config.model_copy(update={"place": place, "models": models}), world.folder / "run")


def test_a_run_that_goes_on_may_be_made_elsewhere_and_says_so(world: World) -> None:
    run = world.start(proposals=1)
    run.close()
    with pytest.raises(UserError, match="there is no 'moon'"):
        start.reopen(run.archive.path, lambda _: None, {"executor": "moon"})
    with start.reopen(run.archive.path, lambda _: None, {"workers": 3}):
        pass
    with start.reopen(run.archive.path, lambda _: None) as again:
        assert (again.config.place.workers, again.config.place.executor) == (3, "local")


@pytest.mark.slow
@pytest.mark.needs("ray")
def test_a_node_that_is_killed_in_mid_run_loses_nothing(world: World) -> None:
    told: list[str] = []
    with Nodes.start(2) as nodes:
        run = through(world, f"ray:{nodes.address}", world.agent(), world.meta_doing(SLEEPS), workers=4, proposals=10)
        run.tell = told.append
        done: list[int] = []

        def report(agent: AgentRecord) -> None:
            done.append(agent.id)
            if len(done) == 4:
                nodes.kill()

        assert loop.evolve(run, report) == "proposals"
        run.close()
    assert any("given out again" in line for line in told), "the node was idle when it died: nothing was shown"
    assert sorted(done) == list(range(1, 11))
    with Archive.open(run.archive.path) as archive:
        assert [agent.id for agent in archive.agents()] == list(range(11))
        assert list(rederive.check(archive)) == []
    assert verify(run.archive.path) == []

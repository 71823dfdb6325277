"""What every executor does: the same results as in this process, failures as outcomes, an end at once when given up."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from dgm import loop
from dgm.archive import Admission
from dgm.domain import Split
from dgm.errors import JudgeFailed, SandboxUnavailable, Status
from dgm.executor.pieces import Improve
from dgm.proposal.propose import NotBorn
from dgm.sitting import rederive
from dgm.sitting.run import Run
from tests.e2e.conftest import DOMAIN_CODE, World

from .conftest import through

FALLS_OVER = "raise ValueError('no idea')"
MOMENTS = 180
LIVES = f"""
import time
for _ in range({MOMENTS}):
    with open("{{alive}}", "a") as file:
        file.write(".")
    time.sleep(0.1)
return "lived"
"""
TELLS_BAIT = """
place = Path(repo_path, "agent/threshold.txt")
place.write_text("20")
return os.environ["GITHUB_TOKEN"]
"""
JUDGE_BREAKS = DOMAIN_CODE.replace(
    "return Verdict(1.0)", 'if task.id.startswith("test"): 1 / 0\n        return Verdict(1.0)'
)
EXECUTORS = [
    "local",
    pytest.param("ray", marks=[pytest.mark.slow, pytest.mark.needs("ray")]),
    pytest.param("slurm:cluster=local", marks=[pytest.mark.slow, pytest.mark.needs("submitit")]),
]


@pytest.fixture(params=EXECUTORS)
def executor(request: pytest.FixtureRequest) -> str:
    if request.param == "ray":
        return f"ray:{request.getfixturevalue('nodes').address}"
    return str(request.param)


def told(run: Run) -> list[object]:
    """Everything of a run but times."""
    archive = run.archive
    rows: list[object] = []
    for agent in archive.agents():
        scores = [(s.split, s.n, s.mean) for s in archive.scores(agent.id)]
        verdicts = [(v.split, v.task, v.score, v.status) for v in archive.verdicts(agent.id)]
        rows.append((agent.id, agent.parent, agent.tree, agent.admission, agent.reason, scores, verdicts))
    return rows


def appears(path: Path) -> None:
    """Wait for it, for a minute at most."""
    until = time.monotonic() + 60
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)


def improve(run: Run) -> Improve:
    genome = run.archive.files(0)
    return Improve(1, "bait", parent=0, genome=genome, feedback={}, iterations_left=1, seed=1, models=())


class TestExecutor:
    """The contract."""

    def test_one_worker_gives_the_run_that_the_local_executor_gives(self, executor: str, world: World) -> None:
        agent, meta = world.agent(), world.meta()
        runs = [through(world, name, agent, meta, proposals=3) for name in ("local", executor)]
        for run in runs:
            assert loop.evolve(run, lambda _: None) == "proposals"
            assert loop.test(run)
        assert told(runs[0]) == told(runs[1])
        assert any(score.split == Split.TEST for score in runs[1].archive.scores(0))

    def test_several_workers_make_every_number_once_and_every_choice_comes_out_again(
        self, executor: str, world: World
    ) -> None:
        run = through(world, executor, world.agent(), world.meta(), workers=3, proposals=6)
        assert loop.evolve(run, lambda _: None) == "proposals"
        assert [agent.id for agent in run.archive.agents()] == list(range(7))
        assert list(rederive.check(run.archive)) == []

    def test_an_agent_that_fails_is_an_outcome_with_its_reason(self, executor: str, world: World) -> None:
        run = through(world, executor, world.agent(), world.meta_doing(FALLS_OVER))
        with pytest.raises(NotBorn, match="no idea") as failed:
            run.executor.do(improve(run), run).result()
        assert (failed.value.admission, failed.value.status) == (Admission.FAILED, Status.WRONG)
        record = loop.step(run)
        assert record.admission == Admission.FAILED
        assert "no idea" in record.reason

    def test_bait_that_came_out_is_told(self, executor: str, world: World) -> None:
        run = through(world, executor, world.agent(), world.meta_doing(TELLS_BAIT))
        assert run.executor.do(improve(run), run).caught == ("GITHUB_TOKEN",)

    def test_a_judge_that_fails_stops_the_run(self, executor: str, world: World) -> None:
        run = through(world, executor, world.agent(threshold=60), world.meta(), code=JUDGE_BREAKS)
        with pytest.raises(JudgeFailed, match="ZeroDivisionError"):
            loop.test(run)

    @pytest.mark.filterwarnings(  # submitit does not wait for the processes that it cancels
        "ignore::pytest.PytestUnraisableExceptionWarning"
    )
    def test_what_is_given_up_ends_wherever_it_is(self, executor: str, world: World) -> None:
        alive = world.folder / "alive"
        run = through(world, executor, world.agent(), world.meta_doing(LIVES.format(alive=alive)))
        threading.Thread(target=lambda: (appears(alive), run.ongoing.abort())).start()
        with pytest.raises(SandboxUnavailable):
            run.executor.do(improve(run), run)
        size = -1
        while size != (size := alive.stat().st_size):
            time.sleep(1.0)
        assert 0 < size < MOMENTS, "it lived to its own end"

    def test_it_may_be_closed_twice(self, executor: str, world: World) -> None:
        run = through(world, executor, world.agent(), world.meta())
        run.executor.close()
        run.executor.close()
        assert not list(Path(world.folder).glob(".*jobs*"))

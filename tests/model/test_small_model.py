"""A run on so weak a model that most of what it says is malformed: it must end cleanly, whatever the scores."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dgm import loop
from dgm.archive import Admission
from dgm.config import Models, Origin, Place, RunConfig, Search
from dgm.errors import Status
from dgm.sitting import start

from . import server

PROPOSALS = 5
FEW = {"answer_form": "text", "answer_tokens": 150, "step_tokens": 200, "steps": 3, "mends": 1}
"""It is slow: it gets few words and few steps. Its server fails on schemas."""


def brief(repository: Path, folder: Path, half: str) -> str:
    """The seed of a half with smaller limits, as a user would make one."""
    own = folder / half
    own.mkdir()
    (own / "seed.toml").write_text(
        'name = "brief"\nprotocol = 1\nextends = "llm"\nmodel = true\ndescription = "With fewer words."\n'
    )
    settings = json.loads((repository / half / "llm" / "settings.json").read_text())
    (own / "settings.json").write_text(json.dumps({**settings, **{key: FEW[key] for key in FEW if key in settings}}))
    return str(own)


def small(repository: Path, folder: Path, domain: str, tasks: int) -> str:
    target = folder / "domains" / domain
    shutil.copytree(repository / "domains" / domain, target, ignore=shutil.ignore_patterns("__pycache__"))
    facts = target / "domain.toml"
    stages = f"stages = [{{ train = {tasks}, val = {tasks} }}]"
    facts.write_text(re.sub(r"^stages = .*$", stages, facts.read_text(), flags=re.M))
    return str(target)


@pytest.mark.model
@pytest.mark.needs("bubblewrap")
def test_a_run_on_a_weak_model_ends_cleanly(repository: Path, tmp_path: Path) -> None:
    with server.serving(tmp_path / "server.log") as url:
        config = RunConfig(
            domains=(small(repository, tmp_path, "grading", 2), small(repository, tmp_path, "coding", 1)),
            origin=Origin(agent=brief(repository, tmp_path, "agents"), meta=brief(repository, tmp_path, "meta")),
            search=Search(proposals=PROPOSALS, random_seed=1),
            place=Place(sandbox="bubblewrap", sessions=1, task_seconds=900, improve_seconds=3600),
            models=Models(agent=(server.NAME,), url=url, prices=("unknown=0",)),
        )
        with start.create(tmp_path / "run", config, print) as run:
            assert (
                loop.evolve(run, lambda agent: print(agent.id, agent.admission, agent.summary, agent.reason))
                == "proposals"
            )
            agents = run.archive.agents()
            assert len(agents) == PROPOSALS + 1
            assert {agent.admission for agent in agents[1:]} <= {Admission.ADMITTED, Admission.UNCHANGED}
            assert {v.status for agent in agents for v in run.archive.verdicts(agent.id)} <= {
                Status.OK, Status.WRONG, Status.INVALID,
            }  # fmt: skip
    with closing(sqlite3.connect(tmp_path / "run" / "archive.db")) as database:
        counts = dict(database.execute("SELECT status, COUNT(*) FROM model_calls GROUP BY status"))
    print(counts)
    assert counts["ok"] > PROPOSALS

"""A small world for whole-loop tests: a domain that is judged in microseconds, and genomes that do as they are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent

import pytest

from dgm import loop
from dgm.config import Control, Origin, Place, RunConfig, Search
from dgm.sitting import start

DOMAIN_TOML = """\
name = "thresholds"
version = 1
description = "Is x above the secret threshold?"
metric = "accuracy"
answer = { kind = "label", labels = ["above", "below"] }
splits = { train = 20, val = 20, test = 40 }
limits = { seconds = 2.0, memory_mb = 256 }
"""

DOMAIN_CODE = """\
from dgm.domain import Artifact, Status, Task, Verdict

SENTINEL = {"train": "TRAIN-CAN-BE-SEEN", "val": "VAL-SECRET-4711", "test": "TEST-SECRET-0815"}

class Domain:
    def __init__(self, data=None):
        pass

    def tasks(self, split):
        first, n = {"train": (0, 20), "val": (100, 20), "test": (200, 40)}[split]
        for i in range(first, first + n):
            x = (i * 37) % 101
            yield Task(
                f"{split}-{SENTINEL[split]}-{i}", {"x": x, "i": i, "note": SENTINEL["train"]},
                hidden={"label": "above" if x > 60 else "below", "secret": SENTINEL[split]},
            )

    def judge(self, task, artifact: Artifact):
        return Verdict(1.0) if artifact.prediction == task.hidden["label"] else Verdict(0.0, Status.WRONG)
"""

AGENT = """\
from pathlib import Path

THRESHOLD = int((Path(__file__).parent / "threshold.txt").read_text())

class TaskAgent:
    def __init__(self, model, chat_history_file):
        pass

    def forward(self, inputs):
        return ("above" if inputs["x"] > THRESHOLD else "below"), []
"""

META = """\
import random
from pathlib import Path

class MetaAgent:
    def __init__(self, model, chat_history_file):
        pass

    def forward(self, repo_path, eval_path, iterations_left):
        place = Path(repo_path, "agent/threshold.txt")
        place.write_text(str(int(place.read_text()) + random.choice([-10, 5, 10, 20])))
        return "moved the threshold"
"""

SEED = 'name = "scripted"\nprotocol = 1\ndescription = "For a test."\nentry = "{entry}"\n'


DOING = """\
import json, os, random, sys
from pathlib import Path

class {name}:
    def __init__(self, model, chat_history_file):
        pass

    def forward(self, {arguments}):
{body}
"""


def doing(name: str, arguments: str, body: str) -> str:
    """The source of a half whose entry `name` does `body`."""
    return DOING.format(name=name, arguments=arguments, body=indent(dedent(body).strip(), " " * 8))


@dataclass
class World:
    """Writes seeds and domains below a temporary folder and starts runs on them."""

    folder: Path
    open_runs: list[loop.Run] = field(default_factory=list)

    def domain(self, name: str = "thresholds", code: str = DOMAIN_CODE) -> str:
        folder = self.folder / "domains" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "domain.toml").write_text(DOMAIN_TOML.replace("thresholds", name))
        (folder / "domain.py").write_text(code)
        return str(folder)

    def agent(self, code: str = AGENT, threshold: int = 0) -> str:
        return self._seed("agent", "task_agent.py:TaskAgent", {"task_agent.py": code, "threshold.txt": str(threshold)})

    def meta(self, code: str = META) -> str:
        return self._seed("meta", "meta_agent.py:MetaAgent", {"meta_agent.py": code})

    def meta_doing(self, body: str) -> str:
        """A meta agent whose `forward(self, repo_path, eval_path, iterations_left)` is `body`."""
        return self.meta(doing("MetaAgent", "repo_path, eval_path, iterations_left", body))

    def agent_doing(self, body: str) -> str:
        """A task agent whose `forward(self, inputs)` is `body`."""
        return self.agent(doing("TaskAgent", "inputs", body))

    def config(self, agent: str, meta: str, sandbox: str = "local", **search: object) -> RunConfig:
        return RunConfig(
            domains=(self.domain(),),
            origin=Origin(agent=agent, meta=meta),
            search=Search.model_validate({"proposals": 4, "random_seed": 3, **search}),
            control=Control(),
            place=Place.model_validate({"sandbox": sandbox, "sessions": 1, "improve_seconds": 20.0}),
        )

    def start(
        self, agent: str | None = None, meta: str | None = None, sandbox: str = "local", **search: object
    ) -> loop.Run:
        config = self.config(agent or self.agent(), meta or self.meta(), sandbox, **search)
        run = start.create(self.folder / f"run{len(self.open_runs)}", config, lambda _: None)
        self.open_runs.append(run)
        return run

    def _seed(self, half: str, entry: str, files: dict[str, str]) -> str:
        folder = self.folder / f"{half}{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        (folder / "seed.toml").write_text(SEED.format(entry=entry))
        for name, text in files.items():
            (folder / name).write_text(text)
        return str(folder)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    for run in made.open_runs:
        run.close()


@pytest.fixture(params=["local", pytest.param("bubblewrap", marks=pytest.mark.needs("bubblewrap"))])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


Step = Callable[[loop.Run], object]

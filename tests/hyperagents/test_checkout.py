"""A codebase of the published Hyperagents' shape runs as a genome, with nothing but a genome.toml added.

`checkout/` is a stand-in written for this test: the same layout, calling convention and way to ask a model (litellm,
inside the sandbox). The backend is `local` with our own interpreter, which has litellm, as an image would.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dgm import loop
from dgm.archive import Admission
from dgm.config import Models, Origin, Place, RunConfig, Search
from dgm.domain import Split
from dgm.sandbox import interpreter
from dgm.sitting import start
from dgm.testing import ScriptedModels
from tests.e2e.conftest import World

CHECKOUT = Path(__file__).parent / "checkout"
HINT = "Above means more than 60."


def model(request: Mapping[str, Any]) -> str:
    """Knows no more of a task than the question says, and edits the task agent's hint."""
    messages = request["messages"]
    question = messages[0]["content"]
    if "Modify any part" not in question:
        known = int(re.findall(r'"x": (\d+)', question)[0]) > 60 if HINT in question else True
        return f'<json>{{"response": "{"above" if known else "below"}"}}</json>'
    repo = re.findall(r"codebase at `(.*?)`", question)[0]
    steps = [f"sed -i 's/^HINT = .*/HINT = \"{HINT}\"/' {repo}/task_agent.py", f"grep HINT {repo}/task_agent.py"]
    made = len(messages) // 2
    if made == len(steps):
        return "I have added a hint."
    return f"<json>{json.dumps({'tool_name': 'bash', 'tool_input': {'command': steps[made]}})}</json>"


@pytest.mark.soak
def test_a_checkout_with_a_genome_toml_evolves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "find", lambda uid: Path(sys.executable))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-never-inside")
    domain = Path(World(tmp_path).domain())
    facts = (domain / "domain.toml").read_text()
    (domain / "domain.toml").write_text(facts.replace("memory_mb = 256", "memory_mb = 2048"))  # litellm is large
    with ScriptedModels(model) as server:
        config = RunConfig(
            domains=(str(domain),),
            origin=Origin(genome=str(CHECKOUT)),
            search=Search(proposals=1),
            place=Place(sandbox="local", sessions=1),
            models=Models(agent=("openai/default",), url=server.url, prices=("unknown=0",)),
        )
        with start.create(tmp_path / "run", config, lambda _: None) as run:
            child = loop.step(run)
            assert child.admission == Admission.ADMITTED, child.reason
            assert child.changed == ("task_agent.py",)
            assert {path for path in run.archive.files(child.id) if path.startswith("domains")} == set()
            scores = [next(s.mean for s in run.archive.scores(i) if s.split == Split.VAL) for i in (0, child.id)]
            assert scores[1] == 1.0 > scores[0]
    assert server.count.authorizations == {"Bearer sk-never-inside"}

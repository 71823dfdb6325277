"""A run with a language model: the task agent asks it, the meta agent edits with it, and no key is anywhere.

The model is scripted (player.py); everything else is real: HTTP, gateway, sandboxes, the shipped seeds and domains.
"""

from __future__ import annotations

import gzip
import re
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dgm import loop
from dgm.archive import Admission
from dgm.config import Models, Origin, Place, RunConfig, Search
from dgm.domain import Split
from dgm.sitting import start
from dgm.sitting.run import Run
from dgm.testing import ScriptedModels

from .player import Player

KEY = "sk-sentinel-7d1f4be0c2a94"
BACKENDS = [
    pytest.param("bubblewrap", marks=pytest.mark.needs("bubblewrap")),
    pytest.param("docker", marks=[pytest.mark.needs("docker"), pytest.mark.slow]),
]


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key in the kernel's environment, under the names that providers use."""
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "DGM_SECRET"):
        monkeypatch.setenv(name, KEY)


EDITED = {
    "coding": "+Search: try one small change at a time",
    "grading": "+import sums",
    "review": "+Count the phrases that occur.",
}


def small(repository: Path, folder: Path, domain: str) -> str:
    """A shipped domain whose evaluation takes fewer tasks."""
    target = folder / "domains" / domain
    shutil.copytree(repository / "domains" / domain, target, ignore=shutil.ignore_patterns("__pycache__"))
    facts = target / "domain.toml"
    tasks = 8 if domain == "coding" else 20
    text, changed = re.subn(
        r"^stages = .*$", f"stages = [{{ train = {tasks}, val = {tasks} }}]", facts.read_text(), flags=re.M
    )
    assert changed == 1
    facts.write_text(text)
    return str(target)


def begin(repository: Path, folder: Path, domain: str, backend: str, server: ScriptedModels) -> Run:
    config = RunConfig(
        domains=(small(repository, folder, domain),),
        origin=Origin(agent="llm", meta="llm"),
        search=Search(proposals=1, random_seed=1),
        place=Place.model_validate({"sandbox": backend, "sessions": 2}),
        models=Models(agent=("scripted",), url=server.url, prices=("unknown=0",)),
    )
    return start.create(folder / "run", config, lambda _: None)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("domain", ["coding", "grading", "review"])
def test_an_agent_gets_better_through_edits_that_a_model_makes(
    domain: str, backend: str, repository: Path, tmp_path: Path
) -> None:
    player = Player()
    with ScriptedModels(player) as server, begin(repository, tmp_path, domain, backend, server) as run:
        child = loop.step(run)
        assert child.admission == Admission.ADMITTED, child.reason
        assert score(run, child.id) > score(run, 0)
        assert EDITED[domain] in run.archive.patch(child.id)
        assert child.summary.endswith("-> edited as planned")
        notes = run.archive.files(child.id)["meta/notes.md"].decode().splitlines()
        assert notes[-1] == f"- {child.summary}"
    assert server.count.authorizations == {f"Bearer {KEY}"}, "the provider was asked with the key"
    assert roles(tmp_path / "run") == {"agent", "meta"}
    assert KEY not in "\n".join(player.seen), "no agent found the key and told the model"
    assert not holding(tmp_path, KEY)


@pytest.mark.slow
@pytest.mark.needs("bubblewrap")
def test_a_model_that_calls_tools_in_its_text_does_the_same(repository: Path, tmp_path: Path) -> None:
    with (
        ScriptedModels(Player(native=False)) as server,
        begin(repository, tmp_path, "coding", "bubblewrap", server) as run,
    ):
        child = loop.step(run)
        assert score(run, child.id) > score(run, 0)


def score(run: Run, agent: int) -> float:
    return next(s.mean for s in run.archive.scores(agent) if s.split == Split.VAL)


def roles(archive: Path) -> set[str]:
    with closing(sqlite3.connect(archive / "archive.db")) as database:
        return {row[0] for row in database.execute("SELECT DISTINCT role FROM model_calls")}


def holding(folder: Path, secret: str) -> list[Path]:
    """The files that hold a secret: plainly, compressed, or as a compressed value in a database."""
    return [
        path for path in folder.rglob("*") if path.is_file() and any(secret.encode() in part for part in parts(path))
    ]


def parts(path: Path) -> Iterator[bytes]:
    """All that can be read out of a file."""
    data = path.read_bytes()
    yield data
    yield unpacked(data)
    if data.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(path)) as database:
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                for row in database.execute(f"SELECT * FROM {table}"):
                    yield from (unpacked(value) for value in row if isinstance(value, bytes))


def unpacked(data: bytes) -> bytes:
    """What zlib or gzip packed; nothing for anything else."""
    try:
        return zlib.decompressobj(wbits=47).decompress(data)
    except zlib.error:
        return b""


def test_a_key_would_be_found_wherever_it_was_kept(tmp_path: Path) -> None:
    said = f"the key is {KEY}".encode()
    (tmp_path / "plain").write_bytes(said)
    (tmp_path / "log.jsonl.gz").write_bytes(gzip.compress(said))
    (tmp_path / "object").write_bytes(zlib.compress(said))
    with closing(sqlite3.connect(tmp_path / "calls.db")) as database:
        database.execute("CREATE TABLE calls (reply BLOB)")
        database.execute("INSERT INTO calls VALUES (?)", (zlib.compress(said),))
        database.commit()
    (tmp_path / "harmless").write_bytes(b"nothing")
    assert {path.name for path in holding(tmp_path, KEY)} == {"plain", "log.jsonl.gz", "object", "calls.db"}

"""Where a root genome comes from, and what is said when it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgm.errors import UserError
from dgm.genome import parse_spec
from dgm.genome.sources import from_directory, from_halves, seeds

SEED = 'name = "mine"\nprotocol = 1\ndescription = "Mine."\nentry = "main.py:Agent"\n'


def seed(folder: Path, text: str = SEED, **files: str) -> str:
    folder.mkdir()
    (folder / "seed.toml").write_text(text)
    for name, content in files.items():
        (folder / f"{name}.py").write_text(content)
    return str(folder)


def test_the_shipped_seeds_make_a_genome_that_needs_no_sandbox() -> None:
    source = from_halves("rules", "mutation")
    spec = parse_spec(source.genome, "here")
    assert source.ours
    assert spec.agent.entry == "agent/task_agent.py:TaskAgent"
    assert spec.meta.entry == "meta/meta_agent.py:MetaAgent"
    assert not [path for path in source.genome if "seed.toml" in path or "__pycache__" in path]


def test_every_shipped_seed_says_what_it_is() -> None:
    for half in ("agent", "meta"):
        for name, spec in seeds(half).items():  # type: ignore[arg-type]
            assert spec.name == name
            assert spec.description


def test_a_seed_that_extends_another_is_that_one_but_for_its_own_files() -> None:
    base, control = from_halves("rules", "mutation").genome, from_halves("rules", "onefit").genome
    assert set(base) == set(control)
    assert [path for path in base if base[path] != control[path]] == ["meta/strategy.json"]


def test_somebody_elses_directory_counts_as_unknown_code(tmp_path: Path) -> None:
    source = from_halves(seed(tmp_path / "mine", main="class Agent: ..."), "mutation")
    assert not source.ours
    assert "agent/main.py" in source.genome


@pytest.mark.parametrize(
    ("agent", "says"),
    [
        ("nobody", r"--agent: no seed, directory or ARCHIVE#ID is called 'nobody'; the seeds are .*rules"),
        ("run#x", "must look like ARCHIVE#ID"),
        ("nowhere/at-all#3", "there is no archive at nowhere/at-all"),
    ],
)
def test_a_source_that_is_not_there_is_named(agent: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        from_halves(agent, "mutation")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SEED, "names a file that is not there"),
        (SEED.replace("main.py:Agent", "main"), "entry"),
        (SEED.replace('entry = "main.py:Agent"\n', ""), "give either entry or command"),
        (SEED + 'extends = "nobody"\n', "extends 'nobody'"),
    ],
)
def test_a_seed_that_cannot_start_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        from_halves(seed(tmp_path / "mine", text), "mutation")


def test_a_directory_with_its_own_genome_toml_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.py").write_text("class Agent: ...")
    (tmp_path / "notes.md").write_text("not declared, so not taken")
    (tmp_path / "genome.toml").write_text(
        'protocol = 1\n[agent]\nentry = "src/main.py:Agent"\npaths = ["src/"]\n'
        '[meta]\nentry = "src/main.py:Agent"\npaths = ["src/"]\n'
    )
    source = from_directory(str(tmp_path))
    assert sorted(source.genome) == ["genome.toml", "src/main.py"]
    assert not source.ours


def test_a_directory_without_genome_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no genome\.toml"):
        from_directory(str(tmp_path))

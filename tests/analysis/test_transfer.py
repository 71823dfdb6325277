"""Whom to take along."""

from __future__ import annotations

from pathlib import Path

import pytest

from dgm import statistics
from dgm.archive import Archive, Child, ScoreRecord, VerdictRecord
from dgm.errors import Status, UserError
from dgm.genome.sources import from_halves, pinned
from dgm.genome.transfer import by_growth
from dgm.results import best_overall
from tests.archive.world import child

GENOME = {"genome.toml": from_halves("rules", "mutation").genome["genome.toml"]}
SEEDS = (("agent", "rules"), ("meta", "mutation"))


def scored(number: int, parent: int | None, passed: int, meta: int = 0) -> Child:
    """An agent that passed so many of ten val tasks; `meta` tells meta halves apart."""
    s = statistics.score([1.0] * passed + [0.0] * (10 - passed), 10)
    verdicts = [
        VerdictRecord("grading", "val", f"q{i}", float(i < passed), Status.OK if i < passed else Status.WRONG, 1)
        for i in range(10)
    ]
    record = ScoreRecord("grading", "val", s.n, s.total, s.mean, s.low, s.high)
    files = {**GENOME, "agent/task_agent.py": b"# %d" % number, "meta/meta_agent.py": b"# %d" % meta}
    return child(number, parent, scores=[record], verdicts=verdicts, logs={}, files=files)


def test_the_agent_whose_descendants_grew_most_is_taken_and_not_the_best(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "run", "", scored(0, None, 5)) as archive:
        with pytest.raises(UserError, match="three descendants"):
            by_growth(archive)
        for number, parent, passed in [(1, 0, 3), (2, 0, 9), (3, 1, 6), (4, 1, 7), (5, 1, 7), (6, 2, 9), (7, 2, 9)]:
            archive.record(scored(number, parent, passed))
        archive.record(scored(8, 2, 9))
        assert by_growth(archive) == 1


def test_an_agent_that_has_the_roots_meta_half_is_taken_only_where_all_have(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "run", "", scored(0, None, 5)) as archive:
        for number, parent, passed, meta in [(1, 0, 1, 0), (2, 1, 3, 9), (3, 2, 4, 9), (4, 2, 4, 9), (5, 2, 4, 9)]:
            archive.record(scored(number, parent, passed, meta))
        assert by_growth(archive) == 2, "1 grew more, and has nothing that the root has not"


def test_a_word_in_place_of_a_number_is_written_down_as_the_agent_that_it_is(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "run", "", scored(0, None, 5)) as archive:
        for number, parent, passed in [(1, 0, 3), (2, 0, 9), (3, 1, 6), (4, 1, 7), (5, 1, 7)]:
            archive.record(scored(number, parent, passed))
    name = str(tmp_path / "run")
    assert pinned(f"{name}#growth", "--meta") == f"{name}#1"
    assert pinned(f"{name}#best", "--meta") == f"{name}#2"
    assert pinned(f"{name}#4", "--meta") == f"{name}#4"
    assert pinned("mutation", "--meta") == "mutation"
    with pytest.raises(UserError, match=r"--meta: .* must look like ARCHIVE#ID, .* my-run#best or my-run#growth"):
        pinned(f"{name}#worst", "--meta")


@pytest.mark.parametrize("half", ["agent", "meta"])
def test_either_half_of_an_agent_goes_into_another_genome_as_it_is(half: str, repository: Path) -> None:
    example = str(repository / "archive" / "example")
    with Archive.open(repository / "archive" / "example") as archive:
        evolved = archive.files(best_overall(archive))
    source = from_halves(*(f"{example}#best" if half == taken else seed for taken, seed in SEEDS))
    initial = from_halves("rules", "mutation").genome
    for path, data in source.genome.items():
        if path != "genome.toml":
            assert data == (evolved if path.startswith(f"{half}/") else initial)[path]
    assert not source.ours, "code that was evolved runs in a real sandbox"

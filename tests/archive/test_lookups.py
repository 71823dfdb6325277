"""Single questions get the answers that all records together give, in old archives as well; and what is open in a
writer agrees with what a reader finds."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm import results, statistics
from dgm.archive import Admission, Archive, Child, ScoreRecord, VerdictRecord
from dgm.archive.database import NAME
from dgm.archive.lineage import children, lineage
from dgm.archive.verify import verify
from dgm.domain import Split
from dgm.errors import Status, UserError
from dgm.loop import RECALLED, remember
from dgm.proposal.feedback import _Others
from tests.archive.world import FAST, child, contents, create, failed

EXAMPLE = Path(__file__).parents[2] / "archive" / "example"


def measured(number: int, parent: int, rng: random.Random) -> Child:
    """A child with few possible scores, so that there are equal ones, on some of three domains."""
    scores, verdicts = [], []
    for domain in "abc":
        for split in ("train", "val"):
            if rng.random() < 0.8:
                values = [float(rng.random() < 0.5) for _ in range(rng.choice([2, 3, 3, 3]))]
                s = statistics.score(values, 3)
                scores.append(ScoreRecord(domain, split, s.n, s.total, s.mean, s.low, s.high))
                verdicts += [
                    VerdictRecord(domain, split, f"q{at}", value, Status.OK, 1) for at, value in enumerate(values)
                ]
    admission = rng.choice([Admission.ADMITTED] * 4 + [Admission.QUARANTINED])
    return child(number, parent, admission=admission, scores=scores, verdicts=verdicts, logs={})


def chosen_among_all(archive: Archive) -> tuple[dict[str, int], int]:
    """The best of each domain and of all, from every record."""
    chosen = results.chosen_scores(archive)
    best = {d: min(by_agent, key=lambda i: (-by_agent[i].mean, i)) for d, by_agent in chosen.items() if by_agent}
    everywhere = set.intersection(*map(set, chosen.values())) if chosen else set()
    means = {i: sum(by_agent[i].mean for by_agent in chosen.values()) / len(chosen) for i in everywhere}
    return best, min(means, key=lambda i: (-means[i], i), default=0)


def agrees(archive: Archive) -> None:
    agents, ask = archive.agents(), archive.ask
    below = children(agents)
    ids = [agent.id for agent in agents]
    assert ask.agents(ids) == {agent.id: agent for agent in agents}
    assert (ask.newest(), ask.newest(3)) == (agents, agents[-3:])
    assert sum(ask.outcomes().values()) == len(agents)
    assert ask.counts(ids) == {i: len(below[i]) for i in ids}
    assert ask.visible() == archive.visible() == (ids[-1], tuple(sorted(set(range(ids[-1])) - set(ids))))
    scores = {i: list[ScoreRecord]() for i in ids}
    for owner, score in archive.all_scores():
        scores[owner] = [*scores[owner], score]
    assert ask.scores(ids) == scores
    for i in ids:
        assert ask.lineage(i) == lineage(agents, i)
        assert ask.lineage(i, 2) == lineage(agents, i)[-2:]
        assert (ask.children(i), ask.children(i, 2)) == (below[i], below[i][-2:])
        assert ask.agent(i) == archive.agent(i)
    assert (results.best_per_domain(archive), results.best_overall(archive)) == chosen_among_all(archive)
    for domain in archive.domains():
        ranked = sorted(
            (-s.mean * s.n / s.total, i)
            for i in ids
            for s in scores[i]
            if s.domain == domain.name and s.split == "train"
        )
        assert ask.worthiest(domain.name, Split.TRAIN, 4) == [i for _, i in ranked[:4]]
    assert list(_Others(archive, {0, 3})) == [i for i in ids if i not in (0, 3)]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32))
def test_single_questions_agree_with_all_the_records(seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        path = Path(folder) / "run"
        working = [0]
        with create(path) as archive:
            for number in rng.sample(range(1, 16), 12):  # workers finish out of order
                made = measured(number, rng.choice(working), rng)
                if rng.random() < 0.3:
                    made = failed(number, made.parent or 0)
                archive.record(made)
                working += [number] if made.admission.works else []
            agrees(archive)
            view = archive.view()
        with Archive.open(path) as reader:
            agrees(reader)
            assert reader.view().quality.tolist() == view.quality.tolist()
        _downgrade(path)
        with Archive.open(path) as reader:  # without the indexes
            agrees(reader)


def _downgrade(path: Path) -> None:
    """Make an archive of the first format of one that is closed."""
    database = sqlite3.connect(path / NAME)
    for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql NOT NULL").fetchall():
        database.execute(f"DROP INDEX {name}")
    database.execute("ALTER TABLE agents DROP COLUMN task_half")
    database.execute("DELETE FROM meta WHERE key IN ('revision', 'begun')")
    database.execute("PRAGMA user_version = 1")
    database.commit()
    database.close()


def test_an_archive_of_the_first_format_is_read_unchanged_and_goes_on_in_the_second(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with create(path, 3):
        pass
    _downgrade(path)
    (path / "logs" / "1" / "grading.val.tmp").write_bytes(b"half")  # an older dgm says nowhere what it had begun
    before = contents(path)
    with Archive.open(path) as reader:
        assert len(reader.agents()) == 4 and reader.view().number == 4
    assert contents(path) == before
    with Archive.open(path, write=True) as archive:
        assert archive.ask.without_half() == [0, 1, 2, 3]
        archive.name_halves(lambda files: str(len(files)))
        assert (archive.ask.without_half(), archive.ask.with_half("3")) == ([], 0)
    assert not (path / "logs" / "1" / "grading.val.tmp").exists()
    assert verify(path) == []


def test_the_example_of_the_first_format_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "example"
    shutil.copytree(EXAMPLE, path)
    with Archive.open(path) as reader:
        agrees(reader)
    with Archive.open(path, write=True) as archive:
        agrees(archive)
    assert verify(path) == []


def test_a_line_that_does_not_lead_to_the_root_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with create(path, 3):
        pass
    database = sqlite3.connect(path / NAME)
    database.execute("UPDATE agents SET parent = 3 WHERE id = 1")
    database.commit()
    database.close()
    with Archive.open(path) as archive:
        with pytest.raises(UserError, match="does not lead to the root"):
            archive.ask.lineage(2)
        with pytest.raises(UserError, match="there is no agent 9"):
            archive.ask.lineage(9)


def test_equal_task_halves_are_known_after_a_resume_and_share_their_test_results(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with create(path) as archive:
        archive.record(child(1, task_half="same"))
        archive.record(child(2, task_half="other"))
        archive.record(child(3, 1, task_half="same", admission=Admission.QUARANTINED))
        archive.record(failed(4))
    with Archive.open(path, write=True) as archive:
        assert (archive.ask.with_half("same"), archive.ask.with_half("none")) == (1, None)
        assert not remember(archive, 1, ())  # nobody was tested yet
        tested = child(3, 1)
        scores = [ScoreRecord(s.domain, "test", s.n, s.total, s.mean, s.low, s.high) for s in tested.scores[:1]]
        verdicts = [VerdictRecord(v.domain, "test", v.task, v.score, v.status, v.ms) for v in tested.verdicts[:6]]
        archive.add_scores(3, scores, verdicts, {"grading.test": tested.logs["grading.train"]})
        assert remember(archive, 1, ()) and not remember(archive, 2, ())
        assert [s for s in archive.scores(1) if s.split == Split.TEST] == scores
        assert archive.verdicts(1, "grading", "test") == archive.verdicts(3, "grading", "test")
        assert [event.body for event in archive.events(RECALLED)] == [{"agent": 1, "of": 3, "split": "test"}]
        assert not remember(archive, 1, {"grading"})
    assert verify(path) == []

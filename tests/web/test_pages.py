"""What the pages show is what the archive says, and what the command line says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgm import results
from dgm.analysis.comparison import paired
from dgm.archive import Archive
from dgm.errors import UserError
from dgm.reporting import report
from dgm.web.app import Pages
from dgm.web.pages import diffs
from dgm.web.shelf import Book, Shelf


@pytest.fixture(scope="module")
def shelf(repository: Path) -> Shelf:
    return Shelf(repository / "archive")


@pytest.fixture(scope="module")
def book(shelf: Shelf) -> Book:
    return shelf.book("example")


@pytest.fixture(scope="module")
def archive(repository: Path) -> Archive:
    return Archive.open(repository / "archive" / "example")


@pytest.fixture
def pages(shelf: Shelf) -> Pages:
    return Pages(shelf)


def test_the_overview_names_the_agents_that_dgm_best_names(pages: Pages, archive: Archive) -> None:
    shown = pages.overview({"archive": "example"})
    told = results.results(archive)
    assert shown["overall"]["agent"] == told.overall
    assert [(row["domain"], row["agent"]) for row in shown["best"]] == [(row.domain, row.agent) for row in told.rows]
    assert [row["test"]["mean"] for row in shown["best"]] == [round(row.test.mean, 5) for row in told.rows if row.test]
    assert shown["way"][0]["id"] == 0
    assert shown["way"][-1]["id"] == told.overall
    assert shown["cost"]["verdicts"] == sum(score.n for _, score in archive.all_scores())


def test_gains_are_those_of_the_command_line(pages: Pages, archive: Archive) -> None:
    shown = pages.gains({"archive": "example"})["gains"]
    assert shown
    for row in shown:
        told = report.gain(archive, row["domain"], row["agent"])
        assert told is not None
        assert row["gain"] == [round(value, 5) for value in (told.mean, told.low, told.high)]


def test_the_tree_has_every_agent_and_sends_only_what_is_new(pages: Pages, archive: Archive) -> None:
    whole = pages.tree({"archive": "example"})
    assert whole["id"] == [agent.id for agent in archive.agents()]
    assert whole["parent"] == [agent.parent for agent in archive.agents()]
    candidates = {candidate.id: candidate for candidate in archive.candidates()}
    for domain, column in whole["scores"].items():
        assert column == [round(candidates[i].scores[domain], 4) for i in whole["id"]]
    rest = pages.tree({"archive": "example", "epoch": str(whole["epoch"]), "from": "9"})
    assert rest["id"] == whole["id"][9:]
    assert pages.tree({"archive": "example", "epoch": "77", "from": "9"})["id"] == whole["id"]


def test_search_finds_words_and_numbers(pages: Pages, archive: Archive) -> None:
    def found(text: str) -> list[int]:
        ids: list[int] = pages.search({"archive": "example", "text": text})["ids"]
        return ids

    assert found("#1") == [1]
    assert found("GRADING block") == [a.id for a in archive.agents() if "grading" in a.summary and "block" in a.summary]
    assert found("no such word") == []


def test_tasks_gained_and_lost_are_those_of_the_paired_test(pages: Pages, archive: Archive) -> None:
    rows = pages.against({"archive": "example", "agent": "9", "with": "7"})["tasks"]
    assert rows
    for row in rows:
        mine, theirs = (
            {v.task: v.score for v in archive.verdicts(agent, row["domain"], row["split"]) if v.score is not None}
            for agent in (9, 7)
        )
        told = paired(mine, theirs)
        assert row["n"] == told.difference.n
        assert row["difference"] == round(told.difference.mean, 5)
        assert told.p is not None
        assert row["p"] == round(told.p, 5)
        assert {name for name, *_ in row["gained"]} == {t for t in mine if mine[t] > theirs[t]}
        assert {name for name, *_ in row["lost"]} == {t for t in mine if mine[t] < theirs[t]}


def test_the_table_of_tasks_is_the_verdicts(pages: Pages, archive: Archive) -> None:
    place = {"archive": "example", "domain": "coding", "split": "val"}
    shown, cells = pages.tasks(place), pages.cells(place)
    width = len(shown["tasks"])
    names = [task[0] for task in shown["tasks"]]
    for row, agent in enumerate(shown["agents"]):
        verdicts = {v.task: v.score for v in archive.verdicts(agent, "coding", "val")}
        assert [cells[row * width + at] / 200 for at in range(width)] == [verdicts[name] for name in names]
    for at, (name, judged, solved, mean, first) in enumerate(shown["tasks"]):
        column = [cells[row * width + at] for row in range(len(shown["agents"]))]
        solvers = [agent for agent, value in zip(shown["agents"], column, strict=True) if value == 200]
        assert (judged, solved, first) == (len(column), len(solvers), solvers[0] if solvers else None), name
        assert mean == round(sum(column) / 200 / len(column), 4)


def test_the_example_is_shown_file_by_file(pages: Pages, archive: Archive) -> None:
    listed = pages.files({"archive": "example", "agent": "9"})["files"]
    assert {file["path"] for file in listed} == set(archive.files(9))
    text = pages.file({"archive": "example", "agent": "9", "path": "agent/task_agent.py"})["text"]
    assert text.encode() == archive.files(9)["agent/task_agent.py"]
    changed = pages.diff({"archive": "example", "agent": "9", "with": "7"})["files"]
    assert [file["path"] for file in changed] == list(archive.agent(9).changed)
    whole = pages.diff({"archive": "example", "agent": "0", "with": ""})["files"]
    assert {file["became"] for file in whole} == {"added"}


def test_transcripts_come_in_pieces_and_whole(pages: Pages, archive: Archive) -> None:
    place = {"archive": "example", "agent": "9", "log": "coding.val"}
    rows, start = [], "0"
    while start != "None":
        page = pages.log({**place, "from": start})
        rows += page["rows"]
        start = str(page["next"])
    told = archive.logs(9, "coding", "val")
    assert [row["task"] for row in rows] == [row["task"] for row in told]
    wrong = pages.log({**place, "status": "wrong"})
    assert {row["status"] for row in wrong["rows"]} == {"wrong"}
    assert pages.log({**place, "task": str(told[3]["task"])})["row"] == told[3]


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("overview", {"archive": "../example"}),
        ("overview", {"archive": ""}),
        ("agent", {"archive": "example", "agent": "99"}),
        ("agent", {"archive": "example", "agent": "1e3"}),
        ("agent", {"archive": "example", "agent": "١"}),
        ("file", {"archive": "example", "agent": "9", "path": "../../archive.db"}),
        ("log", {"archive": "example", "agent": "9", "log": "../8/coding.val"}),
        ("log", {"archive": "example", "agent": "9", "log": "coding.val", "task": "none"}),
        ("calls", {"archive": "example", "agent": "9", "call": "1"}),
        ("two", {"archive": "example", "agent": "9", "of": "nowhere", "with": "1"}),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(pages: Pages, page: str, wrong: dict[str, str]) -> None:
    with pytest.raises(UserError):
        getattr(pages, page)(wrong)


def test_runs_that_cannot_be_read_say_why_beside_those_that_can(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "good").symlink_to(repository / "archive" / "example")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "archive.db").write_bytes(b"not a database at all" * 100)
    pages = Pages(Shelf(tmp_path))
    good, bad = pages.archives({})["archives"]
    assert (good["name"], good["agents"]) == ("good", 11)
    assert "bad" in bad["problem"]
    both = pages.runs({"names": json.dumps(["good", "bad"])})["runs"]
    assert both[0]["overall"] == good["overall"]
    assert both[1]["problem"]


LINES = st.lists(
    st.sampled_from(["a", "b", "", "--- a/x", "+++ b/x", "@@ -1,9 +1,9 @@", "\\ No newline", "-", "+ ", "é\r"])
)


@given(LINES, LINES, st.booleans(), st.booleans())
def test_a_difference_shows_both_sides_as_they_are(old: list[str], new: list[str], end: bool, other: bool) -> None:
    """However the lines look, also as parts of a patch, the numbered lines of each side are that side's."""
    before, after = "\n".join(old) + "\n" * end, "\n".join(new) + "\n" * other
    for file in diffs.between({"x": before.encode()}, {"x": after.encode()}):
        changed = [0, 0]
        for row in (row for hunk in file["hunks"] for row in hunk):
            for side, text in ((1, before), (2, after)):
                if row[side] is not None:
                    number, line = row[side]
                    assert line == text.split("\n")[number - 1]
            changed[0] += row[0] in "-~"
            changed[1] += row[0] in "+~"
        assert [file["removed"], file["added"]] == changed
        assert lines(before) - changed[0] == lines(after) - changed[1]


def test_a_genome_of_many_long_files_does_not_make_an_answer_of_millions_of_rows() -> None:
    whole = diffs.between({}, {f"f{at:02}": b"\n" * 4_000 for at in range(20)})
    assert [file["became"] for file in whole] == ["added"] * 20
    assert sum(len(hunk) for file in whole for hunk in file["hunks"]) == diffs.MAX_ALL
    assert [bool(file["hunks"]) for file in whole] == [True] * 10 + [False] * 10
    assert whole[-1]["note"].startswith("not shown")


def lines(text: str) -> int:
    """Lines of a text, the last one also where it has no end."""
    return text.count("\n") + bool(text and not text.endswith("\n"))

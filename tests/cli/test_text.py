"""What is printed of an agent cannot act on a terminal; scores and agents are written and read in one way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgm.archive import ScoreRecord
from dgm.cli import naming
from dgm.errors import UserError
from dgm.reporting import text


@given(st.text(alphabet=st.characters(), max_size=60))
def test_nothing_that_a_terminal_acts_upon_passes(words: str) -> None:
    shown = text.printable(words)
    assert shown.isprintable()
    shown.encode("utf-8")  # lone surrogates do not pass either
    if words.isprintable():
        assert shown == words


def test_an_escape_sequence_is_shown_as_what_it_is() -> None:
    assert text.printable("a\x1b]0;owned\x07\r\nb\u202e\ud800") == "a\\x1b]0;owned\\x07\\r\\nb\\u202e\\ud800"


def test_a_diff_may_keep_its_tabs() -> None:
    assert text.printable("+\tx\x1b", keep="\t") == "+\tx\\x1b"


@given(st.text(max_size=300), st.integers(2, 50))
def test_one_line_is_one_line_within_its_limit(words: str, limit: int) -> None:
    line = text.one_line(words, limit)
    assert len(line) <= limit
    assert line.isprintable()


def test_a_score_never_stands_without_n_and_interval() -> None:
    full = ScoreRecord("d", "val", 150, 150, 0.7123, 0.635, 0.7789)
    part = ScoreRecord("d", "val", 20, 150, 0.5, 0.3, 0.7)
    assert text.score(full) == "0.712 [0.635, 0.779] n=150"
    assert text.score(part) == "0.500 [0.300, 0.700] n=20/150"
    assert text.score(None) == "-"
    assert text.mean(part) == "0.500 (20/150)"


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (59.2, "59 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations_are_read_at_a_glance(seconds: float, says: str) -> None:
    assert text.duration(seconds) == says


def test_an_agent_is_an_archive_and_a_number() -> None:
    assert naming.agent_of("one#17") == (Path("archive/one"), 17)
    assert naming.agent_of("some/where/one#0") == (Path("some/where/one"), 0)


@pytest.mark.parametrize("wrong", ["one", "one#", "#3", "one#x", "one#-1", "one#1.5", "one#٣", "one#9999999999"])
def test_what_is_no_agent_is_refused_with_an_example(wrong: str) -> None:
    with pytest.raises(UserError, match="my-run#17"):
        naming.agent_of(wrong)


@pytest.mark.parametrize("wrong", ["", " ", ".", "..", "a#b", "a\nb"])
def test_what_can_be_no_archive_is_refused(wrong: str) -> None:
    with pytest.raises(UserError, match="name"):
        naming.archive_of(wrong)


@given(st.text(alphabet="ab\n\r\x0b\x0c\x1c\x85\u2028\u2029", min_size=1))
def test_a_newline_alone_ends_a_line(words: str) -> None:
    assert "".join(f"{line}\n" for line in text.lines(words)) == words.removesuffix("\n") + "\n"

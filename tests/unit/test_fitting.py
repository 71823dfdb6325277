"""A table on a narrow terminal: nothing is cut off, whatever stands in it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.cli import printing
from dgm.landscapes.contest import MAIN
from dgm.reporting import columns
from dgm.reporting.columns import Heads
from dgm.reporting.fitting import GAP, parts
from dgm.reporting.table import Table, plain

CELLS = st.sampled_from(["", "ab", "a b " * 15, "a" * 70, "a\nbc", "abc " * 3 + "d" * 25])
SCORED = "10010 100%\n[10000, 10010]"


def drawn(table: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int = 80) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    printing.show(table)
    out = capsys.readouterr().out
    assert all(len(line.rstrip()) <= width for line in re.sub("\x1b\\[[0-9;]*m", "", out).splitlines())
    assert "…" not in out
    return out


def test_the_search_benchmark_stands_side_by_side_in_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Table(columns.SEARCH.heads({"STRATEGY": MAIN}), [["dead_ends", *[SCORED] * 4], ["luck", *["7 9%"] * 4]])
    assert len(list(parts(table, 80))) == 1
    out = drawn(table, monkeypatch, capsys)
    assert out.count("10010 100%") == out.count("[10000, 10010]") == 4


def test_what_does_not_fit_stands_below_with_its_keys(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"less BASELINE [95 %]": ["less full [95 %]"], "pairs or runs": ["pairs"]}
    row = ["no-self-improvement", "one for all", "10", "0.378", "0.571", "+0.193 [+0.173, +0.202]"]
    row += ["-0.070 [-0.089, -0.051]", "10, 2 tied", "0.0020", "0.0156", "0.0021"]
    table = Table(columns.EXPERIMENT.heads(names), [row], keys=2)
    shown = [part.columns for part, _ in parts(table, 80)]
    assert len(shown) > 1 and all(part[:2] == ("variant", "domain") for part in shown)
    assert [name for part in shown for name in part[2:]] == list(table.columns[2:])
    out = drawn(table, monkeypatch, capsys)
    assert all(cell in out for cell in row)
    assert len(list(parts(table, 300))) == 1


def test_lines_of_a_cell_are_one_in_a_pipe() -> None:
    assert list(plain(Table(Heads(("at", "found")), [["luck", SCORED]])))[1] == "luck  10010 100% [10000, 10010]"


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(*[CELLS] * 5), min_size=1, max_size=3),
    wraps=st.sets(st.sampled_from("abcde")),
    width=st.integers(20, 120),
    keys=st.integers(1, 3),
)
def test_every_column_is_shown_once_and_nothing_is_wider_than_the_terminal(
    rows: list[tuple[str, ...]], wraps: set[str], width: int, keys: int
) -> None:
    table = Table(Heads(("a", "b", "c", "d", "e")), rows, wraps=frozenset(wraps), keys=keys)
    shown = list(parts(table, width))
    assert [name for part, _ in shown for name in part.columns[keys:]] == list(table.columns[keys:])
    for part, widths in shown:
        assert part.columns[:keys] == table.columns[:keys]
        assert sum(widths) + GAP * (len(widths) - 1) <= width
        assert min(widths) >= 1

"""What may be concluded from an experiment's runs, and what may not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm import plots
from dgm.analysis.comparison import LEVEL, holm, least_repeats, rank_sum, signed_rank
from dgm.errors import UserError
from dgm.experiment import contrast, page, present
from dgm.experiment.figures import gains
from tests.experiment.world import outcomes, plan, variants

FULL = [0.20, 0.25, 0.22, 0.21, 0.19, 0.24, 0.23, 0.18, 0.26, 0.17]
WORSE = [value - 0.1 - 0.001 * at for at, value in enumerate(FULL)]
ALIKE = [value + (0.01 if at % 2 else -0.011) for at, value in enumerate(FULL)]


def test_runs_of_the_same_repeat_are_compared_and_the_sentence_says_what_follows() -> None:
    made = variants(["full", "worse", "alike"])
    results = outcomes({"full": {"x": FULL}, "worse": {"x": WORSE}, "alike": {"x": ALIKE}})
    found = contrast.lines(made, results)
    base, worse, alike = found
    assert base.contrast is None and worse.contrast is not None and alike.contrast is not None
    assert worse.contrast.difference.median == pytest.approx(-0.1045)
    assert worse.contrast.test.p == worse.contrast.test.smallest == 2 / 2**10
    assert worse.contrast.adjusted == 2 * worse.contrast.test.p
    assert worse.contrast.shown and not alike.contrast.shown
    (sentence,) = present.sentences(made, found, results)
    assert (
        "for 2 comparisons with full: below it: worse (x); above it: none; not shown to differ: alike (x)" in sentence
    )


def test_five_runs_cannot_show_anything_and_that_is_said() -> None:
    made = variants(["full", "worse"], repeats=5)
    found = contrast.lines(made, outcomes({"full": {"x": FULL[:5]}, "worse": {"x": WORSE[:5]}}))
    said = contrast.conclusions(found, "full")
    assert "not shown to differ: worse (x)" in said[0]
    assert said[1].startswith("Too few runs differ") and "p is 0.062" in said[1]
    assert said[1].endswith("one comparison takes at least 6 pairs of runs that differ, so at least 6 repeats.")


@pytest.mark.parametrize("paired", [True, False])
def test_as_many_comparisons_as_there_are_take_so_many_repeats(paired: bool) -> None:
    others = {f"v{at}": {"x": [0.0, 0.01, 0.02]} for at in range(3)}
    results = outcomes({"full": {"x": FULL[:3]}, **others})
    said = contrast.conclusions(contrast.lines(variants(["full", *others], 3, paired), results), "full")
    needs = "7 pairs of runs that differ, so at least 7" if paired else "5 runs of each that differ, so at least 5"
    assert said[1].endswith(f"3 comparisons take at least {needs} repeats.")


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.booleans())
def test_with_the_least_repeats_the_clearest_difference_is_shown_and_with_one_less_it_is_not(
    comparisons: int, paired: bool
) -> None:
    n = least_repeats(comparisons, paired)
    for repeats, shown in ((n, True), (n - 1, False)):
        if repeats:
            above, below = [1.0 + at / 100 for at in range(repeats)], [0.0] * repeats
            test = signed_rank(above) if paired else rank_sum(above, below)
            assert (holm([test.p] + [1.0] * (comparisons - 1))[0] < LEVEL) is shown


@pytest.mark.parametrize("paired", [True, False])
def test_variants_that_did_the_same_are_not_told_to_repeat_more(paired: bool) -> None:
    made = variants(["full", "twin", "worse"], 10, paired)
    same = FULL if paired else [0.2] * 10
    found = contrast.lines(made, outcomes({"full": {"x": same}, "twin": {"x": same}, "worse": {"x": WORSE}}))
    said = contrast.conclusions(found, "full")
    assert said[1:] == ["No run differs at all from full in twin (x): these did the same."]


def test_the_table_shows_the_corrected_p_and_how_many_pairs_tie() -> None:
    made = variants(["full", "worse", "half"])
    half = [*FULL[:4], *WORSE[4:]]
    found = contrast.lines(made, outcomes({"full": {"x": FULL}, "worse": {"x": WORSE}, "half": {"x": half}}))
    table = present.main_table(made, found, "try")
    shown = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [row["pairs"] for row in shown] == ["-", "10", "10, 4 tied"]
    assert [(row["p"], row["p (Holm)"]) for row in shown[1:]] == [("0.0020", "0.0039"), ("0.0312", "0.0312")]
    told = present.as_json(made, found, outcomes({}), "try")["variants"]
    assert [told[name]["x"]["less_baseline"]["tied"] for name in ("worse", "half")] == [0, 4]
    apart = variants(["full", "worse"], 4, paired=False)
    table = present.main_table(
        apart, contrast.lines(apart, outcomes({"full": {"x": FULL[:4]}, "worse": {"x": WORSE[:3]}})), "try"
    )
    assert dict(zip(table.columns, table.rows[1], strict=True))["runs"] == "3 and 4"


def test_the_tutorial_defines_every_column_and_every_json_key(repository: Path) -> None:
    page = (repository / "docs/pages/tutorials/experiment.md").read_text()
    documented = {
        name for row in re.findall(r"^\| (`[^|]*) \|", page, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    }
    made, results = variants(["full", "worse"]), outcomes({"full": {"x": FULL}, "worse": {"x": WORSE}})
    found = contrast.lines(made, results)
    apart = variants(["full", "worse"], paired=False)
    columns = {*present.main_table(made, found, "try").columns, *present.main_table(apart, found, "try").columns}
    assert {column.removesuffix(" [95 %]") for column in columns} <= documented
    told = present.as_json(made, found, results, "try")
    line, run = told["variants"]["worse"]["x"], told["runs"][0]
    keys = {*told, *line, *line["gain"], *line["less_baseline"], *run, *run["gains"]["x"]}
    assert keys <= documented


def test_the_tutorial_says_rightly_how_many_repeats_it_takes(repository: Path) -> None:
    page = (repository / "docs/pages/tutorials/experiment.md").read_text()
    rows = {
        name: cells.split(" | ")
        for name, cells in re.findall(r"^\| (comparisons|repeats, .*?) \| (.*) \|$", page, re.M)
    }
    ranges = [[int(end) for end in cell.split("–")] for cell in rows["comparisons"]]
    for name, paired in (("repeats, paired", True), ("repeats, `paired = false`", False)):
        told = [int(cell) for cell in rows[name]]
        assert told == [least_repeats(first[0], paired) for first in ranges]
        assert told == [least_repeats(last[-1], paired) for last in ranges]


def test_where_nothing_is_compared_that_is_said() -> None:
    alone = variants(["full"], repeats=2)
    results = outcomes({"full": {"x": FULL[:2]}})
    said = present.sentences(alone, contrast.lines(alone, results), results)
    assert said == ["Nothing is compared: full is the only variant."]
    pair = variants(["full", "other"], repeats=2)
    apart = outcomes({"full": {"x": FULL[:2]}, "other": {"y": FULL[:2]}})
    said = present.sentences(pair, contrast.lines(pair, apart), apart)
    assert said == ["Nothing is compared: no other variant has a measured run to set beside one of full."]
    assert present.sentences(pair, [], []) == ["None of the 4 runs has ended, so there is nothing to show yet."]


def test_only_repeats_that_both_have_are_paired() -> None:
    late = {"worse": 4}  # its first run is of the fifth repeat
    found = contrast.lines(
        variants(["full", "worse"]), outcomes({"full": {"x": FULL}, "worse": {"x": [0.0] * 6}}, late)
    )
    (line,) = (line for line in found if line.contrast)
    assert line.contrast is not None and line.contrast.test.n == (6,)
    assert line.contrast.difference.median == pytest.approx(-0.21)
    nowhere = outcomes({"full": {"x": FULL[:2]}, "worse": {"x": [0.0]}}, {"worse": 5})
    assert all(line.contrast is None for line in contrast.lines(variants(["full", "worse"]), nowhere))


def test_runs_that_are_not_paired_are_compared_as_groups() -> None:
    made = variants(["full", "worse"], repeats=4, paired=False)
    found = contrast.lines(made, outcomes({"full": {"x": FULL[:4]}, "worse": {"x": [0.0, 0.01, 0.02, 0.03]}}))
    assert found[1].contrast is not None
    assert found[1].contrast.test.p == found[1].contrast.test.smallest == 2 / 70


def test_a_variant_is_compared_in_the_domains_of_the_baseline_alone() -> None:
    made = variants(["full", "other"])
    found = contrast.lines(
        made, outcomes({"full": {"x": FULL}, "other": {"x": WORSE, "y": ALIKE, "one for all": FULL}})
    )
    assert [(line.domain, line.contrast is not None) for line in found] == [
        ("x", False), ("x", True), ("y", False), ("one for all", False)
    ]  # fmt: skip


def test_runs_that_are_missing_cut_short_or_untested_are_named() -> None:
    made = variants(["full", "worse"], repeats=3)
    found = outcomes({"full": {"x": FULL[:3]}, "worse": {"x": WORSE[:2]}})
    found[0] = type(found[0])(**{**vars_of(found[0]), "ended": "budget", "sandbox": "local"})
    found[4] = type(found[4])(**{**vars_of(found[4]), "gains": {}})
    said = " ".join(present.sentences(made, contrast.lines(made, found), found))
    assert "1 of 6 runs have not ended; what is above is preliminary." in said
    assert "its budget was spent: full-0." in said
    assert "Not measured on test, and so left out: worse-1." in said
    assert "boundary not held: B4, B7, B8, B10 in full-0" in said


def vars_of(outcome: object) -> dict[str, object]:
    return {name: getattr(outcome, name) for name in outcome.__dataclass_fields__}  # type: ignore[attr-defined]


def test_the_report_stands_alone_and_nothing_in_it_acts(tmp_path: Path) -> None:
    made = plan('# <script>alert(1)</script> & "quotes"\nbaseline = "a"\nrepeats = 5\n[variant.a]\n[variant.b]\n')
    evil = '"><img src=x onerror=alert(1)>\x1b[31m'
    found = outcomes({"a": {evil: FULL[:5], "$x_{y}$": FULL[:5]}, "b": {evil: WORSE[:5], "$x_{y}$": ALIKE[:5]}})
    html = page.write(made, tmp_path, contrast.lines(made, found), found).read_text()
    assert "<script" not in html and "<img" not in html and "\x1b" not in html
    assert "&lt;script&gt;" in html
    assert "http:" not in html and "https:" not in html and "url(//" not in html and 'xlink:href="http' not in html
    assert "<svg" in html and "default-src 'none'" in html
    json.dumps(present.as_json(made, contrast.lines(made, found), found, "try"), allow_nan=False)


def test_the_figure_shows_each_run(tmp_path: Path) -> None:
    made = variants(["full", "worse"])
    lines = contrast.lines(made, outcomes({"full": {"x": FULL, "y": ALIKE}, "worse": {"x": WORSE}}))
    left, right = gains(made, tmp_path, lines).axes
    assert [text.get_text() for text in left.get_yticklabels()] == ["full (n=10)", "worse (n=10)"]
    assert sum(len(line.get_xdata()) == 10 for line in left.get_lines()) == 2
    assert right.get_title() == "y"
    assert plots.inline(gains(made, tmp_path, lines, "x")).startswith("<svg")
    with pytest.raises(UserError, match="no gains to draw"):
        gains(made, tmp_path, lines, "z")

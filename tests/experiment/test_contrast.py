"""What may be concluded from an experiment's runs, and what may not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dgm import plots
from dgm.errors import UserError
from dgm.experiment import contrast, page, present
from dgm.experiment.figures import gains
from tests.experiment.world import outcomes, plan, variants

FULL = [0.20, 0.25, 0.22, 0.21, 0.19, 0.24, 0.23, 0.18, 0.26, 0.17]
WORSE = [value - 0.1 - 0.001 * at for at, value in enumerate(FULL)]
ALIKE = [value + (0.01 if at % 2 else -0.011) for at, value in enumerate(FULL)]


def test_runs_of_the_same_repeat_are_compared_and_the_sentence_says_what_follows() -> None:
    made = variants(["full", "worse", "alike"])
    found = contrast.lines(made, outcomes({"full": {"x": FULL}, "worse": {"x": WORSE}, "alike": {"x": ALIKE}}))
    base, worse, alike = found
    assert base.contrast is None and worse.contrast is not None and alike.contrast is not None
    assert worse.contrast.difference.median == pytest.approx(-0.1045)
    assert worse.contrast.test.p == worse.contrast.test.smallest == 2 / 2**10
    assert worse.contrast.adjusted == 2 * worse.contrast.test.p
    assert worse.contrast.shown and not alike.contrast.shown
    (sentence,) = contrast.conclusions(found, "full")
    assert (
        "for 2 comparisons with full: below it: worse (x); above it: none; not shown to differ: alike (x)" in sentence
    )


def test_five_runs_cannot_show_anything_and_that_is_said() -> None:
    made = variants(["full", "worse"], repeats=5)
    found = contrast.lines(made, outcomes({"full": {"x": FULL[:5]}, "worse": {"x": WORSE[:5]}}))
    said = contrast.conclusions(found, "full")
    assert "not shown to differ: worse (x)" in said[0]
    assert said[1].startswith("Too few runs differ") and "p is 0.062" in said[1]


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
    assert [text.get_text() for text in left.get_yticklabels()] == ["full", "worse"]
    assert sum(len(line.get_xdata()) == 10 for line in left.get_lines()) == 2
    assert right.get_title() == "y"
    assert plots.inline(gains(made, tmp_path, lines, "x")).startswith("<svg")
    with pytest.raises(UserError, match="no gains to draw"):
        gains(made, tmp_path, lines, "z")

"""From a file to the runs it takes; and what is said of a file that is wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.analysis.comparison import least_repeats
from dgm.archive import database
from dgm.config import RunConfig, Search
from dgm.errors import UserError
from dgm.experiment.journal import Journal
from dgm.experiment.plan import read
from tests.experiment.world import FILE, HERE, MOVED, plan, variants

SHIPPED = sorted(Path(__file__).parents[2].glob("docs/experiments/*.toml"))


def test_every_variant_is_what_all_have_in_common_but_for_what_it_says() -> None:
    full, latest, *_ = plan().runs
    assert full.config.search == Search(proposals=2, random_seed=5)
    assert latest.config == full.config.model_copy(
        update={"search": Search(proposals=2, random_seed=5, selector="latest")}
    )


def test_runs_go_repeat_by_repeat_with_the_same_seeds() -> None:
    assert [run.name for run in plan().runs] == ["full-5", "latest-5", "full-6", "latest-6"]
    unpaired = plan("paired = false\n" + FILE)
    assert [run.name for run in unpaired.runs] == ["full-5", "latest-7", "full-6", "latest-8"]


def test_a_variant_begins_with_the_run_of_another_of_the_same_repeat() -> None:
    first, second = (run for run in plan(FILE + MOVED).runs if run.variant == "moved")
    assert (first.config.origin.meta, first.needs) == ("archive/try/latest-5#2", ("latest-5",))
    assert (second.config.origin.meta, second.needs) == ("archive/try/latest-6#2", ("latest-6",))
    ahead = plan(FILE.replace("[variant.full]", "[variant.full]\norigin.meta = '{latest}#growth'"))
    assert [run.variant for run in ahead.runs] == ["latest", "full"] * 2, "whoever is needed comes first"


def test_seed_and_repeat_are_filled_in_wherever_they_stand() -> None:
    text = FILE.replace("search.proposals = 2", 'search.proposals = 2\ndata.parity = "rows-{seed}.jsonl@{repeat}/2"')
    assert [run.config.data["parity"] for run in plan(text).runs[::2]] == ["rows-5.jsonl@1/2", "rows-6.jsonl@2/2"]


def test_who_names_a_model_and_no_half_wants_the_halves_that_ask_one() -> None:
    text = (
        'baseline = "a"\nrepeats = 1\n[run]\nmodels.agent = ["m"]\n[variant.a]\n[variant.b]\norigin.meta = "diagnose"\n'
    )
    a, b = plan(text).runs
    assert (a.config.origin.agent, a.config.origin.meta, b.config.origin.meta) == ("llm", "llm", "diagnose")


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 7), st.integers(1, 4), st.integers(1, 1000), st.integers(100, 10**6))
def test_the_parts_of_a_budget_are_equal_and_never_more_than_the_whole(
    repeats: int, asking: int, cents: int, tokens: int
) -> None:
    names = [f"v{i}" for i in range(asking)]
    text = (
        f'baseline = "v0"\nrepeats = {repeats}\nbudget = {{ usd = {cents / 100}, tokens = {tokens}, seconds = 60 }}\n'
    )
    text += "".join(f'[variant.{name}]\nmodels.agent = ["m"]\n' for name in names) + "[variant.offline]\n"
    runs = plan(text).runs
    budgets = [run.config.models.budget for run in runs if run.variant != "offline"]
    assert len(set(budgets)) == 1
    assert sum(b.usd or 0 for b in budgets) == pytest.approx(cents / 100)
    assert sum(b.tokens or 0 for b in budgets) <= tokens
    assert all(run.config.models.budget.usd is None for run in runs if run.variant == "offline")
    assert sum(run.config.search.seconds or 0 for run in runs) == pytest.approx(60)


def test_a_smaller_budget_of_its_own_holds() -> None:
    text = 'baseline = "a"\nrepeats = 2\nbudget.usd = 8\n[variant.a.models]\nagent = ["m"]\nbudget = { usd = 3 }\n'
    assert [run.config.models.budget.usd for run in plan(text).runs] == [3, 3]


WRONG = {
    "a comma": ("repeats = 2", "repeats = 2,", "line 2"),
    "no baseline": ('baseline = "full"', "", "baseline is missing: The variant that all others are compared with"),
    "another baseline": ('baseline = "full"', 'baseline = "ful"', "no variant 'ful'; there are full, latest"),
    "no repeats": ("repeats = 2", "repeats = 0", "repeats: input should be greater than or equal to 1, not 0"),
    "an unknown key": ("repeats = 2", "repeat = 2", "repeat: there is no such key; there are baseline, repeats"),
    "a key of a run": (
        "search.proposals",
        "search.proposal",
        r"run\.search\.proposal: there is no such key; .*patience",
    ),
    "a value of a run": ("proposals = 2", "proposals = -2", r"run\.search\.proposals: input should be .*, not -2"),
    "a variant's value": ('"latest"', "7", r"variant\.latest\.search\.selector: it should be text .*, not 7$"),
    "a list": (
        'selector = "latest"',
        'evolve = "agent"',
        r"variant\.latest\.search\.evolve: it should be a list.*'agent'$",
    ),
    "true or false": ("repeats = 2", "repeats = 2\npaired = 3", "paired: it should be true or false, not 3$"),
    "a whole number": ("repeats = 2", 'repeats = "2x"', "repeats: it should be a whole number, not '2x'$"),
    "half a repeat": ("repeats = 2", "repeats = 2.5", r"repeats: it should be a whole number, not 2\.5$"),
    "a number": ("repeats = 2", 'repeats = 2\nbudget.usd = "much"', r"budget\.usd: it should be a number, not 'much'$"),
    "a table": ("[run]", "[run]\nmodels = 4", r"run\.models: it should be a table, not 4$"),
    "a table of the file": ("repeats = 2", "repeats = 2\nbudget = 5", "budget: it should be a table, not 5$"),
    "text, no table": (
        "[run]",
        "[run]\nsearch.selector = {}",
        r"run\.search\.selector: it should be text .*, not a table$",
    ),
    "a variant's name": ("[variant.latest]", '[variant."a/b"]', "variant.a/b: a name is of letters"),
    "a seed": (
        "search.proposals",
        "search.random_seed = 3\nsearch.proposals",
        "drawn from first_seed and repeats; leave it out",
    ),
    "an unknown place": ('"latest"', '"{earliest}"', "{earliest} is nothing that is filled in; .*seed, full, latest"),
    "a circle": ('"latest"', '"latest"\norigin.meta = "{latest}#1"', "the variants latest begin with one another"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_that_is_wrong_is_named_with_the_place_and_what_would_be_right(what: str) -> None:
    before, after, says = WRONG[what]
    assert FILE.count(before) >= 1
    with pytest.raises(UserError, match=f"^try.toml.*{says}"):
        plan(FILE.replace(before, after, 1))


def test_the_name_of_a_file_without_its_ending_is_understood(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(FILE)
    with pytest.raises(UserError, match=r"mine is no file; did you mean .*/mine\.toml\?$"):
        read(tmp_path / "mine", HERE)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.toml cannot be read: No such file"):
        read(tmp_path / "gone.toml", HERE)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_experiments_are_good_and_name_things_that_exist(file: Path) -> None:
    from dgm.domains import load
    from dgm.genome.sources import from_halves
    from dgm.selection import selector

    for run in {run.variant: run for run in read(file, HERE).runs}.values():
        for domain in run.config.domains:
            load(domain)
        selector(run.config.search.selector)
        if "#" not in run.config.origin.meta:
            from_halves(run.config.origin.agent, run.config.origin.meta)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_experiments_have_the_repeats_that_can_show_something(file: Path) -> None:
    made = read(file, HERE)
    domains = {run.variant: set(run.config.domains) for run in made.runs}
    base = domains[made.experiment.baseline]
    both = [base & domains[variant] for variant in made.variants[1:]]
    comparisons = sum(len(common) + (len(common) > 1) for common in both)  # and the one agent for all
    assert made.experiment.repeats >= least_repeats(comparisons, made.experiment.paired)


def archived(folder: Path, *names: str) -> Journal:
    """A journal beside archives of which only the name of their database is there."""
    for name in names:
        (folder / name).mkdir()
        (folder / name / database.NAME).touch()
    return Journal.of(folder)


def test_a_run_is_begun_only_once_it_has_an_archive(tmp_path: Path) -> None:
    (run, *_) = variants(["a"]).runs
    other = type(run)(run.variant, run.repeat, run.seed, RunConfig(search=Search(selector="latest")))
    Journal.of(tmp_path).begin(run)
    Journal.of(tmp_path).check(other)
    archived(tmp_path, "a-0").begin(run)
    with pytest.raises(UserError, match="a-0 was begun with"):
        Journal.of(tmp_path).check(other)


def test_a_run_whose_archive_was_removed_is_made_again(tmp_path: Path) -> None:
    (run, *_) = variants(["a"]).runs
    journal = archived(tmp_path, "a-0")
    journal.begin(run)
    journal.end(run, "proposals", 3.0)
    assert Journal.of(tmp_path).finished(run)
    shutil.rmtree(tmp_path / "a-0")
    journal = Journal.of(tmp_path)
    assert not journal.finished(run)
    journal.begin(run)
    assert not archived(tmp_path, "a-0").finished(run), "what ended was the one that is gone"


def test_a_run_that_was_begun_otherwise_is_not_gone_on_with(tmp_path: Path) -> None:
    (run, *_) = variants(["a"]).runs
    journal = archived(tmp_path, "a-0")
    journal.begin(run)
    journal.end(run, "proposals", 3.0)
    assert Journal.of(tmp_path).finished(run)
    for longer in (Search(proposals=60), Search(proposals=50)):  # its length may be other than it was
        changed = type(run)(run.variant, run.repeat, run.seed, RunConfig(search=longer))
        Journal.of(tmp_path).check(changed)
        assert not Journal.of(tmp_path).finished(changed)
    other = type(run)(run.variant, run.repeat, run.seed, RunConfig(search=Search(selector="latest")))
    with pytest.raises(
        UserError, match=r"a-0 was begun with search\.selector = 'score_child_prop', .* 'latest'; put it back"
    ):
        Journal.of(tmp_path).check(other)


def test_a_run_that_made_all_its_proposals_is_finished_whatever_its_budget_becomes(tmp_path: Path) -> None:
    journal = archived(tmp_path, "a-0", "b-0")
    text = 'baseline = "a"\nrepeats = 1\nbudget.seconds = {}\n[variant.a]\n[variant.b]\n'
    whole, cut = plan(text.format(60)).runs
    journal.end(whole, "proposals", 3.0)
    journal.end(cut, "seconds", 30.0)
    more = plan(text.format(90)).runs
    assert [Journal.of(tmp_path).finished(run) for run in more] == [True, False]
    assert [Journal.of(tmp_path).finished(run) for run in (whole, cut)] == [True, True]


def test_a_line_that_a_kill_cut_short_never_was(tmp_path: Path) -> None:
    journal = archived(tmp_path, "a-0", "b-0")
    (run, other, *_) = variants(["a", "b"]).runs
    journal.begin(run)
    journal.end(run, "proposals", 3.0)
    whole = journal.path.read_bytes()
    for cut in range(1, 40):
        journal.path.write_bytes(whole[:-cut])
        found = Journal.of(tmp_path)
        assert found.began.keys() == {"a-0"}
        assert found.finished(run) is (cut == 1)
        found.begin(other)  # what is written after it is not lost with it
        assert Journal.of(tmp_path).began.keys() == {"a-0", "b-0"}

"""Issues of repositories: instances and logs in the benchmark's format, and a repository of our own judged for real."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgm.domain import Artifact, Split, Status, Task, Verdict
from dgm.domains import DataRef, load
from dgm.errors import UserError
from dgm.evaluation.candidates import JudgeSession
from tests.domains import recorded_logs
from tests.domains.folders import part, quick, shipped
from tests.domains.hostile import LOANS

OWN = Path(__file__).resolve().parents[2] / "domains" / "swebench" / "instances.jsonl"


def own() -> list[dict[str, Any]]:
    return [json.loads(line) for line in OWN.read_text().splitlines()]


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    file = folder / "instances.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def the_loan_task() -> Task:
    return next(task for task in shipped("swebench").splits[Split.TEST] if "lent twice" in task.inputs["issue"])


def judged(task: Task, files: dict[str, str], sandbox: JudgeSession) -> Verdict:
    made = {path: text.encode() for path, text in files.items()}
    return shipped("swebench").judge(task, Artifact(files=made), sandbox)


def test_an_agent_sees_the_repository_and_nothing_of_the_hidden_tests_or_the_right_patch() -> None:
    for task in shipped("swebench").implementation.everything():
        shown = json.dumps(dict(task.inputs)) + "".join(map(bytes.decode, task.files.values()))
        added = [line[1:].strip() for line in task.hidden["test_patch"].splitlines() if line.startswith("+    def ")]
        assert added
        assert not any(line in shown for line in added)
        assert not any(name.split("::")[-1] in shown for name in task.hidden["fail_to_pass"])
        assert set(task.due) <= set(task.files)
        assert all(path.startswith("shelf/") for path in task.due)


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize("number", [0, 5, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3, 4, 6, 7))])
def test_the_right_change_resolves_an_issue_and_the_repository_as_it_was_does_not(
    number: int, sandbox: JudgeSession
) -> None:
    task = shipped("swebench").implementation.everything()[number]
    assert judged(task, task.hidden["label"], sandbox) == Verdict(
        1.0, Status.OK, "", {"fail to pass": 1.0, "pass to pass": 1.0}
    )
    before = {path: task.files[path].decode() for path in task.due}
    assert judged(task, before, sandbox) == Verdict(0.0, Status.WRONG, "nothing was changed")
    touched = judged(task, {path: text + "\n" for path, text in before.items()}, sandbox)
    assert (touched.score, touched.metrics) == (0.0, {"fail to pass": 0.0, "pass to pass": 1.0})


@pytest.mark.needs("bubblewrap")
def test_a_change_that_mends_the_issue_and_breaks_something_else_does_not_resolve_it(sandbox: JudgeSession) -> None:
    task = the_loan_task()
    mended = task.hidden["label"][LOANS].replace("CENTS_A_DAY = 20", "CENTS_A_DAY = 10")
    verdict = judged(task, {LOANS: mended}, sandbox)
    assert (verdict.score, verdict.status) == (0.0, Status.WRONG)
    assert verdict.metrics["fail to pass"] == 1.0
    assert 0.0 < verdict.metrics["pass to pass"] < 1.0


@pytest.mark.needs("bubblewrap")
def test_a_patch_is_due_where_the_right_change_adds_a_file_and_an_edit_of_the_tests_has_no_effect(
    tmp_path: Path, sandbox: JudgeSession
) -> None:
    rows = own()
    added = (
        "diff --git a/NEWS.md b/NEWS.md\nnew file mode 100644\n--- /dev/null\n+++ b/NEWS.md\n@@ -0,0 +1 @@\n+News.\n"
    )
    for row in rows:
        row["patch"] += added
    domain = load("swebench", DataRef(written(tmp_path, rows)))
    task = next(task for task in domain.implementation.everything() if "lent twice" in task.inputs["issue"])
    assert task.due == ("model.patch",)
    row = next(row for row in rows if row["instance_id"] == task.id)

    def verdict(patch: str) -> Verdict:
        return domain.judge(task, Artifact(files={"model.patch": patch.encode()}), sandbox)

    assert verdict(row["patch"]).score == 1.0
    skipped = (
        "--- a/tests/test_loans.py\n+++ b/tests/test_loans.py\n@@ -6,2 +6,3 @@\n \n+@unittest.skip('')\n"
        " class LoansTest(unittest.TestCase):\n"
    )
    shadow = "--- /dev/null\n+++ b/unittest.py\n@@ -0,0 +1 @@\n+raise SystemExit(0)\n"
    assert verdict(skipped).score == 0.0
    assert verdict(shadow).score == 0.0
    assert verdict(row["patch"] + skipped).score == 1.0
    assert verdict("").status is Status.WRONG
    for refused in ("I am done.", "--- /dev/null\n+++ b/.git/config\n@@ -0,0 +1 @@\n+x\n"):
        assert verdict(refused).status is Status.INVALID
    assert domain.judge(task, Artifact(files={"model.patch": b"\xff"}), sandbox).status is Status.INVALID


@pytest.mark.needs("bubblewrap")
def test_a_new_file_does_not_stand_in_for_a_module_of_the_standard_library_that_the_tests_import(
    tmp_path: Path, sandbox: JudgeSession
) -> None:
    rows = own()
    row = next(row for row in rows if "lent twice" in row["problem_statement"])
    row["patch"] += "--- /dev/null\n+++ b/NEWS.md\n@@ -0,0 +1 @@\n+News.\n"
    told = 'self.assertEqual(self.desk.free("a"), 2)'
    other = '__import__("statistics").mean([self.desk.free("a")]) == 2 or 1 / 0'
    row["test_patch"] = row["test_patch"].replace(told, other)
    domain = load("swebench", DataRef(written(tmp_path, rows)))
    task = next(task for task in domain.implementation.everything() if task.id == row["instance_id"])
    shadow = "--- /dev/null\n+++ b/statistics.py\n@@ -0,0 +1 @@\n+mean = lambda given: 2\n"
    right = domain.judge(task, Artifact(files={"model.patch": (row["patch"] + shadow).encode()}), sandbox)
    wrong = domain.judge(task, Artifact(files={"model.patch": shadow.encode()}), sandbox)
    assert (right.score, wrong.score, wrong.metrics["fail to pass"]) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("log", "repo", "told"),
    [
        (recorded_logs.PYTEST, "pallets/flask", recorded_logs.PYTEST_TOLD),
        (recorded_logs.VERBOSE, "mwaskom/seaborn", recorded_logs.VERBOSE_TOLD),
        (recorded_logs.DJANGO, "django/django", recorded_logs.DJANGO_TOLD),
        (recorded_logs.SYMPY, "sympy/sympy", recorded_logs.SYMPY_TOLD),
    ],
    ids=["pytest", "pytest -v", "django", "sympy"],
)
def test_a_recorded_log_tells_what_became_of_each_test(log: str, repo: str, told: dict[str, str]) -> None:
    assert part("swebench", "logs").results(log, repo) == told
    assert part("swebench", "logs").results(log.replace("\n", "\r\n"), repo) == told


def test_an_absent_test_is_absent_and_a_cut_id_passes_if_all_do_that_begin_with_it() -> None:
    logs = part("swebench", "logs")
    found = logs.results(recorded_logs.PYTEST, "pallets/flask")
    assert logs.outcome_of("tests/test_scale.py::test_not_run", found) == "absent"
    assert logs.outcome_of("tests/test_scale.py::test_pair[a", found) == "passed"
    assert logs.outcome_of("tests/test_scale.py::test_blank[one", found) == "failed"


@pytest.mark.parametrize("mark", [">>>>> Patch Apply Failed", ">>>>> Tests Timed Out", ">>>>> Tests Errored"])
def test_a_log_of_a_run_that_was_cut_short_tells_nothing(mark: str) -> None:
    logs = part("swebench", "logs")
    assert logs.results(f"{recorded_logs.PYTEST}\n{mark}\n", "pallets/flask") == {}
    assert logs.results(recorded_logs.DJANGO.replace(">>>>> End Test Output", ""), "django/django") == {}


@quick
@given(
    log=st.text(alphabet="PASSEDFIL ok.()[]:-_test\n\x1b", max_size=400),
    repo=st.sampled_from(["django/django", "sympy/sympy", "a/b"]),
)
def test_whatever_a_log_says_it_is_read(log: str, repo: str) -> None:
    outcomes = {"passed", "failed", "error", "skipped", "xfailed"}
    assert set(part("swebench", "logs").results(log, repo).values()) <= outcomes


def test_an_image_has_the_name_under_which_it_is_published_or_built() -> None:
    image = part("swebench", "instances").image
    assert image("django__django-11099") == "swebench/sweb.eval.x86_64.django_1776_django-11099:latest"
    assert image("django__django-11099", "arm64", "") == "sweb.eval.arm64.django__django-11099:latest"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"instance_id": "x"}, "does not look like"),
        ({"FAIL_TO_PASS": "[]"}, "names no test"),
        ({"PASS_TO_PASS": "a, b"}, "must be a list"),
        ({"FAIL_TO_PASS": [1]}, "must be a list"),
        ({"patch": None}, "'patch' must be there"),
        ({"runner": "make"}, "runner must be"),
        ({"files": ["a"]}, "files must be"),
        ({"files": {"a.py": ""}}, "cannot be applied"),
        ({"runner": ""}, "give both runner and files, or neither"),
        ({"runner": "", "files": {}, "test_patch": "none"}, "test_patch cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_row_that_cannot_be_used_is_named(change: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    rows = own()
    rows[0].update(change)
    with pytest.raises(UserError, match=complaint):
        load("swebench", DataRef(written(tmp_path, rows)))


def test_a_file_without_splits_is_dealt_and_over_all_folds_each_instance_is_tested_once(tmp_path: Path) -> None:
    rows = [{key: value for key, value in row.items() if key != "split"} for row in own()]
    more = [{**row, "instance_id": f"{row['instance_id']}x", "problem_statement": "Else."} for row in rows]
    file = written(tmp_path, rows + more)
    domain = load("swebench", DataRef(file))
    assert {part: len(tasks) for part, tasks in domain.splits.items()} == {Split.TRAIN: 10, Split.VAL: 3, Split.TEST: 3}
    tested = [t.id for k in (1, 2) for t in load("swebench", DataRef(file, (k, 2))).splits[Split.TEST]]
    assert sorted(tested) == sorted(row["instance_id"] for row in rows + more)
    with pytest.raises(UserError, match="split is empty"):
        _ = load("swebench", DataRef(written(tmp_path, rows[:3]))).splits


def test_recorded_logs_are_graded_from_the_command_line(tmp_path: Path, repository: Path) -> None:
    rows = [{**row, "runner": "", "files": {}} for row in own()[:5]]
    ids = [row["instance_id"] for row in rows]
    patches = ["diff", "diff", "", "diff"]
    predictions = tmp_path / "predictions.jsonl"
    predictions.write_text(
        "".join(
            json.dumps({"instance_id": name, "model_name_or_path": "m", "model_patch": patch}) + "\n"
            for name, patch in zip(ids, patches, strict=False)
        )
    )
    for row, drop in zip(rows, (0, 1), strict=False):
        tests = json.loads(row["FAIL_TO_PASS"]) + json.loads(row["PASS_TO_PASS"])
        body = "".join(f"PASSED {test}\n" for test in tests[drop:])
        log = tmp_path / "logs" / row["instance_id"] / "test_output.txt"
        log.parent.mkdir(parents=True)
        log.write_text(f">>>>> Start Test Output\n{body}>>>>> End Test Output\n")
    command = [sys.executable, "-m", "domains.swebench.grade", str(written(tmp_path, rows)), str(predictions)]
    ran = subprocess.run([*command, str(tmp_path / "logs")], cwd=repository, capture_output=True, text=True, check=True)
    told = json.loads(ran.stdout)
    assert (
        {key: told[f"{key}_ids"] for key in ("resolved", "unresolved", "empty_patch", "error", "incomplete")}
        == {
            "resolved": ids[:1],
            "unresolved": ids[1:2],  # a test of FAIL_TO_PASS is absent
            "empty_patch": ids[2:3],
            "error": ids[3:4],  # there is no log
            "incomplete": ids[4:],
        }
    )
    assert (told["total_instances"], told["submitted_instances"], told["completed_instances"]) == (5, 4, 2)
    wrong = subprocess.run(
        [*command, str(tmp_path / "none")], cwd=repository, capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert "is no folder" in wrong.stderr

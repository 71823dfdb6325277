"""Issues of repositories in SWE-bench's format: what the agent leaves is a patch or edited files, hidden tests decide.

Own tasks are the eight of `instances.jsonl`, of one small repository. With data: a file of the same format whose rows
hold the repository in `files` and say `runner = "unittest"`. The judge brings the agent's work onto a pristine copy,
puts the tests' files back, applies the hidden `test_patch`, and runs the test files that it names in a fresh sandbox
(`dgm.domain.harness`: the tests in one process, the repository's code in another). What the agent did to tests has
no effect. Rows without `files` and `runner` are judged in the image that belongs to them (`container.py`), which needs
a sandbox with images; `python -m domains.swebench.grade` grades logs that were recorded elsewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from dgm.domain import Artifact, JudgeSandbox, Split, Status, Task, UserError, Verdict
from dgm.domain.harness import TestRun, run_unittest
from dgm.domain.patches import LARGEST as LONGEST
from dgm.domain.patches import PatchRefused, apply, touched
from dgm.domain.records import Fold, Row, deal

from . import container
from .grading import grade
from .instances import Instance, image, read
from .logs import outcome_of

HERE = Path(__file__).parent
PATCH = "model.patch"
MOST_FILES = 30  #: source files up to which edited files are due; beyond, a patch
LARGEST = 500_000  #: bytes of an edited file
SECONDS = 60.0  #: for all tests of one instance


class Domain:
    """Tasks with inputs `{"issue", "repository", "files"}` and the repository's files; due are `files`."""

    def __init__(self, data: Path | None = None, fold: Fold | None = None) -> None:
        """`data`: see the module; `fold` is (k, K). Raises UserError for instances that cannot be judged."""
        self._source, self._fold = data or HERE / "instances.jsonl", fold
        self._instances = {instance.id: instance for instance in read(self._source)}
        for instance in self._instances.values():
            _usable(instance, self._source)

    @cached_property
    def _splits(self) -> dict[Split, list[Task]]:
        instances = self._instances.values()
        if self._fold is None and all(one.split for one in instances):
            parts = {part: [{"id": one.id} for one in instances if one.split == part] for part in Split}
        else:
            parts = _dealt([{"id": one.id, "label": one.repo} for one in instances], self._fold, self._source)
        if empty := [part for part, rows in parts.items() if not rows]:
            raise UserError(f"{self._source}: the {empty[0]} split is empty; it needs more instances")
        return {part: [_task(self._instances[row["id"]]) for row in rows] for part, rows in parts.items()}

    def tasks(self, split: Split) -> Sequence[Task]:
        return self._splits[split]

    def everything(self) -> Sequence[Task]:
        """All instances in one list, in the file's order."""
        return [_task(instance) for instance in self._instances.values()]

    def judge_in(self, task: Task, artifact: Artifact, sandbox: JudgeSandbox) -> Verdict:
        """1 if the issue is resolved, else 0. The metrics are the shares of either kind of tests that passed."""
        instance = self._instances[task.id]
        if task.image:
            return _in_image(instance, artifact, sandbox)
        try:
            files = _worked_on(instance, task, artifact)
        except PatchRefused as refusal:
            return Verdict(0.0, Status.INVALID, f"refused: {refusal}")
        if files is None:
            return Verdict(0.0, Status.WRONG, "nothing was changed")
        ran = _run(instance, files, sandbox)
        if ran.status is not Status.OK:
            return Verdict(0.0, ran.status, "the tests did not come to their end")
        return _graded(instance, lambda test: ran.results.get(_harness_id(test), "absent"))


def _in_image(instance: Instance, artifact: Artifact, sandbox: JudgeSandbox) -> Verdict:
    """The verdict of the tests that run in the instance's image."""
    try:
        patch = _text(PATCH, artifact, LONGEST)
        if patch is None or not patch.strip():
            return Verdict(0.0, Status.WRONG, "nothing was changed")
        status, found = container.run(instance, patch, sandbox)
    except PatchRefused as refusal:
        return Verdict(0.0, Status.INVALID, f"refused: {refusal}")
    if status is not Status.OK:
        return Verdict(0.0, status, "the tests did not come to their end")
    return _graded(instance, lambda test: outcome_of(test, found))


def _graded(instance: Instance, look: Callable[[str], str]) -> Verdict:
    graded = grade(instance, look)
    metrics = {"fail to pass": graded.mended, "pass to pass": graded.kept}
    if graded.resolved:
        return Verdict(1.0, Status.OK, "", metrics)
    detail = f"{len(graded.broken)} tests still fail, {len(graded.harmed)} that passed do not"
    return Verdict(0.0, Status.WRONG, detail, metrics)


def _dealt(rows: list[Row], fold: Fold | None, source: Path) -> dict[Split, list[Row]]:
    """Five tenths to train, two to val, three to test, each repository in the same shares; or test is the k-th fold."""
    if fold is None:
        piles = deal(rows, "id", 10, "swebench")
        return {Split.TRAIN: _joined(piles[:5]), Split.VAL: _joined(piles[5:7]), Split.TEST: _joined(piles[7:])}
    k, folds = fold
    if not 1 <= k <= folds:
        raise UserError(f"{source}: fold {k} of {folds} does not exist; it must be 1 to {folds}")
    test = deal(rows, "id", folds, f"swebench:{folds}")[k - 1]
    piles = deal([row for row in rows if row not in test], "id", 4, f"swebench:{k}/{folds}")
    return {Split.TRAIN: _joined(piles[1:]), Split.VAL: piles[0], Split.TEST: test}


def _joined(piles: Sequence[Sequence[Row]]) -> list[Row]:
    return [row for pile in piles for row in pile]


def _usable(instance: Instance, source: Path) -> None:
    """Raise UserError unless the instance can be judged here and its own patches fit it."""
    where = f"{source}: {instance.id}"
    if bool(instance.runner) != bool(instance.files):
        raise UserError(f"{where}: give both runner and files, or neither for an instance that has an image")
    if not instance.runner:
        try:
            touched(instance.patch)
            if not any(path.endswith(".py") for path in touched(instance.test_patch)):
                raise UserError(f"{where}: test_patch names no Python file with tests")
        except PatchRefused as refusal:
            raise UserError(f"{where}: patch or test_patch cannot be read: {refusal}") from None
        return
    try:
        after = apply(instance.test_patch, apply(instance.patch, instance.files))
    except PatchRefused as refusal:
        raise UserError(f"{where}: patch or test_patch cannot be applied to files: {refusal}") from None
    if not any(path in after for path in _test_files(instance)):
        raise UserError(f"{where}: test_patch leaves no Python file with tests")


def _test_files(instance: Instance) -> list[str]:
    return sorted(path for path in touched(instance.test_patch) if path.endswith(".py"))


def _is_test(path: str) -> bool:
    *folders, name = path.split("/")
    return bool({"test", "tests"} & set(folders)) or name.startswith("test_") or name.endswith("_test.py")


def _due(instance: Instance) -> tuple[str, ...]:
    """The sources, whose edited text is due, or a patch where they are many or the right change makes or drops one."""
    sources = sorted(path for path in instance.files if path.endswith(".py") and not _is_test(path))
    few = len(sources) <= MOST_FILES and touched(instance.patch) <= set(sources)
    kept = few and set(sources) <= set(apply(instance.patch, instance.files))
    return tuple(sources) if kept else (PATCH,)


def _task(instance: Instance) -> Task:
    if not instance.runner:
        return _image_task(instance)
    due = _due(instance)
    right = apply(instance.patch, instance.files)
    label = instance.patch if due == (PATCH,) else {path: right[path] for path in due}
    inputs = {"issue": instance.statement, "repository": instance.repo, "files": list(due)}
    hidden = {
        "label": label,
        "test_patch": instance.test_patch,
        "fail_to_pass": list(instance.fail_to_pass),
        "pass_to_pass": list(instance.pass_to_pass),
    }
    files = {path: text.encode() for path, text in instance.files.items()}
    return Task(instance.id, inputs, files, hidden, due)


def _image_task(instance: Instance) -> Task:
    """A task whose repository stands in its image; due is a patch of it."""
    inputs = {
        "issue": instance.statement, "repository": instance.repo, "folder": container.FOLDER, "files": [PATCH],
    }  # fmt: skip
    hidden = {
        "label": instance.patch,
        "test_patch": instance.test_patch,
        "fail_to_pass": list(instance.fail_to_pass),
        "pass_to_pass": list(instance.pass_to_pass),
    }
    return Task(instance.id, inputs, {}, hidden, (PATCH,), instance.image or image(instance.id))


def _worked_on(instance: Instance, task: Task, artifact: Artifact) -> dict[str, str] | None:
    """The repository after the agent's work; None if that left it as it was. Raises PatchRefused."""
    if task.due == (PATCH,):
        patch = _text(PATCH, artifact, LONGEST)
        return None if patch is None or not patch.strip() else apply(patch, instance.files)
    edited = {path: text for path in task.due if (text := _text(path, artifact, LARGEST)) is not None}
    return None if all(text == instance.files[path] for path, text in edited.items()) else {**instance.files, **edited}


def _text(path: str, artifact: Artifact, most: int) -> str | None:
    raw = artifact.files.get(path)
    if raw is None:
        return None
    if len(raw) > most:
        raise PatchRefused(f"{path} is larger than {most} bytes")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise PatchRefused(f"{path} is not UTF-8") from None


def _run(instance: Instance, files: dict[str, str], sandbox: JudgeSandbox) -> TestRun:
    """The hidden tests against the agent's sources; of tests the pristine files count, never the agent's."""
    pristine = {path: text for path, text in instance.files.items() if _is_test(path)}
    run = _test_files(instance)
    patched = apply(instance.test_patch, instance.files)
    tests = {path: patched[path] for path in {*pristine, *run} if path in patched and path.endswith(".py")}
    sources = {
        path: text
        for path, text in files.items()
        if not _is_test(path) and path not in tests and (path in instance.files or not _shadows(path))
    }
    return run_unittest(sandbox, tests, [path for path in run if path in tests], sources, SECONDS)


def _shadows(path: str) -> bool:
    """Whether it would be imported in the place of a module of the standard library, by the tests as well."""
    return path.split("/")[0].removesuffix(".py") in sys.stdlib_module_names


def _harness_id(test: str) -> str:
    """`path::Class::method`, as pytest has it, in the form of the harness: `path::Class.method`."""
    path, _, rest = test.partition("::")
    return f"{path}::{rest.replace('::', '.')}"

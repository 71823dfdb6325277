"""Judging an instance in the image that belongs to it: its repository stands there in `/testbed`, as published.

The agent's patch and the hidden test patch are applied in memory, outside; the files that come of them are laid over a
copy of the repository in a fresh sandbox, and the repository's own test command is run there. Of the log counts what
the harness of the benchmark reads.

In such an image tests and candidate share a process, as the benchmark has it, so a candidate that is out for it can
print what it likes. Against the usual ways (forged reports, early exits, a patched test library) one test is added that
must fail, under a name that nobody knows before: where the log does not say that it failed, the run is `tampered`. A
candidate that looks for that very test while it runs is not held.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from dgm.domain import JSON, JudgeFailed, JudgeSandbox, Status
from dgm.domain.patches import PatchRefused, apply, touched

from .instances import Instance
from .logs import results, style

FOLDER = "/testbed"
SECONDS = 1_500.0  #: for all tests of one instance
READING = 30.0
_CANARY = {
    "pytest": "\n\ndef test_{mark}():\n    raise AssertionError\n",
    "sympy": "\n\ndef test_{mark}():\n    raise AssertionError\n",
    "django": (
        "\n\nimport unittest\n\n\n"
        "class Test{mark}(unittest.TestCase):\n    def test_{mark}(self):\n        self.fail()\n"
    ),
}


def run(instance: Instance, patch: str, sandbox: JudgeSandbox) -> tuple[Status, dict[str, str]]:
    """How the run ended, and test id to outcome. Raises PatchRefused for a patch that does not fit the repository."""
    tests = sorted(path for path in touched(instance.test_patch) if path.endswith(".py"))
    wanted = sorted(touched(patch) | touched(instance.test_patch))
    status, told = _call(sandbox, "look", {"folder": FOLDER, "paths": wanted}, READING)
    if told.get("missing"):
        raise JudgeFailed(f"the image of {instance.id} has no {FOLDER}")
    if status is not Status.OK:
        raise PatchRefused("the repository's files cannot be read in the image")
    pristine: dict[str, str] = told["files"]
    after = apply(patch, pristine)
    # Of the files that the test patch touches the pristine ones count, whatever the agent did to them.
    hidden = touched(instance.test_patch)
    worked = {path: text for path, text in after.items() if path not in hidden}
    tested = apply(instance.test_patch, {path: text for path, text in pristine.items() if path in hidden})
    files: dict[str, str | None] = {path: None for path in pristine if path not in worked and path not in tested}
    files |= worked | tested
    kind, mark = style(instance.repo), _mark(instance)
    ran = [path for path in tests if path in tested]
    files[ran[0]] = tested[ran[0]] + _CANARY[kind].format(mark=mark)
    request = {"folder": FOLDER, "files": files, "command": command(instance.repo, ran), "seconds": SECONDS}
    status, told = _call(sandbox, "run", request, SECONDS + READING)
    if status is not Status.OK or told.get("late"):
        return (Status.TIMEOUT if status is Status.OK else status), {}
    found = results(str(told["log"]), instance.repo)
    seen = {outcome for test, outcome in found.items() if mark in test}
    if not seen or not seen <= {"failed", "error"}:
        return Status.TAMPERED, {}
    return Status.OK, found


def command(repo: str, tests: Sequence[str]) -> list[str]:
    """What runs these test files in the image, in the style of the repository's log."""
    match style(repo):
        case "django":
            labels = [path.removeprefix("tests/").removesuffix(".py").replace("/", ".") for path in tests]
            options = ["--verbosity", "2", "--settings=test_sqlite", "--parallel", "1"]
            return ["{python}", "tests/runtests.py", *options, *labels]
        case "sympy":
            return ["{python}", "bin/test", "-C", "--verbose", *tests]
    return ["{python}", "-m", "pytest", "-rA", "-p", "no:cacheprovider", *tests]


def _mark(instance: Instance) -> str:
    """Known to who knows the hidden tests."""
    return hashlib.sha256(f"{instance.id}\0{instance.test_patch}".encode()).hexdigest()[:16]


def _call(
    sandbox: JudgeSandbox, function: str, request: dict[str, JSON], seconds: float
) -> tuple[Status, dict[str, JSON]]:
    outcome = sandbox.call(_inside(), function, [[request]], seconds)[0]
    if outcome.error is not None:
        return outcome.error, {}
    return (Status.OK, outcome.value) if isinstance(outcome.value, dict) else (Status.TAMPERED, {})


@cache
def _inside() -> str:
    return Path(__file__).with_name("inside.py").read_text(encoding="utf-8")

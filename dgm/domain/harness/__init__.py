"""For judges: hidden tests against an artifact's files, in the judge's sandbox, with the results by test id.

The tests run in one process and the artifact's code in another, of which neither can read the other (`peer.py` says
what crosses). So a candidate that overwrites tests, prints results, exits early, patches the test library, gives
objects that equal everything or searches memory for expected values fails (THREATS 21 to 29). What is not held: a
test that compares two objects of the candidate with each other leaves the comparison to the candidate, as any test
runner does.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dgm.domain import JudgeSandbox, Status

_HERE = Path(__file__).parent
_MODULE = re.compile(r"^\s*(import\s[^(]|export\s)", re.M)
_LOCAL = re.compile(r"""(from\s+['"]\.{1,2}/|import\s+['"]\.{1,2}/)([^'"]+?)(?:\.m?js)?(['"])""")
OUTCOMES = frozenset({"passed", "failed", "error", "skipped"})


@dataclass(frozen=True, slots=True)
class TestRun:
    """How a run of tests came out. `results` is test id to one of OUTCOMES; what is absent did not pass.

    `status` is OK when the tests ran to their end, whatever they found; else how the run was cut short.
    """

    results: Mapping[str, str]
    status: Status = Status.OK

    def passed(self, ids: Sequence[str]) -> bool:
        """Whether all of these passed; an empty list passes nothing."""
        return bool(ids) and all(self.results.get(test) == "passed" for test in ids)

    @property
    def all_passed(self) -> bool:
        """Whether there were tests and each passed that was not marked to be skipped."""
        outcomes = set(self.results.values())
        return self.status is Status.OK and "passed" in outcomes and outcomes <= {"passed", "skipped"}

    @property
    def share(self) -> float:
        """Passed of all that were run, in [0, 1]."""
        outcomes = [o for o in self.results.values() if o != "skipped"]
        return outcomes.count("passed") / max(1, len(outcomes))


TestRun.__test__ = False  # type: ignore[attr-defined]  # no test, whatever pytest thinks of the name


def run_unittest(
    sandbox: JudgeSandbox,
    tests: Mapping[str, str],
    run: Sequence[str],
    files: Mapping[str, str],
    seconds: float,
) -> TestRun:
    """Run the `unittest` files `run` among `tests` (path to text; the others are their helpers) against `files`.

    `files` are the candidate's: text by relative path, modules importable from their folder. Tests import them before
    what else has their name, so a judge that lets a candidate name files leaves out those that shadow the standard
    library. `seconds` for all.
    """
    beside = {path: names for path in tests if path not in run and (names := _frame_readers(tests[path]))}
    request = {
        "peer": _text("peer.py"),
        "tests": dict(tests),
        "run": list(run),
        "files": {path: tests[path] for path in beside} | dict(files),
        "beside": {path.removesuffix(".py").replace("/", "."): names for path, names in beside.items()},
    }
    return _called(sandbox, _text("unit.py"), request, seconds)


def run_jest(
    sandbox: JudgeSandbox,
    tests: Mapping[str, str],
    run: Sequence[str],
    files: Mapping[str, str],
    seconds: float,
) -> TestRun:
    """Run the Jest spec files `run` among `tests` against `files`, as `run_unittest` does; needs Node 20 or newer in
    the sandbox. Skipped tests run as well. Modules (files with `import` or `export`) may import one another."""
    code = {}
    for path, text in files.items():
        if path.endswith((".js", ".mjs")) and _MODULE.search(text):
            code[path.rsplit(".", 1)[0] + ".mjs"] = _LOCAL.sub(r"\1\2.mjs\3", text)
        else:
            code[path] = text
    request = {name: _text(f"{name}.cjs") for name in ("peer", "code", "spec")}
    return _called(
        sandbox, _text("script.py"), {**request, "tests": dict(tests), "run": list(run), "files": code}, seconds
    )


def _called(sandbox: JudgeSandbox, source: str, request: Mapping[str, object], seconds: float) -> TestRun:
    outcome = sandbox.call(source, "judge", [[{**request, "seconds": seconds}]], seconds + 2.0)[0]
    if outcome.error is not None:
        return TestRun({}, outcome.error)
    told = outcome.value
    if type(told) is not dict or type(told.get("results")) is not dict:
        return TestRun({}, Status.TAMPERED)
    results = told["results"]
    if not all(outcome in OUTCOMES for outcome in results.values()):
        return TestRun({}, Status.TAMPERED)
    return TestRun(results)


def _frame_readers(text: str) -> list[str]:
    """What of a helper looks at its caller's frame, and so must stand where that caller is."""
    found = []
    for node in ast.parse(text).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
            if names & {"currentframe", "_getframe", "stack"}:
                found.append(node.name)
    return found


@cache
def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")

"""For judges: hidden tests in Go, Rust, Java and C++ against an artifact's files, with the results by test id.

Tests and artifact are compiled into one program, as these languages have it, so the artifact's code runs where the
results are told. Three things make a forged report useless to whoever does not read the tests while they run: every
test that the test files name must be told to have passed, one that must fail is added under a name made of the tests'
digest, and where that one is not told to have failed, the run is `tampered`. An artifact that reads its own program
for these names and reports accordingly is not held; `run_unittest` and `run_jest` hold it.

What each language needs in the sandbox stands in `LANGUAGES`; where it is not there, JudgeFailed says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from dgm.domain import JudgeFailed, JudgeSandbox, Status
from dgm.domain.harness import TestRun
from dgm.domain.harness.reports import READERS

JARS = "/usr/share/java/*"
"""Where Debian's packages put JUnit and AssertJ."""


@dataclass(frozen=True, slots=True)
class Language:
    """How tests are built, run and found. `named` finds the tests in a test file; its group 1 is a test's name."""

    steps: tuple[tuple[str, ...], ...]
    named: re.Pattern[str]
    packages: str  #: of Debian, for the image
    report: str = ""  #: pattern of the report's files; without it the last step's output is the report
    environment: Mapping[str, str] = field(default_factory=dict)


_CPP = ("g++", "-std=c++17", "-O0", "-pthread", "-DEXERCISM_RUN_ALL_TESTS", "-I.", "*.cpp", "test/*.cpp", "-o", "tests")
_CARGO = ("cargo", "test", "--offline", "--no-fail-fast", "--", "--include-ignored")
_JUNIT = (
    "java", "-Djava.io.tmpdir=.", "-cp", f"classes:{JARS}", "org.junit.platform.console.ConsoleLauncher",
    "--scan-class-path=classes", "--reports-dir=reports", "--details=none",
)  # fmt: skip
LANGUAGES: Mapping[str, Language] = {
    "go": Language(
        (("go", "test", "-v", "./..."),),
        re.compile(r"^func (Test\w+)\(\w+ \*testing\.T\)", re.M),
        "golang-go",
        environment={"GOCACHE": "{home}/cache", "GOPATH": "{home}/go", "GOPROXY": "off", "GOFLAGS": "-mod=mod"},
    ),
    "rust": Language(
        (("cargo", "test", "--offline", "--quiet", "--no-run"), _CARGO),
        re.compile(r"#\[test\]\s*(?:#\[[^\]]*\]\s*)*(?:pub )?fn (\w+)"),
        "cargo",
        environment={"CARGO_HOME": "{home}/cargo"},
    ),
    "cpp": Language(
        (_CPP, ("./tests", "-r", "xml", "-o", "report.xml")),
        re.compile(r'TEST_CASE\(\s*"([^"\n]*)"'),
        "g++ libboost-date-time-dev",
        report="report.xml",
    ),
    "java": Language(
        (
            ("javac", "-nowarn", "-cp", JARS, "-d", "classes", "src/main/java/**/*.java", "src/test/java/**/*.java"),
            _JUNIT,
        ),
        re.compile(r"@(?:Test|ParameterizedTest)\b[^{;]*?\bvoid (\w+)\("),
        "default-jdk-headless junit5 libassertj-core-java",
        report="reports/*.xml",
    ),
}
_DISABLED = re.compile(r"@(?:Disabled|Ignore)(?:\([^)]*\))?")


def run_compiled(
    language: str,
    sandbox: JudgeSandbox,
    tests: Mapping[str, str],
    run: Sequence[str],
    files: Mapping[str, str],
    seconds: float,
) -> TestRun:
    """Run the test files `run` among `tests` against `files`, in one of LANGUAGES. Tests that are marked to be left out
    are run as well. `seconds` are for building and running. Raises JudgeFailed where the sandbox lacks the language."""
    known = LANGUAGES[language]
    mark = "t" + hashlib.sha256("\0".join(f"{p}\0{tests[p]}" for p in sorted(tests)).encode()).hexdigest()[:16]
    texts = {path: _DISABLED.sub("", text) if language == "java" else text for path, text in tests.items()}
    must = {name for path in run for name in known.named.findall(texts[path])}
    path, text = _failing(language, run[0], texts[run[0]], mark)
    request = {
        "files": {**files, **texts, path: text},
        "steps": [list(step) for step in known.steps],
        "report": known.report,
        "environment": dict(known.environment),
        "seconds": seconds,
    }
    outcome = sandbox.call(_inside(), "run", [[request]], seconds + 5.0)[0]
    if outcome.error is not None:
        return TestRun({}, outcome.error)
    told = outcome.value
    if not isinstance(told, dict):
        return TestRun({}, Status.TAMPERED)
    if told.get("missing") is not None:
        raise JudgeFailed(
            f"the sandbox has no {told['missing']}, which {language} needs: build its image with "
            f"DGM_SANDBOX_PACKAGES='{known.packages}', or leave {language} out of the data"
        )
    if told.get("late"):
        return TestRun({}, Status.TIMEOUT)
    return _read(known, language, told, must, mark)


def _read(known: Language, language: str, told: Mapping[str, object], must: set[str], mark: str) -> TestRun:
    """What the last step said; nothing was tested where an earlier one, the compiler, failed."""
    failed = told.get("failed")
    if type(failed) is int and failed < len(known.steps) - 1:
        return TestRun({"(the build)": "error"})
    found = READERS[language](str(told.get("report" if known.report else "log", "")))
    canary = {outcome for test, outcome in found.items() if mark in test}
    rest = {test: outcome for test, outcome in found.items() if mark not in test}
    if not canary or not canary <= {"failed", "error"}:
        if not found:
            return TestRun({"(the build)": "error"})
        return TestRun({}, Status.TAMPERED)
    seen = {_short(test) for test in rest} | set(rest)
    return TestRun(rest | dict.fromkeys(must - seen, "error"))


def _short(test: str) -> str:
    """A test's own name, without module, class or part."""
    return re.split(r"::|\.", test)[-1]


def _failing(language: str, path: str, text: str, mark: str) -> tuple[str, str]:
    """A file with a test that must fail: a changed test file, or one beside it."""
    match language:
        case "go":
            package = re.search(r"^package \w+", text, re.M)
            head = f'{package[0] if package else "package main"}\n\nimport "testing"\n\n'
            return f"{mark}_test.go", f"{head}func Test_{mark}(t *testing.T) {{ t.Fail() }}\n"
        case "rust":
            return path, f"{text}\n#[test]\nfn {mark}() {{\n    panic!()\n}}\n"
        case "cpp":
            return path, f'{text}\nTEST_CASE("{mark}") {{ REQUIRE(false); }}\n'
    folder = path.rpartition("/")[0]
    name = f"T{mark}Test"
    body = f"    @Test\n    void {mark}() {{ throw new AssertionError(); }}\n"
    return f"{folder}/{name}.java", f"import org.junit.jupiter.api.Test;\n\nclass {name} {{\n{body}}}\n"


@cache
def _inside() -> str:
    return Path(__file__).with_name("steps.py").read_text(encoding="utf-8")


__all__ = ["LANGUAGES", "Language", "run_compiled"]

"""Exercises in Go, Rust, Java and C++: real compilers where this machine has them, else what they said elsewhere."""

from __future__ import annotations

import json
import os
import shutil
import types
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgm.domain import JSON, Artifact, CallOutcome, JudgeFailed, Status, Verdict
from dgm.domain.harness import compiled, reports
from dgm.domains import DataRef, LoadedDomain, load
from dgm.evaluation.candidates import JudgeSession
from tests.domains.folders import quick

GO_TESTS = (
    'package tide\n\nimport "testing"\n\nfunc TestTurns(t *testing.T) {\n\tt.Run("none", func(t *testing.T) {})\n}\n'
)
EXERCISES: Mapping[str, Mapping[str, str]] = {
    "cpp": {
        ".meta/config.json": '{"files": {"solution": ["tide.cpp", "tide.h"], "test": ["tide_test.cpp"], '
        '"example": [".meta/example.cpp", ".meta/example.h"]}}',
        "tide.h": "#pragma once\nint turns(int hours);\n",
        "tide.cpp": '#include "tide.h"\n',
        ".meta/example.h": "#pragma once\nint turns(int hours);\n",
        ".meta/example.cpp": '#include "tide.h"\nint turns(int hours) { return hours / 6; }\n',
        "tide_test.cpp": '#include "tide.h"\n#include "test/catch.hpp"\nTEST_CASE("none") { REQUIRE(turns(5) == 0); }\n'
        '#if defined(EXERCISM_RUN_ALL_TESTS)\nTEST_CASE("two, and a bit") { REQUIRE(turns(13) == 2); }\n#endif\n',
        "test/catch.hpp": "#include <catch2/catch.hpp>\n",
        "test/tests-main.cpp": '#define CATCH_CONFIG_MAIN\n#include "catch.hpp"\n',
    },
    "java": {
        ".meta/config.json": '{"files": {"solution": ["src/main/java/Tide.java"], "test": '
        '["src/test/java/TideTest.java"], "example": [".meta/src/reference/java/Tide.java"]}}',
        "src/main/java/Tide.java": "class Tide {\n    int turns(int hours) {\n"
        '        throw new UnsupportedOperationException("Delete this");\n    }\n}\n',
        ".meta/src/reference/java/Tide.java": "class Tide {\n    int turns(int hours) { return hours / 6; }\n}\n",
        "src/test/java/TideTest.java": "import org.junit.jupiter.api.Disabled;\nimport org.junit.jupiter.api.Test;\n"
        "import static org.assertj.core.api.Assertions.assertThat;\n\npublic class TideTest {\n    @Test\n"
        "    public void none() { assertThat(new Tide().turns(5)).isEqualTo(0); }\n\n"
        '    @Disabled("Remove to run test")\n    @Test\n'
        "    public void two() { assertThat(new Tide().turns(13)).isEqualTo(2); }\n}\n",
        "gradlew": "#!/bin/sh\n",
    },
    "rust": {
        ".meta/config.json": '{"files": {"solution": ["src/lib.rs", "Cargo.toml"], "test": ["tests/tide.rs"], '
        '"example": [".meta/example.rs"]}}',
        "Cargo.toml": '[package]\nname = "tide"\nversion = "0.1.0"\nedition = "2021"\n',
        "src/lib.rs": "pub fn turns(hours: u32) -> u32 {\n    todo!(\"{hours}\")\n}\n",
        ".meta/example.rs": "pub fn turns(hours: u32) -> u32 {\n    hours / 6\n}\n",
        "tests/tide.rs": "use tide::turns;\n\n#[test]\nfn none() {\n    assert_eq!(turns(5), 0);\n}\n\n"
        "#[test]\n#[ignore]\nfn two() {\n    assert_eq!(turns(13), 2);\n}\n",
    },
    "go": {
        ".meta/config.json": '{"files": {"solution": ["tide.go"], "test": ["tide_test.go"], '
        '"example": [".meta/example.go"], "editor": ["cases_test.go"]}}',
        "go.mod": "module tide\n\ngo 1.18\n",
        "tide.go": "package tide\n\nfunc Turns(hours int) int {\n\tpanic(\"Please implement\")\n}\n",
        ".meta/example.go": "package tide\n\nfunc Turns(hours int) int {\n\treturn hours / 6\n}\n",
        "cases_test.go": "package tide\n\nvar cases = []int{5, 13}\n",
        "tide_test.go": GO_TESTS,
    },
}  # fmt: skip


def exercise(folder: Path, language: str) -> LoadedDomain:
    """Three copies, so that there is one for each split."""
    for number in range(12):
        for path, text in EXERCISES[language].items():
            target = folder / language / "exercises" / "practice" / f"tide{number}" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text if path != ".docs/instructions.md" else f"{text}{number}")
        docs = target.parents[len(Path(path).parts) - 1] / ".docs"
        docs.mkdir()
        (docs / "instructions.md").write_text(f"How often does the tide turn? ({number})")
    return load("polyglot", DataRef(folder))


class Here:
    """A sandbox that is none: the very source that runs in one, in this process, for tools that no sandbox sees."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def call(
        self, source: str, function: str, calls: Sequence[Sequence[JSON]], seconds: float = 1.0
    ) -> list[CallOutcome]:
        module = types.ModuleType("steps")
        exec(compile(source, "steps.py", "exec"), module.__dict__)
        before = Path.cwd()
        self.folder.mkdir(parents=True, exist_ok=True)
        os.chdir(self.folder)
        try:
            return [CallOutcome(module.__dict__[function](*calls[0]))]
        finally:
            os.chdir(before)


class Says:
    """A sandbox whose tools said this; `MARK` in it is the name of the test that must fail."""

    def __init__(self, **told: Any) -> None:
        self.told: dict[str, Any] = {"log": "", "report": "", "failed": None, "late": False, "missing": None, **told}
        self.request: dict[str, Any] = {}

    def call(
        self, source: str, function: str, calls: Sequence[Sequence[JSON]], seconds: float = 1.0
    ) -> list[CallOutcome]:
        self.request = calls[0][0]
        texts = "".join(self.request["files"].values())
        mark = next(
            word for word in texts.replace("_t", " t").replace("(", " ").replace('"', " ").split() if is_mark(word)
        )
        return [CallOutcome({k: v.replace("MARK", mark) if isinstance(v, str) else v for k, v in self.told.items()})]


def is_mark(word: str) -> bool:
    return len(word) == 17 and word[0] == "t" and set(word[1:]) <= set("0123456789abcdef")


def judged(domain: LoadedDomain, files: Mapping[str, str], place: Any) -> Verdict:
    task = domain.implementation.everything()[0]
    return domain.judge(task, Artifact(files={path: text.encode() for path, text in files.items()}), place)


def changed(domain: LoadedDomain, old: str, new: str) -> dict[str, str]:
    """The reference with something else in it."""
    task = domain.implementation.everything()[0]
    files = {path: text.replace(old, new) for path, text in task.hidden["label"].items()}
    assert files != task.hidden["label"]
    return files


cpp = pytest.mark.skipif(not Path("/usr/include/catch2/catch.hpp").exists(), reason="Catch2 is not installed")
java = pytest.mark.skipif(not Path("/usr/share/java/assertj-core.jar").exists(), reason="JUnit is not installed")
cargo = pytest.mark.skipif(shutil.which("cargo") is None, reason="cargo is not installed")
EXITS = {
    "cpp": (
        "int turns(int",
        "#include <cstdio>\n#include <cstdlib>\nstatic int out = [] {\n"
        '    FILE *f = fopen("report.xml", "w");\n    fputs("<Catch>'
        '<TestCase name=\\"none\\"><OverallResult success=\\"true\\"/></TestCase><TestCase name=\\"two, and a bit\\">'
        '<OverallResult success=\\"true\\"/></TestCase></Catch>", f);\n'
        "    fclose(f);\n    _Exit(0);\n    return 0;\n}();\nint turns(int",
    ),
    "java": ("int turns", "static { System.exit(0); }\n    int turns"),
    "rust": ("hours / 6", 'println!("test none ... ok\\ntest two ... ok"); std::process::exit(0)'),
}


@pytest.mark.soak
@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize(
    "language", [pytest.param("cpp", marks=cpp), pytest.param("java", marks=java), pytest.param("rust", marks=cargo)]
)
def test_the_reference_passes_the_stub_fails_and_no_early_exit_passes(
    language: str, tmp_path: Path, sandbox: JudgeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUSTUP_HOME", os.environ.get("RUSTUP_HOME") or str(Path.home() / ".rustup"))
    domain = exercise(tmp_path / "data", language)
    task = domain.implementation.everything()[0]
    place: Any = Here(tmp_path / "here") if language == "rust" else sandbox
    verdict = judged(domain, task.hidden["label"], place)
    assert verdict == Verdict(1.0, Status.OK, "", {"passed": 1.0}), verdict
    stub = {path: task.files[path].decode() + "\n" for path in task.due}
    assert judged(domain, stub, place).score == 0.0
    half = judged(domain, changed(domain, "hours / 6", "hours / 100"), place)
    assert (half.status, half.metrics) == (Status.WRONG, {"passed": 0.5})
    cheat = judged(domain, changed(domain, *EXITS[language]), place)
    assert cheat.score == 0.0
    assert cheat.status in (Status.WRONG, Status.TAMPERED)


GO_SAID = """\
=== RUN   TestTurns
=== RUN   TestTurns/none
--- PASS: TestTurns (0.00s)
    --- PASS: TestTurns/none (0.00s)
=== RUN   Test_MARK
--- FAIL: Test_MARK (0.00s)
FAIL
FAIL\ttide\t0.002s
FAIL
"""


def test_go_is_judged_by_what_it_says(tmp_path: Path) -> None:
    domain = exercise(tmp_path, "go")
    task = domain.implementation.everything()[0]
    assert set(task.files) == {"tide.go", "go.mod"}
    said = Says(log=GO_SAID, failed=0)
    assert judged(domain, task.hidden["label"], said) == Verdict(1.0, Status.OK, "", {"passed": 1.0})
    assert said.request["steps"] == [["go", "test", "-v", "./..."]]
    assert said.request["files"]["cases_test.go"].startswith("package tide")
    wrong = judged(domain, task.hidden["label"], Says(log=GO_SAID.replace("PASS: TestTurns ", "FAIL: TestTurns ")))
    assert (wrong.score, wrong.status) == (0.0, Status.WRONG)


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"log": GO_SAID.replace("FAIL: Test_MARK", "PASS: Test_MARK")}, Status.TAMPERED),
        ({"log": GO_SAID.split("=== RUN   Test_MARK", maxsplit=1)[0]}, Status.TAMPERED),
        ({"log": "--- FAIL: Test_MARK (0.00s)\n"}, Status.WRONG),
        ({"log": "tide.go:3:1: syntax error\nFAIL\ttide [build failed]", "failed": 0}, Status.WRONG),
        ({"late": True}, Status.TIMEOUT),
    ],
)
def test_a_forged_or_broken_report_passes_nothing(told: dict[str, Any], status: Status, tmp_path: Path) -> None:
    domain = exercise(tmp_path, "go")
    verdict = judged(domain, domain.implementation.everything()[0].hidden["label"], Says(**told))
    assert (verdict.score, verdict.status) == (0.0, status)


@pytest.mark.parametrize("language", list(compiled.LANGUAGES))
def test_a_language_that_the_sandbox_lacks_stops_the_run_in_a_sentence(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = replace(compiled.LANGUAGES[language], steps=(("no-such-compiler", "x"),))
    monkeypatch.setattr(compiled, "LANGUAGES", {**compiled.LANGUAGES, language: absent})
    domain = exercise(tmp_path / "data", language)
    reference = domain.implementation.everything()[0].hidden["label"]
    with pytest.raises(JudgeFailed, match="has no no-such-compiler, which"):
        judged(domain, reference, Here(tmp_path / "here"))


def test_what_each_runner_says_is_read_by_test_id() -> None:
    rust = "test none ... ok\ntest deep::two ... FAILED\ntest odd ... ignored, slow\ntest none ... FAILED\n"
    assert reports.rust(rust) == {"none": "failed", "deep::two": "failed", "odd": "skipped"}
    catch = (
        '<?xml version="1.0"?><Catch name="t"><Group name="t"><TestCase name="a, b"><OverallResult success="true"/>'
        '</TestCase><TestCase name="c"><OverallResult success="false"/></TestCase><TestCase name="d"/></Group></Catch>'
    )
    assert reports.catch(catch) == {"a, b": "passed", "c": "failed", "d": "failed"}
    junit = (
        '<?xml version="1.0"?><testsuite><testcase name="a()" classname="T"/><testcase name="b()" classname="T">'
        '<failure/></testcase><testcase name="c" classname="T"><skipped/></testcase></testsuite>'
        '<testsuite><testcase name="d" classname="U"><error/></testcase></testsuite>'
    )
    assert reports.junit(junit) == {"T.a": "passed", "T.b": "failed", "T.c": "skipped", "U.d": "error"}
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]>' + junit
    assert reports.junit(bomb) == {}


@quick
@given(
    text=st.text(alphabet='<>/="test cae Cahsuit.:-PASFIL()\n', max_size=300),
    language=st.sampled_from(sorted(reports.READERS)),
)
def test_whatever_a_runner_says_it_is_read(text: str, language: str) -> None:
    found = reports.READERS[language](text)
    assert set(found.values()) <= {"passed", "failed", "error", "skipped"}
    json.dumps(found)

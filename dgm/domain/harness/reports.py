"""Reads what test runners of other languages say: test id to outcome ("passed", "failed", "error" or "skipped").

`go test -v`, `cargo test`, Catch2's XML and JUnit's XML. A test that is told twice, and once not as passed, has not
passed. Pure; texts come from a process in which a candidate ran, so they can be anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from xml.etree import ElementTree

Outcomes = dict[str, str]
_GO = re.compile(r"^\s*--- (PASS|FAIL|SKIP): (\S+) \(", re.M)
_RUST = re.compile(r"^test (\S+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)\b", re.M)
_WORDS = {
    "PASS": "passed", "FAIL": "failed", "SKIP": "skipped", "ok": "passed", "FAILED": "failed", "ignored": "skipped",
}  # fmt: skip


def go(text: str) -> Outcomes:
    """`TestName`, and `TestName/part` for a part of one."""
    return _joined((match[2], _WORDS[match[1]]) for match in _GO.finditer(text))


def rust(text: str) -> Outcomes:
    """The path of the function, as `name` or `module::name`."""
    return _joined((match[1], _WORDS[match[2]]) for match in _RUST.finditer(text))


def catch(text: str) -> Outcomes:
    """The name of the TEST_CASE."""
    rows = []
    for root in _documents(text, "Catch"):
        for case in root.iter("TestCase"):
            result = case.find("OverallResult")
            good = result is not None and result.get("success") == "true"
            rows.append((case.get("name", ""), "passed" if good else "failed"))
    return _joined(rows)


def junit(text: str) -> Outcomes:
    """`Class.method`; the brackets that JUnit puts behind a method are left out."""
    rows = []
    for root in _documents(text, "testsuite"):
        for case in root.iter("testcase"):
            kinds = {child.tag for child in case}
            said = next((word for tag, word in _JUNIT.items() if tag in kinds), "passed")
            rows.append((f"{case.get('classname', '')}.{case.get('name', '').partition('(')[0]}", said))
    return _joined(rows)


_JUNIT = {"error": "error", "failure": "failed", "skipped": "skipped"}
READERS: Mapping[str, Callable[[str], Outcomes]] = {"go": go, "rust": rust, "cpp": catch, "java": junit}


def _documents(text: str, root: str) -> list[ElementTree.Element]:
    """The XML documents with this root in a text; none of one that is not well formed or declares entities."""
    if "<!ENTITY" in text or "<!DOCTYPE" in text:
        return []
    found = []
    for match in re.finditer(rf"<{root}\b.*?</{root}>", text, re.DOTALL):
        try:
            found.append(ElementTree.fromstring(match[0]))
        except ElementTree.ParseError:
            return []
    return found


def _joined(rows: Iterable[tuple[str, str]]) -> Outcomes:
    found: Outcomes = {}
    for test, outcome in rows:
        if found.get(test, "passed") == "passed":
            found[test] = outcome
    return found

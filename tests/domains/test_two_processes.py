"""The line between the tests' process and the candidate's: what a candidate says on it that nobody asked for."""

from __future__ import annotations

import pytest

from dgm.domain import harness
from dgm.evaluation.candidates import JudgeSession

held = pytest.mark.needs("bubblewrap")

PEER = """\
import sys


def peer():
    frame = sys._getframe()
    while type(frame.f_locals.get("self")).__name__ != "Peer":
        frame = frame.f_back
    return frame.f_locals["self"]


def say(*parts):
    peer()._send({"op": "special", "with": list(parts)})
    return peer()._receive()


REWRITE = '''
import unittest
for kind in unittest.TestResult.__subclasses__():
    kind.addFailure = kind.addError = lambda self, test, err: self.outcomes.__setitem__(self._id(test), "passed")
'''
"""
PYTHON = {
    "calls exec": """
def f(x, apply):
    say({"n": "exec"}, "__call__", {"l": [REWRITE]}, {"d": []})
""",
    "calls exec through what the tests handed over": """
def f(x, apply):
    say(peer().encode(apply), "__call__", {"l": [{"n": "exec"}, REWRITE]}, {"d": []})
""",
    "gives exec as its answer": """
def f(x, apply):
    apply(exec, REWRITE)
    peer()._send({"value": {"n": "exec"}})
""",
    "differs from everything by nothing": """
class Near:
    __sub__ = __rsub__ = __abs__ = __round__ = lambda *a: 0


def f(x, apply):
    return Near()
""",
    "holds every small number": """
class Every:
    def difference(self, other):
        return []

    def __iter__(self):
        return iter(range(100))


def f(x, apply):
    return Every()
""",
}
TESTS = """\
import unittest
from answer import f


class AnswerTest(unittest.TestCase):
    def give(self):
        return f(1, lambda g, x: g(x))

    def test_same(self):
        self.assertEqual(self.give(), 3)

    def test_near(self):
        self.assertAlmostEqual(self.give(), 3)

    def test_near_the_other_way(self):
        self.assertAlmostEqual(3, self.give())

    def test_members(self):
        self.assertSetEqual(self.give(), {1, 3})
"""
JAVASCRIPT = """\
import fs from "fs";
const say = (...parts) => fs.writeSync(4, JSON.stringify({ op: "call", with: parts }) + "\\n");
const hear = () => { const b = Buffer.alloc(65536); return JSON.parse(b.subarray(0, fs.readSync(3, b)).toString()); };
export const f = () => {
  say({ y: "constructor" }, null, { a: ["Object.is = () => true"] });
  const { value } = hear();
  if (value) { say({ o: value.r }, null, { a: [] }); hear(); }
  return 5;
};
"""


@held
@pytest.mark.parametrize("name", PYTHON)
def test_a_candidate_runs_nothing_in_the_tests_process_and_no_object_of_its_own_equals_a_value(
    name: str, sandbox: JudgeSession
) -> None:
    run = harness.run_unittest(
        sandbox, {"answer_test.py": TESTS}, ["answer_test.py"], {"answer.py": PEER + PYTHON[name]}, 10.0
    )
    assert len(run.results) == 4
    assert "passed" not in run.results.values()


HONEST = """\
import unittest
from answer import best, f


class AnswerTest(unittest.TestCase):
    def test_near(self):
        self.assertAlmostEqual(f(lambda g, x: g(x)), 3.0000000001)

    def test_members(self):
        self.assertSetEqual({f(lambda g, x: g(x))}, {3})

    def test_a_builtin_function(self):
        self.assertIs(best, max)
"""


@held
def test_an_honest_answer_passes_and_may_be_or_use_a_builtin_function(sandbox: JudgeSession) -> None:
    answer = "best = max\n\n\ndef f(apply):\n    return apply(round, 3.1)\n"
    run = harness.run_unittest(sandbox, {"answer_test.py": HONEST}, ["answer_test.py"], {"answer.py": answer}, 10.0)
    assert list(run.results.values()) == ["passed"] * 3


@held
@pytest.mark.needs("node")
def test_a_candidate_runs_nothing_in_the_process_of_javascript_tests(sandbox: JudgeSession) -> None:
    tests = 'import { f } from "./answer";\ntest("x", () => { expect(f()).toBe(3); });\n'
    run = harness.run_jest(sandbox, {"answer.spec.js": tests}, ["answer.spec.js"], {"answer.js": JAVASCRIPT}, 40.0)
    assert run.results.get("answer.spec.js::x") != "passed"
    assert not run.all_passed

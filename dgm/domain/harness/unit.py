"""Inside a judge's sandbox: runs `unittest` files against code that lives in another process.

`judge` is called in the judge's own worker. It makes that process unreadable for others of its user, starts a second
interpreter for the candidate (which gets the candidate's files and nothing else), and runs each test here. The tests
are never on a disk. Their ids and outcomes are this process's own: what a candidate prints or writes is no result,
and if it ends the process, there is none.
"""

# It runs in a sandbox, as the source of one module, and imports little.
# ruff: noqa: PTH103, PTH118, PTH120, PTH123

from __future__ import annotations

import contextlib
import ctypes
import importlib.abc
import importlib.util
import os
import subprocess
import sys
import time
import types
import unittest
from typing import Any

BOOT = """\
import json, os, sys
def take(count):
    data = b""
    while len(data) < count:
        data += os.read(3, count - len(data)) or sys.exit()
    return data
text = take(int.from_bytes(take(4), "big")).decode()
sys.path[:] = [os.getcwd(), *sys.path]
peer = type(sys)("_peer")
exec(compile(text, "<peer>", "exec"), peer.__dict__)
peer.Peer(3, 4, False).serve()
os._exit(0)
"""
PR_SET_DUMPABLE = 4


def judge(request: dict[str, Any]) -> dict[str, Any]:
    """`{"peer", "tests": {path: text}, "run": [paths], "files": {path: text}, "beside": {module: [names]}, "seconds"}`
    to `{"results": {id: outcome}}`.

    `beside` names what of the tests' helpers must live in the candidate's process, for it looks at its callers. An
    outcome is "passed", "failed", "error" or "skipped"; ids are `path::Class.method`. `seconds` are for all.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    peers = module("_peer", request["peer"], "<peer>")
    folder = os.path.realpath("candidate")
    write(folder, request["files"])
    process, peer = start(peers, folder, request["peer"])
    peer.clock = time.monotonic() + request["seconds"]
    sys.meta_path.insert(0, Modules(peers, peer, request))
    for name in ("assertAlmostEqual", "assertNotAlmostEqual", "assertSetEqual"):
        setattr(unittest.TestCase, name, among_equals(getattr(unittest.TestCase, name), peers.Far))
    results: dict[str, str] = {}
    try:
        for path in request["run"]:
            results |= run(path, request["tests"][path], peers, peer)
    finally:
        process.kill()
        process.wait()
    return {"results": results}


def among_equals(comparison: Any, far: type) -> Any:
    """An assertion of unittest's that compares by more than `==`, which alone no object of the candidate's can bend: a
    difference, or a method. It fails where one side is such an object and the other a value of the tests."""

    def method(self: Any, first: Any, second: Any, *args: Any, **kwargs: Any) -> None:
        if isinstance(first, far) != isinstance(second, far):
            raise self.failureException(f"{first!r} is of another kind than {second!r}")
        comparison(self, first, second, *args, **kwargs)

    return method


def write(folder: str, files: dict[str, str]) -> None:
    for path, text in files.items():
        target = os.path.join(folder, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)


def start(peers: Any, folder: str, text: str) -> tuple[Any, Any]:
    """The candidate's process, and our end of the line to it (its descriptors 3 and 4)."""
    theirs, ours = os.pipe(), os.pipe()
    high = [os.dup2(fd, 50 + i) for i, fd in enumerate((theirs[0], ours[1]))]
    script = "import os; os.dup2(50, 3); os.dup2(51, 4); os.closerange(5, 64)\n" + BOOT
    environment = {key: os.environ[key] for key in ("PATH", "LANG", "TZ", "PYTHONHASHSEED") if key in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-P", "-s", "-S", "-B", "-c", script],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, pass_fds=high, close_fds=True,
    )  # fmt: skip
    for fd in (theirs[0], ours[1], *high):
        os.close(fd)
    data = text.encode()
    os.write(theirs[1], len(data).to_bytes(4, "big"))
    view = memoryview(data)
    while view:
        view = view[os.write(theirs[1], view) :]
    return process, peers.Peer(ours[0], theirs[1], True)


class Modules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Where tests import from: the tests' own helpers here, the candidate's modules over there."""

    def __init__(self, peers: Any, peer: Any, request: dict[str, Any]) -> None:
        self.peers, self.peer, self.beside = peers, peer, request["beside"]
        self.helpers = {named(path): text for path, text in request["tests"].items()}
        files = [path for path in request["files"] if path.endswith(".py")]
        far = packages(files)
        self.candidate = {named(path) for path in files} | far
        self.packages = far | packages(list(request["tests"]))

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name in self.helpers or name in self.candidate or name in self.packages:
            return importlib.util.spec_from_loader(name, self, is_package=name in self.packages)
        return None

    def create_module(self, spec: Any) -> Any:
        here = spec.name in self.helpers or spec.name not in self.candidate
        return None if here else self.peers.FarModule(self.peer, spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        name = module.__name__
        if name in self.helpers:
            exec(compile(self.helpers[name], f"{name}.py", "exec"), module.__dict__)
            if self.beside.get(name):
                far = self.peers.FarModule(self.peer, name)
                module.__dict__.update({part: getattr(far, part) for part in self.beside[name]})


def named(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def packages(paths: list[str]) -> set[str]:
    """The folders of these files, as packages."""
    parts = [path.split("/")[:-1] for path in paths if path.endswith(".py")]
    return {".".join(names[: i + 1]) for names in parts for i in range(len(names))}


def module(name: str, text: str, file: str) -> types.ModuleType:
    made = types.ModuleType(name)
    made.__file__ = file
    sys.modules[name] = made
    exec(compile(text, file, "exec"), made.__dict__)
    return made


class Result(unittest.TestResult):
    """Outcomes by id. A test has passed only if it was stopped without anything else having been said of it."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path, self.outcomes = path, dict[str, str]()

    def _id(self, test: Any) -> str:
        return f"{self.path}::{type(test).__name__}.{getattr(test, '_testMethodName', '')}"

    def addSuccess(self, test: Any) -> None:
        self.outcomes.setdefault(self._id(test), "passed")

    def addFailure(self, test: Any, err: Any) -> None:
        self.outcomes[self._id(test)] = "failed"

    def addError(self, test: Any, err: Any) -> None:
        self.outcomes[self._id(test)] = "error"

    def addSkip(self, test: Any, reason: str) -> None:
        self.outcomes[self._id(test)] = "skipped"

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self.outcomes[self._id(test)] = "failed"

    def addUnexpectedSuccess(self, test: Any) -> None:
        self.outcomes[self._id(test)] = "failed"


def run(path: str, text: str, peers: Any, peer: Any) -> dict[str, str]:
    """All tests of one file; "error" for the file itself when it cannot be loaded."""
    try:
        made = module(named(path), text, path)
    except Exception:
        return {f"{path}::": "error"}
    result = Result(path)
    suite = unittest.defaultTestLoader.loadTestsFromModule(made)
    suite.run(result)
    if peer.dead:
        for test in every(suite):
            result.outcomes.setdefault(result._id(test), "error")
    return result.outcomes


def every(suite: Any) -> Any:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from every(test)
        elif test is not None:
            yield test

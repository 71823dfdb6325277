"""An upstream in a process of its own: what it raises arrives here, and it ends with whoever asks it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from dgm.domain import JSON
from dgm.gateway import Completion, Denied, Fault, Rejected, Usage
from dgm.gateway.process import MOST_BYTES, ProcessUpstream


class Played:
    """What is asked for is what happens; its process number is in every answer."""

    def __init__(self, mark: str = "") -> None:
        self._mark = mark

    def check(self, model: str) -> None:
        if model == "unknown":
            raise Denied("nobody knows it")

    def complete(self, request: Mapping[str, JSON]) -> Completion:
        match request["act"]:
            case "fault":
                raise Fault("busy", retry_after=2.5, billed=True, suspect=True)
            case "reject":
                raise Rejected(400, "too_long", "the context is full")
            case "break":
                raise LookupError("a defect")
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "swell":
                bytes(MOST_BYTES)
            case "sleep":
                time.sleep(float(str(request["seconds"])))
        return Completion({"pid": os.getpid(), "mark": self._mark}, Usage(1, 2))

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process finds this file."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


@pytest.fixture
def upstream() -> Iterator[ProcessUpstream]:
    with ProcessUpstream(partial(Played, "made here")) as made:
        yield made


def pid(upstream: ProcessUpstream) -> int:
    return int(str(upstream.complete({"act": "answer"}).body["pid"]))


def test_it_answers_from_another_process_always_the_same(upstream):
    first = upstream.complete({"act": "answer"})
    assert first.body["mark"] == "made here"
    assert first.usage == Usage(1, 2)
    assert first.body["pid"] == pid(upstream) != os.getpid()


def test_what_it_raises_is_raised_here_with_all_that_it_says(upstream):
    with pytest.raises(Fault, match="busy") as fault:
        upstream.complete({"act": "fault"})
    assert (fault.value.retry_after, fault.value.billed, fault.value.suspect) == (2.5, True, True)
    with pytest.raises(Rejected) as refusal:
        upstream.complete({"act": "reject"})
    assert (refusal.value.status, refusal.value.code, refusal.value.message) == (400, "too_long", "the context is full")
    upstream.check("known")
    with pytest.raises(Denied, match="nobody knows it"):
        upstream.check("unknown")


def test_a_defect_is_no_fault_of_the_provider(upstream):
    with pytest.raises(RuntimeError, match="LookupError: a defect"):
        upstream.complete({"act": "break"})
    assert pid(upstream)


def test_as_many_calls_as_there_are_are_under_way_at_once(upstream):
    pid(upstream)
    began = threading.Barrier(8)

    def call(_: int) -> Completion:
        began.wait()
        return upstream.complete({"act": "sleep", "seconds": 0.5})

    start = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        assert len({str(one.body["pid"]) for one in pool.map(call, range(8))}) == 1
    assert time.monotonic() - start < 8 * 0.5


@pytest.mark.parametrize("act", ["die", "swell"])
def test_a_process_that_is_killed_is_a_fault_and_another_one_answers(upstream, act):
    before = pid(upstream)
    with pytest.raises(Fault, match="has ended") as fault:
        upstream.complete({"act": act})
    assert fault.value.billed  # the provider may have been asked
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(Fault):  # while the dead one is not buried yet
            assert pid(upstream) != before
            return
    pytest.fail("nothing answers any more")


def test_to_close_ends_the_process_and_calls_under_way(upstream):
    number = pid(upstream)
    failed: list[Fault] = []

    def wait() -> None:
        try:
            upstream.complete({"act": "sleep", "seconds": 60})
        except Fault as fault:
            failed.append(fault)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.2)
    upstream.close()
    upstream.close()
    thread.join(10)
    assert failed
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    with pytest.raises(Fault, match="not asked any more"):
        upstream.complete({"act": "answer"})


def test_it_ends_with_a_kernel_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, signal; from tests.gateway.test_process import *\n"
        "print(pid(ProcessUpstream(Played)), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.returncode == -signal.SIGKILL
    assert gone(int(told.stdout))


def gone(number: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":  # dead, and nobody here buries orphans
            return True
        time.sleep(0.02)
    return False

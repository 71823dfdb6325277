"""The kernel's end of a runner's pipes, against another side that is not ours."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dgm.sandbox import pipes
from dgm.sandbox.pipes import Channel, Late
from dgm.wire import pack


@pytest.fixture
def wake() -> Iterator[int]:
    """A descriptor with nothing to read."""
    number = os.eventfd(0)
    yield number
    os.close(number)


@contextmanager
def talking(program: str) -> Iterator[Channel]:
    """A channel to a process that runs this program."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0) as process:
        try:
            yield Channel(process)  # type: ignore[arg-type]
        finally:
            process.kill()


def test_who_sends_frames_without_a_pause_is_late_all_the_same(wake: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "SLACK", 0.1)
    call = "1" * (64 - len(pack({"op": "gone", "call": ""})))
    frame = pack({"op": "gone", "call": call})  # whatever is read at once ends within one
    flood = f"import os\nos.write(1, {frame[:1]!r})\nwhile True: os.write(1, {frame[1:] + frame[:1]!r} * 1024)"
    with talking(flood) as channel:
        deadline = time.monotonic() + 0.3
        with pytest.raises(Late):
            while time.monotonic() < deadline + 5:
                assert channel.begins(deadline, wake)
                assert channel.receive(deadline, 100).header["op"] == "gone"


def test_what_has_come_by_the_deadline_is_not_late_because_the_kernel_was_busy(wake: int) -> None:
    once = f"import os, time\nos.write(1, {pack({'op': 'done'})!r})\nos.write(2, b'.')\ntime.sleep(60)"
    with talking(once) as channel:
        while not channel.errors():
            time.sleep(0.01)
        past = time.monotonic() - 1
        assert channel.begins(past, wake)
        assert channel.receive(past, 100).header == {"op": "done"}
        with pytest.raises(Late):
            channel.begins(past, wake)

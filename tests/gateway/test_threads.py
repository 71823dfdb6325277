"""Threads that serve one call after the other."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator

import pytest

from dgm.gateway.threads import Threads


@pytest.fixture
def threads() -> Iterator[Threads]:
    with Threads("of-the-test") as made:
        yield made


def alive() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "of-the-test"]


def wait_for(number: int) -> None:
    for thread in alive()[number:]:
        thread.join(5)
    assert len(alive()) == number


def test_one_after_the_other_is_done_by_the_same_thread(threads: Threads) -> None:
    seen, done = list[int](), threading.Semaphore(0)
    for _ in range(5):
        threads.begin(lambda: (seen.append(threading.get_ident()), done.release()))
        assert done.acquire(timeout=5)
        while not threads._idle:  # it has said that it is done just before it is idle
            pass
    assert len(set(seen)) == 1


def test_all_that_is_under_way_at_once_goes_on_at_once(threads: Threads) -> None:
    together = threading.Barrier(9)
    for _ in range(8):
        threads.begin(lambda: together.wait(5))
    together.wait(5)


def test_closing_ends_the_idle_at_once_and_the_busy_when_they_are_done(threads: Threads) -> None:
    wait_for(0)
    go = threading.Event()
    threads.begin(go.wait)
    threads.close()
    assert len(alive()) == 1
    go.set()
    wait_for(0)


def test_nothing_of_a_call_is_kept_by_a_thread_that_waits(threads: Threads) -> None:
    class Held:
        def __call__(self) -> None: ...

    held = Held()
    gone = weakref.ref(held)
    threads.begin(held)
    del held
    while not threads._idle:
        pass
    assert gone() is None

"""A task, or a proposal, that may ask, and one call of it under way: what a desk and the gateway hand each other."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from dgm.gateway import Reply, Scope
from dgm.gateway.budget import Account
from dgm.gateway.cache import Key
from dgm.gateway.threads import Threads


class Cancelled(Exception):
    """Nobody waits for this call any more."""


class Ticket:
    """One call under way, as its session sees it."""

    def __init__(self, cancelled: threading.Event | None = None) -> None:
        self.cancelled = cancelled or threading.Event()
        self.delayed = False  #: it was held up by the provider's faults or by our own limits


class Visit:
    """One task, or one proposal, that may ask: its samples are counted from 0, its account is its own."""

    def __init__(self, scope: Scope, account: Account, models: Sequence[str]) -> None:
        self.scope, self.account, self.models = scope, account, models
        self._samples, self._lock = Counter[str](), threading.Lock()

    def key(self, digest: str) -> Key:
        """Of the next sample of a request."""
        with self._lock:
            sample = self._samples[digest]
            self._samples[digest] += 1
        return Key(digest, self.scope, sample)


class Answering(Protocol):
    """The part of the gateway that a desk needs."""

    @property
    def threads(self) -> Threads: ...

    def visit(self, scope: Scope, models: Sequence[str]) -> Visit: ...

    def answer(self, path: str, body: bytes, visit: Visit, ticket: Ticket) -> Reply: ...

"""Pieces that are given out to other machines, and given out again when nothing comes back.

A piece given out is a lease: once begun it is renewed by signs of life, and it ends with a result, with word from the
cluster that the worker is gone, or when there was no sign of life for longer than the cluster's patience. A cluster's
own way of trying again is to be off, so that what is tried is counted in one place. Whichever lease brings a result is
the last one of its piece, so nothing counts twice.
"""

from __future__ import annotations

import errno
import re
import time
from typing import Any, Protocol, TypeVar

from dgm.errors import SandboxUnavailable, UserError
from dgm.executor.node import Setting
from dgm.executor.pieces import Outcome, Piece, Workshop

T = TypeVar("T")

TURN = 0.2
"""Seconds after which it is looked whether all was given up."""

UNBEGUN = 60.0
"""Seconds after which it is told that a piece still waits for its turn: a queue is long, or no node is large enough."""

LEASES = 8
"""How often one piece is given out before the run stops: nodes come and go, but a piece may be what ends them."""


class Lost(Exception):
    """A lease brought nothing, through no fault of an agent."""


_UNLIKE = re.compile(r"^(?:ModuleNotFoundError: |ImportError: |AttributeError: Can't get attribute ).*", re.MULTILINE)


def unlike(name: str, told: str) -> UserError | None:
    """What is to be told where a piece failed in a way that only a node without the driver's packages makes it fail;
    such a node cannot say so itself. `told` is the traceback from there, `name` the cluster's."""
    if not (lines := _UNLIKE.findall(told)):
        return None
    return UserError(
        f"--executor {name}: a node cannot import what the driver has: install the same dgm, for the same Python, on "
        f"every node ({lines[-1][:200]})"
    )


_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.ENOMEM, errno.EAGAIN)
_HOSTS = re.compile(rf"^\w*Error: \[Errno (?:{'|'.join(map(str, _FAULTS))})\] .*", re.MULTILINE)


def hosts(told: str) -> Lost | None:
    """What is to be raised where a piece failed by the fault of the node or of a folder that it shares with the driver,
    a full disk above all: another node, or a later moment, may do better. `told` is the traceback from there."""
    lines = _HOSTS.findall(told)
    return Lost(f"on its node: {lines[-1][:200]}") if lines else None


def known(name: str, told: str) -> UserError | Lost | None:
    """What is to be raised in place of a piece's failure that is no defect of ours: `unlike`, or `hosts`."""
    return unlike(name, told) or hosts(told)


class Job(Protocol):
    """One lease."""

    def wait(self, seconds: float) -> Outcome[Any] | None:
        """The result if it is there within so many seconds. Raises Lost, and DgmError as the piece raised it."""
        ...

    def beats(self) -> int:
        """Signs of life so far; 0 while it waits for its turn."""
        ...

    def cancel(self) -> None:
        """Nobody waits for it any more. Also after its end, and when the cluster is gone."""
        ...


class Cluster(Protocol):
    """Machines that take leases, asked by any number of threads."""

    name: str
    patience: float  #: seconds without a sign of life after which a lease is lost

    def give(self, setting: Setting, piece: Piece[Any]) -> Job:
        """Raises Lost if it cannot be given out now, and UserError."""
        ...

    def close(self) -> None: ...


class Leasing:
    """A `dgm.executor.Executor` over a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._setting: Setting | None = None
        self._waits = False  #: it was told that a piece waits, and none has begun since

    def do(self, piece: Piece[T], shop: Workshop) -> Outcome[T]:
        """Raises SandboxUnavailable when a piece was lost `LEASES` times."""
        self._setting = self._setting or Setting.of(shop)
        for left in reversed(range(LEASES)):
            try:
                return self._lease(self._setting, piece, shop)
            except (Lost, SandboxUnavailable) as lost:
                if shop.ongoing.given_up.is_set():
                    raise SandboxUnavailable("the work was given up") from None
                if not left:
                    raise SandboxUnavailable(f"{self._cluster.name} lost one piece {LEASES} times: {lost}") from None
                shop.tell(f"{self._cluster.name} lost a piece of proposal {piece.number}, given out again: {lost}")
            shop.ongoing.given_up.wait(TURN)
        raise AssertionError("unreachable")

    def _lease(self, setting: Setting, piece: Piece[T], shop: Workshop) -> Outcome[T]:
        """One lease, to its end."""
        job = self._cluster.give(setting, piece)
        beats, since = 0, time.monotonic()
        try:
            while True:
                if (outcome := job.wait(TURN)) is not None:
                    return outcome
                if shop.ongoing.given_up.is_set():
                    raise Lost("given up")
                if (heard := job.beats()) != beats:
                    beats, since, self._waits = heard, time.monotonic(), False
                elif not beats and not self._waits and time.monotonic() - since > UNBEGUN:
                    self._waits = True
                    shop.tell(
                        f"{self._cluster.name} has not begun a piece of proposal {piece.number} in {UNBEGUN:.0f} s; "
                        "it waits for its turn"
                    )
                elif beats and time.monotonic() - since > self._cluster.patience:
                    raise Lost(f"no sign of life for {self._cluster.patience:.0f} s")
        finally:
            job.cancel()

    def close(self) -> None:
        self._cluster.close()

"""Ray: pieces as tasks of a Ray cluster, an existing one or one of our own on this machine.

Every piece is one task that yields signs of life and then its outcome. An improvement asks for one CPU, an evaluation
for one per session, at most what the largest node has; Ray finds the node. Ray's retries are off. Its nodes must be
able to import this kernel and to read the domains (`dgm.executor.node`).

Not covered: who may reach a Ray cluster, and with which token: that is Ray's (`RAY_AUTH_MODE`).
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ray
from ray import exceptions

from dgm.errors import DgmError, InfrastructureError, UserError
from dgm.executor.leases import Leasing, Lost, known
from dgm.executor.node import Setting, working
from dgm.executor.pieces import Improve, Outcome, Piece

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""For a cluster of our own: it tells nobody that it is used, and leaves the devices' variables alone."""

REACH = 10.0
"""Seconds in which a cluster's head must answer at all."""


def connect(where: str, archive: Path) -> Leasing:
    """`where` is HOST:PORT of a cluster's head, `auto` for the one that this machine is part of, or empty: then the
    one that RAY_ADDRESS names, or a new one on this machine. Raises UserError."""
    if "://" in where:
        raise UserError(f"--executor ray:{where}: run dgm on a node of the cluster and give ray:auto or ray:HOST:PORT")
    return Leasing(RayCluster(where))


class RayCluster:
    """See `dgm.executor.leases.Cluster`."""

    name = "ray"
    patience = 60.0

    def __init__(self, address: str) -> None:
        self._ours = not ray.is_initialized()
        if self._ours:
            _reach(address)
            for name, value in QUIET.items():
                os.environ.setdefault(name, value)
            _hush()
            try:
                with _signals_kept():
                    # No dashboard: it takes longest to start, and what it complains of concerns no run.
                    ray.init(
                        address or None, log_to_driver=False, logging_level=logging.CRITICAL, include_dashboard=False
                    )
            except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
                raise UserError(_no_cluster(address, " ".join(str(error).split())[:300])) from None
            except Exception as error:
                if type(error) is not Exception:  # this very class is what Ray raises where its processes are too slow
                    raise
                raise InfrastructureError(f"Ray did not start on this machine: {error}") from None
        self._task: Any = ray.remote(working)

    def give(self, setting: Setting, piece: Piece[Any]) -> RayJob:
        wanted = 1 if isinstance(piece, Improve) else setting.config.place.sessions
        try:
            task = self._task.options(
                num_cpus=min(wanted, _largest()), max_retries=0, num_returns="streaming", name=type(piece).__name__
            )
            return RayJob(task.remote(setting, piece))
        except exceptions.RayError as error:
            raise Lost(_first_line(error)) from None

    def close(self) -> None:
        if self._ours:
            ray.shutdown()


class RayJob:
    """See `dgm.executor.leases.Job`."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._beats = 0
        self._ended = False

    def wait(self, seconds: float) -> Outcome[Any] | None:
        try:
            if not ray.wait([self._stream], timeout=seconds)[0]:
                return None
            told = ray.get(next(self._stream))
        except exceptions.RayTaskError as error:
            if better := known("ray", str(error)):
                raise better from None
            raise  # a defect of ours, with the traceback from where it happened
        except (exceptions.RayError, StopIteration) as error:
            self._ended = True
            raise Lost(_first_line(error)) from None
        if told is None:
            self._beats += 1
            return None
        self._ended = True
        if isinstance(told, DgmError):
            raise told
        assert isinstance(told, Outcome)
        return told

    def beats(self) -> int:
        return self._beats

    def cancel(self) -> None:
        if not self._ended:
            self._ended = True
            with suppress(exceptions.RayError):
                ray.cancel(self._stream, force=True)


def _largest() -> int:
    """CPUs of the largest node that is there; 1 where none has any yet, so that a piece waits for one."""
    nodes = ray.nodes()  # type: ignore[no-untyped-call]
    return max([1, *(int(node["Resources"].get("CPU", 0)) for node in nodes if node["Alive"])])


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def _no_cluster(address: str, told: str) -> str:
    if address == "auto":
        return f"--executor ray:auto: {told}; `ray start` makes this machine part of a cluster, or give ray:HOST:PORT"
    where = address or os.environ.get("RAY_ADDRESS", "this machine")
    # Ray takes up the token in ~/.ray by itself for `auto` alone, and does not say that it is what is missing.
    token = "" if "RAY_AUTH_MODE" in os.environ else "; if the cluster asks for a token, set RAY_AUTH_MODE=token"
    return f"--executor ray: no cluster lets this run in at {where}: {told}{token}"


def _reach(address: str) -> None:
    """Raises UserError at once where nobody listens; Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if address not in ("", "auto") and not (host and port.isdecimal()):
        raise UserError(f"--executor ray:{address}: give ray, ray:auto or ray:HOST:PORT, as ray:node1:6379")
    if host and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), timeout=REACH).close()
        except OSError as error:
            raise UserError(f"--executor ray: no cluster answers at {address}: {error}") from None


def _hush() -> None:
    """Ray prints what its nodes say on standard output, told to log or not. Standard output is for tables and JSON, and
    what of it concerns a run is told when a lease is lost."""
    from ray._private import worker

    worker.print_to_stdstream = lambda *_, **__: None


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray puts a handler of its own on SIGTERM; what a run does on it stays as it was."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

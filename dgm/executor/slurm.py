"""Slurm, through submitit: every piece is one job of one process, sent with sbatch from the driver.

Driver and nodes share a folder (beside the archive unless told otherwise): there a job finds its piece, leaves its
signs of life and its outcome. The folder goes when the driver closes, or when the next one begins; a job that no longer
finds it ends, and without that it ends with its piece. Submitit's requeueing is off.

Suited to pieces of minutes: sbatch, the queue and the start of a process come to some seconds for each.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import submitit
from submitit.core.utils import FailedJobError, FailedSubmissionError, UncompletedJobError

from dgm.domain import JSON
from dgm.errors import DgmError, UserError
from dgm.executor.leases import Leasing, Lost, known
from dgm.executor.node import Setting, working
from dgm.executor.pieces import Improve, Outcome, Piece

TEXTS = {key: f"slurm_{key}" for key in ("partition", "account", "qos", "constraint")}
NUMBERS = {"minutes": "timeout_min", "memory_gb": "mem_gb"}
DEFAULTS: Mapping[str, JSON] = {"nodes": 1, "tasks_per_node": 1, "name": "dgm", "timeout_min": 120, "mem_gb": 4}
LOOK = 0.1
"""Seconds between looks for a result."""


def connect(where: str, archive: Path) -> Leasing:
    """`where` is KEY=VALUE,…: partition, account, qos, constraint, minutes (of one job), memory_gb, folder (shared by
    the nodes), and cluster=local, which is submitit's own on this machine. Raises UserError."""
    return Leasing(SlurmCluster(_parsed(where), archive))


class SlurmCluster:
    """See `dgm.executor.leases.Cluster`."""

    name = "slurm"
    patience = 300.0  #: a shared file system may tell of a sign of life a minute late

    def __init__(self, given: Mapping[str, str], archive: Path) -> None:
        parent = Path(given.get("folder", archive.absolute().parent)).absolute()
        self._folder = parent / f".{archive.name}.jobs"
        shutil.rmtree(self._folder, ignore_errors=True)  # of a driver that was killed; its jobs end with it
        try:
            parent.mkdir(parents=True, exist_ok=True)
            self._folder.mkdir(mode=0o700)
        except OSError as error:
            raise UserError(f"--executor slurm: {parent} cannot be written: {error.strerror}") from None
        self._lock = threading.Lock()
        self._given = 0
        try:
            self._jobs = submitit.AutoExecutor(self._folder, given.get("cluster", "slurm"), slurm_max_num_timeout=0)
            self._jobs.update_parameters(**{**DEFAULTS, **_parameters(given)})
        except (RuntimeError, ValueError) as error:
            self.close()
            raise UserError(f"--executor slurm: {' '.join(str(error).split())[:300]}") from None

    def give(self, setting: Setting, piece: Piece[Any]) -> SlurmJob:
        with self._lock:  # the number of CPUs is submitit's state
            self._given += 1
            beats = self._folder / f"{self._given}.beats"
            cpus = 1 if isinstance(piece, Improve) else setting.config.place.sessions
            try:
                self._jobs.update_parameters(cpus_per_task=cpus)
                return SlurmJob(self._jobs.submit(job, beats, setting, piece), beats)
            except (FailedSubmissionError, OSError) as error:
                raise Lost(f"sbatch: {' '.join(str(error).split())[:200]}") from None

    def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


class SlurmJob:
    """See `dgm.executor.leases.Job`."""

    def __init__(self, job: submitit.Job[Any], beats: Path) -> None:
        self._job, self._beats = job, beats
        self._ended = False

    def wait(self, seconds: float) -> Outcome[Any] | None:
        until = time.monotonic() + seconds
        while not self._job.done():
            if time.monotonic() >= until:
                return None
            time.sleep(LOOK)
        self._ended = True
        try:
            told = self._job.result()
        except FailedJobError as error:
            if better := known("slurm", str(error)):
                raise better from None
            raise  # a defect of ours, with the traceback from where it happened
        except UncompletedJobError as error:
            raise Lost(f"job {self._job.job_id} ended without a result: {_state(str(error))}") from None
        if isinstance(told, DgmError):
            raise told
        assert isinstance(told, Outcome)
        return told

    def beats(self) -> int:
        with suppress(OSError):
            return self._beats.stat().st_size
        return 0

    def cancel(self) -> None:
        if not self._ended:
            self._ended = True
            with suppress(OSError):
                self._job.cancel(check=False)


def job(beats: Path, setting: Setting, piece: Piece[Any]) -> Outcome[Any] | DgmError:
    """What runs on a node. A signal that ends the job ends its sandboxes first, and leaves no result."""
    for number in (signal.SIGTERM, signal.SIGUSR2):
        signal.signal(number, _stop)
    with closing(working(setting, piece)) as signs:
        for sign in signs:
            if sign is not None:
                return sign
            with beats.open("ab") as file:  # fails when the driver has closed, and with it this job
                file.write(b".")
                os.fsync(file.fileno())
    raise AssertionError("unreachable")


def _state(told: str) -> str:
    """What submitit says of a job without a result, less the job's path and output: the folder goes with the driver."""
    return next((line for line in told.splitlines() if "(state: " in line), told.partition("\n")[0]).strip()[:200]


def _stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)  # passes by what submitit does about errors


def _parsed(where: str) -> dict[str, str]:
    known = (*TEXTS, *NUMBERS, "folder", "cluster")
    given: dict[str, str] = {}
    for item in filter(None, where.split(",")):
        key, _, value = item.partition("=")
        if key not in known or not value or (key in NUMBERS and not value.isdecimal()):
            raise UserError(f"--executor slurm: {item!r}: give KEY=VALUE with one of {', '.join(known)}")
        given[key] = value
    if given.get("cluster", "slurm") not in ("slurm", "local"):
        raise UserError(f"--executor slurm: the cluster is slurm or local, not {given['cluster']!r}")
    return given


def _parameters(given: Mapping[str, str]) -> dict[str, JSON]:
    """In submitit's names."""
    texts: dict[str, JSON] = {TEXTS[key]: value for key, value in given.items() if key in TEXTS}
    return texts | {NUMBERS[key]: int(value) for key, value in given.items() if key in NUMBERS}

"""A piece of work on a node that is not the driver: what has to be found there, and signs of life while it is done.

A node finds the run's domains by name, or by the same path as on the driver; it refuses to work unless kernel and
domains are byte for byte the driver's, since a result must not depend on where it was made. What a piece needs beyond
that comes with it. Nothing is written but the sandboxes' own temporary files.
"""

from __future__ import annotations

import hashlib
import platform
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TypeVar

import dgm
from dgm import domains
from dgm.config import RunConfig
from dgm.domains import DataRef, LoadedDomain
from dgm.errors import DgmError, UserError
from dgm.evaluation import named
from dgm.evaluation.ongoing import Ongoing
from dgm.executor.pieces import Outcome, Piece, Workshop, perform
from dgm.gateway.lines import Lines
from dgm.genome import GenomeSpec
from dgm.sandbox import Sandbox, stale
from dgm.sandbox.choose import choose

T = TypeVar("T")

BEAT = 2.0
"""Seconds between signs of life."""


@dataclass(frozen=True)
class Setting:
    """What a node must know of a run, the same for all its pieces."""

    kernel: str  #: digest of the driver's kernel
    config: RunConfig  #: with absolute paths
    spec: GenomeSpec

    @classmethod
    def of(cls, shop: Workshop) -> Setting:
        return cls(kernel_digest(), _anywhere(shop.config), shop.spec)

    @property
    def key(self) -> str:
        """Equal for equal settings."""
        text = f"{self.kernel}\n{self.config.to_toml()}\n{self.spec.model_dump_json()}"
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Station:
    """A `dgm.executor.pieces.Workshop` for one piece on a node. No language model is asked from here."""

    config: RunConfig
    spec: GenomeSpec
    domains: Sequence[LoadedDomain]
    sandbox: Sandbox
    ongoing: Ongoing
    lines: Lines = field(default_factory=Lines)
    tell: Callable[[str], None] = lambda line: None


def working(setting: Setting, piece: Piece[T]) -> Generator[Outcome[T] | DgmError | None]:
    """Do a piece: None as a sign of life at once and every `BEAT` seconds, then the outcome, or the error that the
    piece raised. To close the iterator is to give the piece up; its sandboxes have ended then."""
    ongoing = Ongoing()
    yield None
    with ThreadPoolExecutor(1, thread_name_prefix="piece") as pool:
        doing = pool.submit(_done, setting, piece, ongoing)
        try:
            while wait([doing], BEAT).not_done:
                yield None
        finally:
            ongoing.abort()
        yield doing.result()


def _done(setting: Setting, piece: Piece[T], ongoing: Ongoing) -> Outcome[T] | DgmError:
    try:
        return perform(piece, _station(setting, ongoing))
    except DgmError as error:
        return error


_stations: dict[str, Station] = {}
_lock = threading.Lock()


def _station(setting: Setting, ongoing: Ongoing) -> Station:
    """Ready for a piece; what takes time is done once in a process. Raises UserError."""
    with _lock:
        if setting.key not in _stations:
            _stations[setting.key] = _found(setting)
        return replace(_stations[setting.key], ongoing=ongoing)


def _found(setting: Setting) -> Station:
    here, config = platform.node(), setting.config
    if setting.kernel != kernel_digest():
        raise UserError(f"the dgm on {here} is not the driver's; install the same one there")
    try:
        loaded = named.domains(config)
        sandbox = choose(config.place.sandbox, may_run_model_code=True)
    except UserError as error:
        raise UserError(f"on {here}: {error}") from None
    for domain in loaded:
        if config.digests.get(domain.name) != domain.digest:
            raise UserError(f"domain {domain.name} on {here} is not the driver's; bring the same files there")
    stale.sweep()
    return Station(config, setting.spec, loaded, sandbox, Ongoing())


@cache
def kernel_digest() -> str:
    """SHA-256 over the kernel's own source files."""
    root, total = Path(dgm.__file__).parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(f"{path.relative_to(root)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _anywhere(config: RunConfig) -> RunConfig:
    """The same configuration, whatever directory it is read in."""
    known = domains.available()

    def absolute(name: str) -> str:
        return name if name in known or not Path(name).is_dir() else str(Path(name).absolute())

    def file(text: str) -> str:
        ref = DataRef.parse(text)
        return str(replace(ref, path=ref.path.absolute()))

    data = {absolute(name): file(text) for name, text in config.data.items()}
    return config.model_copy(update={"domains": tuple(map(absolute, config.domains)), "data": data})

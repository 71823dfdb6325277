"""Where a run's root genome comes from: a seed's name, a directory, or an agent of another archive.

`--agent SRC --meta SRC` composes two halves; `--genome DIR` brings both. Everything that is not a shipped seed
counts as code that a language model may have written, and so may only run in a real sandbox.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from dgm.archive import Archive
from dgm.domain import Files
from dgm.errors import UserError
from dgm.genome import (
    SPEC,
    Half,
    HalfSpec,
    SeedSpec,
    check_files,
    compose,
    content,
    half_files,
    half_from_seed,
    parse_seed,
    parse_spec,
    read_directory,
)

SEED = "seed.toml"
CHOSEN = ("best", "growth")
"""Words that may stand in place of an agent's number."""
_NUMBER = re.compile(r"[0-9]{1,9}")
_ZONE: dict[Half, str] = {"agent": "agents", "meta": "meta"}


@dataclass(frozen=True, slots=True)
class Source:
    """A composed root genome and what is to be told about it."""

    genome: Files
    ours: bool  #: made of shipped seeds that ask no language model: may run without a sandbox
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _HalfSource:
    spec: HalfSpec
    files: Files
    ours: bool
    notices: tuple[str, ...] = ()


def seeds(half: Half) -> dict[str, SeedSpec]:
    """The shipped seeds of a half, by name."""
    return {
        name: parse_seed((folder / SEED).read_bytes(), f"{_ZONE[half]}/{name}/{SEED}")
        for name, folder in content.shipped(_ZONE[half], SEED).items()
    }


def from_halves(agent: str, meta: str) -> Source:
    """The root genome of `--agent SRC --meta SRC`. Raises UserError saying which of them is wrong."""
    a, m = _half("agent", agent), _half("meta", meta)
    genome = compose((a.spec, a.files), (m.spec, m.files))
    return Source(genome, a.ours and m.ours and not (a.spec.model or m.spec.model), a.notices + m.notices)


def from_directory(directory: str) -> Source:
    """The root genome of `--genome DIR`, which brings its own `genome.toml`."""
    path = Path(directory)
    if not path.is_dir():
        raise UserError(f"--genome: {directory} is not a directory")
    genome, dropped = read_directory(path)
    if (why := check_files(genome)) is not None:
        raise UserError(f"--genome: {directory} cannot be a genome: {why}")
    spec = parse_spec(genome, directory)
    declared = {**half_files(genome, spec.agent), **half_files(genome, spec.meta), SPEC: genome[SPEC]}
    return Source(dict(sorted(declared.items())), False, tuple(dropped))


def _half(half: Half, source: str) -> _HalfSource:
    if "#" in source:
        return _from_archive(half, source)
    shipped = content.shipped(_ZONE[half], SEED)
    if source in shipped:
        return _from_seed(half, shipped[source], ours=True)
    if Path(source).is_dir():
        return _from_seed(half, Path(source), ours=False)
    known = ", ".join(shipped) or "none"
    raise UserError(f"--{half}: no seed, directory or ARCHIVE#ID is called {source!r}; the seeds are {known}")


def _from_seed(half: Half, folder: Path, ours: bool, below: tuple[str, ...] = ()) -> _HalfSource:
    marker = folder / SEED
    if not marker.is_file():
        raise UserError(f"--{half}: {folder} has no {SEED}; see {_ZONE[half]}/README.md for what it holds")
    spec = parse_seed(marker.read_bytes(), str(marker))
    own, dropped = read_directory(folder)
    own.pop(SEED)
    files = {f"{half}/{path}": data for path, data in own.items()}
    if spec.extends is not None:
        shipped = content.shipped(_ZONE[half], SEED)
        if spec.extends not in shipped or spec.extends in below:
            raise UserError(f"{marker}: extends {spec.extends!r}, which is no other shipped seed")
        base = _from_seed(half, shipped[spec.extends], ours, (*below, spec.name))
        files = {**base.files, **files}
        entry = spec.entry or (base.spec.entry or "").removeprefix(f"{half}/") or None
        spec = spec.model_copy(update={"entry": entry})
    if not (spec.entry or spec.command):
        raise UserError(f"{marker}: give either entry or command")
    if spec.entry and f"{half}/{spec.entry.split(':')[0]}" not in files:
        raise UserError(f"{marker}: the entry {spec.entry!r} names a file that is not there")
    return _HalfSource(half_from_seed(spec, half), files, ours, tuple(dropped))


def _from_archive(half: Half, source: str) -> _HalfSource:
    name, number = agent_named(source, f"--{half}")
    with Archive.open(archive_path(name)) as archive:
        genome = archive.files(number)
    spec = parse_spec(genome, source).half(half)
    return _HalfSource(spec, half_files(genome, spec), ours=False)


def pinned(source: str, option: str) -> str:
    """`ARCHIVE#growth` and `ARCHIVE#best` as the ARCHIVE#ID that they are now; anything else as it is."""
    return source if "#" not in source else "{}#{}".format(*agent_named(source, option))


def agent_named(text: str, option: str = "") -> tuple[str, int]:
    """The archive's name and the agent's number of `ARCHIVE#ID`, where ID may be `best`, the one agent for all domains,
    or `growth`, the one that a transfer is best begun with. Raises UserError, beginning with `option`."""
    name, _, word = text.rpartition("#")
    if name and (word in CHOSEN or _NUMBER.fullmatch(word)):
        return name, int(word) if word not in CHOSEN else _chosen(archive_path(name), word)
    start = f"{option}: " if option else ""
    choices = " or ".join(f"my-run#{word}" for word in CHOSEN)
    raise UserError(f"{start}{text!r} must look like ARCHIVE#ID, for example my-run#17, or {choices}")


def _chosen(path: Path, word: str) -> int:
    from dgm.genome.transfer import by_growth
    from dgm.results import best_overall

    with Archive.open(path) as archive:
        return by_growth(archive) if word == "growth" else best_overall(archive)


def archive_path(name: str) -> Path:
    """`NAME` means `archive/NAME`, and `EXPERIMENT/RUN` a run below it; what is there under its own name is a path, and
    so is anything else with a slash."""
    path, kept = Path(name), Path("archive") / name
    if (path / "archive.db").exists() or ("/" in name and not (kept / "archive.db").exists()):
        return path
    return kept

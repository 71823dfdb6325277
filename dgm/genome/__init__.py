"""Genomes: the directory that evolves, as bytes.

A genome is a mapping of relative paths to bytes with a `genome.toml` that names its two halves. This module
composes genomes from seeds, and it builds a child's tree from what came out of a sandbox (boundary rule B3):
only regular files under the paths that `genome.toml` declares, only portable names, only bounded sizes.
Nothing here touches a sandbox, git or the network.
"""

from __future__ import annotations

import hashlib
import unicodedata
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, model_validator

from dgm import toml
from dgm.domain import Files
from dgm.errors import AgentFailed, Status, UserError

PROTOCOL: Literal[1] = 1
SPEC = "genome.toml"
SELECT = "meta/select.py"
"""A genome's own selection of parents, where it may evolve."""
Half = Literal["agent", "meta"]
HALVES: tuple[Half, Half] = ("agent", "meta")

MAX_FILES = 2_000
MAX_FILE_BYTES = 1_000_000
MAX_TOTAL_BYTES = 16_000_000
MAX_DEPTH = 16
MAX_ENTRIES = 100_000
"""Of a user's directory, caches and `.git` included."""

_REFUSED_NAMES = frozenset({".git", ".gitmodules", ".gitattributes", "git~1"})
_REFUSED_CHARACTERS = frozenset('<>:"|?*\\')


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HalfSpec(_Strict):
    """How one half of a genome is started."""

    entry: str | None = Field(None, description="`path/to/file.py:Name` of the class to call, from the genome's root.")
    command: tuple[str, ...] = Field((), description="Instead of `entry`: a command, for genomes in any language.")
    paths: tuple[str, ...] = Field(description="Files and folders (ending in /) that belong to this half.")
    model: bool = Field(False, description="Whether this half asks a language model for text.")
    packages: bool = Field(False, description="Whether it imports packages of the sandbox's image.")

    @model_validator(mode="after")
    def _one_way_to_start(self) -> HalfSpec:
        if bool(self.entry) == bool(self.command):
            raise ValueError("give either entry or command")
        if self.entry and not (self.entry.count(":") == 1 and self.entry.split(":")[0].endswith(".py")):
            raise ValueError(f"entry must look like 'task_agent.py:TaskAgent', not {self.entry!r}")
        return self


class GenomeSpec(_Strict):
    """`genome.toml`: written once at the root, the same in every descendant."""

    protocol: Literal[1] = Field(description="Version of the protocol between kernel and genome.")
    agent: HalfSpec
    meta: HalfSpec

    def half(self, name: Half) -> HalfSpec:
        return self.agent if name == "agent" else self.meta


class SeedSpec(_Strict):
    """`seed.toml`: one half shipped in `agents/` or `meta/`, or a directory of the same form."""

    name: str
    protocol: Literal[1]
    description: str
    entry: str | None = None
    command: tuple[str, ...] = ()
    model: bool = False
    packages: bool = False
    extends: str | None = Field(None, description="Seed whose files come first; this seed's own overlay them.")


def belongs(path: str, paths: tuple[str, ...]) -> bool:
    """Whether `path` lies under one of a half's declared paths."""
    return any(path == p or (p.endswith("/") and path.startswith(p)) for p in paths)


def check_name(path: str) -> str | None:
    """Why `path` cannot be in a genome, or None if it can: it must mean the same on every file system."""
    parts = path.split("/")
    if len(path.encode(errors="surrogatepass")) > 500 or len(parts) > MAX_DEPTH:
        return "is too long or too deep"
    for part in parts:
        if part in ("", ".", ".."):
            return "is not a plain relative path"
        if part.lower() in _REFUSED_NAMES:
            return "is git's own"
        if part[-1] in " ." or any(c in _REFUSED_CHARACTERS or not c.isprintable() for c in part):
            return "is not portable"
        if unicodedata.normalize("NFC", part) != part or len(part.encode(errors="surrogatepass")) > 200:
            return "is not portable"
    return None


def check_files(files: Files) -> str | None:
    """Why these files cannot be a genome's, or None: names, twins by case, counts and sizes."""
    if len(files) > MAX_FILES:
        return f"{len(files)} files; at most {MAX_FILES} are allowed"
    if (total := sum(map(len, files.values()))) > MAX_TOTAL_BYTES:
        return f"{total} bytes; at most {MAX_TOTAL_BYTES} are allowed"
    seen: dict[str, str] = {}
    for path, content in files.items():
        if (why := check_name(path)) is not None:
            return f"the name {path!r} {why}"
        if len(content) > MAX_FILE_BYTES:
            return f"{path} has {len(content)} bytes; at most {MAX_FILE_BYTES} are allowed"
        for place in (path, *map(str, PurePosixPath(path).parents)):
            twin = seen.setdefault(place.casefold(), place)
            if twin != place:
                return f"{path!r} and {twin!r} differ in case alone"
    return None


def build_child(parent: Files, edited: Files, spec: GenomeSpec, evolving: frozenset[str]) -> dict[str, bytes]:
    """The child's tree: the parent's, with the parts in `evolving` (halves, or "select") replaced by what was edited.

    Raises AgentFailed(FORBIDDEN) when a file that would belong to the child may not be in a genome.
    """
    may_change = tuple(path for half in HALVES if half in evolving for path in spec.half(half).paths)
    may_change += (SELECT,) if "select" in evolving else ()
    taken = {path: content for path, content in edited.items() if belongs(path, may_change)}
    kept = {path: content for path, content in parent.items() if path == SPEC or not belongs(path, may_change)}
    child = {**taken, **kept}
    if (why := check_files(child)) is not None:
        raise AgentFailed(Status.FORBIDDEN, why)
    return child


def half_files(genome: Files, half: HalfSpec) -> dict[str, bytes]:
    """The part of a genome that one half's sandbox is given."""
    return {path: content for path, content in genome.items() if belongs(path, half.paths)}


def digest(files: Files) -> str:
    """SHA-256 over names and contents, whatever the order of the mapping."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path}\0".encode(errors="surrogatepass"))
        total.update(hashlib.sha256(files[path]).digest())
    return total.hexdigest()


def task_half(genome: Files, spec: GenomeSpec) -> str:
    """What an agent's results on tasks depend on, within a run: the digest of its task half."""
    return digest(half_files(genome, spec.agent))


def parse_spec(genome: Files, where: str) -> GenomeSpec:
    """Read `genome.toml`. Raises UserError naming `where` if it is absent or wrong."""
    if SPEC not in genome:
        raise UserError(f"{where} has no {SPEC}; see agents/README.md for what it holds")
    spec = toml.parse(GenomeSpec, genome[SPEC], f"{where}/{SPEC}")
    for name in HALVES:
        half = spec.half(name)
        if half.entry and half.entry.split(":")[0] not in genome:
            raise UserError(f"{where}: the entry {half.entry!r} of [{name}] names a file that is not there")
        if half.entry and not belongs(half.entry.split(":")[0], half.paths):
            raise UserError(f"{where}: the entry {half.entry!r} of [{name}] lies outside its paths {list(half.paths)}")
    return spec


def parse_seed(content: bytes, where: str) -> SeedSpec:
    """Read a `seed.toml`. Raises UserError naming `where` if it is wrong."""
    return toml.parse(SeedSpec, content, where)


def half_from_seed(spec: SeedSpec, half: Half) -> HalfSpec:
    """The `genome.toml` table of a seed that is put below `agent/` or `meta/`."""
    entry = f"{half}/{spec.entry}" if spec.entry else None
    return HalfSpec(entry=entry, command=spec.command, paths=(f"{half}/",), model=spec.model, packages=spec.packages)


def compose(agent: tuple[HalfSpec, Files], meta: tuple[HalfSpec, Files]) -> dict[str, bytes]:
    """One genome from two halves, with its `genome.toml`. Raises UserError if they collide or break a limit."""
    if both := sorted(set(agent[1]) & set(meta[1])):
        raise UserError(f"both halves bring {both[0]}; take the whole with --genome instead")
    spec = GenomeSpec(protocol=PROTOCOL, agent=agent[0], meta=meta[0])
    genome = {**agent[1], **meta[1], SPEC: tomli_w.dumps(spec.model_dump(exclude_none=True)).encode()}
    if (why := check_files(genome)) is not None:
        raise UserError(f"the seed cannot be a genome: {why}")
    return dict(sorted(genome.items()))


def read_directory(root: Path) -> tuple[dict[str, bytes], list[str]]:
    """The regular files below a user's directory, and a notice for each entry that was left out.

    Links, devices, `.git` and the like are dropped at import with a notice, caches without one (B3). Raises UserError
    where there is far more than a genome can hold, before it is read.
    """
    files: dict[str, bytes] = {}
    dropped: list[str] = []
    found = sorted(islice(root.rglob("*"), MAX_ENTRIES + 1))
    if len(found) > MAX_ENTRIES:
        raise UserError(f"{root} holds more than {MAX_ENTRIES} files and folders; give the directory of one genome")
    left = MAX_TOTAL_BYTES
    for path in found:
        name = path.relative_to(root).as_posix()
        parts = name.split("/")
        if "__pycache__" in parts or path.suffix == ".pyc" or (".git" in parts and parts[-1] != ".git"):
            continue
        if path.is_symlink() or check_name(name) is not None or not (path.is_file() or path.is_dir()):
            dropped.append(f"{name} is left out: {check_name(name) or 'not a regular file'}")
        elif path.is_file() and not any((root / parent).is_symlink() for parent in PurePosixPath(name).parents):
            left -= path.stat().st_size
            if left < 0:
                raise UserError(f"{root} holds more than {MAX_TOTAL_BYTES} bytes; give the directory of one genome")
            files[name] = path.read_bytes()
    return files, dropped


def took_over(parent: Files, mate: Files, child: Files) -> bool:
    """Whether a child has something of its mate that its parent lacks: a line of a file, at least."""

    def lines(files: Files, path: str) -> set[bytes]:
        return {line.strip() for line in files.get(path, b"").splitlines()} - {b""}

    return any(
        (lines(child, path) & lines(mate, path)) - lines(parent, path)
        for path in child
        if child[path] != parent.get(path)
    )

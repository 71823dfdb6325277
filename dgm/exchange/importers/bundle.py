"""Restoring an archive from a bundle (`dgm.exchange.exports.bundle`): every hash as it was, or nothing at all.

Nothing is extracted by tar: members are copied one by one to names that are known, each checked against the manifest,
and the result must be sound (`dgm verify`) before it gets its name. Not covered: who made the bundle.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

from dgm import tar
from dgm.archive import Archive, bundle, tables
from dgm.archive.disk import disk_errors
from dgm.archive.store import GitStore
from dgm.archive.verify import verify
from dgm.errors import UserError
from dgm.exchange.exports.bundle import FORMAT, MANIFEST, zstandard

MAX_MANIFEST = 100_000_000
MAX_CONFIG = 1_000_000
MAX_ROW = 10_000_000
"""Bytes of one row of a table. What dgm records has bounds far below."""
_MEMBER = re.compile(
    r"dgm\.toml|calls\.db|genomes\.bundle|tables/[a-z_]{1,40}\.jsonl"
    r"|logs/[0-9]{1,15}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\.jsonl\.gz"
)
_CHUNK = 1 << 20


def restore(file: Path, target: Path) -> int:
    """Make the archive at `target` of a bundle; the number of its agents. Raises UserError and leaves nothing."""
    Archive.refuse_existing(target)
    if not file.is_file():
        raise UserError(f"{file} is no file; give a bundle that `dgm export --bundle` wrote")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.importing-"))
    try:
        with disk_errors(target, remedy="try again"):
            _unpack(file, staging)
            if problems := verify(staging):
                raise UserError(f"{file} does not hold a sound archive: {problems[0]}")
            with Archive.open(staging) as archive:
                agents = len(archive.agents())
            Archive.refuse_existing(target)
            staging.chmod(0o755)
            staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return agents


def _unpack(file: Path, staging: Path) -> None:
    try:
        with _decompressed(file) as plain:
            manifest: dict[str, Any] | None = None
            left: dict[str, dict[str, Any]] = {}
            for member, content in tar.members(plain, sys.maxsize):  # the manifest says how long each may be
                if content is None:
                    raise UserError(f"{file} is no bundle: {member.name!r:.80} is no plain file")
                if manifest is None:
                    manifest = _manifest(file, member, content, staging)
                    left = dict(manifest["files"])
                    continue
                _copy(member, content, left.pop(member.name, None), staging)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UserError(f"{file} is damaged or no bundle ({error})") from None
    if manifest is None or left:
        missing = next(iter(left), MANIFEST)
        raise UserError(f"{file} is damaged: {missing} is missing")
    _assemble(staging, manifest["tables"])


def _manifest(file: Path, member: tarfile.TarInfo, content: IO[bytes], staging: Path) -> dict[str, Any]:
    """Checked in form: what follows is held against it."""
    if member.name != MANIFEST or member.size > MAX_MANIFEST:
        raise UserError(f"{file} is no bundle: it does not begin with {MANIFEST}")
    try:
        value = json.loads(content.read())
        total = 0
        for name, facts in value["files"].items():
            if not _MEMBER.fullmatch(name) or ".." in name or type(facts["bytes"]) is not int or facts["bytes"] < 0:
                raise ValueError(f"{name!r:.80} cannot be in a bundle")
            total += facts["bytes"]
        if value["files"].get("dgm.toml", {"bytes": 0})["bytes"] > MAX_CONFIG:
            raise ValueError(f"its configuration has more than {MAX_CONFIG} bytes")
        if value["format"] != FORMAT or type(value["tables"]) is not int:
            raise ValueError(f"its format is {value['format']!r:.20}, and this dgm knows {FORMAT}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{file} is no bundle that can be read: {error}") from None
    if 2 * total > shutil.disk_usage(staging.parent).free:  # what is unpacked becomes a database and objects beside it
        raise UserError(f"{file} unpacks to {total} bytes, more than half of what the disk has left; free some")
    return cast(dict[str, Any], value)


def _copy(member: tarfile.TarInfo, content: IO[bytes], facts: dict[str, Any] | None, staging: Path) -> None:
    """One member to its place, if it is what the manifest says."""
    if facts is None or member.size != facts["bytes"]:
        raise UserError(f"the bundle holds {member.name!r:.80}, which its manifest does not name so")
    place = staging / member.name
    place.parent.mkdir(parents=True, exist_ok=True)
    total = hashlib.sha256()
    with place.open("xb") as out:
        while piece := content.read(_CHUNK):
            total.update(piece)
            out.write(piece)
    if total.hexdigest() != facts.get("sha256"):
        raise UserError(f"the bundle is damaged: {member.name} is not what its manifest says")


def _assemble(staging: Path, version: int) -> None:
    """From the members to an archive, in place."""
    if not (staging / "genomes.bundle").is_file():
        raise UserError("the bundle holds no genomes")
    with ExitStack() as stack:
        files = {place.stem: stack.enter_context(place.open("rb")) for place in (staging / "tables").glob("*.jsonl")}
        tables.load(staging, version, {name: _rows(file) for name, file in files.items()})
    store = GitStore.create(staging / "genomes.git")
    bundle.read(staging / "genomes.bundle", store)
    store.sync()
    (staging / "genomes.bundle").unlink()
    shutil.rmtree(staging / "tables")


def _rows(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a table. Raises ValueError for one that goes on."""
    while line := file.readline(MAX_ROW + 1):
        if len(line) > MAX_ROW:
            raise ValueError(f"a row has more than {MAX_ROW} bytes")
        yield line


@contextmanager
def _decompressed(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as raw:
        head = raw.read(4)
        raw.seek(0)
        if head == b"\x28\xb5\x2f\xfd":
            library = zstandard()
            try:
                with library.ZstdDecompressor().stream_reader(raw, closefd=False) as unpacked:
                    yield cast(IO[bytes], unpacked)
            except library.ZstdError as error:
                raise UserError(f"{path} is damaged ({error})") from None
        else:
            with gzip.GzipFile(fileobj=raw, mode="rb") as plain:
                yield cast(IO[bytes], plain)

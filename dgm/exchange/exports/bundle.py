"""A whole archive in one file that travels: `dgm export --bundle`, and `dgm import bundle` puts it back.

A tar, compressed with gzip or Zstandard, of `MANIFEST.json` (format, and size and SHA-256 of all that follows),
`dgm.toml`, `tables/*.jsonl`, `genomes.bundle` (git reads it), `logs/`, and `calls.db` where a run had a language model.
The same archive gives the same bytes. The way back is `dgm.exchange.importers.bundle`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

from dgm import extras
from dgm.archive import bundle, tables
from dgm.archive.disk import disk_errors
from dgm.archive.store import GitStore
from dgm.archive.verify import verify
from dgm.errors import UserError

FORMAT = 1
MANIFEST = "MANIFEST.json"


def export(path: Path, file: Path) -> int:
    """Write the bundle of the archive at `path`; its size in bytes. Raises UserError for an archive that is damaged."""
    if problems := verify(path):
        raise UserError(f"{path.name} is not sound and so not exported: {problems[0]}")
    with tempfile.TemporaryDirectory(prefix="dgm-export-") as folder, ExitStack() as stack:
        version, members = _gather(path, Path(folder))
        manifest = {
            "format": FORMAT,
            "tables": version,
            "name": path.name,
            "files": {name: {"bytes": place.stat().st_size, "sha256": _digest(place)} for name, place in members},
        }
        text = json.dumps(manifest, indent=1, sort_keys=True).encode() + b"\n"
        temporary = file.with_name(f".{file.name}.writing")
        stack.callback(temporary.unlink, missing_ok=True)
        with disk_errors(file, remedy="try again"):
            with (
                _compressed(temporary, file.name) as out,
                tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar,
            ):
                tar.addfile(_info(MANIFEST, len(text)), io.BytesIO(text))
                for name, place in members:
                    with place.open("rb") as content:
                        tar.addfile(_info(name, place.stat().st_size), content)
            temporary.rename(file)
    return file.stat().st_size


def _gather(path: Path, folder: Path) -> tuple[int, list[tuple[str, Path]]]:
    """The format of the tables, and name to file of all members, in order."""
    version, dumped = tables.dump(path)
    members = [("dgm.toml", path / "dgm.toml")]
    for name, lines in sorted(dumped.items()):
        place = folder / f"{name}.jsonl"
        place.write_bytes(b"".join(lines))
        members.append((f"tables/{name}.jsonl", place))
    with (folder / "genomes.bundle").open("wb") as out:
        bundle.write(GitStore(path / "genomes.git"), out)
    members.append(("genomes.bundle", folder / "genomes.bundle"))
    logs = [json.loads(line) for line in dumped["logs"][1:]]
    members += [
        (f"logs/{agent}/{name}.jsonl.gz", path / "logs" / str(agent) / f"{name}.jsonl.gz") for agent, name, *_ in logs
    ]
    if (path / "calls.db").is_file():
        members.append(("calls.db", path / "calls.db"))
    return version, members


def _info(name: str, size: int) -> tarfile.TarInfo:
    """Nothing in it tells when or by whom it was made."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o644, 0
    return info


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _compressed(path: Path, name: str) -> Iterator[IO[bytes]]:
    """A stream into a new file, compressed as the name ends."""
    with path.open("wb") as raw:
        if name.endswith(".zst"):
            with zstandard().ZstdCompressor(level=10).stream_writer(raw, closefd=False) as out:
                yield cast(IO[bytes], out)
        else:
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as packed:
                yield cast(IO[bytes], packed)


def zstandard() -> Any:
    try:
        import zstandard as library
    except ImportError:
        raise UserError(f"a .zst bundle needs zstandard: `{extras.how('export')}`, or name it .tar.gz") from None
    return library

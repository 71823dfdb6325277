"""An archive goes into one file and comes back with every hash equal; a file that was tampered with does not."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dgm.archive import Archive, tables
from dgm.archive.store import GitStore
from dgm.archive.verify import verify
from dgm.errors import UserError
from dgm.exchange.exports import bundle
from dgm.exchange.importers.bundle import restore
from tests.archive.world import FAST, child, create, failed, results


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=FAST, prefix="dgm-test-") as folder:
        yield Path(folder)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with create(tmp_path / "run", 3) as archive:
        archive.record(failed(4))
        archive.record(child(5, 2, parent2=1, summary="\x1b[31m<script>\0 é \ud800", files={"genome.toml": b"\0\xff"}))
        archive.add_scores(1, *results(1, ("test",)))
        archive.add_event("note", {"x": [0.1, None, "é"]})
        archive.tag_best("grading", 3)
    return tmp_path / "run"


def contents(path: Path) -> dict[str, bytes]:
    """What must be equal: configuration, logs, rows; refs and tags by hash."""
    found = {f: (path / f).read_bytes() for f in ["dgm.toml"]}
    found |= {str(p.relative_to(path)): p.read_bytes() for p in (path / "logs").rglob("*.gz")}
    version, rows = tables.dump(path)
    found |= {name: b"".join(lines) for name, lines in rows.items()}
    store = GitStore(path / "genomes.git")
    found["refs"] = json.dumps([version, store.refs(), store.tags(), store.kept()], sort_keys=True).encode()
    return found


@pytest.mark.parametrize("ending", ["tar.gz", "tar.zst"])
def test_what_comes_back_is_equal(path: Path, tmp_path: Path, ending: str) -> None:
    if ending.endswith("zst"):
        pytest.importorskip("zstandard")
    file = tmp_path / f"run.{ending}"
    size = bundle.export(path, file)
    assert size == file.stat().st_size
    assert restore(file, tmp_path / "back") == 6
    assert contents(tmp_path / "back") == contents(path)
    assert verify(tmp_path / "back") == []
    with Archive.open(path) as one, Archive.open(tmp_path / "back") as two:
        assert one.agents() == two.agents()
        assert one.logs(1, "grading", "test") == two.logs(1, "grading", "test")
        assert one.files(5) == two.files(5)


def test_the_same_archive_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    bundle.export(path, tmp_path / "one.tar.gz")
    restore(tmp_path / "one.tar.gz", tmp_path / "back" / "run")
    subprocess.run(["git", "--git-dir", "genomes.git", "gc", "-q"], cwd=tmp_path / "back" / "run", check=True)
    bundle.export(tmp_path / "back" / "run", tmp_path / "two.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()


def test_the_example_makes_the_round_trip(repository: Path, tmp_path: Path) -> None:
    bundle.export(repository / "archive" / "example", tmp_path / "example.tar.gz")
    assert restore(tmp_path / "example.tar.gz", tmp_path / "back") == 11
    assert contents(tmp_path / "back") == contents(repository / "archive" / "example")


def test_git_reads_the_genomes_of_a_bundle(path: Path, tmp_path: Path) -> None:
    bundle.export(path, tmp_path / "run.tar.gz")
    subprocess.run(["tar", "xzf", "run.tar.gz"], cwd=tmp_path, check=True)
    heads = subprocess.run(
        ["git", "bundle", "list-heads", "genomes.bundle"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    assert len(heads.splitlines()) == 6
    subprocess.run(["git", "init", "-q", "--bare", "fresh.git"], cwd=tmp_path, check=True)
    fetch = ["git", "--git-dir", "fresh.git", "fetch", "-q", "genomes.bundle", "refs/agents/*:refs/agents/*"]
    subprocess.run(fetch, cwd=tmp_path, check=True)
    assert subprocess.run(["git", "--git-dir", "fresh.git", "fsck", "--strict"], cwd=tmp_path, check=True)


def test_a_writer_can_go_on_with_what_came_back(path: Path, tmp_path: Path) -> None:
    bundle.export(path, tmp_path / "run.tar.gz")
    restore(tmp_path / "run.tar.gz", tmp_path / "back")
    with Archive.open(tmp_path / "back", write=True) as archive:
        archive.record(child(6, 5))
    assert verify(tmp_path / "back") == []


def test_a_damaged_archive_is_not_exported(path: Path, tmp_path: Path) -> None:
    next((path / "logs").rglob("*.gz")).write_bytes(b"")
    with pytest.raises(UserError, match="not sound"):
        bundle.export(path, tmp_path / "run.tar.gz")
    assert not (tmp_path / "run.tar.gz").exists()


Members = list[tuple[tarfile.TarInfo, bytes]]


def remade(file: Path, change: Callable[[Members], Members]) -> None:
    """A bundle whose members somebody changed."""
    with tarfile.open(file) as tar:
        members = [(m, tar.extractfile(m).read()) for m in tar]  # type: ignore[union-attr]
    with tarfile.open(file, "w:gz") as tar:
        for info, data in change(members):
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data))


def claim(members: Members, name: str, data: bytes) -> Members:
    """A member and a manifest that agrees with it."""
    manifest = json.loads(members[0][1])
    manifest["files"][name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    rest = [pair for pair in members[1:] if pair[0].name != name]
    return [(members[0][0], json.dumps(manifest).encode()), *rest, (tarfile.TarInfo(name), data)]


def manifest(members: Members, old: bytes, new: bytes) -> Members:
    return [(members[0][0], members[0][1].replace(old, new)), *members[1:]]


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


def wordy() -> tarfile.TarInfo:
    """A member with a header that is read into memory in one piece."""
    info = tarfile.TarInfo("logs/9/x.y.jsonl.gz")
    info.pax_headers = {"comment": "x" * 3_000_000}
    return info


def of(members: Members, name: str) -> bytes:
    return next(data for info, data in members if info.name == name)


CHANGES: dict[str, tuple[Callable[[Members], Members], str]] = {
    "escape": (lambda m: claim(m, "../evil", b"x"), "cannot be in a bundle"),
    "escape in logs": (lambda m: claim(m, "logs/1/../../../x.jsonl.gz", b"x"), "cannot be in a bundle"),
    "absolute": (lambda m: claim(m, "/tmp/dgm-evil", b"x"), "cannot be in a bundle"),
    "a link": (lambda m: [m[0], (link("dgm.toml", "/etc/passwd"), b""), *m[1:]], "no plain file"),
    "a header without end": (lambda m: [m[0], (wordy(), b""), *m[1:]], "goes on without end"),
    "unnamed": (lambda m: [*m, (tarfile.TarInfo("logs/9/x.y.jsonl.gz"), b"x")], "does not name so"),
    "twice": (lambda m: [*m, m[1]], "does not name so"),
    "missing": (lambda m: m[:-1], "is missing"),
    "no manifest": (lambda m: m[1:], "does not begin with"),
    "other bytes": (lambda m: [*m[:-1], (m[-1][0], bytes(len(m[-1][1])))], "not what its manifest says"),
    "another format": (
        lambda m: [(m[0][0], m[0][1].replace(b'"format": 1', b'"format": 9')), *m[1:]],
        "its format is 9",
    ),
    "a newer table": (lambda m: manifest(m, b'"tables": ', b'"tables": 9'), "upgrade dgm"),
    "a forged score": (
        lambda m: claim(m, "tables/scores.jsonl", of(m, "tables/scores.jsonl").replace(b"0.3333333333333333", b"0.9")),
        "not hold a sound archive",
    ),
    "rows that are none": (lambda m: claim(m, "tables/agents.jsonl", b'["id"]\n'), "tables are damaged"),
    "a row without end": (
        lambda m: claim(m, "tables/events.jsonl", of(m, "tables/events.jsonl") + b'["' + b"x" * 11_000_000 + b'"]\n'),
        "a row has more than",
    ),
    "a configuration without end": (lambda m: claim(m, "dgm.toml", b"#" * 1_000_001), "configuration has more than"),
    "a cut bundle": (lambda m: claim(m, "genomes.bundle", of(m, "genomes.bundle")[:-40]), "genomes.bundle is damaged"),
    "another object": (
        lambda m: claim(m, "genomes.bundle", b"# v2 git bundle\n\nPACK\0\0\0\2\0\0\0\0" + bytes(20)),
        "checksum is wrong",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_bundle_that_was_tampered_with_leaves_nothing(path: Path, tmp_path: Path, what: str) -> None:
    file = tmp_path / "run.tar.gz"
    bundle.export(path, file)
    change, says = CHANGES[what]
    remade(file, change)
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(UserError, match=says):
        restore(file, tmp_path / "back")
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_a_bundle_leaves_room_on_the_disk(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle.export(path, tmp_path / "run.tar.gz")
    with tarfile.open(tmp_path / "run.tar.gz") as tar:
        total = sum(member.size for member in tar.getmembers()[1:])
    usage = shutil.disk_usage(tmp_path)._replace(free=total * 3 // 2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match="more than half of what the disk has left"):
        restore(tmp_path / "run.tar.gz", tmp_path / "back")


@pytest.mark.parametrize("content", [b"", b"hello", gzip.compress(b"hello", mtime=0), b"\x28\xb5\x2f\xfdnothing"])
def test_another_file_is_no_bundle(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.tar.gz").write_bytes(content)
    with pytest.raises(UserError):
        restore(tmp_path / "x.tar.gz", tmp_path / "back")
    assert [p.name for p in tmp_path.iterdir()] == ["x.tar.gz"]


def test_a_bundle_that_was_cut_anywhere_leaves_nothing(path: Path, tmp_path: Path) -> None:
    file = tmp_path / "run.tar.gz"
    whole = bundle.export(path, file)
    data = file.read_bytes()
    for part in range(1, 8):
        file.write_bytes(data[: whole * part // 8])
        with pytest.raises(UserError):
            restore(file, tmp_path / "back")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "run.tar.gz"]


def test_an_archive_is_exported_while_it_is_written(path: Path, tmp_path: Path) -> None:
    with Archive.open(path, write=True) as archive:
        archive.record(child(6, 5))
        bundle.export(path, tmp_path / "run.tar.gz")
    assert restore(tmp_path / "run.tar.gz", tmp_path / "back") == 7
    shutil.rmtree(tmp_path / "back")

"""Fetching data: whole, right, resumed where it broke off, and never more than was asked for. Over real HTTP."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import tarfile
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from dgm.domains import fetch, read_spec
from dgm.domains.fetch import card as card_module
from dgm.domains.fetch import table as table_module
from dgm.domains.fetch.card import Card, Part
from dgm.domains.fetch.download import download
from dgm.domains.fetch.unpack import unpack
from dgm.errors import UserError
from dgm.genome.content import zone

BODY = bytes(range(256)) * 2_000


class Server(ThreadingHTTPServer):
    """Serves BODY; the first `breaks` answers end half-way. `asked` are the Range headers seen."""

    breaks = 0
    asked: list[str | None]
    ranges = True
    body = BODY


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path == "/gone":
            self.send_error(404)
            return
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", unquote(self.path.removeprefix("/to/")))
            self.end_headers()
            return
        if self.path.startswith("/length/"):
            self.send_response(200)
            self.send_header("Content-Length", self.path.removeprefix("/length/"))
            self.end_headers()
            self.wfile.write(BODY)
            return
        body, asked = self.server.body, self.headers["Range"]
        self.server.asked.append(asked)
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.ranges else 0
        if start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        if self.server.breaks:
            self.server.breaks -= 1
            self.wfile.write(body[start : start + (len(body) - start) // 2])
            self.wfile.flush()
            self.connection.close()
        else:
            self.wfile.write(body[start:])

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on stderr."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.asked = []
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def address(server: Server, path: str = "/data.bin") -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def card(*parts: Part) -> Card:
    told = dict.fromkeys(set(Card.model_fields) - {"parts"}, "x")
    return Card(**told, parts=parts)


def test_a_download_that_breaks_off_goes_on_where_it_was(server: Server, tmp_path: Path) -> None:
    server.breaks = 2
    download(address(server), tmp_path / "data.bin")
    assert (tmp_path / "data.bin").read_bytes() == BODY
    assert server.asked == [None, f"bytes={len(BODY) // 2}-", f"bytes={len(BODY) * 3 // 4}-"]
    assert not list(tmp_path.glob("*.part"))


def test_what_an_earlier_try_left_is_used(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.bin.part").write_bytes(BODY[:1000])
    download(address(server), tmp_path / "data.bin")
    assert server.asked == ["bytes=1000-"]
    assert (tmp_path / "data.bin").read_bytes() == BODY


def test_a_server_without_ranges_and_a_part_too_long_begin_again(server: Server, tmp_path: Path) -> None:
    server.ranges = False
    (tmp_path / "a.part").write_bytes(b"old")
    download(address(server), tmp_path / "a")
    server.ranges = True
    (tmp_path / "b.part").write_bytes(BODY + b"more")
    download(address(server), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == BODY


def test_what_cannot_be_had_is_one_sentence(server: Server, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="404"):
        download(address(server, "/gone"), tmp_path / "x")
    with pytest.raises(UserError, match="no http address"):
        download("file:///etc/passwd", tmp_path / "x")
    server.breaks = 9
    with pytest.raises(UserError, match="try again, or use --from"):
        download(address(server), tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("where", ["http://[::1/x", f"http://{'a' * 70}.com/", "file:///etc/passwd", "ftp:x"])
def test_a_server_that_sends_us_nowhere_is_one_sentence(server: Server, tmp_path: Path, where: str) -> None:
    with pytest.raises(UserError, match=r"is the address still right|cannot be fetched"):
        download(address(server, f"/to/{quote(where, safe='')}"), tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("length", ["abc", "9" * 5_000, "-1", "1e3"])
def test_a_length_that_is_no_number_is_none(server: Server, tmp_path: Path, length: str) -> None:
    with suppress(UserError):  # a number beyond measure is one that the file never reaches
        download(address(server, f"/length/{length}"), tmp_path / "x")
        assert (tmp_path / "x").read_bytes() == BODY


def test_a_server_that_sends_without_end_is_left(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(download.__globals__, "MAX_BYTES", len(BODY) // 2)
    with pytest.raises(UserError, match="sends more than"):
        download(address(server), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_copy_replaces_no_right_file(server: Server, tmp_path: Path) -> None:
    right = Part(address=address(server), path="data.bin", sha256=hashlib.sha256(BODY).hexdigest())
    fetch.fetch(card(right), tmp_path / "into")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "data.bin").write_bytes(b"wrong")
    with pytest.raises(UserError, match=r"copy/data\.bin has the SHA-256"):
        fetch.fetch(card(right), tmp_path / "into", tmp_path / "copy")
    assert (tmp_path / "into" / "data.bin").read_bytes() == BODY


def test_an_altered_file_is_refused_and_a_right_one_kept(server: Server, tmp_path: Path) -> None:
    right = Part(address=address(server), path="data.bin", sha256=hashlib.sha256(BODY).hexdigest())
    assert fetch.fetch(card(right), tmp_path)[0].known
    fetch.fetch(card(right), tmp_path)
    assert len(server.asked) == 1
    (tmp_path / "data.bin").write_bytes(BODY[:-1] + b"!")
    with pytest.raises(UserError, match="was altered or cut short"):
        fetch.fetch(card(right), tmp_path)


def test_an_unknown_digest_is_told(server: Server, tmp_path: Path) -> None:
    found = fetch.fetch(card(Part(address=address(server), path="data.bin")), tmp_path)
    assert (found[0].sha256, found[0].known) == (hashlib.sha256(BODY).hexdigest(), False)


def test_a_copy_is_taken_from_a_folder_and_nothing_is_downloaded(server: Server, tmp_path: Path) -> None:
    source = tmp_path / "copy"
    source.mkdir()
    (source / "data.bin").write_bytes(BODY)
    part = Part(address=address(server), path="deep/data.bin", sha256=hashlib.sha256(BODY).hexdigest())
    fetch.fetch(card(part), tmp_path / "into", source)
    assert (tmp_path / "into" / "deep" / "data.bin").read_bytes() == BODY
    assert server.asked == []
    with pytest.raises(UserError, match="has no other"):
        fetch.fetch(card(Part(address=address(server), path="other.bin")), tmp_path / "into", source)


def archive() -> bytes:
    """A tar with what is wanted, and with names and kinds that must not come out of it."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name in ("top/want/a.txt", "top/want/../../escaped.txt", "top/other/b.txt", "/top/want/absolute.txt"):
            member = tarfile.TarInfo(name)
            member.size = 2
            tar.addfile(member, io.BytesIO(b"hi"))
        link = tarfile.TarInfo("top/want/link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return data.getvalue()


def test_of_an_archive_only_the_wanted_plain_files_come_out(server: Server, tmp_path: Path) -> None:
    server.body = archive()
    part = Part(address=address(server), path="x.tar.gz", unpack=("want",))
    fetch.fetch(card(part), tmp_path / "into")
    files = {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file() or path.is_symlink()
    }
    assert files - {"into/want/absolute.txt"} == {"into/x.tar.gz", "into/want/a.txt"}
    server.body = b"no archive"
    with pytest.raises(UserError, match="no sound tar archive"):
        fetch.fetch(card(part), tmp_path / "again")


def made(*members: tuple[str, dict[str, str], bytes], mode: str = "w:gz") -> bytes:
    """A tar of members: name, PAX headers, content."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as tar:  # type: ignore[call-overload]
        for name, headers, content in members:
            member = tarfile.TarInfo(name)
            member.pax_headers, member.size = headers, len(content)
            tar.addfile(member, io.BytesIO(content))
    return data.getvalue()


NOISE = random.Random(7).randbytes(300_000)
SPOILT = {
    "a file that is a folder": made(("t/want/a", {}, b"x"), ("t/want/a/b", {}, b"x")),
    "a folder that is a file": made(("t/want/a/b", {}, b"x"), ("t/want/a", {}, b"x")),
    "a name that no disk takes": made((f"t/want/{'x' * 300}", {}, b"x")),
    "a name with a NUL": made(("t/want/a", {"path": "t/want/a\0b"}, b"x")),
    "holes that are no numbers": made(("t/want/a", {"GNU.sparse.map": "0,a"}, b"x")),
    "a size that is none": made(("t/want/a", {"GNU.sparse.size": "abc"}, b"x")),
    "a header without end": made(("t/want/a", {"comment": "x" * 3_000_000}, b"x")),
    "an end without end": gzip.compress(gzip.decompress(made(("t/want/a", {}, b"x"))) + bytes(3_000_000)),
    "xz that is broken within": (lambda d: d[:150_000] + b"!" * 40 + d[150_040:])(
        made(("t/want/a", {}, NOISE), mode="w:xz")
    ),
    "gzip with other bytes": (lambda d: d[:150_000] + b"!" * 40 + d[150_040:])(made(("t/want/a", {}, NOISE))),
}


@pytest.mark.parametrize("what", SPOILT)
def test_an_archive_that_is_spoilt_is_one_sentence(tmp_path: Path, what: str) -> None:
    (tmp_path / "x.tar").write_bytes(SPOILT[what])
    with pytest.raises(UserError, match="no sound tar archive"):
        unpack(tmp_path / "x.tar", ("want",), tmp_path / "into")


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_an_archive_may_be_compressed_in_any_way(tmp_path: Path, mode: str) -> None:
    (tmp_path / "x.tar").write_bytes(made(("t/want/a", {}, NOISE), ("t/b", {}, NOISE), mode=mode))
    assert unpack(tmp_path / "x.tar", ("want",), tmp_path / "into") == 1
    assert (tmp_path / "into" / "want" / "a").read_bytes() == NOISE


def test_a_large_file_of_an_archive_is_never_whole_in_memory(tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(made(("t/want/a", {}, bytes(30_000_000))))
    tracemalloc.start()
    unpack(tmp_path / "x.tar.gz", ("want",), tmp_path / "into")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_what_is_not_wanted_is_not_unpacked_without_end_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(unpack.__globals__, "MAX_READ", 1_000_000)
    (tmp_path / "x.tar.gz").write_bytes(made(("t/want/a", {}, b"x"), ("t/other", {}, bytes(2_000_000))))
    with pytest.raises(UserError, match="goes on without end"):
        unpack(tmp_path / "x.tar.gz", ("want",), tmp_path / "into")


def test_an_unpacked_copy_stands_for_the_archive(tmp_path: Path) -> None:
    source = tmp_path / "clone"
    (source / "want").mkdir(parents=True)
    (source / "want" / "a.txt").write_text("hi")
    (source / ".git").mkdir()
    (source / ".git" / "config").write_text("x")
    part = Part(address="https://example.invalid/x.tar.gz", path="x.tar.gz", unpack=("want",))
    fetch.fetch(card(part), tmp_path / "into", source)
    assert [p.name for p in (tmp_path / "into").rglob("*") if p.is_file()] == ["a.txt"]


CARDS = {path: card_module.read(path) for path in sorted(zone("domains").glob("*/cards/*.toml"))}


def test_every_data_set_that_there_should_be_has_a_card() -> None:
    assert {path.stem for path in CARDS} == {
        "humaneval", "mbpp", "quixbugs", "gsm8k", "imo", "polyglot", "search-arena", "iclr2022",
    }  # fmt: skip
    for folder in {path.parent.parent for path in CARDS}:
        assert len(fetch.cards(folder)) >= len(read_spec(folder).sources), "each source of real data can be fetched"


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_is_complete(path: Path) -> None:
    """A figure, or in words that there is none: what nobody counted or measured is said to be so."""
    known = CARDS[path]
    assert known.home.startswith("https://")
    for name in ("name", "licence_from", "about", "rows", "labels", "leaks", "baselines", "published"):
        assert len(getattr(known, name)) > 3, name
    assert has_figure(known.rows)
    assert has_figure(known.labels) or "not counted" in known.labels or known.labels.startswith("none")
    assert has_figure(known.baselines) or "not measured" in known.baselines
    assert has_figure(known.published) or known.published.startswith(("none", "not comparable"))
    assert known.licence_from.startswith("not read: ") == known.licence.startswith("not confirmed")
    assert len(known.leaks.split()) > 5


def has_figure(text: str) -> bool:
    return any(character.isdigit() for character in text)


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_a_card_s_addresses_are_pinned_to_a_commit(path: Path) -> None:
    for part in CARDS[path].parts:
        assert part.address.startswith("https://")
        assert any(len(piece.split(".")[0]) == 40 for piece in part.address.split("/"))


def test_a_card_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "x.toml").write_text('name = "x"\ncolour = "red"\n')
    with pytest.raises(UserError, match=r"x\.toml"):
        fetch.cards(tmp_path)


def test_a_table_needs_its_package_or_is_read(tmp_path: Path) -> None:
    from dgm.domains.fetch.table import as_lines

    source, target = tmp_path / "t.parquet", tmp_path / "t.jsonl"
    target.write_text("as it was")
    source.write_bytes(b"no table")
    with pytest.raises(UserError, match=r"pyarrow|no Parquet table"):
        as_lines(source, ["winner"], target)
    assert target.read_text() == "as it was"


@pytest.mark.parametrize("what", ["a page that is broken", "a cell that is no JSON", "lines without end"])
def test_half_a_table_is_not_taken_for_a_whole_one(tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    source, target = tmp_path / "t.parquet", tmp_path / "t.jsonl"
    last: object = b"bytes" if what == "a cell that is no JSON" else "y" * 40
    kind = arrow.binary() if isinstance(last, bytes) else arrow.string()
    values = [None] * 599 + [last] if isinstance(last, bytes) else [f"row {n} {'x' * 40}" for n in range(600)]
    table = arrow.table({"winner": arrow.array(values, kind)})
    parquet.write_table(table, source, row_group_size=300, use_dictionary=False, compression="none")
    if what == "a page that is broken":
        data = source.read_bytes()
        at = data.index(b"row 500 ")
        source.write_bytes(data[:at] + b"\xff" * 8 + data[at + 8 :])
    if what == "lines without end":
        monkeypatch.setattr(table_module, "MAX_BYTES", 10_000)
    target.write_text("as it was")
    with pytest.raises(UserError, match="no Parquet table"):
        table_module.as_lines(source, ["winner"], target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.jsonl", "t.parquet"]
    assert target.read_text() == "as it was"

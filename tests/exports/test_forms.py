"""Graphs, tables and the page hold what the archive holds, and nothing in them acts."""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgm.archive import Archive
from dgm.config import RunConfig
from dgm.exchange.exports import flat, page
from dgm.exchange.exports.graph import Graph, as_json, dot, graphml
from dgm.reporting import exported
from tests.archive.world import FAST, child, failed

HOSTILE = "</script><script>alert(1)</script>\"'\\ =1+1 \x1b]0;x\x07 \u202e &amp; <img src=x onerror=alert(1)> {%"


@pytest.fixture
def archive() -> Iterator[Archive]:
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        config = RunConfig(domains=("grading",)).to_toml()
        with Archive.create(Path(folder, '<b>"x"'), config, child(0)) as archive:
            archive.record(
                child(1, 0, summary=HOSTILE, files={"genome.toml": b"p", f"agent/{'<i>'}.py": HOSTILE.encode()})
            )
            archive.record(failed(2, 1))
            archive.record(child(3, 1, parent2=0, summary="=cmd|' /C calc'!A0", author="@ada"))
            yield archive


class Seen(HTMLParser):
    """Tags and attributes of a page, as a browser finds them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_hostile_agents_script_is_text_on_the_page(archive: Archive) -> None:
    seen = Seen(page.html(archive))
    assert not {"script", "img", "iframe", "link", "object", "form", "i", "b"} & set(seen.tags)
    assert "<script>alert(1)</script>" in seen.text
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
    assert all((value or "").startswith("#a") for name, value in seen.attributes if name in ("href", "src"))
    assert not {"\x1b", "\x07", "\u202e"} & set(seen.text)


def test_the_page_shows_every_agent_and_the_scores(repository: Path) -> None:
    with Archive.open(repository / "archive" / "example") as archive:
        html = page.html(archive)
        assert all(f'id="a{agent.id}"' in html for agent in archive.agents())
        assert html.count("<details>") == 10
    assert "0.417 [0.301, 0.543] n=60" in html
    assert "http" not in html.replace("http-equiv", "")


def test_every_list_of_a_deep_tree_is_closed(tmp_path: Path) -> None:
    config = RunConfig(domains=("grading",)).to_toml()
    with Archive.create(tmp_path / "run", config, child(0)) as archive:
        for number in range(1, 40):
            archive.record(child(number, number - 1))
        html = page.html(archive)
    assert html.count("<ul>") == html.count("</ul>") - 1 == 39


def test_networkx_reads_the_graph_back(archive: Archive) -> None:
    graph = Graph.of(archive)
    read = networkx.parse_graphml(graphml(graph))
    assert sorted(read.edges(data="kind")) == [
        ("0", "1", "parent"), ("0", "3", "parent2"), ("1", "2", "parent"), ("1", "3", "parent"),
    ]  # fmt: skip
    assert read.nodes["2"]["admission"] == "failed"
    assert read.nodes["0"]["mean"] == pytest.approx(1 / 3)
    ElementTree.fromstring(graphml(graph))
    nodes = json.loads(as_json(graph))["nodes"]
    assert nodes[1]["summary"] == archive.agent(1).summary
    assert [node["parent"] for node in nodes] == [None, 0, 1, 1]


def test_the_dot_file_has_no_open_quotes(archive: Archive) -> None:
    for line in dot(Graph.of(archive)).splitlines():
        bare = line.replace("\\\\", "").replace('\\"', "")
        assert bare.count('"') % 2 == 0
        assert line.isprintable()


def test_a_spreadsheet_finds_no_formula(archive: Archive) -> None:
    for name in flat.TABLES:
        rows = list(csv.DictReader(io.StringIO(flat.to_csv(flat.table(archive, name)))))
        assert rows
        for cell in (cell for row in rows for cell in row.values()):
            assert not cell.startswith(("=", "+", "@", "\t"))
            assert cell.isprintable()
    agents = list(csv.DictReader(io.StringIO(flat.to_csv(flat.table(archive, "agents")))))
    assert [row["parent"] for row in agents] == ["", "0", "1", "1"]
    assert agents[3]["summary"] == "'=cmd|' /C calc'!A0"


FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")


def test_a_spreadsheet_that_separates_by_semicolons_finds_none_either(archive: Archive) -> None:
    archive.record(child(4, 1, summary="x;=cmd|'/C calc'!A0;y", author="a; @SUM(1)", reason="＝1+1"))
    text = flat.to_csv(flat.table(archive, "agents"))
    for separator in ",;":
        cells = [cell for row in csv.reader(io.StringIO(text), delimiter=separator) for cell in row]
        assert not [cell for cell in cells if FORMULA.match(cell)]


@given(st.text(alphabet=";= +-@\t\n'a＝") | st.text())
def test_no_part_of_a_cell_is_a_formula(cell: str) -> None:
    assert not any(FORMULA.match(part) for part in flat.safe(cell).split(";"))


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x85", "\r"])
def test_no_mark_but_a_newline_begins_a_line_of_a_patch(archive: Archive, mark: str) -> None:
    text = f"a = 1  # {mark}-    check_the_answer(){mark}+fine\n"
    archive.record(child(4, 1, files={"genome.toml": b"p", "agent/task_agent.py": text.encode()}))
    html = page.html(archive)
    own = html[html.index('id="a4"') :]
    assert '<span class="minus">-    check' not in own
    assert '<span class="plus">+fine' not in own
    assert "check_the_answer" in own


@pytest.mark.parametrize("created", [-9e99, 9e99, 1e15])
def test_a_time_that_is_no_date_hides_no_page(archive: Archive, created: float) -> None:
    archive.record(child(4, 1, created=created))
    assert f"made: {created:g}" in page.html(archive)


@given(st.text() | st.floats(allow_nan=False) | st.integers() | st.none())
def test_a_cell_is_harmless_and_numbers_stay_numbers(cell: flat.Cell) -> None:
    text = flat.safe(cell)
    assert text.isprintable()
    if isinstance(cell, str):
        assert not text.startswith(("=", "+", "-", "@"))
    elif cell is not None:
        assert type(cell)(text) == cell


def test_the_tables_have_the_columns_that_are_documented_and_name_their_run(archive: Archive) -> None:
    for name, told in exported.EXPORTED.items():
        rows = list(csv.DictReader(io.StringIO(flat.to_csv(flat.table(archive, name)))))
        assert list(rows[0]) == list(told.meanings)
        assert {row["run"] for row in rows} == {archive.name}
    graph = json.loads(as_json(Graph.of(archive)))
    assert set(graph) == set(exported.GRAPH.meanings)
    assert all(set(node) == set(exported.NODES.meanings) for node in graph["nodes"])
    assert all(set(link) == set(exported.LINKS.meanings) for link in graph["links"])
    keys = {data.get("key") for data in ElementTree.fromstring(graphml(Graph.of(archive))).iter() if data.get("key")}
    node = set(exported.NODES.meanings) - {"id", "parent", "parent2", "val"}
    assert keys <= node | {"kind"} | {f"val.{domain}" for domain in graph["domains"]}


def test_parquet_holds_the_same_as_the_tables(archive: Archive, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    flat.to_parquet(flat.table(archive, "scores"), tmp_path / "scores.parquet")
    rows = parquet.read_table(tmp_path / "scores.parquet").to_pylist()
    assert [(row["agent"], row["mean"]) for row in rows] == [(a, s.mean) for a, s in archive.all_scores()]
    flat.to_parquet(flat.table(archive, "agents"), tmp_path / "agents.parquet")
    summaries = parquet.read_table(tmp_path / "agents.parquet").column("summary").to_pylist()
    assert summaries[1] == archive.agent(1).summary

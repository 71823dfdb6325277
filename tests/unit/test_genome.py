"""Genomes are built from bytes, and only from bytes that may be there (boundary rule B3)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dgm.errors import AgentFailed, Status, UserError
from dgm.genome import (
    HalfSpec,
    build_child,
    check_files,
    check_name,
    compose,
    half_files,
    parse_seed,
    parse_spec,
    read_directory,
    took_over,
)

AGENT = HalfSpec(entry="agent/a.py:A", paths=("agent/",))
META = HalfSpec(entry="meta/m.py:M", paths=("meta/",))
GENOME = compose((AGENT, {"agent/a.py": b"class A: ..."}), (META, {"meta/m.py": b"class M: ..."}))
SPEC = parse_spec(GENOME, "genome")
BOTH = frozenset({"agent", "meta"})


def test_a_composed_genome_says_how_each_half_starts() -> None:
    assert SPEC.agent.entry == "agent/a.py:A"
    assert half_files(GENOME, SPEC.meta) == {"meta/m.py": b"class M: ..."}


def test_an_edit_of_both_halves_is_the_child() -> None:
    child = build_child(GENOME, {"agent/a.py": b"class A: pass", "meta/m.py": b"class M: pass"}, SPEC, BOTH)
    assert child["agent/a.py"] == b"class A: pass"
    assert child["genome.toml"] == GENOME["genome.toml"]


def test_a_file_that_was_deleted_is_gone_from_the_child() -> None:
    assert "agent/a.py" not in build_child(GENOME, {"meta/m.py": b""}, SPEC, BOTH)


def test_genome_toml_and_strange_places_never_come_from_the_sandbox() -> None:
    edited = {**GENOME, "genome.toml": b"protocol = 2", "domains/judge.py": b"", "conftest.py": b""}
    assert build_child(GENOME, edited, SPEC, BOTH) == GENOME


def test_a_half_that_may_not_evolve_stays_the_parents() -> None:
    edited = {"agent/a.py": b"better", "meta/m.py": b"sneaky", "meta/new.py": b""}
    child = build_child(GENOME, edited, SPEC, frozenset({"agent"}))
    assert child == {**GENOME, "agent/a.py": b"better"}


@pytest.mark.parametrize(
    "name",
    [
        "agent/../../etc/passwd",
        "agent//a.py",
        "agent/.git/config",
        "agent/.GIT/config",
        "agent/.gitmodules",
        "agent/.gitattributes",
        "agent/git~1/config",
        "agent/a\x00.py",
        "agent/a\n.py",
        "agent/a\\b.py",
        "agent/a.py ",
        "agent/a.",
        "agent/caf\u0065\u0301.py",
        "agent/\u202e.py",
        "agent/\udc80.py",
        "agent/" + "x" * 300,
        "agent/" + "d/" * 40 + "x",
    ],
)
def test_a_name_that_means_different_things_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(AgentFailed) as refused:
        build_child(GENOME, {**GENOME, name: b""}, SPEC, BOTH)
    assert refused.value.status == Status.FORBIDDEN


def test_twins_by_case_are_refused_also_as_folders() -> None:
    assert check_files({"agent/Tools/a.py": b"", "agent/tools/b.py": b""}) is not None
    assert check_files({"agent/A.py": b"", "agent/a.py": b""}) is not None


def test_too_many_too_large_and_too_much_are_refused() -> None:
    assert "files" in (check_files({f"agent/{i}.py": b"" for i in range(2001)}) or "")
    assert "bytes" in (check_files({"agent/a.py": b"x" * 1_000_001}) or "")
    assert "bytes" in (check_files({f"agent/{i}": b"x" * 1_000_000 for i in range(17)}) or "")


@given(st.text(max_size=60))
def test_an_accepted_name_is_a_plain_path_below_its_root(name: str) -> None:
    if check_name(name) is None:
        joined = os.path.normpath(f"/root/of/it/{name}")
        assert joined == "/root/of/it/" + name


def test_a_users_directory_is_read_without_links_and_git(tmp_path: Path) -> None:
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent/a.py").write_text("code")
    (tmp_path / "agent/.env.example").write_text("kept")
    (tmp_path / "agent/link.py").symlink_to("/etc/passwd")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/config").write_text("[core] fsmonitor = evil")
    files, dropped = read_directory(tmp_path)
    assert sorted(files) == ["agent/.env.example", "agent/a.py"]
    assert len(dropped) == 2


def test_a_linked_folder_in_a_users_directory_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("k")
    (tmp_path / "genome").mkdir()
    (tmp_path / "genome/way").symlink_to(secret)
    files, dropped = read_directory(tmp_path / "genome")
    assert files == {}
    assert dropped


def test_a_directory_far_beyond_a_genome_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "model.bin").open("wb") as file:
        file.truncate(1 << 40)  # a terabyte, of which the disk holds nothing
    with pytest.raises(UserError, match="more than 16000000 bytes; give the directory of one genome"):
        read_directory(tmp_path)
    monkeypatch.setattr("dgm.genome.MAX_ENTRIES", 9)
    for number in range(10):
        (tmp_path / str(number)).mkdir()
    with pytest.raises(UserError, match="more than 9 files and folders"):
        read_directory(tmp_path)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (b"protocol = 1", "name"),
        (b'name = "x"\nprotocol = 2\ndescription = ""', "protocol"),
        (b'name = "x"\nprotocol = 1\ndescription = ""\ncolour = "red"', "colour"),
        (b"name = ", "TOML"),
        (b"\xff", "TOML"),
    ],
)
def test_a_wrong_seed_is_refused_by_the_key_that_is_wrong(text: bytes, part: str) -> None:
    with pytest.raises(UserError, match=part):
        parse_seed(text, "somewhere/seed.toml")


def test_an_entry_outside_its_half_is_refused() -> None:
    stray = compose((AGENT, {"agent/a.py": b""}), (META, {"meta/m.py": b""}))
    stray["genome.toml"] = stray["genome.toml"].replace(b"meta/m.py:M", b"agent/a.py:M")
    with pytest.raises(UserError, match="outside its paths"):
        parse_spec(stray, "stray")


class TestTookOver:
    PARENT, MATE = {"agent/a.py": b"x = 1\ny = 2\n"}, {"agent/a.py": b"x = 1\nz = 3\n", "agent/b.py": b"w = 4\n"}

    def test_a_line_or_a_file_of_the_mate_counts(self) -> None:
        assert took_over(self.PARENT, self.MATE, {"agent/a.py": b"x = 1\ny = 2\n    z = 3\n"})
        assert took_over(self.PARENT, self.MATE, {**self.PARENT, "agent/b.py": b"w = 4\n"})

    def test_what_both_had_or_neither_had_does_not_count(self) -> None:
        assert not took_over(self.PARENT, self.MATE, self.PARENT)
        assert not took_over(self.PARENT, self.MATE, {"agent/a.py": b"x = 1\n"})
        assert not took_over(self.PARENT, self.MATE, {"agent/a.py": b"x = 1\nq = 9\n\n"})

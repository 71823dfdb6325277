"""Genomes in git: what goes in comes out, and git itself agrees with every byte."""

from __future__ import annotations

import subprocess
import tempfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.archive.diff import Work, file_diff
from dgm.archive.store import GitStore
from dgm.errors import UserError
from tests.archive.world import FAST, Git

WHEN = 1_700_000_000.5

names = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0\\:\n"), min_size=1, max_size=8
).filter(lambda name: name.strip(". ") != "" and not name.casefold().startswith((".git", "git~")))
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
contents = st.one_of(st.binary(max_size=60), st.text("ab\n", max_size=60).map(str.encode))


def without_clashes(files: dict[str, bytes]) -> bool:
    return not any(other.startswith(path + "/") for path in files for other in files)


file_sets = st.dictionaries(paths, contents, max_size=6).filter(without_clashes)


@pytest.fixture
def store(tmp_path: Path) -> GitStore:
    return GitStore.create(tmp_path / "genomes.git")


@settings(max_examples=25, deadline=None)
@given(files=file_sets, other=file_sets)
def test_any_files_come_back_as_they_went_in(files: dict[str, bytes], other: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        store = GitStore.create(Path(folder) / "genomes.git")
        commit, tree = store.write(files, [], "one", WHEN)
        assert store.read(commit) == files
        assert store.paths(commit) == sorted(files)
        again, same_tree = store.write(dict(reversed(files.items())), [commit], "two", WHEN)
        assert (tree == same_tree) and (again != commit)
        later, later_tree = store.write(other, [commit], "three", WHEN)
        assert (later_tree == tree) == (other == files)
        assert store.changed(commit, later) == sorted(
            path for path in {*files, *other} if files.get(path) != other.get(path)
        )


@settings(max_examples=8, deadline=None)
@given(files=file_sets.filter(bool))
def test_git_computes_the_same_tree(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        store = GitStore.create(Path(folder) / "genomes.git")
        commit, tree = store.write(files, [], "one", WHEN)
        store.set_ref(0, commit)
        git = ["git", "--git-dir", str(store.path)]
        blobs = {}
        for path, data in files.items():
            done = subprocess.run([*git, "hash-object", "--stdin"], input=data, capture_output=True, check=True)
            blobs[path] = done.stdout.strip()
        lines = b"".join(b"100644 %s\t%s\0" % (sha, path.encode()) for path, sha in blobs.items())
        index = {"GIT_INDEX_FILE": f"{folder}/index", "PATH": "/usr/bin:/bin:/usr/local/bin"}
        subprocess.run([*git, "update-index", "-z", "--index-info"], input=lines, env=index, check=True)
        written = subprocess.run([*git, "write-tree"], env=index, capture_output=True, check=True)
        assert written.stdout.decode().strip() == tree
        assert store.fsck() == []


def test_the_order_of_a_tree_is_gits(store: GitStore) -> None:
    """A directory sorts as if its name ended in a slash: `a.b` before `a/`, `a0` after it."""
    commit, _ = store.write({"a/x": b"1", "a.b": b"2", "a0": b"3", "a-": b"4"}, [], "order", WHEN)
    store.set_ref(0, commit)
    assert store.fsck() == []


_REFUSED = """
| /etc/passwd | a//b | ../x | a/../b | . | .git/config | a/.GIT/hooks | git~1/x | .gitmodules
| x/.gitattributes
"""


@pytest.mark.parametrize(
    "path",
    [
        *(name.strip() for name in _REFUSED.split("|")),
        *(".git ", ".git::$INDEX", "a\\.git\\b", "a\0b", "\ud800", ".g\u200cit/config", "/".join("a" * 70)),
    ],
)
def test_paths_that_git_or_a_disk_would_take_otherwise_are_refused(store: GitStore, path: str) -> None:
    with pytest.raises(ValueError):
        store.write({path: b"x", "ok": b"y"}, [], "bad", WHEN)
    assert not [p for p in (store.path / "objects").rglob("*") if p.is_file()]


def test_a_file_cannot_be_a_directory_as_well(store: GitStore) -> None:
    for files in ({"a": b"1", "a/b": b"2"}, {"a/b": b"2", "a": b"1"}):
        with pytest.raises(ValueError, match="file"):
            store.write(files, [], "bad", WHEN)


def test_what_is_there_already_is_not_written_again(store: GitStore) -> None:
    first, _ = store.write({"a": b"1", "b/c": b"2"}, [], "one", WHEN)
    before = {path: path.stat().st_mtime_ns for path in (store.path / "objects").rglob("*") if path.is_file()}
    store.write({"a": b"changed", "b/c": b"2"}, [first], "two", WHEN)
    after = {path: path.stat().st_mtime_ns for path in (store.path / "objects").rglob("*") if path.is_file()}
    assert len(after) - len(before) == 3  # one blob, the root's tree, the commit
    assert {path: after[path] for path in before} == before


def test_git_shows_the_tree_of_agents(store: GitStore, git: Git) -> None:
    root, _ = store.write({"a": b"1"}, [], "agent 0", WHEN)
    left, _ = store.write({"a": b"2"}, [root], "agent 1", WHEN + 60)
    both, _ = store.write({"a": b"3"}, [left, root], "agent 2: zwölf", WHEN + 120)
    for number, commit in enumerate((root, left, both)):
        store.set_ref(number, commit)
    store.tag("best-grading", both)
    log = git(store.path, "--git-dir", ".", "log", "--all", "--format=%H|%P|%an <%ae>|%ad|%s|%D", "--date=iso")
    who, day = "dgm <dgm@localhost>", "2023-11-14"
    assert log.splitlines() == [
        f"{both}|{left} {root}|{who}|{day} 22:15:20 +0000|agent 2: zwölf|tag: best-grading, refs/agents/2",
        f"{left}|{root}|{who}|{day} 22:14:20 +0000|agent 1|refs/agents/1",
        f"{root}||{who}|{day} 22:13:20 +0000|agent 0|refs/agents/0",
    ]
    assert store.commit(both).parents == (left, root)
    assert store.fsck() == []


def test_a_repository_that_somebody_packed_is_read_and_written_on(store: GitStore, git: Git) -> None:
    root, _ = store.write({"a": b"1", "b": b"old"}, [], "one", WHEN)
    second, _ = store.write({"a": b"2", "b": b"old"}, [root], "two", WHEN)
    store.set_ref(0, root)
    store.set_ref(1, second)
    git(store.path, "--git-dir", ".", "gc", "--quiet", "--prune=now")
    assert not list((store.path / "refs" / "agents").iterdir())
    assert store.refs() == {0: root, 1: second}
    assert store.read(second) == {"a": b"2", "b": b"old"}
    third, _ = store.write({"a": b"3", "b": b"old"}, [second], "three", WHEN)
    store.set_ref(1, third)  # a loose ref hides the packed one
    store.set_ref(2, third)
    assert store.refs() == {0: root, 1: third, 2: third}
    store.delete_ref(1)
    assert store.refs() == {0: root, 2: third}
    assert GitStore(store.path).read(third)["b"] == b"old"
    assert store.fsck() == []


def test_git_configuration_and_environment_do_not_reach_the_store(
    store: GitStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, _ = store.write({"a": b"1"}, [], "one", WHEN)
    store.set_ref(0, commit)
    trap = tmp_path / "ran"
    hostile = tmp_path / "gitconfig"
    hostile.write_text(
        f'[core]\n\tfsmonitor = "touch {trap}"\n\tpager = "touch {trap}"\n[fsck]\n\tskipList = /nowhere\n'
    )
    for key, value in {
        "GIT_CONFIG_GLOBAL": str(hostile),
        "GIT_DIR": "/nowhere",
        "GIT_OBJECT_DIRECTORY": "/",
    }.items():
        monkeypatch.setenv(key, value)
    assert store.fsck() == []
    assert not trap.exists()


@pytest.mark.parametrize("damage", [b"", b"garbage", None], ids=["empty", "garbage", "missing"])
def test_a_damaged_object_is_an_error_in_one_sentence(store: GitStore, damage: bytes | None) -> None:
    commit, _ = store.write({"a": b"the content of a file"}, [], "one", WHEN)
    (blob,) = [path for path in (store.path / "objects").rglob("*") if path.is_file() and _is_blob(store, path)]
    blob.unlink()
    if damage is not None:
        blob.write_bytes(damage)
    with pytest.raises(UserError, match=r"damaged at object") as refusal:
        GitStore(store.path).read(commit)
    assert "\n" not in str(refusal.value)


def test_an_object_that_is_not_what_its_name_says_is_noticed(store: GitStore) -> None:
    commit, _ = store.write({"a": b"good"}, [], "one", WHEN)
    other, _ = store.write({"a": b"evil"}, [], "two", WHEN)
    good, evil = (_object(store, _blob(store, c)) for c in (commit, other))
    good.chmod(0o644)
    good.write_bytes(evil.read_bytes())
    with pytest.raises(UserError, match="damaged"):
        store.read(commit)


def test_a_diff_is_cut_where_it_gets_long(store: GitStore) -> None:
    old, _ = store.write({}, [], "one", WHEN)
    new, _ = store.write({f"f{i}": b"line\n" * 200 for i in range(50)}, [], "two", WHEN)
    whole = store.diff(old, new)
    short = store.diff(old, new, limit=500)
    assert len(short) < 600 < len(whole)
    assert short.splitlines()[-2].endswith("more characters")
    assert short.splitlines()[-1] == "… 49 more files"
    assert store.diff(None, new) == whole


@settings(max_examples=16, deadline=None)
@given(old=file_sets, new=file_sets)
def test_git_applies_our_diff_and_gets_the_other_files(old: dict[str, bytes], new: dict[str, bytes]) -> None:
    text = {p: d for p, d in old.items() if _is_text(d)}, {p: d for p, d in new.items() if _is_text(d)}
    patch = "".join(file_diff(path, text[0].get(path), text[1].get(path)) for path in sorted({*text[0], *text[1]}))
    with tempfile.TemporaryDirectory(dir=FAST) as folder:
        for path, data in text[0].items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_bytes(data)
        if patch:
            environment = {
                "PATH": "/usr/bin:/bin:/usr/local/bin",
                "GIT_CEILING_DIRECTORIES": str(Path(folder).parent),
            }
            command = ["git", "apply", "--whitespace=nowarn", "-"]
            done = subprocess.run(command, cwd=folder, input=patch.encode(), env=environment, capture_output=True)
            assert done.returncode == 0, (done.stderr.decode(), patch)
        found = {str(p.relative_to(folder)): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}
    assert found == text[1]


def test_files_built_to_make_a_comparison_slow_get_one_line() -> None:
    old = "".join(f"{i % 150}\n" for i in range(9_000)).encode()
    new = "".join(f"{i % 151}\n" for i in range(9_000)).encode()
    assert (
        file_diff("slow.py", old, new).splitlines()[-1] == "Files a/slow.py and b/slow.py differ (9000 to 9000 lines)"
    )
    assert "Binary files a/x and b/x differ (2 to 1 bytes)" in file_diff("x", b"\0a", b"b")
    assert "Binary files" in file_diff("x", b"\xff", b"b")


def test_files_that_differ_in_every_other_line_do_not_hold_up_who_compares_them(store: GitStore) -> None:
    """No line is repeated, and yet each search for a match goes through all the lines that are left."""
    old, new = ({f"f{i}": _every_other(end, 2_000) for i in range(3)} for end in "xy")
    commits = [store.write(files, [], "one", WHEN)[0] for files in (old, new)]
    told = [line for line in store.diff(*commits).splitlines() if line.startswith("Files")]
    assert told == [f"Files a/f{i} and b/f{i} differ (4000 to 4000 lines)" for i in range(3)]


def test_the_files_of_one_patch_share_what_it_may_take() -> None:
    old, new = _every_other("x", 500), _every_other("y", 500)
    assert "+y7\n" in file_diff("f", old, new)
    work = Work()
    told = [file_diff("f", old, new, work) for _ in range(12)]
    assert "+y7\n" in told[0]
    assert told[-1].splitlines()[-1] == "Files a/f and b/f differ (1000 to 1000 lines)"
    assert "+new" in file_diff("g", b"", b"new\n") and "Files" in file_diff("g", b"", b"new\n", work)


def _every_other(mark: str, count: int) -> bytes:
    return "".join(f"same {i}\n{mark}{i}\n" for i in range(count)).encode()


def _is_text(data: bytes) -> bool:
    return b"\0" not in data and data.decode("utf-8", "replace").encode() == data


def _is_blob(store: GitStore, path: Path) -> bool:
    return zlib.decompress(path.read_bytes()).startswith(b"blob")


def _blob(store: GitStore, commit: str) -> str:
    (sha,) = [sha for sha in store.objects(commit, set()) if _is_blob(store, _object(store, sha))]
    return sha


def _object(store: GitStore, sha: str) -> Path:
    return store.path / "objects" / sha[:2] / sha[2:]

"""Unified diffs are applied in memory, exactly or not at all."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.archive.diff import file_diff
from dgm.exchange.importers.patching import CannotApply, apply

lines = st.lists(
    st.sampled_from(["a", "b", "", "--- x", "+++ y", "@@ -1 +1 @@", "é", " ", "diff --git a/q b/q"]), max_size=14
)
texts = st.builds(lambda parts, end: ("\n".join(parts) + "\n" * end).encode(), lines, st.booleans())
names = st.sampled_from(["a.py", "b/c.py", "ü.py", "with blank.py", "q'uote.py", "d/e/f.txt"])
trees = st.dictionaries(names, texts, max_size=4)


@settings(deadline=None, max_examples=150)
@given(trees, trees)
def test_our_own_patches_lead_from_any_files_to_any_others(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    patch = "".join(file_diff(name, before.get(name), after.get(name)) for name in sorted({*before, *after}))
    assert apply(before, patch.encode()) == after


@settings(deadline=None, max_examples=8)
@given(trees, trees)
def test_the_patches_of_git_do_as_well(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for side, files in (("a", before), ("b", after)):
            Path(folder, side).mkdir()
            for name, content in files.items():
                place = Path(folder, side, name)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content)
        done = subprocess.run(
            ["git", "diff", "--no-index", "--no-prefix", "--no-renames", "a", "b"],
            cwd=folder,
            capture_output=True,
            check=False,
        )
        assert apply(before, done.stdout) == after


def test_a_hunk_is_found_where_lines_were_added_above() -> None:
    before = b"".join(b"%d\n" % n for n in range(30))
    patch = file_diff("f", before, before.replace(b"20\n", b"twenty\n")).encode()
    moved = b"new\n" * 5 + before
    assert apply({"f": moved}, patch) == {"f": moved.replace(b"20\n", b"twenty\n")}


def test_a_rename_keeps_what_is_not_changed() -> None:
    renamed = b"diff --git a/x b/y\nsimilarity index 90%\nrename from x\nrename to y\n"
    edited = renamed + b"--- a/x\n+++ b/y\n@@ -1 +1 @@\n-1\n+2\n"
    assert apply({"x": b"1\n3\n"}, edited) == {"y": b"2\n3\n"}
    assert apply({"x": b"1\n"}, renamed) == {"y": b"1\n"}


def test_folders_to_be_skipped_are_left_as_they_are() -> None:
    patch = file_diff("domains/judge.py", b"1\n", b"2\n") + file_diff("agent.py", b"1\n", b"2\n")
    files = {"domains/judge.py": b"1\n", "agent.py": b"1\n"}
    assert apply(files, patch.encode(), ("domains/",)) == {"domains/judge.py": b"1\n", "agent.py": b"2\n"}


@pytest.mark.parametrize(
    ("patch", "says"),
    [
        (file_diff("f", b"9\n", b"2\n"), "does not fit"),
        (file_diff("g", b"1\n", b"2\n"), "g is not there"),
        (file_diff("f", None, b"2\n"), "there already"),
        ("--- a/../../etc/passwd\n+++ b/../../etc/passwd\n@@ -0,0 +1 @@\n+x\n", "not a plain relative path"),
        ("diff --git a/.git/config b/.git/config\nnew file mode 100644\n--- /dev/null\n+++ b/.git/config\n"
         "@@ -0,0 +1 @@\n+x\n", "git's own"),
        ("diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n", "a link"),
        ("diff --git a/s b/s\nnew file mode 160000\n--- /dev/null\n+++ b/s\n@@ -0,0 +1 @@\n+x\n", "a submodule"),
        ("diff --git a/f b/f\nindex 1..2 100644\nGIT binary patch\nliteral 0\n", "binary"),
        ("--- a/f\n+++ b/f\n@@ -1,5 +1 @@\n-1\n", "ends within a hunk"),
        ("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-1\nhello\n", "no line of a hunk"),
        ("--- a/f\n+++ b/f\n@@ -1,2 +1 @@\n-1\n+2\n+3\n", "more lines than it says"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_says_where(patch: str, says: str) -> None:
    with pytest.raises(CannotApply, match=says):
        apply({"f": b"1\n"}, patch.encode())


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300) | texts)
def test_bytes_of_any_kind_are_applied_or_refused(patch: bytes) -> None:
    with suppress(CannotApply):
        assert isinstance(apply({"a.py": b"a\n"}, b"--- a/a.py\n+++ b/a.py\n" + patch), dict)

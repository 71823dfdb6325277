"""Reads instances in SWE-bench's format, and names the image that belongs to each.

An instance is one JSON object a line: `instance_id`, `repo`, `base_commit`, `problem_statement`, `patch`, `test_patch`,
`FAIL_TO_PASS` and `PASS_TO_PASS` (lists of test ids, or JSON text of such a list). Two fields are ours: `files`, the
repository at `base_commit` as text by path, and `runner`, which is `unittest` where the tests run without an image. A
row may name its `image`, where that is called otherwise than the published one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dgm.domain import JSON
from dgm.domain.records import Row
from dgm.domain.records import read as read_rows

TEXTS = ("repo", "base_commit", "problem_statement", "patch", "test_patch")
RUNNERS = ("unittest",)
ID = re.compile(r"[A-Za-z0-9][\w.-]*__[\w.-]+-\w+")


@dataclass(frozen=True, slots=True)
class Instance:
    """One issue with its repository, its gold patch and the tests that tell whether it is resolved."""

    id: str
    repo: str
    statement: str
    patch: str
    test_patch: str
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    runner: str = ""  #: what runs its tests without an image; "" where it needs one
    split: str = ""  #: "train", "val" or "test" where the file says so
    files: Mapping[str, str] = field(default_factory=dict)
    image: str = ""  #: "" for the published name


def read(path: Path) -> list[Instance]:
    """All instances of a file, in its order. Raises UserError with file and line for what is none."""
    kinds: dict[str, type] = {"instance_id": str, **dict.fromkeys(TEXTS, str)}
    return [_instance(row) for row in read_rows(path, kinds, "instance_id", _complaint)]


def image(instance_id: str, architecture: str = "x86_64", namespace: str = "swebench") -> str:
    """The image of an instance as it is published; with an empty namespace, as it is called when built locally.

    Registries allow no double underscore in a name, so the published one has `_1776_` in its place.
    """
    name = f"sweb.eval.{architecture}.{instance_id.lower()}"
    return f"{namespace}/{name.replace('__', '_1776_')}:latest" if namespace else f"{name}:latest"


def _complaint(row: Row) -> str:
    if not ID.fullmatch(row["instance_id"]):
        return f"instance_id {row['instance_id']!r:.60} does not look like OWNER__REPO-NUMBER"
    for name in ("FAIL_TO_PASS", "PASS_TO_PASS"):
        if _tests(row.get(name)) is None:
            return f"{name} must be a list of test ids, or JSON text of one"
    if not _tests(row["FAIL_TO_PASS"]):
        return "FAIL_TO_PASS names no test, so nothing could be resolved"
    if row.get("runner", "") not in ("", *RUNNERS):
        return f"runner must be {' or '.join(RUNNERS)}, or be left out"
    if row.get("split", "") not in ("", "train", "val", "test"):
        return "split must be train, val or test, or be left out"
    if type(row.get("image", "")) is not str:
        return "image must be the name of one, or be left out"
    files = row.get("files", {})
    if type(files) is not dict or not all(type(text) is str for text in files.values()):
        return "files must be an object of texts by path"
    return ""


def _instance(row: Row) -> Instance:
    return Instance(
        row["instance_id"],
        row["repo"],
        row["problem_statement"],
        row["patch"],
        row["test_patch"],
        _tests(row["FAIL_TO_PASS"]) or (),
        _tests(row["PASS_TO_PASS"]) or (),
        row.get("runner", ""),
        row.get("split", ""),
        row.get("files", {}),
        row.get("image", ""),
    )


def _tests(value: JSON) -> tuple[str, ...] | None:
    """The ids; None for what is no list of them."""
    try:
        listed = json.loads(value) if type(value) is str else value
    except ValueError:
        return None
    if type(listed) is not list or not all(type(test) is str and test for test in listed):
        return None
    return tuple(listed)

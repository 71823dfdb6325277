"""Reads what the kernel wrote about earlier agents. Read only; whatever is absent is simply not there.

A row of a task file: {"inputs", "files", "answer", "prediction", "output", "label", "score", "status", "log"}.
"""

import json
from pathlib import Path

MOST_PATCHES = 30


def read_lines(path):
    """The JSON objects of a file, one a line; lines that are none are passed over."""
    rows = []
    if path.is_file():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                rows.append(row)
    return rows


class Feedback:
    def __init__(self, path):
        self.path = Path(path)
        self.archive = read_lines(self.path / "archive.jsonl")

    def may_change(self):
        """The halves that may be edited."""
        file = self.path / "evolve.json"
        try:
            halves = json.loads(file.read_text())
        except (OSError, ValueError):
            return {"agent", "meta"}
        return {half for half in halves if isinstance(half, str)}

    def parent(self):
        for row in self.archive:
            if row.get("role") == "parent":
                return row.get("id")
        return None

    def tasks(self):
        """{domain: rows of the parent on its train tasks}; only tasks whose label is told, or that have a goal."""
        folder = self.path / "agents" / str(self.parent())
        found = {}
        for file in sorted(folder.glob("*.jsonl")) if folder.is_dir() else []:
            rows = [r for r in read_lines(file) if isinstance(r.get("inputs"), dict)]
            rows = [r for r in rows if r.get("label") is not None or {"goal", "info"} <= set(r["inputs"])]
            if rows:
                found[file.stem] = rows
        return found

    def patches(self):
        """Source that other agents' patches add: [(path, added text)], relatives first."""
        order = [
            str(r.get("id")) for r in self.archive if r.get("role") in ("mate", "sibling", "child", "best", "other")
        ]
        added = []
        for name in order[:MOST_PATCHES]:
            file = self.path / "agents" / name / "patch.diff"
            if file.is_file():
                added += split_patch(file.read_text(encoding="utf-8", errors="replace"))
        return added


def split_patch(text):
    """[(path, the added lines of it)] of a unified diff."""
    parts, path, lines = [], None, []
    for line in text.splitlines():
        if line.startswith("+++ "):
            if path and lines:
                parts.append((path, "\n".join(lines)))
            path, lines = line[4:].split("\t")[0].removeprefix("b/"), []
        elif line.startswith("+"):
            lines.append(line[1:])
    if path and lines:
        parts.append((path, "\n".join(lines)))
    return parts

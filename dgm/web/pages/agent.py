"""One agent: scores, family, what it changed, which tasks it gained and lost, what it and its tasks said."""

from __future__ import annotations

from typing import Any

from dgm.analysis.comparison import mcnemar
from dgm.archive import database, kinds
from dgm.archive.steered import KIND
from dgm.domain import JSON
from dgm.errors import UserError
from dgm.web import rows
from dgm.web.pages import common, diffs
from dgm.web.shelf import Book

MAX_FAMILY = 200
MAX_TASKS = 400
MAX_CALLS = 500
MAX_TEXT = 20_000
"""Characters of one value of a transcript that are sent with a page of rows."""
MAX_FILE = 400_000
PAGE = 40
"""Transcript rows that are sent at once."""


def agent(book: Book, number: int) -> dict[str, Any]:
    """Everything on the agent but its files, its diff and its transcripts."""
    snapshot = book.snapshot
    record, made = snapshot.agent(number), snapshot.proposals[number]
    before = -1 if record.parent is None else record.parent
    children = snapshot.children.get(number, [])
    siblings = [] if record.parent is None else snapshot.children[record.parent]
    with database.reader(book.path) as connection:
        logs = rows.logs(connection, number)
    return {
        **common.brief(snapshot, record),
        "summary": record.summary,
        "reason": record.reason,
        "author": record.author,
        "parent2": record.parent2,
        "works": record.admission.works,
        "tree": record.tree,
        "commit": record.commit,
        "created": record.created,
        "changed": list(record.changed),
        "scores": [common.score(score) for score in snapshot.scores(number) if score.n],
        "parent_scores": [common.score(s) for s in snapshot.scores(before) if s.n],
        "lineage": snapshot.lineage(number),
        "children": [common.brief(snapshot, snapshot.agents[i]) for i in children[:MAX_FAMILY]],
        "children_total": len(children),
        "siblings": [i for i in siblings if i != number][:MAX_FAMILY],
        "proposal": {
            "selector": made.selector,
            "key": made.key,
            "archive_version": made.archive_version,
            "started": made.started,
            "seconds": made.seconds,
            "improve": made.improve_seconds,
            "evaluate": made.evaluate_seconds,
            "stages": made.stage,
            "note": made.note,
        },
        "cost": common.spent(snapshot.spent.get(number)),
        "flags": common.flags(snapshot.events).get(number, []),
        "events": [
            {"time": e.time, "kind": e.kind, "body": e.body}
            for e in snapshot.events
            if e.kind != KIND and isinstance(e.body, dict) and e.body.get("agent") == number
        ],
        "logs": [{"name": name, "rows": count} for name, count in logs],
        "best_of": [row.domain for row in snapshot.outcome().rows if row.agent == number],
        "best_of_all": snapshot.outcome().overall == number,
    }


def against(book: Book, number: int, other: Book, rival: int) -> list[dict[str, Any]]:
    """What the first agent gained and lost against another, by domain and split: tasks that both were judged on, of
    one archive or of two. `p` is the exact McNemar test's where all were passed or failed."""
    mine, theirs = _verdicts(book, number), _verdicts(other, rival)
    found = []
    for key in sorted(mine.keys() & theirs.keys()):
        shared = [t for t in mine[key] if t in theirs[key]]
        gained = [t for t in shared if mine[key][t][0] > theirs[key][t][0]]
        lost = [t for t in shared if mine[key][t][0] < theirs[key][t][0]]
        binary = all(v[t][0] in (0.0, 1.0) for v in (mine[key], theirs[key]) for t in shared)
        found.append(
            {
                "domain": key[0],
                "split": key[1],
                "n": len(shared),
                "gained": [_change(t, theirs[key][t], mine[key][t]) for t in gained[:MAX_TASKS]],
                "lost": [_change(t, theirs[key][t], mine[key][t]) for t in lost[:MAX_TASKS]],
                "gained_total": len(gained),
                "lost_total": len(lost),
                "difference": round(sum(mine[key][t][0] - theirs[key][t][0] for t in shared) / max(1, len(shared)), 5),
                "p": round(mcnemar(len(gained), len(lost)), 5) if binary else None,
            }
        )
    return found


Verdicts = dict[tuple[str, str], dict[str, tuple[float, str, int]]]


def _verdicts(book: Book, number: int) -> Verdicts:
    """Domain and split to task to score, status and milliseconds; missing ones left out."""
    book.snapshot.agent(number)
    with database.reader(book.path) as connection:
        tasks = {task.id: task for task in rows.tasks(connection)}
        verdicts = rows.verdicts_of(connection, number)
    found: Verdicts = {}
    for at, score, status, ms in verdicts:
        if score is not None:
            found.setdefault((tasks[at].domain, tasks[at].split), {})[tasks[at].name] = (score, status, ms)
    return found


def _change(task: str, before: tuple[float, str, int], after: tuple[float, str, int]) -> list[Any]:
    return [task, before[0], before[1], after[0], after[1]]


def diff(book: Book, number: int, other: Book, rival: int | None) -> dict[str, Any]:
    """From `rival` (None: from nothing) to the agent."""
    old = {} if rival is None else other.files(rival)
    return {"files": diffs.between(old, book.files(number))}


def files(book: Book, number: int) -> dict[str, Any]:
    return {"files": [{"path": path, "bytes": len(data)} for path, data in book.files(number).items()]}


def file(book: Book, number: int, path: str) -> dict[str, Any]:
    """A file's text, or why there is none to show."""
    data = book.files(number).get(path)
    if data is None:
        raise UserError(f"{book.name}#{number} has no file {path}")
    if b"\0" in data:
        return {"path": path, "text": None, "note": f"{len(data)} bytes that are no text"}
    note = f"only the first {MAX_FILE} of {len(data)} bytes are shown" if len(data) > MAX_FILE else ""
    return {"path": path, "text": data[:MAX_FILE].decode("utf-8", "replace"), "note": note}


def log(book: Book, number: int, name: str, start: int, status: str) -> dict[str, Any]:
    """Some rows of a transcript from place `start` on, of those with `status` if that is given, cut to a readable
    length. `next` is the place to go on at."""
    rows_of_it = _log(book, number, name)
    counts: dict[str, int] = {}
    for row in rows_of_it:
        counts[str(row.get("status", ""))] = counts.get(str(row.get("status", "")), 0) + 1
    places = [at for at, row in enumerate(rows_of_it) if not status or row.get("status") == status]
    places = [at for at in places if at >= start]
    shown = [{"place": at, **{key: _cut(value) for key, value in rows_of_it[at].items()}} for at in places[:PAGE]]
    after = places[PAGE] if len(places) > PAGE else None
    return {"rows": shown, "next": after, "total": len(rows_of_it), "statuses": counts}


def log_task(book: Book, number: int, name: str, task: str) -> dict[str, Any]:
    """One task's row, whole."""
    for row in _log(book, number, name):
        if row.get("task") == task:
            return {"row": row}
    raise UserError(f"{book.name}#{number} has no transcript of the task {task}")


def _log(book: Book, number: int, name: str) -> list[dict[str, JSON]]:
    with database.reader(book.path) as connection:
        if name not in {known for known, _ in rows.logs(connection, number)}:
            raise UserError(f"{book.name}#{number} has no transcript {name}")
    return book.logs.read(number, name)


def _cut(value: JSON) -> JSON:
    if isinstance(value, str):
        more = len(value) - MAX_TEXT
        return value if more <= 0 else f"{value[:MAX_TEXT]}\n… {more} more characters"
    if isinstance(value, dict):
        return {key: _cut(below) for key, below in value.items()}
    if isinstance(value, list):
        return [_cut(below) for below in value]
    return value


def calls(book: Book, number: int) -> dict[str, Any]:
    """The model calls that a proposal took, without what was said."""
    with rows.calls(book.path) as connection:
        found = rows.calls_of(connection, number, MAX_CALLS) if connection is not None else []
    return {"calls": found, "total": book.snapshot.spent.get(number, common.NOBODY).calls}


def call(book: Book, number: int, which: int) -> dict[str, Any]:
    """What was said in one call: the messages asked with, and the reply."""
    with rows.calls(book.path) as connection:
        found = rows.call(connection, number, which) if connection is not None else None
    if found is None:
        raise UserError(f"{book.name}#{number} has no model call {which} on record")
    return {"request": _cut(_json(found[0])), "reply": _cut(_json(found[1]))}


def _json(text: str) -> JSON:
    try:
        return kinds.loads(text) if text else None
    except ValueError:
        return text

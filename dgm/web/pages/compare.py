"""Two agents beside each other, and runs beside each other."""

from __future__ import annotations

from typing import Any

from dgm.errors import UserError
from dgm.web.pages import agent as agents
from dgm.web.pages import common, overview
from dgm.web.shelf import Book, Shelf

MAX_RUNS = 24
SPOILT = (UserError, ValueError, TypeError, LookupError, ArithmeticError)
"""What reading an archive may end in that somebody spoilt: it must not hide those that stand beside it."""


def two(first: Book, number: int, second: Book, rival: int) -> dict[str, Any]:
    """The second agent against the first: scores of both, and tasks gained and lost."""
    return {
        "first": _side(first, number),
        "second": _side(second, rival),
        "tasks": agents.against(second, rival, first, number),
    }


def _side(book: Book, number: int) -> dict[str, Any]:
    snapshot = book.snapshot
    record = snapshot.agent(number)
    return {
        **common.brief(snapshot, record),
        "archive": book.name,
        "genome": record.commit is not None,
        "scores": [common.score(score) for score in snapshot.scores(number) if score.n],
        "cost": common.spent(snapshot.spent.get(number)),
    }


def runs(shelf: Shelf, names: list[str]) -> dict[str, Any]:
    """Progress, outcome and cost of several runs; one that cannot be read says why."""
    if len(names) > MAX_RUNS:
        raise UserError(f"{len(names)} runs are too many to compare at once; choose at most {MAX_RUNS}")
    found: list[dict[str, Any]] = []
    for name in names:
        try:
            found.append(_run(shelf.book(name)))
        except SPOILT as error:
            found.append({"name": name, "problem": _problem(error)})
    return {"runs": found}


def _run(book: Book) -> dict[str, Any]:
    snapshot = book.snapshot
    outcome = snapshot.outcome()
    return {
        **overview.heading(book),
        "setup": overview.setup(snapshot),
        "best": [
            {"domain": r.domain, "agent": r.agent, "val": common.score(r.val), "test": common.score(r.test),
             "root_test": common.score(r.root_test), "root_val": common.score(r.root_val)}
            for r in outcome.rows
        ],
        "overall": outcome.overall,
        "overall_mean": snapshot.mean(outcome.overall),
        "root_mean": snapshot.mean(0),
        "progress": overview.progress(snapshot, outcome.overall),
        "cost": snapshot.kept("cost", lambda: overview.cost(snapshot)),
    }  # fmt: skip


def _problem(error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    return f"its rows do not agree with each other ({type(error).__name__}); run dgm verify"


def archives(shelf: Shelf) -> dict[str, Any]:
    """The list of archives, the running and the latest first."""
    found: list[dict[str, Any]] = []
    for name in shelf.names():
        try:
            book = shelf.book(name)
            best = book.snapshot.outcome().overall
            means = {"overall": best, "mean": book.snapshot.mean(best), "root_mean": book.snapshot.mean(0)}
            found.append({**overview.heading(book), **means})
        except SPOILT as error:
            found.append({"name": name, "problem": _problem(error)})
    found.sort(key=lambda run: (not run.get("running"), -(run.get("last") or 0.0), run["name"]))
    return {"folder": shelf.folder.name, "archives": found}

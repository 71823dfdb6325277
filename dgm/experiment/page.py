"""The report of an experiment: one HTML file that needs nothing else, with its figures as shapes inside.

Without matplotlib it has the tables alone, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from dgm.errors import UserError
from dgm.exchange.exports.markup import head, said, table
from dgm.experiment import conduct, present
from dgm.experiment.contrast import Line
from dgm.experiment.outcome import Outcome
from dgm.experiment.plan import Plan
from dgm.reporting import text

FILE = "report.html"


def write(plan: Plan, folder: Path, lines: Sequence[Line], outcomes: Sequence[Outcome]) -> Path:
    """Write the report into the experiment's folder; its path."""
    file, scratch = folder / FILE, folder / f".{FILE}"
    scratch.write_text("\n".join(_page(plan, folder, lines, outcomes)) + "\n", encoding="utf-8")
    scratch.replace(file)
    return file


def _page(plan: Plan, folder: Path, lines: Sequence[Line], outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield head(folder.name)
    yield f"<h1>{said(folder.name)}</h1>"
    yield f"<p>{len(plan.variants)} variants, {plan.experiment.repeats} repeats; {len(outcomes)} runs have ended.</p>"
    yield table(present.main_table(plan, lines, folder.name))
    left_out = conduct.left_out(plan, folder)
    yield "".join(f"<p>{said(sentence)}</p>" for sentence in present.sentences(plan, lines, outcomes, left_out))
    yield "<h2>Figures</h2>"
    yield from _figures(plan, folder, lines)
    yield "<h2>Runs</h2>"
    yield table(present.runs_table(outcomes))
    yield "<h2>The file</h2>"
    yield "<pre>" + "\n".join(said(line) for line in plan.text.splitlines()) + "</pre>"
    yield "</body></html>"


def _figures(plan: Plan, folder: Path, lines: Sequence[Line]) -> Iterator[str]:
    from dgm import plots
    from dgm.experiment import figures

    if not lines:
        yield "<p>No run has ended yet.</p>"
        return
    for draw in (figures.gains, figures.progress):
        try:
            yield f"<figure>{plots.inline(draw(plan, folder, lines))}</figure>"
        except UserError as error:  # no matplotlib, or a run without complete scores
            yield f"<p>{said(text.one_line(str(error)))}</p>"

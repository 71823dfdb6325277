"""Agents × tasks as a heat map: which tasks everybody solves, which nobody does, and who was first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dgm import results
from dgm.archive import Archive
from dgm.errors import UserError
from dgm.plots import canvas

if TYPE_CHECKING:
    from dgm.archive.view import Floats
    from dgm.plots.canvas import Figure

NAMED = 40


def draw(archive: Archive, domain: str | None = None) -> Figure:
    """One panel per domain, on the split that agents are chosen by; tasks from the easiest to the hardest. White is
    not measured. Raises UserError without verdicts."""
    import numpy as np

    chosen = results.chosen_scores(archive)
    domains = [d for d in sorted(chosen) if domain in (None, d) and chosen[d]]
    if not domains:
        raise UserError(f"{archive.name} has no results{f' in {domain}' if domain else ''} to draw yet")
    canvas.panels(archive.name, domains)
    tables = {name: _table(archive, name, next(iter(chosen[name].values())).split) for name in domains}
    height = sum(1.0 + 0.13 * min(len(agents), 60) for agents, _, _ in tables.values())
    ratios = [max(4, min(len(agents), 60)) for agents, _, _ in tables.values()]
    figure, grid = canvas.figure(
        len(domains), 1, (7.0, min(14.0, height + 0.6)), squeeze=False, gridspec_kw={"height_ratios": ratios}
    )
    for axes, (name, (agents, tasks, values)) in zip(grid[:, 0], tables.items(), strict=True):
        shown = axes.imshow(
            np.ma.masked_invalid(values), aspect="auto", cmap=canvas.MAPPING, vmin=0, vmax=1, interpolation="nearest"
        )
        step = max(1, len(agents) // 20)
        axes.set_yticks(range(0, len(agents), step), [f"#{agents[i]}" for i in range(0, len(agents), step)], fontsize=7)
        if len(tasks) <= NAMED:
            axes.set_xticks(range(len(tasks)), [canvas.plain(t, 16) for t in tasks], rotation=90, fontsize=6)
        axes.set_title(f"{canvas.plain(name)}: {len(tasks)} tasks, the easiest on the left", fontsize=9)
        axes.grid(False)
    figure.colorbar(shown, ax=grid[:, 0], label="score", shrink=0.6)
    figure.suptitle(f"{canvas.plain(archive.name)}: who solves what", fontsize=10)
    return figure


def _table(archive: Archive, domain: str, split: str) -> tuple[list[int], list[str], Floats]:
    """Agents, tasks by how many solve them, and scores of shape (agents, tasks); NaN where one is missing."""
    import numpy as np

    rows = {a.id: archive.verdicts(a.id, domain, split) for a in archive.agents() if a.admission.works}
    rows = {agent: verdicts for agent, verdicts in rows.items() if verdicts}
    names = sorted({verdict.task for verdicts in rows.values() for verdict in verdicts})
    at = {name: i for i, name in enumerate(names)}
    values = np.full((len(rows), len(names)), np.nan)
    for row, verdicts in enumerate(rows.values()):
        for verdict in verdicts:
            values[row, at[verdict.task]] = np.nan if verdict.score is None else verdict.score
    solved = np.nansum(values, axis=0)
    order = np.argsort(-solved, kind="stable")
    return list(rows), [names[i] for i in order], values[:, order]

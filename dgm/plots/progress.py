"""Progress: every agent's score, the best so far with its interval, the archive's mean, and the best lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dgm import results
from dgm.analysis.metrics import Series, best_so_far
from dgm.archive import Archive, ScoreRecord
from dgm.archive.lineage import lineage
from dgm.errors import UserError
from dgm.exchange.exports.curve import running_mean
from dgm.plots import canvas

if TYPE_CHECKING:
    from dgm.plots.canvas import Axes, Figure


def draw(archive: Archive, domain: str | None = None) -> Figure:
    """One panel per domain, or the one asked for. Raises UserError without a score."""
    chosen = results.chosen_scores(archive)
    domains = [d for d in sorted(chosen) if domain in (None, d) and chosen[d]]
    if not domains:
        raise UserError(f"{archive.name} has no complete score{f' in {domain}' if domain else ''} to draw yet")
    canvas.panels(archive.name, domains)
    figure, grid = canvas.figure(1, len(domains), (3.1 * len(domains) + 0.6, 3.4), squeeze=False, sharex=True)
    for axes, name in zip(grid[0], domains, strict=True):
        _panel(axes, archive, name, chosen[name])
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8)
    figure.suptitle(f"{canvas.plain(archive.name)}: progress on val, 95 % intervals", fontsize=10)
    return figure


def _panel(axes: Axes, archive: Archive, domain: str, scores: dict[int, ScoreRecord]) -> None:
    values = Series.of(archive, domain).val
    places = range(len(values))
    axes.plot(*_known(values), "o", ms=3.5, color=canvas.LIGHT, mec=canvas.GREY, mew=0.5, label="an agent")
    axes.plot(*_known(running_mean(values)), "--", lw=1.2, color=canvas.COLOURS[1], label="mean of the archive")
    best = best_so_far(values)
    holders = [_holder(scores, values, best, at) for at in places]
    band = [(at, scores[who]) for at, who in zip(places, holders, strict=True) if who is not None]
    axes.fill_between(
        [at for at, _ in band], [s.low for _, s in band], [s.high for _, s in band],
        step="post", color=canvas.COLOURS[0], alpha=0.15, lw=0, label="its interval",
    )  # fmt: skip
    axes.step(*_known(best), where="post", lw=1.8, color=canvas.COLOURS[0], label="best so far")
    way = [i for i in lineage(archive.agents(), results.best_per_domain(archive)[domain]) if i in scores]
    axes.plot(
        way, [scores[i].mean for i in way], "-s", ms=4, lw=1, color=canvas.COLOURS[2], mfc="white",
        label="lineage of the best",
    )  # fmt: skip
    axes.set_title(canvas.plain(domain), fontsize=9)
    axes.set_xlabel("proposal")
    canvas.score_axis(axes, "mean score")


def _known(values: list[float | None]) -> tuple[list[int], list[float]]:
    known = [(at, value) for at, value in enumerate(values) if value is not None]
    return [at for at, _ in known], [value for _, value in known]


def _holder(scores: dict[int, ScoreRecord], values: list[Any], best: list[float | None], at: int) -> int | None:
    """The agent that was the best when proposal `at` was made; the oldest of equals."""
    return next((i for i in range(at + 1) if i in scores and values[i] is not None and values[i] == best[at]), None)

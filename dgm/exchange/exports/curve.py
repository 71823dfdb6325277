"""The progress of a run as an SVG that stands in a page: every agent's mean, the best so far, and the archive's mean.

Plain shapes written by hand, so that a page needs no library. The figures for print are `dgm.plots`.
"""

from __future__ import annotations

from collections.abc import Sequence

from dgm.analysis.metrics import Series, best_so_far
from dgm.archive import Archive

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 900, 300, 45, 30, 12


def svg(archive: Archive) -> str:
    """The mean over the domains of the score that agents are chosen by, proposal by proposal."""
    values = Series.of(archive).val
    if not any(value is not None for value in values):
        return "<p>No agent has a score in every domain yet.</p>"
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    pad = (high - low) * 0.08 or 0.05
    low, high = max(0.0, low - pad), min(1.0, high + pad)

    def x(at: int) -> float:
        return LEFT + (WIDTH - LEFT - 10) * at / max(1, len(values) - 1)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    def line(series: Sequence[float | None], look: str) -> str:
        points = " ".join(f"{x(i):.1f},{y(v):.1f}" for i, v in enumerate(series) if v is not None)
        return f'<polyline points="{points}" fill="none" {look}/>'

    marks = "".join(
        f'<circle cx="{x(i):.1f}" cy="{y(v):.1f}" r="3" fill="#56b4e9"><title>#{i}: {v:.3f}</title></circle>'
        for i, v in enumerate(values)
        if v is not None
    )
    axes = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - 10}" y1="{y(t):.1f}" y2="{y(t):.1f}" stroke="#8884"/>'
        f'<text x="{LEFT - 6}" y="{y(t) + 4:.1f}" text-anchor="end">{t:.3f}</text>'
        for t in (low + (high - low) * step / 4 for step in range(5))
    )
    legend = '<tspan fill="#0072b2">best so far</tspan><tspan dx="12" fill="#d55e00">mean of the archive</tspan>'
    best = line(best_so_far(values), 'stroke="#0072b2" stroke-width="2"')
    mean = line(running_mean(values), 'stroke="#d55e00" stroke-width="1.5" stroke-dasharray="6 3"')
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" font-size="12" fill="currentColor">'
        f"<title>Mean val score by proposal</title>{axes}{marks}{best}{mean}"
        f'<text x="{LEFT}" y="{HEIGHT - 8}">proposal 0 to {len(values) - 1}</text>'
        f'<text x="{WIDTH - 10}" y="{HEIGHT - 8}" text-anchor="end">{legend}</text></svg>'
    )


def running_mean(values: Sequence[float | None]) -> list[float | None]:
    """The mean of all values up to each place; None before the first."""
    means: list[float | None] = []
    total, count = 0.0, 0
    for value in values:
        if value is not None:
            total, count = total + value, count + 1
        means.append(total / count if count else None)
    return means

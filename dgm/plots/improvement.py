"""imp@k: what the best of the first k children, chosen on val, gains over the root on test, for every k that is known.

The test score of an agent is known where it was measured: by default for the agents chosen at the end. Where it is
missing, the gain on val is drawn instead, as an open line that says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dgm import results
from dgm.analysis.metrics import Series, best_so_far, imp_at_k
from dgm.archive import Archive
from dgm.errors import UserError
from dgm.plots import canvas
from dgm.reporting import report

if TYPE_CHECKING:
    from dgm.plots.canvas import Figure


def draw(archive: Archive, domain: str | None = None) -> Figure:
    """Gain over k, of one domain or of the mean over all. Raises UserError where nothing is known."""
    series = Series.of(archive, domain)
    if len(series.val) < 2 or series.val[0] is None or not any(v is not None for v in series.val[1:]):
        raise UserError(f"{archive.name} has no children with complete scores yet")
    ks = range(1, len(series.val))
    on_val = [None if b is None else b - series.val[0] for b in best_so_far([None, *series.val[1:]])[1:]]
    on_test = {k: gain for k in ks if (gain := imp_at_k(series.val, series.test, k)) is not None}
    handed = {k: _best(series.val, k) for k in on_test}
    by_agent = {agent: _spread(archive, agent, domain) for agent in set(handed.values())}
    spread = {k: by_agent[agent] for k, agent in handed.items()}
    figure, axes = canvas.figure(size=(5.4, 3.4))
    known = [(k, gain) for k, gain in zip(ks, on_val, strict=True) if gain is not None]
    axes.step(
        [k for k, _ in known], [g for _, g in known], "--", where="post", color=canvas.GREY, lw=1.2,
        label="on val, where it was chosen (optimistic)",
    )  # fmt: skip
    if on_test:
        low_high = [[spread[k][side] for k in on_test] for side in (0, 1)]
        axes.errorbar(
            list(on_test), list(on_test.values()), yerr=low_high, fmt="o", ms=5, capsize=3, lw=1,
            color=canvas.COLOURS[0], label="imp@k on test, 95 % interval",
        )  # fmt: skip
    axes.axhline(0, lw=0.8, color="black")
    axes.set_xlabel("k, children of the run")
    axes.set_ylabel(f"gain over the root, {domain or 'mean of the domains'}")
    axes.legend(fontsize=8)
    figure.suptitle(f"{canvas.plain(archive.name)}: improvement at k", fontsize=10)
    return figure


def _best(val: Sequence[float | None], k: int) -> int:
    """The child that imp@k hands over."""
    return max((i for i in range(1, k + 1) if val[i] is not None), key=lambda i: (val[i] or 0.0, -i))


def _spread(archive: Archive, agent: int, domain: str | None) -> tuple[float, float]:
    """How far the 95 % interval of an agent's gain reaches below and above it: paired by task in each domain, the
    domains' intervals combined by square and add."""
    names = [d for d in results.chosen_scores(archive) if domain in (None, d)]
    gains = [gain for name in names if (gain := report.gain(archive, name, agent)) is not None]
    below = math.hypot(*(gain.mean - gain.low for gain in gains)) / len(gains)
    return below, math.hypot(*(gain.high - gain.mean for gain in gains)) / len(gains)

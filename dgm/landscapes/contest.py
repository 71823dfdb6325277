"""Who is compared: our strategy, the Huxley-Goedel Machine, and staged evaluation with every selector.

Not covered: selectors of installed packages; they are compared with `--selector`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from dgm.selection import SELECTORS, selector
from dgm.strategy import DEFAULT, Strategy, strategy
from dgm.strategy.staged import Staged, Step

OURS = DEFAULT
HGM = "hgm"
BASELINE = "score_child_prop"
BEST_STAGES = "score_child_prop, stages 5 and 10"
DGM = "score_child_prop_dgm, DGM's stages"

_OWN_STAGES = (Step(5, 0.0, above=True), Step(10))
"""Of all first stages of 5 and 10 and second ones of 10 to 40 the least evaluations on seeds 0 to 39."""

MAIN = (OURS, HGM, BASELINE, BEST_STAGES)
"""Those that a comparison cannot do without."""


def everybody() -> list[str]:
    """All contestants: the main ones, then the others. A plain name of a selector is it with HA's stages."""
    return [*MAIN, DGM, *(name for name in SELECTORS.ours if name != BASELINE)]


@lru_cache
def contestant(name: str) -> Strategy:
    """By name. Raises UserError for a selector that there is not."""
    if name in (OURS, HGM):
        return strategy(name)
    if name == BEST_STAGES:
        return Staged(selector(BASELINE), _OWN_STAGES)
    if name == DGM:
        return strategy("staged_dgm", "score_child_prop_dgm")
    return strategy("staged", name)


def chosen(quick: bool, more: Sequence[str] = ()) -> list[str]:
    """The main ones alone, or everybody; and `more` besides."""
    return list(dict.fromkeys([*(MAIN if quick else everybody()), *more]))

"""Choosing a parent: each selector is a pure function from a view of the archive to probabilities.

The draw itself is `choose`, one uniform number of a seeded generator, so that a recorded choice can be derived
again. A selector sees eligible agents only: those that work and have a score in every domain. Its modules, by
family: `simple` (controls), `published` (Hyperagents, DGM), `ranks` (tournament, ShinkaEvolve), `optimism` (UCB),
`fronts` (Pareto, GEPA), `diversity` (novelty, MAP-Elites), `islands`, `mates` (M2N2). They are loaded when named,
because they need numpy. Installed packages add selectors through the entry-point group `dgm.selectors`.

Not covered: what to do next (expand or measure more), and whether a child is admitted.
"""

from __future__ import annotations

import inspect
import re
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from dgm.plugins import Plugins

if TYPE_CHECKING:
    from dgm.archive.view import Floats, View

_PLACE = re.compile(r"[\w.]+:[\w.]+")


class Selector(Protocol):
    """A rule for parents."""

    def __call__(self, view: View, /) -> Floats:
        """Probabilities, one for each agent of the view, that sum to 1. The view is never empty, all its agents are
        eligible, and its arrays cannot be written to."""
        ...


class Uniform(Protocol):
    """What a draw needs of a generator: `random.Random` has it, NumPy's generators have it."""

    def random(self) -> float:
        """In [0, 1)."""
        ...


@runtime_checkable
class Pairing(Protocol):
    """A selector that also knows who goes well with a parent."""

    def __call__(self, view: View, /) -> Floats: ...

    def mate(self, view: View, row: int, /) -> Floats:
        """Probabilities of a second parent for the agent in `row`, which has none itself; all zero when nobody
        would add anything."""
        ...


SELECTORS = Plugins(
    "dgm.selectors",
    "--selector",
    __name__,
    {
        "random": "simple:random_",
        "root": "simple:root",
        "latest": "simple:latest",
        "best": "simple:best",
        "score_prop": "published:score_prop",
        "score_prop_dgm": "published:score_prop_dgm",
        "score_child_prop": "published:score_child_prop",
        "score_child_prop_paper": "published:score_child_prop_paper",
        "score_child_prop_dgm": "published:score_child_prop_dgm",
        "tournament": "ranks:tournament",
        "power_law": "ranks:power_law",
        "weighted": "ranks:weighted",
        "ucb": "optimism:ucb",
        "pareto": "fronts:pareto",
        "pareto_tasks": "fronts:pareto_tasks",
        "novelty": "diversity:novelty",
        "map_elites": "diversity:map_elites",
        "islands": "islands:islands",
        "mates": "mates:mates",
    },
)


def selector(name: str) -> Selector:
    """The selector called `name`, or `MODULE:FUNCTION`, which Python can import. Raises UserError naming those there
    are, or saying why one cannot be used."""
    if name in SELECTORS.ours:
        rule: Selector = SELECTORS.load(name)
        return rule
    point = EntryPoint(name, name, SELECTORS.group) if _PLACE.fullmatch(name) else SELECTORS.find(name)
    from dgm.selection.installed import Installed  # here, because it needs numpy

    return Installed.load(point)


def described() -> dict[str, str]:
    """Name to the first paragraph that each selector says of itself; for those of other packages, where they are."""
    ours = {name: inspect.getdoc(SELECTORS.load(name)) or "" for name in SELECTORS.ours}
    told = {name: " ".join(text.partition("\n\n")[0].split()) for name, text in ours.items()}
    return {name: told.get(name) or f"installed as {SELECTORS.find(name).value}" for name in SELECTORS.names()}


def choose(view: View, select: Selector, rng: Uniform) -> int:
    """Draw one parent, by one number of `rng`; its id. Where no agent is eligible it is the first one, undrawn."""
    if not len(view):
        raise ValueError("an archive has at least its root")
    eligible = view.eligible
    if not eligible.any():
        return int(view.id[0])
    if not eligible.all():
        view = view.take(eligible.nonzero()[0])
    return int(view.id[_draw(select(view), rng)])


def choose_mate(view: View, select: Selector, parent: int, rng: Uniform) -> int | None:
    """Draw a second parent for the agent `parent`; its id. None where the selector makes no pairs, the parent is not
    eligible, or nobody would add anything."""
    if not isinstance(select, Pairing):
        return None
    view = view.take(view.eligible.nonzero()[0])
    row = int(view.id.searchsorted(parent))
    if row == len(view) or view.id[row] != parent:
        return None
    probabilities = select.mate(view, row)
    return int(view.id[_draw(probabilities, rng)]) if probabilities.any() else None


def _draw(probabilities: Floats, rng: Uniform) -> int:
    reached = probabilities.cumsum()
    row = int(reached.searchsorted(rng.random(), side="right"))
    # The sum may fall short of 1 by rounding: what is beyond it belongs to the last that can be drawn.
    return row if row < len(reached) else int(probabilities.nonzero()[0][-1])

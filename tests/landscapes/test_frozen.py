"""What a search does on a landscape is fixed to the last evaluation: whoever makes the simulation faster, or tidies a
strategy, changes nothing else. A strategy that is changed on purpose changes its rows here, and the README's table."""

from __future__ import annotations

import pytest

from dgm.landscapes import contest
from dgm.landscapes.families import FAMILIES
from dgm.landscapes.simulate import simulate
from dgm.landscapes.world import World

BUDGET, SEED = 700, 1001
FROZEN = {
    contest.OURS: [(702, 110), (702, 104), (306, 61), (702, 109), (702, 107), (702, 137), (452.5, 88), (24, 8)],
    contest.HGM: [(700, 52), (700, 59), (700, 53), (700, 54), (700, 54), (700, 64), (700.75, 64), (700, 55)],
    contest.BASELINE: [(700, 6), (700, 6), (700, 6), (700, 6), (700, 6), (750, 16), (800, 7), (700, 6)],
    contest.BEST_STAGES: [(280, 31), (330, 35), (700, 75), (700, 76), (700, 75), (700, 125), (700, 34), (700, 78)],
}
"""By strategy the evaluations and proposals in each family, in their order."""


@pytest.mark.parametrize("name", FROZEN)
def test_a_faster_simulation_gives_the_same_runs(name: str) -> None:
    worlds = [World(land.model_copy(update={"budget": BUDGET}), SEED) for land in FAMILIES.values()]
    outcomes = [simulate(world, contest.contestant(name), SEED) for world in worlds]
    assert [(outcome.spent, outcome.proposals) for outcome in outcomes] == FROZEN[name]

"""What every selector keeps, whatever the archive looks like. A new selector is in it by being named."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dgm.archive.view import View
from dgm.selection import SELECTORS, Pairing, choose, choose_mate, selector
from tests.selection.world import Agent, golden, view

SCORES = (0.0, 1.0, 0.5, 1 / 3, 0.61, 0.62, 1e-300, -1e300, 1e300, float("nan"))
SOURCES = (b"", b"a", b"a b", b"x = 1", b"\xff\x00")
few = settings(max_examples=8, deadline=None)


@st.composite
def archives(draw: st.DrawFn) -> View:
    """Any shape: chains, stars, gaps between ids, equal, missing and extreme scores, one domain or several."""
    n, domains, rng = draw(st.integers(1, 25)), draw(st.integers(1, 3)), random.Random(draw(st.integers(0, 2**32)))
    allowed = rng.sample(SCORES, draw(st.integers(1, len(SCORES))))
    shape = draw(st.sampled_from(("chain", "star", "tree")))
    agents: list[Agent] = []
    for i in range(n):
        parent = {"chain": i - 1, "star": 0, "tree": rng.randrange(max(1, i))}[shape]
        agents.append(
            Agent(
                id=agents[-1].id + rng.randint(1, 3) if agents else 0,
                parent=agents[parent].id if i else None,
                scores=[rng.choice(allowed) for _ in range(domains)],
                children=(children := rng.choice((0, 1, 7, 10_000))),
                working=rng.randint(0, children),
                passed=[t for t in range(9) if rng.random() < 0.2],
                source=rng.choice(SOURCES),
            )
        )
    return view(agents, agents[-1].id + rng.randint(1, 40), rng.choice((0, 3, 10)))


def eligible(view: View) -> View:
    return view.take(np.flatnonzero(view.eligible))


@pytest.mark.parametrize("name", SELECTORS.ours)
class TestSelector:
    """The contract of `dgm.selection.Selector`."""

    @few
    @given(archive=archives())
    def test_probabilities_are_probabilities_for_any_archive(self, name: str, archive: View) -> None:
        candidates = eligible(archive)
        if len(candidates):
            probabilities = selector(name)(candidates)
            assert probabilities.shape == (len(candidates),)
            assert (probabilities >= 0).all()
            assert probabilities.sum() == pytest.approx(1, abs=1e-9)

    @few
    @given(archive=archives(), seed=st.integers())
    def test_an_ineligible_agent_is_never_a_parent_unless_none_is_eligible(
        self, name: str, archive: View, seed: int
    ) -> None:
        parent = choose(archive, selector(name), random.Random(seed))
        able = archive.id[archive.eligible].tolist()
        assert parent in able if able else parent == 0

    @few
    @given(archive=archives(), seed=st.integers())
    def test_a_choice_can_be_derived_again(self, name: str, archive: View, seed: int) -> None:
        first, second = (choose(archive, selector(name), random.Random(seed)) for _ in range(2))
        assert first == second

    def test_ten_thousand_draws_match_the_probabilities(self, name: str) -> None:
        rng, draws, archive = random.Random(7), 10_000, golden()
        probabilities = selector(name)(archive)
        expected = dict(zip(archive.id.tolist(), (probabilities * draws).tolist(), strict=True))
        # The rule is a function of the view alone: what is counted here is the draw.
        counts = Counter(choose(archive, lambda _: probabilities, rng) for _ in range(draws))
        assert all(expected[i] > 0 for i in counts)
        likely = [i for i, many in expected.items() if many >= 5]
        chi_square = sum((counts[i] - expected[i]) ** 2 / expected[i] for i in likely)
        assert chi_square <= chi_square_999(len(likely) - 1)

    def test_one_number_is_drawn(self, name: str) -> None:
        used, fresh = random.Random(3), random.Random(3)
        choose(golden(), selector(name), used)
        fresh.random()
        assert used.getstate() == fresh.getstate()

    def test_a_lone_root_is_its_own_only_choice(self, name: str) -> None:
        lone = view([Agent(0, None, [0.0])])
        assert selector(name)(lone).tolist() == [pytest.approx(1)]

    def test_the_view_is_left_as_it_was(self, name: str) -> None:
        archive = golden()
        with pytest.raises(ValueError, match="read-only"):
            archive.quality[0] = 1.0
        before = [archive.quality.copy(), archive.tasks.best.copy(), archive.sources.offsets.copy()]
        selector(name)(archive)
        after = [archive.quality, archive.tasks.best, archive.sources.offsets]
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))

    @few
    @given(archive=archives(), seed=st.integers())
    def test_a_mate_is_eligible_and_another_than_the_parent(self, name: str, archive: View, seed: int) -> None:
        rule = selector(name)
        if archive.eligible.any():
            parent = choose(archive, rule, random.Random(seed))
            mate = choose_mate(archive, rule, parent, random.Random(seed))
            assert mate != parent
            assert mate is None or (isinstance(rule, Pairing) and mate in archive.id[archive.eligible])


def chi_square_999(freedom: int) -> float:
    """The 99.9th percentile, by Wilson and Hilferty's approximation (within 1 % from two degrees on, above it at
    one); nothing may differ where only one outcome is likely."""
    if freedom < 1:
        return 1e-9
    third = 2 / (9 * freedom)
    return float(freedom * (1 - third + 3.0902 * third**0.5) ** 3) * 1.02

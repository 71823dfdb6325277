"""Deriving every recorded choice of a parent again, from what it could see and the random key it was made with.

With a strategy, every decision between a child and more evidence is made again, from its journal. Not covered: choices
that a person made (pins, submissions), which are checked against the events that asked for them,
and those of genomes (`--evolve select`), whose code would have to run again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from dgm.archive import Archive, EventRecord, ProposalRecord
from dgm.archive.steered import Action, bodies
from dgm.selection import choose, selector
from dgm.sitting.run import OWN, SELECTION
from dgm.sitting.settings import config_of
from dgm.steering import PIN, SUBMIT
from dgm.strategy import journal, strategy


def check(archive: Archive) -> Iterator[str]:
    """A sentence for each choice that does not come out again. Raises UserError where a selector is not installed."""
    search = config_of(archive).search
    events = archive.events()
    if search.strategy != "staged":
        yield from _decisions(events, search.strategy)
        return
    select = selector(search.selector)
    hidden = unseen(events)
    for proposal in _drawn(archive):
        seen = set(range(proposal.archive_version + 1)) - hidden.get(proposal.id, set())
        view = archive.as_of(seen, proposal.id).without(vetoes(events, proposal))
        again = choose(view, select, random.Random(proposal.key))
        if again != proposal.parent:
            yield (
                f"agent {proposal.id}: its parent was {proposal.parent}, and {proposal.selector} chooses {again} "
                f"from what it saw with the key {proposal.key!r}"
            )


def count(archive: Archive) -> int:
    """How many choices `check` makes again."""
    if config_of(archive).search.strategy != "staged":
        return sum(1 for _ in journal.decisions(archive.events()))
    return len(_drawn(archive))


def _drawn(archive: Archive) -> list[ProposalRecord]:
    """The proposals whose parents a selector of ours chose."""
    return [how for how in archive.proposals()[1:] if how.selector not in (PIN, SUBMIT, OWN)]


def _decisions(events: list[EventRecord], name: str) -> Iterator[str]:
    for seq, done, again in journal.derived(events, strategy(name)):
        yield f"event {seq}: the search did {done}, and {name} asks for {again} from what it knew"


def unseen(events: list[EventRecord]) -> dict[int, set[int]]:
    """Proposal to the agents below its archive version that were in flight when it began."""
    found: dict[int, set[int]] = {}
    for event in events:
        if event.kind == SELECTION and isinstance(event.body, dict) and "unseen" in event.body:
            found[event.body["proposal"]] = set(event.body["unseen"])
    return found


def vetoes(events: list[EventRecord], proposal: ProposalRecord) -> set[int]:
    """The agents that were vetoed when a proposal began."""
    vetoed: set[int] = set()
    for event, body in bodies(events):
        if event.time <= proposal.started and body["action"] == Action.VETO:
            vetoed.add(body["agent"])
        elif event.time <= proposal.started and body["action"] == Action.UNVETO:
            vetoed.discard(body["agent"])
    return vetoed

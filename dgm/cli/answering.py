"""Who answers the agent and the judges of `dgm eval`: which models, at what price, within what budget, on what record.

What is not told is as the run had it. The archive is never written: what is asked is kept for as long as the command
runs, or in a folder of its own that a person names (`--record`), in the form of a run's `calls.db`. An evaluation that
is given its folder again finds what it has paid for there. Not covered: several models for one half, which a run draws
from and an agent that is measured again does not.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dgm.config import Models, Spending
from dgm.domains import LoadedDomain
from dgm.errors import UserError
from dgm.evaluation import judging
from dgm.gateway import BudgetSpent, Role, opening
from dgm.gateway.lines import Lines
from dgm.gateway.prices import dollars
from dgm.genome import GenomeSpec

SHOWN = {Role.EXAM: "of the agent", Role.JUDGE: "of the judge"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a person said of models; nothing leaves it as the run had it."""

    agent: Sequence[str] = ()
    judge: str | None = None
    url: str | None = None
    prices: Sequence[str] = ()
    usd: float | None = None
    tokens: int | None = None
    record: Path | None = None


@dataclass(slots=True)
class Account:
    """What was asked, by role, and what it cost; filled in as evaluations end."""

    calls: Counter[Role] = field(default_factory=Counter)
    nano: int = 0

    def __str__(self) -> str:
        """One line; empty where nobody was asked."""
        if not self.calls:
            return ""
        what = ", ".join(f"{self.calls[role]} {words}" for role, words in SHOWN.items() if self.calls[role])
        return f"model calls: {what}; {dollars(self.nano)}"

    def as_json(self) -> dict[str, Any]:
        """For programs: calls by role, and dollars."""
        return {"calls": {str(role): n for role, n in sorted(self.calls.items())}, "usd": self.nano / 1e9}


def models_for(told: Told, models: Models, spec: GenomeSpec, domains: Sequence[LoadedDomain]) -> Models:
    """The run's models with what was told, none that nobody here asks, and nothing known yet. Raises UserError where
    one is missing, or named for an agent that asks none."""
    if told.agent and not spec.agent.model:
        raise UserError("--model: this agent asks no language model; leave the option out")
    if told.record is not None and (told.record / "archive.db").exists():
        raise UserError(f"--record: {told.record} is an archive, which an evaluation never writes; name another folder")
    agent = (tuple(told.agent) or models.agent) if spec.agent.model else ()
    if spec.agent.model and not agent:
        raise UserError("--model: the agent asks a language model; name one, for example gpt-4o-mini")
    limits = models.budget
    changed = {
        "agent": agent,
        "meta": (),
        "judge": told.judge or models.judge,
        "url": told.url or models.url,
        "prices": (*models.prices, *told.prices),
        "cache": False,
        "replay": None,
        "budget": Spending(
            usd=limits.usd if told.usd is None else told.usd,
            tokens=limits.tokens if told.tokens is None else told.tokens,
            task_usd=limits.task_usd,
        ),
    }
    return judging.asked(domains, models.model_copy(update=changed))


def share(models: Models, of: int) -> Models:
    """With one of `of` parts of the budget."""
    limits = models.budget
    part = limits.model_copy(
        update={
            "usd": None if limits.usd is None else limits.usd / of,
            "tokens": None if limits.tokens is None else limits.tokens // of,
        }
    )
    return models.model_copy(update={"budget": part})


@contextmanager
def opened(
    models: Models, seed: int, folder: Path | None, account: Account, say: Callable[[str], None]
) -> Iterator[Lines]:
    """The models, their calls kept in `folder` or for as long as this lasts. What it came to is added to `account`."""
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch)
        if models.used:
            place.mkdir(parents=True, exist_ok=True)
        with opening.open_lines(models, place, seed, say) as lines:
            try:
                yield lines
            except BudgetSpent as spent:
                raise UserError(f"{spent}; measure fewer tasks, or less often, or raise --budget-usd") from None
            finally:
                if lines.gateway is not None:
                    store = lines.gateway.store
                    account.calls.update(call.key.scope.role for _, call in store.since(0))
                    account.nano += store.spent()[0].nano

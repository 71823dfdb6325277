"""What may be spent: dollars and tokens for the run, for each proposal and for each task.

A call reserves an upper bound on all its accounts together, or on none, and settles what it really took. At every
moment what is spent, reserved and uncertain on an account is at most its limit. A call that would only fit when others
have settled waits for them, so that being refused does not depend on what happens to run beside it.

*Uncertain* is what a provider may have charged for answers that never arrived. It weighs on the run's account alone: no
proposal or task is worse off for a provider's fault, unless it turns out that its own request was the cause (`bear`).
Not covered: an upstream that charges more than the bound; the excess is counted, and everything after it refused.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dgm.gateway import BudgetSpent, Rejected
from dgm.gateway.prices import dollars


@dataclass(frozen=True, slots=True)
class Spend:
    """Nano-dollars and tokens."""

    nano: int = 0
    tokens: int = 0

    def __add__(self, other: Spend) -> Spend:
        return Spend(self.nano + other.nano, self.tokens + other.tokens)

    def __sub__(self, other: Spend) -> Spend:
        return Spend(self.nano - other.nano, self.tokens - other.tokens)


NOTHING = Spend()


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that an account may bear; None is no limit."""

    nano: int | None = None
    tokens: int | None = None

    def allows(self, spend: Spend) -> bool:
        return (self.nano is None or spend.nano <= self.nano) and (self.tokens is None or spend.tokens <= self.tokens)


UNLIMITED = Limit()


@dataclass(slots=True, eq=False)
class Account:
    """What one run, proposal or task has spent. Changed by `Budget` alone."""

    name: str  #: "run", "proposal" or "task"
    limit: Limit = UNLIMITED
    spent: Spend = NOTHING
    reserved: Spend = NOTHING
    uncertain: Spend = NOTHING

    @property
    def left(self) -> str:
        """For the agent that is refused."""
        parts = []
        if self.limit.nano is not None:
            parts.append(f"{dollars(self.spent.nano)} of {dollars(self.limit.nano)}")
        if self.limit.tokens is not None:
            parts.append(f"{self.spent.tokens} of {self.limit.tokens} tokens")
        failed = (
            f" (and {dollars(self.uncertain.nano)} may have been, for calls that failed)" if self.uncertain.nano else ""
        )
        return " and ".join(parts) + " are spent" + failed


@dataclass(slots=True, eq=False)
class Reservation:
    """A bound that is held on some accounts until `Budget.settle`."""

    accounts: Sequence[Account]
    bound: Spend
    open: bool = field(default=True)


class Budget:
    """All accounts of a run. May be used by many threads."""

    def __init__(
        self, run: Limit = UNLIMITED, proposal: Limit = UNLIMITED, task: Limit = UNLIMITED, spent: Spend = NOTHING
    ) -> None:
        """`spent`: what earlier parts of this run have taken already, uncertain amounts included."""
        self.run = Account("run", run, spent)
        self._proposal, self._task = proposal, task
        self._proposals: dict[int, Account] = {}
        self._changed = threading.Condition()

    def proposal(self, number: int) -> Account:
        """The account of a proposal, the same at every call."""
        with self._changed:
            return self._proposals.setdefault(number, Account("proposal", self._proposal))

    def task(self) -> Account:
        """A new account, for one task."""
        return Account("task", self._task)

    def reserve(
        self, bound: Spend, accounts: Sequence[Account], cancelled: Callable[[], bool] = lambda: False
    ) -> Reservation:
        """Hold `bound` on every account. Waits while that would fit but for what others hold.

        Raises Rejected (402) when a proposal's or a task's limit refuses it, BudgetSpent when the run's does, and
        TimeoutError when `cancelled` says so while it waits.
        """
        with self._changed:
            while True:
                for account in accounts:
                    if not account.limit.allows(account.spent + account.uncertain + bound):
                        raise _refusal(account, bound)
                if all(a.limit.allows(a.spent + a.uncertain + a.reserved + bound) for a in accounts):
                    break
                if cancelled():
                    raise TimeoutError
                self._changed.wait(0.25)
            for account in accounts:
                account.reserved += bound
            return Reservation(accounts, bound)

    def settle(self, reservation: Reservation, spend: Spend) -> None:
        """Replace what was held by what was spent. For a call that did not take place: NOTHING."""
        with self._changed:
            if not reservation.open:
                raise ValueError("a reservation is settled once")
            reservation.open = False
            for account in reservation.accounts:
                account.reserved -= reservation.bound
                account.spent += spend
            self._changed.notify_all()

    def lose(self, reservation: Reservation) -> None:
        """The provider may have charged for what is held: it becomes uncertain on the run's account, and all other
        accounts are as before. The reservation is over."""
        with self._changed:
            on_run = self.run in reservation.accounts
            self.run.uncertain += reservation.bound if on_run else NOTHING
        self.settle(reservation, NOTHING)

    def bear(self, accounts: Sequence[Account], spend: Spend) -> None:
        """What the provider may have charged was no fault of its own after all: it weighs on these accounts as well,
        and not on the run's alone."""
        with self._changed:
            for account in accounts:
                if account is not self.run:
                    account.uncertain += spend


def _refusal(account: Account, bound: Spend) -> Exception:
    says = (
        f"the {account.name}'s budget does not allow this call: it may take {bound.tokens} tokens"
        f" ({dollars(bound.nano)}), and {account.left}"
    )
    return BudgetSpent(says) if account.name == "run" else Rejected(402, "budget_exceeded", says)

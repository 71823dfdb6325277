"""The gateway itself: what becomes of one call, from its body to its reply.

Checked, counted (which sample of the same request it is), looked up, reserved, asked with tries again, settled,
recorded. What is the agent's own fault comes back as an HTTP error; what is the provider's is raised to the run as
ModelUnavailable and is never an answer.

A request that fails again and again although the provider answers others is its maker's fault after all: after some
rounds, each followed by a probe that went well, the agent is told. Being busy (429, 503, timeouts) never counts so.
Waiting for the provider is the agent's time, as long as the provider does not fail.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn, Protocol

from dgm.archive.model import ModelCallRecord
from dgm.closing import Closing
from dgm.domain import JSON
from dgm.errors import UserError
from dgm.gateway import (
    COMPLETIONS,
    MODELS,
    NANO,
    BudgetSpent,
    Completion,
    Denied,
    Fault,
    HeldUp,
    Rejected,
    Reply,
    Role,
    Scope,
    Upstream,
    answers,
    form,
)
from dgm.gateway.budget import NOTHING, Account, Budget, Reservation, Spend
from dgm.gateway.cache import Call, CallStore, Key
from dgm.gateway.desk import Desk
from dgm.gateway.faults import Backoff, Patience
from dgm.gateway.outage import Outage, Say
from dgm.gateway.prices import Price, Prices
from dgm.gateway.threads import Threads
from dgm.gateway.visit import Cancelled, Ticket, Visit

ROUNDS = 3
"""So often a request that is suspect is tried to the end before its agent is told."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a gateway deals with calls."""

    models: Sequence[str]  #: what may be asked for; the first is the default
    max_tokens: int = 4_096  #: the most, and the default, of one answer's tokens
    concurrency: int = 64  #: calls that are asked of the provider at once
    patience: Patience = field(default_factory=Patience)
    seed: int = 0  #: of the jitter between tries
    cache: bool = False  #: the same request and sample from anywhere in the record is answered from there


class CallTable(Protocol):
    """The part of `dgm.archive.Archive` that keeps the account."""

    def last_call(self) -> int: ...

    def add_calls(self, calls: Sequence[ModelCallRecord]) -> None: ...


class Gateway(Closing):
    """The one door to language models. May be used by many threads. A context manager."""

    def __init__(
        self,
        upstream: Upstream,
        rules: Rules,
        prices: Prices,
        budget: Budget,
        store: CallStore,
        *,
        replay: CallStore | None = None,
        say: Say = lambda line: None,
    ) -> None:
        """With `replay`, every answer comes from that record and `upstream` is never asked. Raises UserError for a
        model without a price."""
        self._upstream, self._rules, self._budget, self.store, self._replay = upstream, rules, budget, store, replay
        self._prices: dict[str, Price] = {model: prices.of(model) for model in rules.models}
        self._slots = threading.BoundedSemaphore(rules.concurrency)
        self._backoff = Backoff(rules.patience, rules.seed)
        self.outage = Outage(self._backoff, say)
        self._stop, self.threads = threading.Event(), Threads("model-call")
        self._probes = itertools.count()
        self._counted, self._lock = set[Key](), threading.Lock()

    def desk(
        self, role: Role, *, agent: int | None = None, proposal: int | None = None, models: Sequence[str] = ()
    ) -> Desk:
        """What a session in a sandbox gets: its calls are made in this name. `models` narrows what it may ask for."""
        scope = Scope(role, agent, proposal)
        return Desk(self, scope, tuple(models) or tuple(self._rules.models))

    def visit(self, scope: Scope, models: Sequence[str]) -> Visit:
        """The beginning of a task or a proposal. Raises ModelUnavailable while the provider does not answer."""
        self.outage.check()
        return Visit(scope, self._budget.task(), models)

    def answer(self, path: str, body: bytes, visit: Visit, ticket: Ticket) -> Reply:
        """The reply to one call.

        Raises ModelUnavailable (an outage; as BudgetSpent, the run's budget), UserError (a key, a replay that lacks
        the call) and Cancelled.
        """
        try:
            if path == MODELS:
                return answers.models(visit.models)
            if path != COMPLETIONS:
                raise Rejected(404, "not_found", f"there is nothing at {path[:100]}")
            asked = form.read(body, visit.models, self._rules.max_tokens)
            call = self._call(asked, visit, ticket)
            if call.http != 200:
                return Reply(call.http, call.reply)
            told: dict[str, JSON] = json.loads(call.reply)
            return answers.streamed(told, asked.stream_usage) if asked.stream else answers.whole(told)
        except Rejected as refusal:
            return answers.error(refusal)

    def wait(self, stop: threading.Event | None = None) -> bool:
        """Wait until the provider answers, `stop` is set or the gateway is closed; whether it answers.

        For the threads of a run, after ModelUnavailable and before they try again.
        """
        return self.outage.wait(self._probe, stop or self._stop)

    def sync(self, archive: CallTable) -> None:
        """Bring an archive's table of calls up to date with the record; at any time, also after a kill."""
        with self._lock:
            if rows := self.store.since(archive.last_call()):
                archive.add_calls([_row(number, call) for number, call in rows])

    def close(self) -> None:
        """Let nobody wait any longer, and close both records. May be called twice."""
        self._stop.set()
        self.threads.close()
        self._upstream.close()
        self.store.close()
        if self._replay is not None:
            self._replay.close()

    # Within

    def _call(self, asked: form.Asked, visit: Visit, ticket: Ticket) -> Call:
        """One call, from the record or from the provider, paid for and recorded. Raises UserError where a replay lacks
        it: a call that the budget refused was never recorded, so the budget is asked first."""
        key = visit.key(asked.hash)
        kept = self._kept(key)
        held = self._reserve(asked, key, visit, ticket, paid=kept is None)
        if kept is None and self._replay is not None:
            self._budget.settle(held, NOTHING)
            raise UserError(
                f"the recorded run did not make this call (proposal {key.scope.proposal}, {key.scope.role},"
                f" task {key.scope.task!r}): replay with the same configuration and version"
            )
        if kept is not None:
            self._budget.settle(held, kept.spend)
            if kept.key != key or self._replay is not None:
                status = "cached" if kept.status == "ok" else kept.status
                self.store.add(replace(kept, key=key, status=status, paid=False, uncertain=NOTHING), asked.text)
            return kept
        attempt = _Attempt(self, asked, key, held, ticket)
        call = attempt.run()
        with self._lock:
            self._counted.add(key)
        return call

    def _kept(self, key: Key) -> Call | None:
        """A reply from the record."""
        if self._replay is not None:
            return self._replay.find(key)
        return self.store.find(key) or (self.store.find(key, anywhere=True) if self._rules.cache else None)

    def _reserve(self, asked: form.Asked, key: Key, visit: Visit, ticket: Ticket, *, paid: bool) -> Reservation:
        """Hold the bound on every account that this call is counted on. Raises as Budget.reserve, and Cancelled."""
        accounts = [visit.account]
        proposal = None if key.scope.role == Role.EXAM else key.scope.proposal
        if proposal is not None and key not in self._counted:
            accounts.append(self._budget.proposal(proposal))
        if paid or self._replay is not None:
            accounts.append(self._budget.run)
        bound = Spend(self._prices[asked.model].of(asked.bound), asked.bound.prompt + asked.bound.completion)
        try:
            return self._budget.reserve(bound, accounts, ticket.cancelled.is_set)
        except (Rejected, BudgetSpent):
            self.store.add(Call(key, asked.model, "refused", 402))
            raise
        except TimeoutError:
            raise Cancelled from None

    def _probe(self, model: str = "default") -> bool:
        """Ask the least that can be asked; whether there was money for it. Raises Fault while the provider fails."""
        body = {"model": model, "messages": [{"role": "user", "content": "ping"}], "max_tokens": 1}
        raw = json.dumps(body).encode()
        asked = form.read(raw, self._rules.models, 1)
        key = Key(asked.hash, Scope(Role.PROBE), next(self._probes))
        visit = Visit(key.scope, Account("task"), self._rules.models)
        try:
            held = self._reserve(asked, key, visit, Ticket(), paid=True)
        except BudgetSpent:
            return False  # the next call will say so
        try:
            completion = self._upstream.complete(asked.body)
        except Fault as fault:
            self._let_go(held, fault)
            raise
        except Rejected:
            self._budget.settle(held, NOTHING)  # it answers, if only to refuse so small a question
            return True
        call = self._priced(asked, key, completion)
        self._budget.settle(held, call.spend)
        self.store.add(replace(call, status="probe", reply=b"", tries=1))
        return True

    def _let_go(self, held: Reservation, fault: Fault) -> None:
        if fault.billed:
            self._budget.lose(held)
        else:
            self._budget.settle(held, NOTHING)

    def _priced(self, asked: form.Asked, key: Key, completion: Completion) -> Call:
        """An answer that was paid for. Where the provider tells no usage, the bound counts."""
        usage = completion.usage or asked.bound
        text = json.dumps(completion.body, ensure_ascii=False).encode()
        nano = self._prices[asked.model].of(usage)
        return Call(key, asked.model, "ok", 200, text, usage.prompt, usage.completion, nano, paid=True)


class _Attempt:
    """One call on its way to the provider and back: the tries, and what they cost."""

    def __init__(self, gateway: Gateway, asked: form.Asked, key: Key, held: Reservation, ticket: Ticket) -> None:
        self._gateway, self._asked, self._key, self._held, self._ticket = gateway, asked, key, held, ticket
        self._tries, self._uncertain = 0, NOTHING
        self._started = time.monotonic()

    def run(self) -> Call:
        """As `Gateway._call`. However it ends, the reservation is settled and what it cost is on record."""
        try:
            completion = self._ask()
        except Rejected as refusal:
            # Told again when the work is done again: the reply is a part of what the agent saw.
            return self._done(self._call("rejected", refusal.status, answers.error(refusal).body))
        except BaseException:
            self._done(self._call("fault"))
            raise
        return self._done(self._gateway._priced(self._asked, self._key, completion))

    def _call(self, status: str, http: int = 0, reply: bytes = b"") -> Call:
        return Call(self._key, self._asked.model, status, http, reply)

    def _done(self, call: Call) -> Call:
        gateway = self._gateway
        if self._held.open:
            gateway._budget.settle(self._held, call.spend)
        latency = round((time.monotonic() - self._started) * 1000)
        call = replace(call, uncertain=self._uncertain, tries=self._tries, latency_ms=latency)
        if self._tries:
            gateway.store.add(call, self._asked.text)
        return call

    def _ask(self) -> Completion:
        """Rounds of tries, each round followed by a look at whether the provider answers anybody."""
        for _ in range(ROUNDS):
            try:
                fault = self._round()
            except Denied as denied:  # some refuse in this way what they find in a request
                self._look(denied, self._asked.model)
                why = str(denied)
                continue
            if isinstance(fault, Completion):
                return fault
            if not fault.suspect:
                self._give_up(fault)
            self._look()
            why = fault.reason
        self._gateway._budget.bear(self._held.accounts, self._uncertain)
        raise Rejected(502, "provider_error", f"the provider fails on this request and answers others: {why}")

    def _look(self, denied: Denied | None = None, model: str = "default") -> None:
        """Raises HeldUp where the provider answers nobody, and `denied` where nobody can be seen to be let in."""
        try:
            answers_others = self._gateway._probe(model)
        except Fault as other:
            self._give_up(other)
        if denied is not None and not answers_others:
            raise denied

    def _round(self) -> Completion | Fault:
        """Try until an answer comes or patience is over; then the fault, suspect only if every try's was."""
        patience, suspect = self._gateway._rules.patience, True
        attempt = 0
        while not isinstance(fault := self._once(), Completion):
            suspect = suspect and fault.suspect
            self._ticket.delayed = True
            wait = self._gateway._backoff.wait(attempt, fault.retry_after)
            attempt += 1
            if attempt == patience.tries or wait > max(patience.longest, patience.cap):
                return Fault(fault.reason, retry_after=fault.retry_after, suspect=suspect)
            if self._ticket.cancelled.wait(wait):
                raise Cancelled
        return fault

    def _once(self) -> Completion | Fault:
        """One try, in one of the slots."""
        gateway = self._gateway
        while not gateway._slots.acquire(timeout=0 if not self._ticket.delayed else 0.25):
            self._ticket.delayed = True
            if self._ticket.cancelled.is_set():
                raise Cancelled
        try:
            gateway.outage.check()
            self._tries += 1
            return gateway._upstream.complete(self._asked.body)
        except Fault as fault:
            if fault.billed:
                self._renew()
            return fault
        finally:
            gateway._slots.release()

    def _renew(self) -> None:
        """What is held may have been charged: hold as much again for the next try. Raises BudgetSpent, Cancelled."""
        held, budget = self._held, self._gateway._budget
        budget.lose(held)
        self._uncertain += held.bound
        try:
            self._held = budget.reserve(held.bound, held.accounts, self._ticket.cancelled.is_set)
        except TimeoutError:
            raise Cancelled from None

    def _give_up(self, fault: Fault) -> NoReturn:
        self._gateway.outage.begin(fault)
        raise HeldUp(f"the language model's provider does not answer ({fault.reason})")


def _row(number: int, call: Call) -> ModelCallRecord:
    scope = call.key.scope
    return ModelCallRecord(
        number, scope.agent, str(scope.role), scope.task, call.model, call.key.hash, call.key.sample,
        call.prompt_tokens, call.completion_tokens, call.nano * call.paid / NANO, call.latency_ms, call.status,
    )  # fmt: skip

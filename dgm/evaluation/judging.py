"""The kernel's side of a judge that asks a language model: its questions go through the gateway in the role `judge`.

They belong to no proposal and to no task: an agent that has spent its own allowance cannot keep its judge from being
asked, and an answer is found again by the question alone, so that the same work judged again costs nothing.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from dgm.config import Models
from dgm.domains import LoadedDomain
from dgm.errors import ModelUnavailable, NoVerdict, UserError
from dgm.gateway import COMPLETIONS
from dgm.gateway.lines import Line
from dgm.gateway.visit import Cancelled, Ticket

MAX_TOKENS = 2_000
"""Of one verdict."""


@dataclass(frozen=True, slots=True)
class Judge:
    """`dgm.domain.JudgeModel` over a line of the run. May be used by many threads."""

    line: Line
    stop: threading.Event = field(default_factory=threading.Event)  #: when it is set, nobody waits any more

    def ask(self, system: str, user: str) -> str:
        """Raises NoVerdict for what the provider refuses, ModelUnavailable (also when `stop` is set), BudgetSpent."""
        gateway = self.line.gateway
        if gateway is None:
            raise ValueError("a line that leads nowhere")
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        body = {"messages": messages, "max_tokens": MAX_TOKENS, "temperature": 0}
        visit = gateway.visit(self.line.scope, self.line.models)
        try:
            reply = gateway.answer(COMPLETIONS, json.dumps(body).encode(), visit, Ticket(self.stop))
        except Cancelled:
            raise ModelUnavailable("the work was given up") from None
        told = json.loads(reply.body)
        if reply.status != 200:
            raise NoVerdict(f"the judge's model refuses: {str(told['error']['message'])[:300]}")
        return str(told["choices"][0]["message"].get("content") or "")


def asked(domains: Sequence[LoadedDomain], models: Models) -> Models:
    """With the judge's model, if a domain's judge asks one. Raises UserError where none is named."""
    asking = [domain.name for domain in domains if domain.asks]
    if asking and not models.judge:
        raise UserError(
            f"--judge-model: the judge of {asking[0]} asks a language model; name one, for example gpt-4o-mini"
        )
    return models if asking else models.model_copy(update={"judge": None})

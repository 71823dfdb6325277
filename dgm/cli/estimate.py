"""`dgm run --estimate`: what a run with language models would cost, before anything is spent.

What is expected follows from the tasks (their inputs are counted, four characters a token), from the prices, and from
assumptions about how often an agent asks, which are printed beside the result; no call is made. The worst is what the
budget allows: without a budget there is no such bound, for an agent may ask as often as its time allows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dgm.config import RunConfig
from dgm.domain import Split, Task
from dgm.domains import LoadedDomain
from dgm.errors import UserError
from dgm.evaluation import judging, named
from dgm.gateway import NANO, Usage
from dgm.gateway.lines import Pool
from dgm.gateway.prices import Prices, dollars, from_dollars
from dgm.genome import parse_spec, sources
from dgm.reporting import columns
from dgm.reporting.table import Table
from dgm.sitting.start import asked

CHARACTERS = 4
"""Of English text in one token, about."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How an agent is assumed to ask: calls for one piece of work, and tokens of each beside the work's own text."""

    calls: int
    prompt: int
    completion: int


ANSWERING = Habit(calls=1, prompt=500, completion=300)  # a label, a number or a text
WORKING = Habit(calls=8, prompt=2_500, completion=400)  # files, with tools
IMPROVING = Habit(calls=20, prompt=12_000, completion=700)  # about a third of a million tokens, as was published
JUDGING = Habit(calls=1, prompt=1_200, completion=250)  # the task, the criteria and the work; the decisions
FINALISTS = 4
"""Agents measured on test: the root, and those chosen on val, several of which are often the same."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the estimate. `nano` are nano-dollars."""

    what: str
    units: int
    calls: int
    tokens: int
    nano: int


@dataclass(frozen=True, slots=True)
class Estimate:
    items: Sequence[Item]
    worst: int | None  #: what the budget allows, in nano-dollars; None where there is no budget

    @property
    def expected(self) -> int:
        return sum(item.nano for item in self.items)


def estimate(config: RunConfig) -> Estimate:
    """Raises UserError as the run itself would, and when no model is named."""
    origin = config.origin
    source = sources.from_directory(origin.genome) if origin.genome else sources.from_halves(origin.agent, origin.meta)
    domains = named.domains(config)
    models = judging.asked(domains, asked(parse_spec(source.genome, "the root genome"), config.models))
    if not models.used:
        raise UserError("--estimate: this run asks no language model and costs nothing; name one with --model")
    prices = Prices.parse(models.prices)
    proposals = config.search.proposals
    items: list[Item] = []
    if models.agent:
        model = Pool.parse(models.agent, "--model").names[0]
        for domain in domains:
            work = [*_planned(domain, Split.TRAIN), *_planned(domain, Split.VAL)]
            items.append(_evaluating(f"{domain.name}: root and children", domain, work, proposals + 1, model, prices))
            exam = domain.splits[Split.TEST]
            items.append(_evaluating(f"{domain.name}: test", domain, exam, FINALISTS, model, prices))
    if models.judge:
        for domain in (domain for domain in domains if domain.asks):
            tasks = (proposals + 1) * sum(map(domain.planned, (Split.TRAIN, Split.VAL)))
            tasks += FINALISTS * len(domain.splits[Split.TEST])
            usage = Usage(tasks * JUDGING.prompt, tasks * JUDGING.completion)
            nano = prices.of(models.judge).of(usage)
            items.append(Item(f"{domain.name}: verdicts", tasks, tasks, usage.prompt + usage.completion, nano))
    if models.meta:
        names = Pool.parse(models.meta, "--meta-model").names
        usage = Usage(IMPROVING.calls * IMPROVING.prompt, IMPROVING.calls * IMPROVING.completion)
        dearest = max(prices.of(name).of(usage) for name in names)
        tokens = usage.prompt + usage.completion
        items.append(Item("proposals", proposals, proposals * IMPROVING.calls, proposals * tokens, proposals * dearest))
    usd = models.budget.usd
    return Estimate(items, None if usd is None else from_dollars(usd))


def as_table(costs: Estimate) -> Table:
    """A line for each kind of work, then the sum and the bound."""
    rows = [[i.what, str(i.units), f"{i.calls:,}", f"{i.tokens:,}", dollars(i.nano)] for i in costs.items]
    rows.append(["expected", "", f"{_sum(costs, 'calls'):,}", f"{_sum(costs, 'tokens'):,}", dollars(costs.expected)])
    worst = "no bound: give --budget-usd" if costs.worst is None else dollars(costs.worst)
    rows.append(["worst", "", "", "", worst])
    return Table(
        columns.ESTIMATE.heads(),
        rows,
        title="What it would cost; nothing was asked",
        note=f"assumed: {ANSWERING.calls} call for an answer, {WORKING.calls} for files, {IMPROVING.calls} for a"
        f" proposal, every child evaluated to the end{_stopped(costs)}",
    )


def _stopped(costs: Estimate) -> str:
    """Where the budget ends the run, if it does."""
    if costs.worst is None or costs.expected <= costs.worst:
        return ""
    return f"; the budget would end the run after {costs.worst / costs.expected:.0%} of this work"


def as_json(costs: Estimate) -> dict[str, Any]:
    """The same for programs, in dollars."""
    return {
        "expected_usd": costs.expected / NANO,
        "worst_usd": None if costs.worst is None else costs.worst / NANO,
        "work": [
            {"work": i.what, "times": i.units, "calls": i.calls, "tokens": i.tokens, "usd": i.nano / NANO}
            for i in costs.items
        ],
    }


def _planned(domain: LoadedDomain, split: Split) -> Sequence[Task]:
    return domain.splits[split][: domain.planned(split)]


def _evaluating(what: str, domain: LoadedDomain, tasks: Sequence[Task], times: int, model: str, prices: Prices) -> Item:
    habit = WORKING if domain.spec.answer.kind == "files" else ANSWERING
    text = sum(len(json.dumps(dict(t.inputs))) + sum(map(len, t.files.values())) for t in tasks)
    calls = len(tasks) * habit.calls
    usage = Usage(calls * habit.prompt + habit.calls * text // CHARACTERS, calls * habit.completion)
    nano = prices.of(model).of(usage)
    return Item(what, times, times * calls, times * (usage.prompt + usage.completion), times * nano)


def _sum(costs: Estimate, name: str) -> int:
    return sum(getattr(item, name) for item in costs.items)

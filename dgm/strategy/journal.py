"""What a strategy decided in a run and what it had been told by then, as events of the archive.

With the journal every decision can be made again, whatever the number of workers: `derived` goes through it with a
state of its own. An event of the kind `strategy` has one of these bodies:

    {"sitting": {domain: tasks}, "splits": {domain: split}, "root": results, "budget": verdicts or null}
                                                                     a process begins; nothing is under way
    {"expand": parent, "mate": id or null, "proposal": id, "key": …, "spent": …, "by": who, "vetoed"?: [ids]}   decided
    {"measure": agent, "tasks": [for each domain], "key": …, "spent": …}                      decided
    {"born": id, "parent": id, "works": bool, "results": results}                             ended, with the record
    {"measured": agent, "tasks": [for each domain] or null, "results": results}               ended, with the verdicts

Results are `[[verdicts, their sum], …]` in the order of the sitting's domains, all that the agent then had. Without
`tasks`, an agent did train tasks on its way to be a parent, in a domain that has no val.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dgm.archive import EventRecord
from dgm.domain import JSON
from dgm.strategy import Strategy
from dgm.strategy.records import Known, Results, built, take_over
from dgm.strategy.state import Action, Expand, Measure, State

KIND = "strategy"
_TRIES = 100


def decide(strategy: Strategy, state: State, key: str, vetoed: Collection[int] = ()) -> Action:
    """What to do next, the same for the same state and key. A parent that a person vetoed is drawn again; where the
    strategy insists, any other agent is taken, the root where all are vetoed."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big")
    draws = np.random.Generator(np.random.PCG64(seed))
    for _ in range(_TRIES):
        action = strategy.next(state, draws)
        if not isinstance(action, Expand) or action.parent not in vetoed:
            return action
    left = [int(agent) for agent in state.id if agent not in vetoed] or [int(state.id[0])]
    return Expand(left[int(draws.integers(len(left)))])


def sitting(tasks: Mapping[str, int], splits: Mapping[str, str], root: Results, budget: float) -> JSON:
    where: dict[str, JSON] = {domain: str(split) for domain, split in splits.items()}
    limit = None if math.isinf(budget) else budget
    return {"sitting": dict(tasks), "splits": where, "root": _plain(root), "budget": limit}


def decided(
    action: Action, key: str, spent: float, vetoed: Collection[int], proposal: int | None = None, by: str = ""
) -> JSON:
    """`by` names who chose the parent in the strategy's place; empty where it chose itself."""
    made: dict[str, JSON] = {"key": key, "spent": spent}
    if isinstance(action, Measure):
        made |= {"measure": action.agent, "tasks": list(action.tasks)}
    else:
        made |= {"expand": action.parent, "mate": action.mate, "proposal": proposal, "by": by}
    return made | {"vetoed": sorted(vetoed)} if vetoed else made


def born(child: Known) -> JSON:
    return {"born": child.id, "parent": child.parent, "works": child.works, "results": _plain(child.results)}


def measured(agent: int, action: Measure | None, results: Results) -> JSON:
    tasks = None if action is None else list(action.tasks)
    return {"measured": agent, "tasks": tasks, "results": _plain(results)}


def decisions(events: Iterable[EventRecord]) -> Iterator[Mapping[str, Any]]:
    """What the strategy decided by itself, from the events of a run."""
    for event in events:
        body = event.body
        if event.kind == KIND and isinstance(body, dict) and _decides(body) and not body.get("by"):
            yield body


def _decides(body: Mapping[str, Any]) -> bool:
    return "expand" in body or "measure" in body


def derived(events: Iterable[EventRecord], strategy: Strategy) -> Iterator[tuple[int, Action, Action]]:
    """Each decision of the strategy that does not come out again: the event's number, what was done, what comes
    out. Decisions of others (`by`) are taken as they are."""
    replay = _Replay()
    for event in events:
        if event.kind == KIND and isinstance(event.body, dict):
            body = event.body
            if _decides(body):
                done = _action(body)
                replay.state.spent = body["spent"]
                again = done if body.get("by") else decide(strategy, replay.state, body["key"], body.get("vetoed", ()))
                if again != done:
                    yield event.seq, done, again
            replay.follow(body)


@dataclass
class _Replay:
    known: dict[int, Known] = field(default_factory=dict)
    state: State = field(default_factory=lambda: State((1,)))

    def follow(self, body: Mapping[str, Any]) -> None:
        """Let one event happen."""
        match body:
            case {"sitting": tasks, "root": root, "budget": budget}:
                self.known.setdefault(0, Known(0, None, True, _results(root)))
                self.state = built(tasks, self.known.values())
                self.state.budget = math.inf if budget is None else budget
            case {"expand": _} | {"measure": _}:
                self.state.begun(_action(body))
            case {"born": agent, "parent": parent, "works": works, "results": results}:
                self.known[agent] = Known(agent, parent, works, _results(results))
                self.state.expanded(parent, agent if works else None)
                if works:
                    take_over(self.state, agent, _results(results))
            case {"measured": agent, "tasks": tasks, "results": results}:
                if tasks is not None:
                    none = [0] * len(tasks)
                    self.state.measured(Measure(agent, tuple(tasks)), none, none)
                take_over(self.state, agent, _results(results))
                before = self.known[agent]
                self.known[agent] = Known(agent, before.parent, before.works, _results(results))


def _action(body: Mapping[str, Any]) -> Action:
    if "measure" in body:
        return Measure(body["measure"], tuple(body["tasks"]))
    return Expand(body["expand"], body["mate"])


def _plain(results: Results) -> list[JSON]:
    return [[n, total] for n, total in results]


def _results(plain: Sequence[Sequence[float]]) -> Results:
    return [(int(n), float(total)) for n, total in plain]

"""A strategy at work in a run: what it asks for, what it is told, and the journal of both.

Not covered: how it decides (`dgm.strategy`), and how tasks are run (`dgm.sitting.measuring`). Everything here is
called with the run's lock held.
"""

from __future__ import annotations

from collections.abc import Sequence

from dgm.archive import Archive, Child, ScoreRecord, VerdictRecord
from dgm.archive.model import Logs
from dgm.domain import JSON, Split
from dgm.domains import LoadedDomain
from dgm.evaluation.bench import Job
from dgm.results import ROOT
from dgm.strategy import Strategy, journal
from dgm.strategy.records import Known, Results, results_of, state_of, take_over
from dgm.strategy.state import Action, Measure


class Pursuit:
    """One sitting of a run with a strategy."""

    def __init__(
        self, archive: Archive, domains: Sequence[LoadedDomain], strategy: Strategy, *, seed: int, budget: float
    ) -> None:
        """`budget`: how many verdicts on train and val the search may take; infinite for no limit."""
        self._archive, self._domains, self._strategy, self._seed = archive, domains, strategy, seed
        self._splits = {domain.name: domain.chosen_on for domain in domains}
        self._tasks = {domain.name: domain.planned(domain.chosen_on) for domain in domains}
        self._busy: dict[int, set[tuple[str, str]]] = {}  # agent to the tasks that it is at work on
        self.state = state_of(archive, self._tasks, self._splits)
        self.state.budget = budget
        archive.add_event(journal.KIND, journal.sitting(self._tasks, self._splits, self._results(ROOT), budget))

    def next(self, vetoed: frozenset[int]) -> Action:
        """What the strategy wants now. Nothing changes by asking."""
        self.state.spent = float(self._archive.evaluations())
        return journal.decide(self._strategy, self.state, self.key(), vetoed)

    def key(self) -> str:
        """That of the present decision. No two of a sitting have the same, and one that was cut off has it again."""
        state = self.state
        begun = state.evaluations + int(state.pending.sum())
        return f"{self._seed}/strategy/{state.proposals + state.expanding}.{begun}"

    def begin(self, action: Action, vetoed: frozenset[int], proposal: int | None = None, by: str = "") -> None:
        """An action is under way; `by` names who chose the parent where that was not the strategy."""
        body = journal.decided(action, self.key(), self.state.spent, vetoed, proposal, by)
        self._archive.add_event(journal.KIND, body)
        self.state.begun(action)

    def jobs(self, action: Measure) -> list[Job]:
        """The tasks to be run for a measurement that begins: the next ones, in the domains' own order."""
        busy = self._busy.setdefault(action.agent, set())
        chosen: list[Job] = []
        for domain, count in zip(self._domains, action.tasks, strict=True):
            open_ = [job for job in self.left(action.agent, domain, domain.chosen_on) if _name(job) not in busy]
            chosen += open_[:count]
        busy |= {_name(job) for job in chosen}
        return chosen

    def left(self, agent: int, domain: LoadedDomain, split: Split) -> list[Job]:
        """The planned tasks of a domain and split on which an agent has no verdict."""
        done = {verdict.task for verdict in self._archive.verdicts(agent, domain.name, split)}
        tasks = domain.splits[split][: domain.planned(split)]
        return [Job(domain, split, task) for task in tasks if task.id not in done]

    def final(self) -> int:
        """The agent that the strategy would hand over."""
        return self._strategy.final(self.state)

    # What came of it

    def birth(self, child: Child) -> tuple[str, JSON]:
        """The event to record with a proposal that has ended."""
        return journal.KIND, journal.born(self._known(child))

    def born(self, child: Child) -> None:
        """A proposal has been recorded."""
        known = self._known(child)
        self.state.expanded(known.parent or ROOT, known.id if known.works else None)
        if known.works:
            take_over(self.state, known.id, known.results)

    def measured(self, agent: int, action: Measure | None, verdicts: Sequence[VerdictRecord], logs: Logs) -> None:
        """Record verdicts, those of a measurement that was begun or others. What has a verdict by now is dropped."""
        known = {(v.domain, v.split, v.task) for v in self._archive.verdicts(agent)}
        fresh = [v for v in verdicts if (v.domain, v.split, v.task) not in known]
        names = {(f"{v.domain}.{v.split}", v.task) for v in fresh}
        rows = {name: [row for row in rows if (name, row["task"]) in names] for name, rows in logs.items()}
        totals = {(d.name, split): d.planned(split) for d in self._domains for split in (Split.TRAIN, Split.VAL)}

        def event(scores: Sequence[ScoreRecord]) -> tuple[str, JSON]:
            return journal.KIND, journal.measured(agent, action, self._results(agent, scores))

        self._archive.extend(agent, totals, fresh, {name: some for name, some in rows.items() if some}, event)
        if action is not None:
            none = [0] * len(self._domains)
            self.state.measured(action, none, none)  # it is no longer under way
            self._busy[action.agent] -= {(v.domain, v.task) for v in verdicts}
        take_over(self.state, agent, self._results(agent))

    def _results(self, agent: int, newer: Sequence[ScoreRecord] = ()) -> Results:
        scores = {(s.domain, s.split): s for s in (*self._archive.scores(agent), *newer)}
        return results_of(scores.values(), self._tasks, self._splits)

    def _known(self, child: Child) -> Known:
        return Known(child.id, child.parent, child.admission.works, results_of(child.scores, self._tasks, self._splits))


def _name(job: Job) -> tuple[str, str]:
    return job.domain.name, job.task.id

"""An archive in memory, as the pages want it: read once, then only what is new.

`refresh` looks at the files' times first, so that asking often costs nothing while nothing happens. It holds a
connection for one short transaction and is safe to call from several threads. Not covered: verdicts (`matrix`),
genomes and transcripts, which are read when a page asks for them.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from dgm import config as configs
from dgm import results
from dgm.archive import AgentRecord, DomainRecord, EventRecord, ProposalRecord, ScoreRecord, database, lock
from dgm.archive.place import CONFIG, read_config
from dgm.domain import Split
from dgm.errors import UserError
from dgm.gateway import cache
from dgm.web import rows
from dgm.web.rows import Spent

T = TypeVar("T")
Stamp = tuple[tuple[int, int], ...]


class Snapshot:
    """What an archive held at the last `refresh`. `version` grows with every change; `epoch` when something that was
    there already has changed, later scores for example, so that what was sent to a page must be sent again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.version = self.epoch = 0
        self.agents: dict[int, AgentRecord] = {}
        self.order: list[int] = []  #: ids in the order in which they were seen
        self.proposals: dict[int, ProposalRecord] = {}
        self.children: dict[int, list[int]] = {}
        self.domains: list[DomainRecord] = []
        self.events: list[EventRecord] = []
        self.spent: dict[int, Spent] = {}
        self.splits: dict[str, str] = {}  #: domain to the split agents are chosen on: val, or train without a val
        self.config = configs.parse(read_config(path), str(path / CONFIG))
        self._scores: dict[int, list[ScoreRecord]] = {}
        self._score_count = 0
        self._stamp: Stamp = ()
        self._lock = threading.Lock()
        self._kept: tuple[int, dict[str, Any]] = 0, {}

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def running(self) -> bool:
        """Whether a writer is at work."""
        return lock.held(self.path)

    def refresh(self) -> bool:
        """Read what is new; whether there was anything. Raises UserError when the archive cannot be read."""
        with self._lock:
            stamp = _stamp(self.path)
            if stamp == self._stamp:
                return False
            before = (len(self.agents), self._score_count, len(self.events), self.spent)
            try:
                self._read()
            except (ValueError, TypeError, KeyError) as error:
                raise UserError(f"{self.path / database.NAME} is damaged ({error}); restore a copy") from error
            with rows.calls(self.path) as connection:
                if connection is not None:
                    self.spent = rows.spent_on(connection)
            if before[3] != self.spent and before[0] == len(self.agents):
                self.epoch += 1
            self._stamp = stamp
            changed = before != (len(self.agents), self._score_count, len(self.events), self.spent)
            self.version += changed
            return changed

    def _read(self) -> None:
        with database.reader(self.path) as connection:
            connection.execute("BEGIN")
            self._read_agents(connection)
            self.domains = rows.domains(connection)
            self.events += rows.events(connection, self.events[-1].seq if self.events else 0)
            self.spent = rows.spent(connection)

    def _read_agents(self, connection: sqlite3.Connection) -> None:
        fresh = [i for i in rows.ids(connection) if i not in self.agents]
        low = fresh[0] if fresh else 0
        news = {agent.id: agent for agent in rows.agents(connection, low)} if fresh else {}
        made = {proposal.id: proposal for proposal in rows.proposals(connection, low)} if fresh else {}
        # Replaced and not added to: another thread may be in the middle of them. The numbers of `order` are in both.
        self.proposals = {**self.proposals, **{i: made[i] for i in fresh}}
        self.agents = {**self.agents, **{i: news[i] for i in fresh}}
        for i in fresh:
            agent = news[i]
            self.order.append(i)
            self.children.setdefault(i, [])
            if agent.parent is not None:
                self.children.setdefault(agent.parent, []).append(i)
        total = rows.count(connection, "scores")
        if total != self._score_count:
            self._read_scores(connection, total, fresh)

    def _read_scores(self, connection: sqlite3.Connection, total: int, fresh: Iterable[int]) -> None:
        """Those of the new agents; all of them, if an older agent has got some."""
        new = set(fresh)
        found: dict[int, list[ScoreRecord]] = {}
        for agent, score in rows.scores(connection, min(new, default=0)):
            if agent in new:
                found.setdefault(agent, []).append(score)
        if self._score_count + sum(map(len, found.values())) == total:
            self._scores.update(found)
        else:
            found = {}
            for agent, score in rows.scores(connection, 0):
                found.setdefault(agent, []).append(score)
            self._scores = found
            self.epoch += 1
        self._score_count = total
        for scores in found.values():
            for score in scores:
                if score.split == Split.VAL or (score.split == Split.TRAIN and score.domain not in self.splits):
                    self.splits[score.domain] = score.split

    # The part of `Archive` that results are made from

    def agent(self, agent: int) -> AgentRecord:
        """Raises UserError for an unknown id."""
        if agent not in self.agents:
            raise UserError(f"{self.name} has no agent {agent}; the highest is {max(self.agents, default=0)}")
        return self.agents[agent]

    def scores(self, agent: int) -> list[ScoreRecord]:
        return self._scores.get(agent, [])

    def all_scores(self) -> list[tuple[int, ScoreRecord]]:
        return [(agent, score) for agent in sorted(self._scores) for score in self._scores[agent]]

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, made once for each version of the archive."""
        version, kept = self._kept
        if version != self.version:
            version, kept = self._kept = self.version, {}
        if name not in kept:
            kept[name] = make()
        value: T = kept[name]
        return value

    def outcome(self) -> results.Results:
        """The final table as it stands."""
        return self.kept("outcome", lambda: results.results(_Records(self)))

    def chosen(self, agent: int) -> dict[str, ScoreRecord]:
        """Domain to the score that an agent is chosen by."""
        return {s.domain: s for s in self.scores(agent) if s.split == self.splits[s.domain]}

    def mean(self, agent: int) -> float | None:
        """Mean over all domains of the scores an agent is chosen by, unmeasured tasks as zero; None without any."""
        chosen = self.chosen(agent)
        return sum(score.scaled for score in chosen.values()) / len(self.splits) if chosen else None

    def lineage(self, agent: int) -> list[int]:
        """From the root to an agent. Raises UserError when the line is broken."""
        way: list[int] = []
        at: int | None = agent
        while at is not None:
            if at not in self.agents or at in way:
                raise UserError(f"the line of agent {agent} is broken at {at}; run dgm verify {self.name}")
            way.append(at)
            at = self.agents[at].parent
        return way[::-1]


class _Records:
    """A snapshot in the form of an archive, as far as `dgm.results` asks one."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.scores, self.all_scores = snapshot.scores, snapshot.all_scores
        self._agents = snapshot.agents
        self.ask: results.Asked = self  # single questions: all agents are in memory
        self._chosen = results.chosen_scores(self)

    def agents(self) -> list[AgentRecord]:
        return list(self._agents.values())

    def splits(self) -> dict[str, Split]:
        return {d: Split(next(iter(scores.values())).split) for d, scores in self._chosen.items() if scores}

    def best(self, domain: str, _: Split) -> int:
        scores = self._chosen[domain]
        return min(scores, key=lambda agent: (-results.worth(scores[agent]), agent))

    def best_overall(self, _: dict[str, Split]) -> int | None:
        everywhere = set.intersection(*map(set, self._chosen.values())) if self._chosen else set()
        count = len(self._chosen)
        means = {agent: sum(results.worth(s[agent]) for s in self._chosen.values()) / count for agent in everywhere}
        return min(means, key=lambda agent: (-means[agent], agent), default=None)


def _stamp(path: Path) -> Stamp:
    """Time and size of the files that change when something is recorded."""
    found = []
    for name in (database.NAME, f"{database.NAME}-wal", cache.NAME, f"{cache.NAME}-wal"):
        try:
            status = (path / name).stat()
            found.append((status.st_mtime_ns, status.st_size))
        except FileNotFoundError:
            found.append((0, 0))
    return tuple(found)

"""The record of a run: every agent with its genome, its parents, its scores and how it came about.

An archive is a folder that needs no `dgm` to be read: `dgm.toml`, an SQLite database, a bare git repository
and compressed transcripts (the format is in archive/README.md). One process writes it; any number read.

The order of writes is logs, git objects, ref, then one SQLite transaction. An agent is there when its row is,
so a kill between any two writes leaves a state that the next writer repairs: what has no row is removed. Not
covered: choosing, making and judging agents; the archive believes the kernel and nothing that an agent wrote
about itself.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dgm.archive import foreign, later, packing, place
from dgm.archive.details import Details
from dgm.archive.disk import disk_errors, sync_directory
from dgm.archive.failpoints import failpoint
from dgm.archive.lock import WriterLock
from dgm.archive.logs import LogStore, pieces
from dgm.archive.lookups import Lookups
from dgm.archive.memory import Memory
from dgm.archive.model import (
    Admission,
    AgentRecord,
    Candidate,
    Child,
    DomainRecord,
    EventRecord,
    Logs,
    ModelCallRecord,
    ProposalRecord,
    ScoreRecord,
    VerdictRecord,
)
from dgm.archive.recording import build, check_child, check_results, write_genome, write_logs
from dgm.archive.records import Records
from dgm.archive.repair import repair
from dgm.archive.store import GitStore
from dgm.closing import Closing, on_failure
from dgm.domain import JSON, Files, Split
from dgm.errors import UserError

if TYPE_CHECKING:
    from dgm.archive.view import View

__all__ = [
    "Admission",
    "AgentRecord",
    "Archive",
    "Candidate",
    "Child",
    "DomainRecord",
    "EventRecord",
    "ModelCallRecord",
    "ProposalRecord",
    "ScoreRecord",
    "VerdictRecord",
]


class Archive(Closing):
    """One archive, open for reading or, by one process at a time, for writing. A context manager.

    Made by `create` or `open`. Safe to use from several threads. Every method raises UserError, in one
    sentence, when the archive turns out to be damaged or the disk is full; what was recorded before stays
    valid.
    """

    def __init__(self, path: Path, *, lock: WriterLock | None) -> None:
        self.path = path
        self._writer_lock = lock
        self._lock = threading.RLock()
        self._records = Records(path, write=lock is not None)
        with on_failure(self._records.close):
            self._store = GitStore(path / place.GENOMES)
            self._logs = LogStore(path / place.LOGS)
            self.config = place.read_config(path)
            self._lookups = Lookups(self._records)
            if lock is not None:
                with disk_errors(path):
                    repair(self._records, self._lookups, self._store, self._logs)
            details = Details(self._records, self.files)
            self._memory = Memory(self._records, self._lookups, details, self._lock, writes=lock is not None)
            self._packing = packing.Packing(self._store, packing.LOOSE) if lock is not None else None

    @classmethod
    def create(cls, path: Path, config: str, root: Child, domains: Sequence[DomainRecord] = ()) -> Archive:
        """A new archive that holds the root, open for writing: there whole or not at all.

        It is built in a folder beside `path` and renamed. `config` becomes `dgm.toml`; `domains` are pinned.
        """
        place.check_is_free(path)
        staging = path.with_name(f".{path.name}.creating")
        with disk_errors(path, remedy="try again"):
            staging.mkdir(parents=True, exist_ok=True)
            lock = WriterLock(staging)
            with on_failure(lock.release), on_failure(partial(shutil.rmtree, staging, ignore_errors=True)):
                build(staging, config, root, domains)
                failpoint("create-written")
                place.rename(staging, path)
                lock.moved(path)
                sync_directory(path.parent)
                failpoint("create-renamed")
                return cls(path, lock=lock)

    @classmethod
    def open(cls, path: Path, write: bool = False) -> Archive:
        """An archive that is there. A writer takes the lock and repairs what a killed one left; a reader
        changes nothing on disk. Raises UserError if there is none, it is damaged or newer, or another process
        writes it."""
        place.check_is_archive(path)
        if not write:
            return cls(path, lock=None)
        with disk_errors(path):
            foreign.check_links(path)
            lock = WriterLock(path)
            with on_failure(lock.release):
                return cls(path, lock=lock)

    @staticmethod
    def refuse_existing(path: Path) -> None:
        """Raises UserError if an archive cannot be made at `path` because something is there."""
        place.check_is_free(path)

    def close(self) -> None:
        """Leave plain files without a lock behind. May be called twice."""
        with self._lock:
            self._memory.let_go()
            if self._packing is not None:
                self._packing.close()
                self._packing = None
            self._records.close()
            if self._writer_lock is not None:
                self._writer_lock.release()
                self._writer_lock = None

    # Reading

    @property
    def name(self) -> str:
        """The folder's name, by which commands call the archive."""
        return self.path.name

    @property
    def ask(self) -> Lookups:
        """Single questions, each of which costs the same at any size."""
        return self._lookups

    def agents(self) -> list[AgentRecord]:
        """All proposals' outcomes, by id; those that failed as well."""
        return self._memory.everyone().agents()

    def agent(self, agent: int) -> AgentRecord:
        """Raises UserError for an unknown id."""
        if (found := self._memory.agent(agent)) is None:
            raise UserError(f"{self.name} has no agent {agent}; its agents are 0 to {self.visible()[0]}")
        return found

    def children(self, agent: int) -> int:
        """How many proposals were made from an agent, failed ones included."""
        return self._lookups.counts([agent])[agent]

    def candidates(self) -> list[Candidate]:
        """The agents that work, by id, as a selector wants them."""
        return self._memory.everyone().candidates()

    def view(self, number: int | None = None) -> View:
        """The agents that work, as columns, for the selection of proposal `number` (the next one). Results task
        by task and sources are read when the view is first asked for them: ask before more is recorded."""
        return self._memory.view(number)

    def as_of(self, seen: Collection[int], number: int) -> View:
        """The view that proposal `number` had if it could see the agents `seen`, as their results stand now."""
        return self._memory.as_of(seen, number)

    def next_id(self) -> int:
        """The number of the next proposal: the smallest that is not recorded."""
        return self._memory.next_id()

    def evaluations(self) -> int:
        """How many verdicts on train and val there are, of all agents together."""
        return self._memory.evaluations()

    def visible(self) -> tuple[int, tuple[int, ...]]:
        """The highest number on record, and the smaller ones that are not: what a selection could see."""
        return self._memory.visible()

    def scores(self, agent: int) -> list[ScoreRecord]:
        """An agent's scores, in the order of domain and split."""
        return self._memory.scores(agent)

    def all_scores(self) -> list[tuple[int, ScoreRecord]]:
        """Every score with its agent's id, by id."""
        return self._memory.everyone().all_scores()

    def split_scores(self, split: str) -> list[tuple[int, ScoreRecord]]:
        """The scores on one split, each with its agent's id, by id."""
        return [pair for pair in self.all_scores() if pair[1].split == split]

    def proposals(self) -> list[ProposalRecord]:
        """How all agents came about, by id."""
        return self._records.proposals()

    def proposal(self, agent: int) -> ProposalRecord:
        """How one agent came about. Raises UserError for an unknown id."""
        self.agent(agent)
        return self._records.proposals(agent)[0]

    def verdicts(self, agent: int, domain: str | None = None, split: str | None = None) -> list[VerdictRecord]:
        """An agent's verdicts, of one domain and split or of all, in the order the tasks were first seen."""
        return self._records.verdicts(agent, domain, split)

    def domains(self) -> list[DomainRecord]:
        """The domains, as they were pinned."""
        return self._records.domains()

    def proposals_of_people(self) -> list[ProposalRecord]:
        """Those whose parent, or whose child, a person chose, by id."""
        return self._records.proposals_of_people()

    def events(self, kind: str | None = None) -> list[EventRecord]:
        """What happened to the archive itself, in order; of one kind alone, if need be."""
        return self._records.events(kind)

    def files(self, agent: int) -> dict[str, bytes]:
        """An agent's genome, by path. Raises UserError if none was kept."""
        return self._store.read(self._commit(agent))

    def diff(self, a: int | None, b: int, limit: int = 1_000_000) -> str:
        """What changed from agent `a` (None: from nothing) to `b` as a patch of about `limit` characters at
        most."""
        return self._store.diff(None if a is None else self._commit(a), self._commit(b), limit)

    def patch(self, agent: int, limit: int = 1_000_000) -> str:
        """What an agent changed in its parent's genome; for the root, all of it. Empty if no genome was
        kept."""
        record = self.agent(agent)
        return self.diff(record.parent, agent, limit) if record.commit else ""

    def logs(self, agent: int, domain: str, split: str) -> list[dict[str, JSON]]:
        """The transcript rows of an agent's tasks; empty if none were recorded."""
        names = pieces(self._records.logs_of(agent), f"{domain}.{split}")
        return [row for name in names for row in self._logs.read(agent, name)]

    # Writing

    def record(self, child: Child, event: tuple[str, JSON] | None = None) -> AgentRecord:
        """Keep a finished proposal with all its results, and with an event of a kind and body: the one way into the
        archive.

        Raises ValueError, before anything is written, for a child that is not whole: a number that is taken,
        a parent that does not work, an agent without files, results that do not belong together.
        """
        with self._lock, disk_errors(self.path):
            parents = check_child(
                child, self._lookups.agents([n for n in (child.id, child.parent, child.parent2) if n is not None])
            )
            logs = write_logs(self._logs, child.id, child.logs)
            record = write_genome(self._store, child, parents)
            self._records.add(record, child.proposal, child.scores, child.verdicts, logs, child.task_half, event)
            self._memory.born(record, child.scores, child.verdicts)
            if self._packing is not None:
                self._packing.look()
            return record

    def add_scores(
        self, agent: int, scores: Sequence[ScoreRecord], verdicts: Sequence[VerdictRecord], logs: Logs
    ) -> None:
        """Keep later results of an agent, on test for example. The same results again change nothing; others
        for a domain and split that has some raise UserError: a score is never replaced."""
        with self._lock, disk_errors(self.path):
            self.agent(agent)
            check_results(scores, verdicts)
            known, kept = self.scores(agent), partial(self.verdicts, agent)
            if fresh := later.unrecorded(f"{self.name}#{agent}", scores, verdicts, known, kept):
                keys = {(score.domain, score.split) for score in fresh}
                names = {f"{domain}.{split}" for domain, split in keys}
                self._add(
                    agent,
                    fresh,
                    [verdict for verdict in verdicts if (verdict.domain, verdict.split) in keys],
                    {name: rows for name, rows in logs.items() if name in names},
                )

    def extend(
        self,
        agent: int,
        totals: Mapping[tuple[str, Split], int],
        verdicts: Sequence[VerdictRecord],
        logs: Logs,
        event: Callable[[Sequence[ScoreRecord]], tuple[str, JSON]],
    ) -> None:
        """Keep further results of an agent on tasks that it had not run; scores are made anew over all that it then
        has. `totals`: the planned tasks of each domain and split. The results and an event, of which `event` makes
        kind and body from the new scores, are there together or not at all. Raises ValueError, before anything is
        written, for a task that has a verdict."""
        with self._lock, disk_errors(self.path):
            self.agent(agent)
            keys = sorted({(v.domain, Split(v.split)) for v in verdicts})
            before = {key: self.verdicts(agent, *key) for key in keys}
            scores = later.grown(agent, verdicts, before, totals)
            self._add(agent, scores, verdicts, later.next_pieces(logs, before), event(scores))

    def now(self) -> float:
        """Seconds since 1970, later than all that is recorded: what a proposal or an event is stamped with, so that
        their order is kept when the clock is not. For the writer."""
        return self._records.now()

    def add_event(self, kind: str, body: JSON) -> None:
        """Note something that happened to the archive; `kind` is a word."""
        with disk_errors(self.path):
            self._records.add_event(kind, body)

    def name_halves(self, digest: Callable[[Files], str]) -> None:
        """Give agents that an older dgm recorded the digest of their task half, by which equal ones are known."""
        with self._lock, disk_errors(self.path):
            if nameless := self._lookups.without_half():
                self._records.add_halves({agent: digest(self.files(agent)) for agent in nameless})

    def last_call(self) -> int:
        """The highest id of a model call on record; 0 without any."""
        return self._records.last_call()

    def add_calls(self, calls: Sequence[ModelCallRecord]) -> None:
        """Add model calls, in one transaction; none of their ids may be there."""
        with disk_errors(self.path):
            self._records.add_calls(calls)

    def tag_best(self, domain: str, agent: int) -> None:
        """Point git's tag `best-<domain>` at an agent's commit."""
        with self._lock, disk_errors(self.path):
            self._store.tag(f"best-{domain}", self._commit(agent))

    # Within

    def _add(
        self,
        agent: int,
        scores: Sequence[ScoreRecord],
        verdicts: Sequence[VerdictRecord],
        logs: Logs,
        event: tuple[str, JSON] | None = None,
    ) -> None:
        """Write later results, in the order of all writes."""
        self._records.begin([agent])
        entries = write_logs(self._logs, agent, logs)
        self._records.add_results(agent, scores, verdicts, entries, event)
        self._memory.measured(agent, scores, verdicts)

    def _commit(self, agent: int) -> str:
        record = self.agent(agent)
        if record.commit is None:
            raise UserError(f"{self.name}#{agent} has no genome: the proposal ended as {record.admission}")
        return record.commit

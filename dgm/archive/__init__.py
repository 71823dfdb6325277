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
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dgm.archive import database, packing
from dgm.archive.details import Details
from dgm.archive.disk import disk_errors, sync_directory
from dgm.archive.failpoints import failpoint
from dgm.archive.lock import WriterLock
from dgm.archive.logs import LogStore, piece, pieces
from dgm.archive.lookups import Lookups
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
from dgm.archive.population import Population
from dgm.archive.recording import (
    CONFIG,
    GENOMES,
    LOGS,
    build,
    check_child,
    check_results,
    totalled,
    write_genome,
    write_logs,
)
from dgm.archive.records import Records, task_name
from dgm.archive.repair import repair
from dgm.archive.store import GitStore
from dgm.closing import Closing
from dgm.domain import JSON, Files, Split
from dgm.errors import UserError

if TYPE_CHECKING:
    from dgm.archive.standing import Standing
    from dgm.archive.view import View

T = TypeVar("T")

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
        try:
            self._store = GitStore(path / GENOMES)
            self._logs = LogStore(path / LOGS)
            self.config = _read_config(path)
            self._lookups = Lookups(self._records)
            self._details = Details(self._records, self.files)
            self._revision = self._records.revision()
            self._population: Population | None = None
            self._standing: Standing | None = None
            self._evaluations: int | None = None  # counted when it is first asked for, by a writer kept from then on
            self._visible: tuple[int, tuple[int, ...]] = (-1, ())  # kept up to date by a writer alone
            if lock is not None:
                with disk_errors(path):
                    repair(self._records, self._lookups, self._store, self._logs)
                self._visible = self._lookups.visible()
            self._packing = packing.Packing(self._store, packing.LOOSE) if lock is not None else None
        except BaseException:
            self._records.close()
            raise

    @classmethod
    def create(cls, path: Path, config: str, root: Child, domains: Sequence[DomainRecord] = ()) -> Archive:
        """A new archive that holds the root, open for writing: there whole or not at all.

        It is built in a folder beside `path` and renamed. `config` becomes `dgm.toml`; `domains` are pinned.
        """
        cls.refuse_existing(path)
        staging = path.with_name(f".{path.name}.creating")
        with disk_errors(path, remedy="try again"):
            staging.mkdir(parents=True, exist_ok=True)
            lock = WriterLock(staging)
            try:
                build(staging, config, root, domains)
                failpoint("create-written")
                _rename(staging, path)
                lock.moved(path)
                sync_directory(path.parent)
                failpoint("create-renamed")
                return cls(path, lock=lock)
            except BaseException:
                shutil.rmtree(staging, ignore_errors=True)
                lock.release()
                raise

    @classmethod
    def open(cls, path: Path, write: bool = False) -> Archive:
        """An archive that is there. A writer takes the lock and repairs what a killed one left; a reader
        changes nothing on disk. Raises UserError if there is none, it is damaged or newer, or another process
        writes it."""
        if not path.exists():
            raise UserError(f"there is no archive at {path}; `dgm run {path.name}` makes one")
        if (path / "experiment.toml").is_file():
            runs = sorted(found.parent.name for found in path.glob(f"*/{database.NAME}"))
            told = ", ".join(runs[:4]) or "none is made yet"
            raise UserError(f"{path} is an experiment; name one of its runs: {told}")
        if not (path / database.NAME).is_file():
            raise UserError(f"{path} is no archive: it holds no {database.NAME}; give the folder of a run")
        database.check_is_archive(path)
        if not write:
            return cls(path, lock=None)
        with disk_errors(path):
            lock = WriterLock(path)
            try:
                return cls(path, lock=lock)
            except BaseException:
                lock.release()
                raise

    @staticmethod
    def refuse_existing(path: Path) -> None:
        """Raises UserError if an archive cannot be made at `path` because something is there."""
        if (path / database.NAME).exists():
            raise UserError(f"{path} exists; choose another name or `dgm resume {path.name}`")
        if path.is_dir() and any(path.iterdir()):
            raise UserError(f"{path} exists and is no archive; choose another name")
        if path.exists() and not path.is_dir():
            raise UserError(f"{path} is a file; choose another name")

    def close(self) -> None:
        """Leave plain files without a lock behind. May be called twice."""
        with self._lock:
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
        return self._everyone().agents()

    def agent(self, agent: int) -> AgentRecord:
        """Raises UserError for an unknown id."""
        with self._lock:
            known = self._current(self._population)
            found = self._lookups.agent(agent) if known is None else known.get(agent)
        if found is None:
            raise UserError(f"{self.name} has no agent {agent}; its agents are 0 to {self.visible()[0]}")
        return found

    def children(self, agent: int) -> int:
        """How many proposals were made from an agent, failed ones included."""
        return self._lookups.counts([agent])[agent]

    def candidates(self) -> list[Candidate]:
        """The agents that work, by id, as a selector wants them."""
        return self._everyone().candidates()

    def view(self, number: int | None = None) -> View:
        """The agents that work, as columns, for the selection of proposal `number` (the next one). Results task
        by task and sources are read when the view is first asked for them: ask before more is recorded."""
        from dgm.archive.standing import Standing  # here, because numpy takes a tenth of a second

        with self._lock:
            standing = self._current(self._standing)
            if standing is None or standing.stale:
                self._standing = standing = Standing.read(self._records)
            return self._shown(standing, self.next_id() if number is None else number)

    def as_of(self, seen: Collection[int], number: int) -> View:
        """The view that proposal `number` had if it could see the agents `seen`, as their results stand now."""
        from dgm.archive.standing import Standing

        with self._lock:
            everyone = self._everyone()
            past = Standing.of(
                [agent for agent in everyone.agents() if agent.id in seen],
                [pair for pair in everyone.all_scores() if pair[0] in seen],
            )
            return self._shown(past, number)

    def _shown(self, standing: Standing, number: int) -> View:
        return standing.view(number, lambda ids: self._details.tasks(ids, standing), self._details.sources)

    def next_id(self) -> int:
        """The number of the next proposal: the smallest that is not recorded."""
        highest, missing = self.visible()
        return missing[0] if missing else highest + 1

    def evaluations(self) -> int:
        """How many verdicts on train and val there are, of all agents together."""
        if self._writer_lock is None:
            return self._lookups.evaluations()
        with self._lock:
            if self._evaluations is None:
                self._evaluations = self._lookups.evaluations()
            return self._evaluations

    def visible(self) -> tuple[int, tuple[int, ...]]:
        """The highest number on record, and the smaller ones that are not: what a selection could see."""
        return self._visible if self._writer_lock is not None else self._lookups.visible()

    def scores(self, agent: int) -> list[ScoreRecord]:
        """An agent's scores, in the order of domain and split."""
        with self._lock:
            known = self._current(self._population)
            return self._lookups.scores([agent])[agent] if known is None else known.scores(agent)

    def all_scores(self) -> list[tuple[int, ScoreRecord]]:
        """Every score with its agent's id, by id."""
        return self._everyone().all_scores()

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
            self._visible = _with(self._visible, child.id)
            self._count(child.verdicts)
            if self._population is not None:
                self._population.add(record, child.scores)
            if self._standing is not None:
                self._standing.add(record, child.scores)
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
            known = {(score.domain, score.split): score for score in self.scores(agent)}
            fresh = [score for score in scores if (score.domain, score.split) not in known]
            for score in scores:
                if score not in fresh and not self._same(agent, known[score.domain, score.split], score, verdicts):
                    raise UserError(
                        f"{self.name}#{agent} has another score on {score.domain} {score.split} already;"
                        " scores are never replaced"
                    )
            keys = {(score.domain, score.split) for score in fresh}
            names = {f"{domain}.{split}" for domain, split in keys}
            if fresh:
                self._records.begin([agent])
                entries = write_logs(self._logs, agent, {name: rows for name, rows in logs.items() if name in names})
                kept = [verdict for verdict in verdicts if (verdict.domain, verdict.split) in keys]
                self._records.add_results(agent, fresh, kept, entries)
                self._count(kept)
                self._noticed(agent, fresh)

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
            seen = {(v.domain, v.split, task_name(v.task)) for known in before.values() for v in known}
            fresh = {(v.domain, v.split, task_name(v.task)) for v in verdicts}
            if seen & fresh or len(fresh) < len(verdicts):
                raise ValueError(f"agent {agent} has a verdict on one of these tasks already")
            scores = [
                totalled(key, [*known, *(v for v in verdicts if (v.domain, v.split) == key)], totals[key])
                for key, known in before.items()
            ]
            self._records.begin([agent])
            named = {piece(name, len(before.get(_key(name), ()))): rows for name, rows in logs.items()}
            entries = write_logs(self._logs, agent, named)
            self._records.add_results(agent, scores, verdicts, entries, event(scores))
            self._count(verdicts)
            self._noticed(agent, scores)

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

    def _count(self, verdicts: Sequence[VerdictRecord]) -> None:
        if self._evaluations is not None:
            self._evaluations += sum(v.split != Split.TEST and v.score is not None for v in verdicts)

    def _noticed(self, agent: int, scores: Sequence[ScoreRecord]) -> None:
        """Scores of an agent that was there already have been recorded."""
        if self._population is not None:
            self._population.add_scores(agent, scores)
        if self._standing is not None and any(score.split != Split.TEST for score in scores):
            self._standing.measured(self.agent(agent), self.scores(agent))

    def _everyone(self) -> Population:
        """All agents in memory, loaded when they are first asked for; by a reader again when the archive has grown."""
        with self._lock:
            known = self._current(self._population)
            if known is None:
                self._population = known = Population(self._records.agents(), self._records.scores())
            return known

    def _current(self, known: T | None) -> T | None:
        """What is known of the archive in memory, None where it holds no longer: a writer keeps it up to date."""
        if known is None or self._writer_lock is not None or (now := self._records.revision()) == self._revision:
            return known
        self._revision, self._population, self._standing = now, None, None
        return None

    def _commit(self, agent: int) -> str:
        commit = self.agent(agent).commit
        if commit is None:
            raise UserError(f"{self.name}#{agent} has no genome: the proposal ended as {self.agent(agent).admission}")
        return commit

    def _same(self, agent: int, known: ScoreRecord, score: ScoreRecord, verdicts: Sequence[VerdictRecord]) -> bool:
        """Whether results are those that are there already; how long they took does not matter."""
        kept = self.verdicts(agent, score.domain, score.split)
        given = [v for v in verdicts if (v.domain, v.split) == (score.domain, score.split)]
        return known == score and {(v.task, v.score, v.status) for v in kept} == {
            (task_name(v.task), v.score, v.status) for v in given
        }


def _with(visible: tuple[int, tuple[int, ...]], number: int) -> tuple[int, tuple[int, ...]]:
    """What is visible once `number` is recorded."""
    highest, missing = visible
    if number < highest:
        return highest, tuple(one for one in missing if one != number)
    return number, (*missing, *range(highest + 1, number))


def _key(log: str) -> tuple[str, Split]:
    """The domain and split of a log called `domain.split`."""
    domain, _, split = log.rpartition(".")
    return domain, Split(split)


def _rename(staging: Path, path: Path) -> None:
    try:
        staging.rename(path)
    except OSError:
        # Somebody made something at `path` in the meantime: say so in a sentence if that is what it was.
        Archive.refuse_existing(path)
        raise


def _read_config(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return (path / CONFIG).read_text(encoding="utf-8")
    raise UserError(f"{path / CONFIG} is missing or unreadable; restore a copy of the archive")

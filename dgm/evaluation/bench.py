"""An agent at work: one task after another in its sandboxes, each artifact judged outside of them.

One `Bench` holds the open sandboxes of one agent. Tasks are shared out over its sessions; results come back in
the order of the tasks, so the number of sessions changes the time and nothing else. A fault of ours is tried
again in a fresh sandbox and never becomes a score. Which tasks are due, and what they come to, is not known here.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType

from dgm.closing import Closing
from dgm.domain import Artifact, Files, Split, Task, Verdict
from dgm.domains import LoadedDomain
from dgm.errors import AgentFailed, NoVerdict, SandboxUnavailable, Status
from dgm.evaluation.candidates import JudgeSession
from dgm.evaluation.judging import Judge
from dgm.evaluation.ongoing import persistently
from dgm.evaluation.session import AgentSession, Reply
from dgm.gateway.lines import OFFLINE, Line
from dgm.genome import HALVES, GenomeSpec, Half, half_files
from dgm.sandbox import Limits, Sandbox
from dgm.sandbox.images import within

PACKAGES_MB = 1024
"""The least for a half that imports packages: litellm alone takes more than many a domain declares."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one task came to."""

    domain: str
    split: Split
    task: str
    verdict: Verdict
    reply: Reply
    ms: int

    @property
    def missing(self) -> bool:
        """Whether there is no verdict, through no fault of the agent."""
        return self.verdict.status == Status.INFRA


@dataclass(frozen=True, slots=True)
class Job:
    """One task to be done."""

    domain: LoadedDomain
    split: Split
    task: Task


class Bench(Closing):
    """The open sandboxes of one agent: `check` that it starts, then `run` jobs. A context manager."""

    def __init__(
        self,
        genome: Files,
        spec: GenomeSpec,
        sandbox: Sandbox,
        domains: Sequence[LoadedDomain],
        *,
        sessions: int,
        seed: int,
        line: Line = OFFLINE,
        judge: Line = OFFLINE,
        task_seconds: Callable[[float], float] = float,
    ) -> None:
        """`line` leads to the models that may be asked, `judge` to the one that judges ask; `task_seconds` turns a
        domain's declared time limit for a task into the one that holds here."""
        self._genome, self._spec, self._sandbox, self._line = genome, spec, sandbox, line
        self._task_seconds = task_seconds
        self._limits = Limits(
            seconds=max((task_seconds(d.spec.limits.seconds) for d in domains), default=10.0),
            memory_mb=max(
                (*(d.spec.limits.memory_mb for d in domains), PACKAGES_MB if spec.agent.packages else 0), default=512
            ),
            processes=max((d.spec.limits.processes for d in domains), default=64),
            disk_mb=max((d.spec.limits.disk_mb for d in domains), default=256),
        )
        self._seed = seed
        self._local = threading.local()
        self._given_up = threading.Event()
        self._judge_line, self._judge = judge, Judge(judge, self._given_up) if judge.models else None
        self._agents: list[AgentSession] = []
        self._judges: list[JudgeSession] = []
        self._lock = threading.Lock()
        self._sessions, self._pool = sessions, ThreadPoolExecutor(sessions, thread_name_prefix="evaluate")

    def check(self, halves: Collection[Half] = HALVES) -> None:
        """Start the entries of the halves, and every session in which the agent then works. Raises AgentFailed when
        one does not start or speak the protocol."""
        meta = self._spec.meta

        def start() -> None:
            with AgentSession(self._sandbox, half_files(self._genome, meta), meta, "meta", self._limits) as session:
                session.load()

        agents = [lambda: self._mine()[0].load()] * self._sessions if "agent" in halves else []
        starts = [*agents[:1], *([start] if "meta" in halves else []), *agents[1:]]
        waited = [self._pool.submit(persistently, one, self._given_up) for one in starts]
        for one in waited:
            one.result()

    def run(self, jobs: Sequence[Job]) -> list[Result]:
        """All jobs' results, in the jobs' order. Raises SandboxUnavailable, JudgeFailed, or ModelUnavailable when the
        budget is spent.

        Train tasks go first: a session that has seen another one does no train task any more (`_attempt`)."""
        order = sorted(range(len(jobs)), key=lambda at: jobs[at].split != Split.TRAIN)
        done = dict(zip(order, self._pool.map(self._one, [jobs[at] for at in order]), strict=True))
        return [done[at] for at in range(len(jobs))]

    def _one(self, job: Job) -> Result:
        try:
            return self._line.patiently(lambda: persistently(lambda: self._afresh(job), self._given_up), self._given_up)
        except AgentFailed as failure:
            # Its calls to a model come to nothing again and again, and others' do not. Whether the agent or its
            # provider is to blame cannot be told, so the task is missing, and its agent cannot be the best.
            verdict = Verdict(0.0, Status.INFRA, failure.reason[:200])
            reply = Reply(status=Status.INFRA, error=failure.reason)
            return Result(job.domain.name, job.split, job.task.id, verdict, reply, 0)

    def _afresh(self, job: Job) -> Result:
        """One try. After a fault of ours the next one meets a fresh sandbox."""
        try:
            return self._attempt(job)
        except SandboxUnavailable:
            for session in self._mine(job.task.image):
                session.close()
            raise

    def _attempt(self, job: Job) -> Result:
        agent, judge = self._mine(job.task.image)
        if job.split == Split.TRAIN and getattr(self._local, "withheld", False):
            agent.close()  # what an entry has kept of val or test would come into a transcript that meta agents read
        self._local.withheld = job.split != Split.TRAIN
        started = time.monotonic()
        reply = agent.task(
            dict(job.task.inputs),
            job.domain.answer_for(job.task),
            job.task.files,
            task_seed(self._seed, job),
            self._task_seconds(job.domain.spec.limits.seconds),
            f"{job.domain.name}/{job.split}/{job.task.id}",
        )
        ms = round((time.monotonic() - started) * 1000)
        if reply.status != Status.OK:
            verdict = Verdict(0.0, reply.status, (reply.error or "")[:200])
        else:
            verdict = self._verdict(job, Artifact(reply.prediction, reply.files), judge)
        return Result(job.domain.name, job.split, job.task.id, verdict, reply, ms)

    def _verdict(self, job: Job, artifact: Artifact, judge: JudgeSession) -> Verdict:
        """The judge's; one whose model gives none is missing, with the status INFRA."""
        place = judge if job.domain.executes else None
        try:
            return self._judge_line.patiently(
                lambda: job.domain.judge(job.task, artifact, place, self._judge), self._given_up
            )
        except NoVerdict as failure:
            return Verdict(0.0, Status.INFRA, str(failure)[:200])

    def _mine(self, image: str = "") -> tuple[AgentSession, JudgeSession]:
        """This thread's sessions, opened at its first job; a task with another image than the last gets new ones."""
        if getattr(self._local, "image", None) != image:
            for session in getattr(self._local, "sessions", ()):
                session.close()
            half, sandbox = self._spec.agent, within(self._sandbox, image) if image else self._sandbox
            files, desk = half_files(self._genome, half), self._line.desk()
            agent = AgentSession(sandbox, files, half, "agent", self._limits, desk=desk)
            judge = JudgeSession(sandbox, self._limits)
            with self._lock:
                self._agents.append(agent)
                self._judges.append(judge)
            self._local.sessions, self._local.image = (agent, judge), image
        sessions: tuple[AgentSession, JudgeSession] = self._local.sessions
        return sessions

    def abort(self) -> None:
        """From another thread, or before `close`: tasks under way end at once, with SandboxUnavailable."""
        self._given_up.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            agents = list(self._agents)
        for agent in agents:
            agent.abort()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abort()  # nobody waits for a task whose result is lost
        self.close()

    def close(self) -> None:
        """End the sandboxes; jobs that have not begun are dropped, those under way are waited for."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        with ThreadPoolExecutor(self._sessions) as pool:  # each waits until its sandbox is gone
            for closed in [pool.submit(session.close) for session in (*self._judges, *self._agents)]:
                closed.result()


def task_seed(seed: int, job: Job) -> int:
    """The seed an agent gets for a task: the same for every agent of a run, 31 bits."""
    text = f"{seed}/{job.domain.name}/{job.task.id}".encode(errors="surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") >> 1

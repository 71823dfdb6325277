"""Showing a run while it goes: a live display on a terminal, one plain line for each proposal elsewhere.

`Tally` counts; `Live` and `Plain` show it. Neither reads more of the archive than the scores of the newest
agent, so that the display costs the same at the thousandth proposal as at the first.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from dgm import results
from dgm.archive import Admission, AgentRecord, Archive
from dgm.domain import Split
from dgm.reporting import text
from dgm.reporting.report import story

if TYPE_CHECKING:
    from rich.console import Group

    from dgm.sitting.run import Run


@dataclass
class Tally:
    """What a run has come to so far."""

    total: int  #: proposals meant in all
    done: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    best: dict[str, tuple[int, float]] = field(default_factory=dict)  #: domain to agent and its mean
    root: dict[str, float] = field(default_factory=dict)
    limit: float | None = None  #: seconds of running that the run may take
    before: float = 0.0  #: seconds that earlier sittings took
    began: int = 0  #: proposals that were done when this sitting began
    clock: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, run: Run) -> Tally:
        """The state of a run that starts or goes on."""
        archive = run.archive
        chosen, best = archive.ask.splits(), results.best_per_domain(archive)
        done = archive.next_id() - 1
        return cls(
            total=run.config.search.proposals,
            done=done,
            began=done,
            outcomes=Counter({str(a): n for a, n in archive.ask.outcomes().items() if a != Admission.ROOT}),
            best={d: (agent, mean) for d, agent in best.items() for mean in _means(archive, agent, chosen, d)},
            root={d: mean for d in chosen for mean in _means(archive, results.ROOT, chosen, d)},
            limit=run.config.search.seconds,
            before=run.seconds,
        )

    def add(self, agent: AgentRecord, means: dict[str, float]) -> set[str]:
        """Count one more proposal; the domains in which it is the best so far."""
        self.done += 1
        self.outcomes[str(agent.admission)] += 1
        bettered = {d for d, mean in means.items() if d not in self.best or mean > self.best[d][1]}
        self.best |= {domain: (agent.id, means[domain]) for domain in bettered}
        return bettered

    def seconds_left(self) -> float | None:
        """Estimated from this sitting's proposals; None before there is one."""
        here = time.monotonic() - self.clock
        made = self.done - self.began
        by_proposals = here / made * (self.total - self.done) if made else None
        by_clock = None if self.limit is None else max(0.0, self.limit - self.before - here)
        known = [seconds for seconds in (by_proposals, by_clock) if seconds is not None]
        return min(known) if known else None

    def counts(self) -> str:
        """`12 admitted, 3 unchanged, 1 failed`."""
        order = [str(Admission.ADMITTED), *sorted(set(self.outcomes) - {Admission.ADMITTED})]
        return ", ".join(f"{self.outcomes[kind]} {kind}" for kind in order if self.outcomes[kind]) or "none yet"


def _means(archive: Archive, agent: int, chosen: Mapping[str, Split], domain: str) -> list[float]:
    """The mean of an agent on the split by which agents are chosen in a domain; none where it was not measured."""
    return [s.mean for s in archive.scores(agent) if s.n and (s.domain, s.split) == (domain, chosen[domain])]


def means_of(run: Run, agent: AgentRecord) -> dict[str, float]:
    """The means that an agent may be chosen by: val, train where there is no val, full measurements only."""
    if not agent.admission.works:
        return {}
    split = {domain.name: domain.chosen_on for domain in run.domains}
    return {
        s.domain: s.mean
        for s in run.archive.scores(agent.id)
        if s.n == s.total and s.split == split.get(s.domain) and s.split != Split.TEST
    }


class Progress(Protocol):
    """How a run is told of. A context manager around all of it."""

    def notice(self, line: str) -> None: ...

    def start(self, run: Run) -> Callable[[AgentRecord], None]:
        """The run is ready: what to call after each proposal."""
        ...

    def tested(self, agent: int) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Plain:
    """Plain lines, flushed one by one: on stdout, or on stderr where stdout carries JSON."""

    def __init__(self, stderr: bool = False) -> None:
        self._stream = sys.stderr if stderr else sys.stdout

    def notice(self, line: str) -> None:
        print(text.printable(line), file=self._stream, flush=True)

    def start(self, run: Run) -> Callable[[AgentRecord], None]:
        tally = Tally.of(run)
        self.notice(f"{tally.done}/{tally.total} proposals; the best on val: {best_line(tally)}")

        def proposal(agent: AgentRecord) -> None:
            means = means_of(run, agent)
            line = proposal_line(agent, run, means, tally.add(agent, means))
            self.notice(f"{tally.done}/{tally.total}  {line}")

        return proposal

    def tested(self, agent: int) -> None:
        self.notice(f"measured #{agent} on test")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.flush()


def proposal_line(agent: AgentRecord, run: Run, means: dict[str, float], bettered: Iterable[str]) -> str:
    """`#7 from #3 admitted 2.1 s  grading 0.661 (best)  what its maker says`."""
    seconds = run.archive.proposal(agent.id).seconds
    parts = [f"#{agent.id} from #{agent.parent}", str(agent.admission), text.duration(seconds)]
    best = set(bettered)
    parts += [f"{d} {mean:.3f}{' (best)' if d in best else ''}" for d, mean in sorted(means.items())]
    return "  ".join([*parts, story(agent, 120)])


def best_line(tally: Tally) -> str:
    """`grading 0.661 (#7, root 0.520)`, for each domain."""
    parts = []
    for domain, (agent, mean) in sorted(tally.best.items()):
        root = f", root {tally.root[domain]:.3f}" if domain in tally.root else ""
        parts.append(f"{domain} {mean:.3f} (#{agent}{root})")
    return ", ".join(parts) or "nothing measured yet"


class Live:
    """A display that is redrawn in place; the latest proposals scroll above it."""

    def __init__(self) -> None:
        from rich.live import Live as RichLive

        from dgm.cli.printing import console

        self._console = console()
        self._state = "starting"
        self._tally = Tally(0)
        self._live = RichLive(console=self._console, get_renderable=self._draw, refresh_per_second=4, transient=True)

    def notice(self, line: str) -> None:
        self._state = text.one_line(line, 80)
        self._print(text.printable(line), "dim")

    def start(self, run: Run) -> Callable[[AgentRecord], None]:
        self._tally = tally = Tally.of(run)
        self._state = "searching"

        def proposal(agent: AgentRecord) -> None:
            means = means_of(run, agent)
            bettered = tally.add(agent, means)
            style = "green" if bettered else "" if agent.admission.works else "dim"
            line = proposal_line(agent, run, means, bettered)
            self._print(line, style)

        return proposal

    def tested(self, agent: int) -> None:
        self._print(f"measured #{agent} on test", "dim")

    def _print(self, line: str, style: str) -> None:
        """One line above the display. The style is the line's alone: one given to `print` dyes the display too."""
        from rich.text import Text

        self._console.print(Text(line, style=style, no_wrap=True, overflow="ellipsis"))

    def _draw(self) -> Group:
        """Called by rich's own thread; reads the tally only."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        tally = self._tally
        if not tally.best:
            return Group(Text(self._state))
        left = tally.seconds_left() if self._state == "searching" else None
        bar = Table.grid(padding=(0, 1))
        bar.add_row(
            Text(self._state),
            ProgressBar(total=max(1, tally.total), completed=tally.done, width=30),
            Text(f"{tally.done}/{tally.total} proposals"),
            Text("" if left is None else f"{text.duration(left)} left"),
        )
        return Group(bar, Text(f"proposals: {tally.counts()}"), Text(f"best on val: {best_line(tally)}"))

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()


def progress(json: bool) -> Progress:
    """The right one: live on a terminal, plain in a pipe, and on stderr where stdout is for JSON."""
    if json:
        return Plain(stderr=True)
    return Live() if sys.stdout.isatty() else Plain()

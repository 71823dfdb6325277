"""What `dgm watch` shows: the state of a run as its archive tells it, looked at again and again.

Every look is a few short questions to the database and keeps the writer from nothing. The run ends when nobody holds
the archive's lock any more.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dgm import results, steering
from dgm.archive import AgentRecord, Archive
from dgm.cli import printing
from dgm.cli.steered import standing
from dgm.reporting import text
from dgm.reporting.report import story
from dgm.sitting.settings import config_of

if TYPE_CHECKING:
    from rich.console import Group

LATEST = 8
"""Proposals that the display shows."""


@dataclass(frozen=True)
class Look:
    """What one look found."""

    name: str
    alive: bool
    steered: steering.State
    total: int  #: proposals meant in all
    agents: Sequence[AgentRecord]
    lines: Sequence[str]  #: one for each agent but the root
    best: Sequence[str]  #: one for each domain
    since: float | None  #: seconds since the latest proposal was recorded

    @property
    def state(self) -> str:
        """One word, or two."""
        return standing(self.alive, self.steered)

    def head(self) -> str:
        """`first: running, 12/40 proposals: 9 admitted, 3 unchanged; the latest 4.1 s ago`."""
        kinds = Counter(str(agent.admission) for agent in self.agents[1:])
        counts = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common()) or "none yet"
        ago = "" if self.since is None else f"; the latest {text.duration(self.since)} ago"
        return f"{self.name}: {self.state}, {len(self.agents) - 1}/{self.total} proposals: {counts}{ago}"


def look(archive: Archive) -> Look:
    """The state of a run at this moment."""
    alive = steering.running(archive.path)
    agents = archive.agents()
    chosen = results.chosen_scores(archive)
    rows = [
        f"{domain} {chosen[domain][agent].mean:.3f} (#{agent}, root {chosen[domain][0].mean:.3f})"
        for domain, agent in sorted(results.best_per_domain(archive).items())
        if 0 in chosen[domain]
    ]
    return Look(
        archive.name,
        alive,
        steering.state(archive),
        config_of(archive).search.proposals,
        agents,
        [_line(archive, agent) for agent in agents[1:]],
        rows,
        max(0.0, time.time() - agents[-1].created) if alive and len(agents) > 1 else None,
    )


def follow(path: Path, interval: float) -> None:
    """Show a run until it ends."""
    with Archive.open(path) as archive:
        if sys.stdout.isatty():
            _live(archive, interval)
        else:
            for line in lines(archive, interval):
                print(text.printable(line), flush=True)


def lines(archive: Archive, interval: float) -> Iterator[str]:
    """The head, a line for each proposal as it is recorded, and how it stands at the end."""
    told = 0
    before = ""
    while True:
        seen = look(archive)
        if not told:
            yield seen.head()
        yield from seen.lines[max(0, told - 1) :]
        told = len(seen.agents)
        if before and seen.state != before:
            yield f"{seen.name}: {seen.state}"
        before = seen.state
        if not seen.alive:
            yield f"best on val: {', '.join(seen.best) or 'nothing measured yet'}"
            return
        time.sleep(interval)


def _line(archive: Archive, agent: AgentRecord) -> str:
    means = [f"{s.domain} {text.mean(s)}" for s in archive.scores(agent.id) if str(s.split) == "val"]
    parts = [f"#{agent.id} from #{agent.parent}", str(agent.admission), *means, story(agent, 120)]
    return "  ".join(part for part in parts if part)


def _live(archive: Archive, interval: float) -> None:
    from rich.live import Live

    seen = look(archive)
    with Live(draw(seen), console=printing.console(), auto_refresh=False) as live:
        while seen.alive:
            time.sleep(interval)
            seen = look(archive)
            live.update(draw(seen), refresh=True)


def draw(seen: Look) -> Group:
    """The display: head, bar, the best by domain, and the latest proposals."""
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    style = {"running": "bold green", "paused": "bold yellow"}.get(seen.state, "bold")
    latest = [
        Text(line, no_wrap=True, overflow="ellipsis", style="" if agent.admission.works else "dim")
        for agent, line in list(zip(seen.agents[1:], seen.lines, strict=True))[-LATEST:]
    ]
    steered = [f"pinned: {', '.join(f'#{i}' for i in seen.steered.pins)}"] if seen.steered.pins else []
    steered += [f"vetoed: {', '.join(f'#{i}' for i in sorted(seen.steered.vetoes))}"] if seen.steered.vetoes else []
    return Group(
        Text(seen.head(), style=style),
        ProgressBar(total=max(1, seen.total), completed=len(seen.agents) - 1, width=60),
        *(Text(f"best on val: {row}") for row in seen.best),
        *(Text(line, style="yellow") for line in steered),
        Text(""),
        *latest,
    )

"""One agent as a page in the terminal: who it is, what it scored, what it gained and lost, what it changed.

What came from an agent is made harmless line by line. The patch is cut; `dgm diff` has it whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from dgm.archive import AgentRecord, Archive
from dgm.cli import patches, printing, steered
from dgm.domain import Split
from dgm.reporting import report, text

LINES = 60
"""Lines of the patch that are shown."""
NAMED = 12
"""Tasks that are named of those gained, and of those lost."""


def show(archive: Archive, agent: AgentRecord) -> None:
    """Print the page on stdout."""
    head, *rest = report.agent_lines(archive, agent)
    printing.say(head, style="bold green" if agent.admission.works else "bold yellow")
    for line in [*rest, *steered.of_agent(archive, agent.id)]:
        printing.say(line)
    printing.say()
    printing.show(report.scores_table(archive, agent.id))
    if agent.parent is not None and agent.admission.works:
        for line in changes(archive, agent.id, agent.parent):
            printing.say(line)
    if agent.tree is not None:
        printing.say()
        printing.show(report.files_table(archive, agent))
    if agent.commit is not None and agent.parent is not None:
        _patch(archive, agent)


def changes(archive: Archive, agent: int, parent: int) -> Iterator[str]:
    """The tasks that an agent solves and its parent does not, and the other way round, by domain."""
    for score in report.ordered(archive.scores(agent)):
        if score.split == Split.TRAIN:
            continue
        mine, theirs = (
            {v.task: v.score for v in archive.verdicts(who, score.domain, score.split) if v.score is not None}
            for who in (agent, parent)
        )
        both = sorted(mine.keys() & theirs.keys())
        gained = [task for task in both if mine[task] > theirs[task]]
        lost = [task for task in both if mine[task] < theirs[task]]
        if both:
            yield f"{score.domain} {score.split} against #{parent}: gained {_tasks(gained)}; lost {_tasks(lost)}"


def _tasks(names: list[str]) -> str:
    shown = ", ".join(text.one_line(name, 40) for name in names[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{len(names)}" + (f" ({shown}{more})" if names else "")


def _patch(archive: Archive, agent: AgentRecord) -> None:
    patch = text.lines(archive.patch(agent.id))
    printing.say()
    printing.say(f"Changed in #{agent.parent}", style="bold")
    for line in patch[:LINES]:
        printing.say(*patches.styled(line))
    if len(patch) > LINES:
        name = text.printable(archive.name)
        printing.say(f"… {len(patch) - LINES} more lines: dgm diff '{name}#{agent.id}'", style="dim")

"""What becomes of `dgm submit`: handed to the run that is going, or evaluated here and now."""

from __future__ import annotations

from pathlib import Path

from dgm.archive import Archive
from dgm.cli import printing
from dgm.cli.errors import stoppable
from dgm.cli.progress import Plain
from dgm.reporting import report, text
from dgm.steering import Request


def tell(path: Path, parent: int, asked: Request, notices: list[str], json: bool) -> None:
    """Evaluate the submission where no kernel does, and say what it came to."""
    shown = Plain(stderr=json)
    for line in notices:
        shown.notice(line)
    if asked.waits:
        shown.notice(f"{path.name}: the run makes it its next proposal, a child of #{parent}")
        if json:
            printing.say_json({"request": asked.id, "waits": True, "agent": None})
        return
    number = _made(path, shown)
    with Archive.open(path) as archive:
        agent = archive.agent(number)
        if json:
            page = report.agent_json(agent, archive.proposal(number), archive.scores(number))
            printing.say_json({"request": asked.id, "waits": False, "agent": page})
            return
        printing.say(f"{path.name}#{number} from #{parent}: {agent.admission}  {text.printable(report.story(agent))}")
        if agent.admission.works:
            printing.show(report.scores_table(archive, number))


def _made(path: Path, shown: Plain) -> int:
    """One proposal of the run: the submission, which comes before all others. The agent's number."""
    from dgm import loop
    from dgm.sitting import start

    with stoppable():
        run = start.reopen(path, shown.notice)
        with run:
            shown.notice("evaluating")
            made = loop.step(run).id
            run.helm.turn()  # the request is done: its file goes
            return made

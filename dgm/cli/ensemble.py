"""`dgm ensemble`: many agents' stored answers made into one, and scored like an agent. Nobody works again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dgm.cli import naming, parameters
from dgm.reporting import columns
from dgm.reporting.table import Table

if TYPE_CHECKING:
    from dgm.archive import Archive
    from dgm.domain import Split
    from dgm.domains import LoadedDomain
    from dgm.ensembles.answers import Ensemble
    from dgm.ensembles.voting import Panel

app = typer.Typer()

Write = Annotated[
    Path | None,
    typer.Option(
        "--write",
        metavar="DIR",
        help="Make a domain of the answers, a folder, in which a combiner can evolve; then the rules are scored there.",
    ),
]
Members = Annotated[
    int | None,
    typer.Option("--members", metavar="N", min=2, help="With --write: at most so many agents, the best on val. [9]"),
]


@app.command(
    "ensemble",
    epilog="\b\nExamples:\n  dgm ensemble first\n  dgm ensemble first --domain review --split val --json\n"
    "  dgm ensemble first --domain review --write votes",
)
def ensemble(
    name: parameters.Name,
    split: parameters.Split = None,
    domain: parameters.MeasuredDomains = None,
    write: Write = None,
    members: Members = None,
    json: parameters.Json = False,
) -> None:
    """Score ensembles of an archive's agents.

    best: the answer of the best agent. majority: the most frequent one. weighted: by each agent's accuracy. Who
    weighs how much is decided on another split than the one that is shown. Without --split it is test, where only the
    agents that the run chose have answers. For domains whose answers are labels.

    With --write the answers become the tasks of a domain: train for train, one half of val for val, the other for test.
    What combines them is an agent like any other: dgm run NAME --domain DIR --agent vote.
    """
    from dgm.archive import Archive
    from dgm.cli import printing
    from dgm.domain import Split as AnySplit
    from dgm.errors import UserError
    from dgm.reporting import report, text
    from dgm.sitting.settings import config_of

    if write is not None and split is not None:
        raise UserError("--split: with --write the splits are those of the new domain; leave it out")
    if write is None and members is not None:
        raise UserError("--members goes with --write")
    chosen = AnySplit(split.value if split else AnySplit.TEST)
    with Archive.open(naming.archive_of(name)) as archive:
        domains = list(_domains(archive, domain or ()))
        if write is not None:
            made = _written(archive, domains, write, members)
            found = {write.name: made.fixed()}
        else:
            found = {at.name: _measured(archive, at, chosen) for at in domains}
        notes = [report.boundary_note(config_of(archive)), _changed(archive, domains)]
        if write is not None:
            notes.append(f"a combiner evolves with: dgm run NAME --domain {_as_typed(write)} --agent vote")
    if json:
        printing.say_json({"split": str(chosen), "domains": {at: _as_json(rows) for at, rows in found.items()}})
        return
    rows = [[at, row.rule, str(row.members), text.score(row.score)] for at, part in found.items() for row in part]
    right = frozenset({"members"})
    title = f"{name}: ensembles on {chosen}, mean [95 % interval] n"
    note = "; ".join(filter(None, notes))
    printing.show(Table(columns.ENSEMBLES.heads(), rows, title=title, right=right, note=note))


def _written(archive: Archive, domains: Sequence[LoadedDomain], folder: Path, most: int | None) -> Panel:
    """The one domain's answers, as a domain of their own."""
    from dgm.ensembles import voting
    from dgm.errors import UserError

    if len(domains) != 1:
        names = ", ".join(domain.name for domain in domains)
        raise UserError(f"--write takes the answers of one domain; name it with --domain ({names})")
    made = voting.panel(archive, domains[0], most or voting.MOST)
    voting.write(made, folder)
    return made


def _as_typed(folder: Path) -> str:
    """So that it cannot be taken for a domain's name."""
    return str(folder) if len(folder.parts) > 1 else f"./{folder}"


def _changed(archive: Archive, domains: Sequence[LoadedDomain]) -> str:
    """Which judges are others than those of the run, in a sentence; empty without any."""
    pinned = {record.name: record.digest for record in archive.domains()}
    other = [domain.name for domain in domains if pinned.get(domain.name) not in (None, domain.digest)]
    return f"judged by another version than the run's: {', '.join(other)}" if other else ""


def _domains(archive: Archive, asked: Sequence[str]) -> Iterator[LoadedDomain]:
    """Those that were asked for, else those of the run whose answers are labels."""
    from dgm.domains import DataRef, load
    from dgm.errors import UserError
    from dgm.sitting.settings import config_of

    config = config_of(archive)
    known = {load(name).name: name for name in config.domains}
    for name in asked or known:
        own = name if name in known else next((own for own, place in known.items() if place == name), None)
        if own is None:
            raise UserError(f"--domain: {name} is not a domain of {archive.name}; its domains are {', '.join(known)}")
        data = config.data.get(own) or config.data.get(known[own])
        loaded = load(known[own], DataRef.parse(data) if data else None)
        if asked or (loaded.spec.answer.kind == "label" and not loaded.executes):
            yield loaded


def _measured(archive: Archive, domain: LoadedDomain, split: Split) -> list[Ensemble]:
    from dgm.ensembles.answers import ensembles, members

    return ensembles(domain, split, members(archive, domain, split))


def _as_json(rows: Sequence[Ensemble]) -> dict[str, Any]:
    from dgm.reporting import report

    return {row.rule: {"members": row.members, "score": report.measured(row.score)} for row in rows}

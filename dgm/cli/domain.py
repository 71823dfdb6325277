"""`dgm domain`: list what there is, begin one of your own, check it, fetch real data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dgm.cli import completion, parameters
from dgm.cli.errors import FAILED
from dgm.reporting import columns
from dgm.reporting.table import Table

if TYPE_CHECKING:
    from dgm.domains import LoadedDomain
    from dgm.domains.audit import Report
    from dgm.domains.fetch import Card

app = typer.Typer(help="Domains: tasks and their judges.", no_args_is_help=True)

DomainName = Annotated[
    str,
    typer.Argument(metavar="D", help="Name or folder of a domain.", autocompletion=completion.domains),
]


@app.command("list", epilog="\b\nExample:\n  dgm domain list --json")
def domain_list(json: parameters.Json = False) -> None:
    """List the domains that `--domain` knows by name."""
    from dgm.cli import printing
    from dgm.domains import available, read_spec

    specs = {name: read_spec(folder) for name, folder in available().items()}
    if json:
        printing.say_json(
            [
                {
                    "name": name,
                    "version": spec.version,
                    "description": spec.description,
                    "answer": spec.answer.model_dump(mode="json", exclude_none=True),
                    "tasks": {str(split): n for split, n in spec.splits.items()},
                    "sources": [source.model_dump(mode="json") for source in spec.sources],
                }
                for name, spec in specs.items()
            ]
        )
        return
    rows = [
        [name, str(spec.version), spec.answer.kind, " + ".join(map(str, spec.splits.values())), spec.description]
        for name, spec in specs.items()
    ]
    printing.show(Table(columns.DOMAINS.heads(), rows, wraps=frozenset({"description"})))


@app.command("new", epilog="\b\nExample:\n  dgm domain new toy\n  dgm domain new essays --kind number")
def domain_new(
    folder: Annotated[Path, typer.Argument(metavar="NAME", help="The new folder; its last part names the domain.")],
    kind: Annotated[
        str, typer.Option("--kind", metavar="K", help="What an agent owes: label, number or code.")
    ] = "label",
) -> None:
    """Write the folder of a new domain that works at once."""
    from dgm.cli import printing
    from dgm.domains import available, scaffold
    from dgm.errors import UserError

    if folder.name in available():
        raise UserError(f"{folder.name} is a domain that there is; choose another name")
    for path in scaffold.write(folder, kind):
        printing.say(f"wrote {path}")
    printing.say(f"now change {folder}/domain.py; then: dgm domain check {folder}; dgm run first --domain {folder}")


@app.command(
    "check", epilog="\b\nExamples:\n  dgm domain check toy\n  dgm domain check summary --judge-model gpt-4o-mini"
)
def domain_check(
    name: DomainName,
    data: Annotated[
        str | None, typer.Option("--data", metavar="FILE", help="Check the domain with real data, FILE or FILE@k/K.")
    ] = None,
    sandbox: Annotated[
        str, typer.Option("--sandbox", metavar="B", help="Where a judge executes: auto, docker, bubblewrap or local.")
    ] = "auto",
    judge_model: parameters.JudgeModel = None,
    model_url: parameters.ModelUrl = None,
    price: parameters.Price = None,
    budget_usd: parameters.BudgetUsd = None,
    json: parameters.Json = False,
) -> None:
    """Check that a domain keeps its contract and gives no answer away.

    The exit code is 1 when something must be mended.
    """
    from dgm.cli import printing
    from dgm.cli.answering import Account, opened
    from dgm.config import Models, Spending
    from dgm.domains import DataRef, audit, load
    from dgm.evaluation.judging import Judge
    from dgm.sandbox.choose import choose

    domain = load(name, DataRef.parse(data) if data else None, said="")
    place = choose(sandbox, may_run_model_code=False) if domain.executes else None
    models = Models(
        judge=judge_model if domain.asks else None,
        url=model_url,
        prices=tuple(price or ()),
        budget=Spending(usd=budget_usd),
    )
    account = Account()
    with opened(models, 0, None, account, printing.tell) as lines:
        line = lines.judging(None)
        model = Judge(line) if line.models else None
        report = line.patiently(lambda: audit.check(domain, place, printing.tell, model=model))
    _say_report(report, str(account)) if not json else printing.say_json(
        {
            "domain": report.domain,
            "models": account.as_json(),
            "findings": [
                {"level": str(f.level), "check": f.check, "says": f.says, "mend": f.mend} for f in report.findings
            ],
        }
    )
    if report.errors:
        raise typer.Exit(FAILED)


@app.command(
    "fetch", epilog="\b\nExample:\n  dgm domain fetch grading\n  dgm domain fetch grading gsm8k --into data/gsm8k"
)
def domain_fetch(
    name: DomainName,
    source: Annotated[
        str | None, typer.Argument(metavar="[SET]", help="A data set of the domain. Without it: list them.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="Where it goes. [data/SET in the present folder]")
    ] = None,
    copy: Annotated[
        Path | None,
        typer.Option("--from", metavar="DIR", help="Take the files from this folder and download nothing."),
    ] = None,
    json: parameters.Json = False,
) -> None:
    """Fetch real data for a domain, and say how it is used.

    Addresses are pinned, digests compared where they are known, and a download that broke off goes on.
    """
    from dgm.cli import printing
    from dgm.domains import DataRef, fetch, load
    from dgm.errors import UserError

    domain = load(name, said="")
    known = fetch.cards(domain.folder)
    if source is None:
        _say_cards(domain, known, json)
        return
    if source not in known:
        there = ", ".join(known) or "none"
        raise UserError(f"domain {domain.name} has no data set {source!r}; the data sets are {there}")
    card, target = known[source], into or Path("data", source)
    printing.tell(f"{card.name}, licence: {card.licence} ({card.licence_from})")
    parts = fetch.fetch(card, target, copy, printing.tell, _bytes())
    where = (target / card.load) if card.load != "." else target
    loaded = load(name, DataRef(where))
    tasks = {str(split): len(list(loaded.implementation.tasks(split))) for split in loaded.spec.splits}
    if json:
        files = [{"path": str(p.path), "sha256": p.sha256 or None, "known": p.known} for p in parts]
        printing.say_json({"set": source, "data": str(where), "files": files, "tasks": tasks})
        return
    for part in parts:
        verdict = "as the card says" if part.known else "not in the card: compare it with another copy"
        printing.say(f"{part.path}" + (f"  SHA-256 {part.sha256} ({verdict})" if part.sha256 else "  (copied)"))
    printing.say(", ".join(f"{n} {split}" for split, n in tasks.items()) + " tasks")
    printing.say(f"now: dgm run NAME --domain {name} --data {domain.name}={where}")


def _say_report(report: Report, asked: str) -> None:
    from dgm.cli import printing
    from dgm.reporting.text import printable

    rows = [[str(f.level), f.check, printable(f.says), f.mend] for f in report.findings]
    printing.show(Table(columns.FINDINGS.heads(), rows, wraps=frozenset({"found", "what to do"}), note=asked))
    wrong = len(report.errors)
    printing.say(f"{report.domain}: {wrong} to mend" if wrong else f"{report.domain} keeps the contract")


def _say_cards(domain: LoadedDomain, known: dict[str, Card], json: bool) -> None:
    from dgm.cli import printing

    if json:
        printing.say_json({name: card.model_dump(mode="json") for name, card in known.items()})
        return
    rows = [[name, card.name, card.licence, card.rows] for name, card in known.items()]
    note = f"dgm domain fetch {domain.name} SET" if rows else ""
    printing.show(Table(columns.DATA_SETS.heads(), rows, wraps=frozenset({"name", "licence", "rows"}), note=note))


def _bytes() -> Callable[[int, int | None], None]:
    """Progress of a download: a line for each further ten megabytes."""
    from dgm.cli import printing

    told = 0

    def progress(have: int, whole: int | None) -> None:
        nonlocal told
        if have // 10_000_000 > told:
            told = have // 10_000_000
            printing.tell(f"{have // 1_000_000} MB" + (f" of {whole // 1_000_000} MB" if whole else ""))

    return progress

"""Looking at an archive: `show`, `tree`, `lineage`, `diff`, `best`. None of them writes."""

from __future__ import annotations

import typer

from dgm.cli import naming, parameters

app = typer.Typer()


@app.command(epilog="\b\nExamples:\n  dgm show first\n  dgm show 'first#17'\n  dgm show 'first#17' --calls")
def show(
    target: parameters.NameOrAgent,
    calls: parameters.Calls = False,
    every: parameters.Every = False,
    json: parameters.Json = False,
) -> None:
    """Show an archive with its agents and outcome, or one agent. Of a large archive, its newest agents."""
    from dgm.archive import Archive
    from dgm.cli import calls as transcripts
    from dgm.cli import page, printing, steered
    from dgm.reporting import report, text

    if "#" in target:
        path, number = naming.agent_of(target)
        if calls:
            transcripts.show(path, number, json)
            return
        with Archive.open(path) as archive:
            agent = archive.agent(number)
            if json:
                printing.say_json(report.agent_json(agent, archive.proposal(number), archive.scores(number)))
            else:
                page.show(archive, agent)
        return
    with Archive.open(naming.archive_of(target)) as archive:
        if json:
            printing.say_json(report.show_json(archive))
            return
        for line in (*report.config_lines(archive), *transcripts.spent(archive), *steered.of_run(archive)):
            printing.say(line)
        printing.say()
        limit = None if every else report.at_most(archive)
        printing.show(report.agents_table(archive, limit))
        if limit is not None:
            left = archive.visible()[0] + 1 - limit
            printing.say(f"{left} earlier agents are left out: dgm show {text.printable(target)} --all")
        printing.say()
        printing.show(report.final_table(archive))


@app.command(epilog="\b\nExample:\n  dgm tree first")
def tree(name: parameters.Name, every: parameters.Every = False, json: parameters.Json = False) -> None:
    """Draw the tree, the way to the best agent marked. Of a large archive, that way alone."""
    from dgm.archive import Archive
    from dgm.cli import printing
    from dgm.cli import tree as trees

    with Archive.open(naming.archive_of(name)) as archive:
        if json:
            printing.say_json(trees.tree_json(archive))
        else:
            trees.show(archive, every)


@app.command(epilog="\b\nExample:\n  dgm lineage 'first#17'")
def lineage(target: parameters.Agent, json: parameters.Json = False) -> None:
    """Show the way from the root to an agent, step by step."""
    from dgm.archive import Archive
    from dgm.cli import printing
    from dgm.reporting import report

    path, number = naming.agent_of(target)
    with Archive.open(path) as archive:
        archive.agent(number)
        steps = archive.ask.lineage(number)
        found = archive.ask.agents(steps)
        agents = [found[step] for step in steps]
        if json:
            printing.say_json([report.agent_json(a, archive.proposal(a.id), archive.scores(a.id)) for a in agents])
        else:
            printing.show(report.lineage_table(archive, agents))


@app.command(epilog="\b\nExamples:\n  dgm diff 'first#17'\n  dgm diff 'first#3' 'first#17'\n  dgm diff 'a#0' 'b#0'")
def diff(first: parameters.Agent, second: parameters.OtherAgent = None) -> None:
    """Print the difference between two agents as a patch."""
    from dgm.cli import patches, printing
    from dgm.reporting import text

    for line in text.lines(patches.between(first, second)):
        printing.say(*patches.styled(line))


@app.command(epilog="\b\nExamples:\n  dgm best first\n  dgm best first --json")
def best(name: parameters.Name, json: parameters.Json = False) -> None:
    """Show the best agents beside the root, on val and test."""
    from dgm.archive import Archive
    from dgm.cli import printing
    from dgm.reporting import report

    with Archive.open(naming.archive_of(name)) as archive:
        if json:
            printing.say_json(report.best_json(archive))
        else:
            printing.show(report.final_table(archive))

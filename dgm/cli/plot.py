"""`dgm plot`: figures of a run, or of several side by side, as PNG, SVG or PDF."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dgm.cli import completion, parameters, writing

app = typer.Typer()


class Kind(StrEnum):
    """The figures of one run, `compare` of several or of an experiment, `gains` of an experiment."""

    PROGRESS = "progress"
    TREE = "tree"
    COST = "cost"
    TASKS = "tasks"
    IMP = "imp"
    COMPARE = "compare"
    GAINS = "gains"


Names = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME...",
        help="The archive; for compare several, VARIANT=NAME where runs of one variant belong together, or an "
        "experiment.",
        autocompletion=completion.archives,
    ),
]
Figure = Annotated[Kind, typer.Option("--kind", help="What to draw.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="PNG, SVG or PDF. [NAME-KIND.png]")]
Domain = Annotated[
    str | None,
    typer.Option("--domain", metavar="D", help="One domain alone. [all]", autocompletion=completion.domains),
]


@app.command(
    epilog="\b\nExamples:\n  dgm plot first\n  dgm plot first --kind tree -o tree.svg\n"
    "  dgm plot --kind compare evolved=a1 evolved=a2 control=b1 control=b2 -o compare.pdf\n"
    "  dgm plot ablation --kind gains -o gains.pdf"
)
def plot(
    names: Names,
    kind: Figure = Kind.PROGRESS,
    output: Output = None,
    domain: Domain = None,
    force: writing.Force = False,
    json: parameters.Json = False,
) -> None:
    """Draw a figure of a run.

    progress: best so far with its interval, archive mean, best lineage. tree: who descends from whom.
    cost: seconds and dollars, and what they bought. tasks: who solves what. imp: improvement at k.
    compare: medians over runs of several variants, or of an experiment. gains: what each variant of an experiment
    gained on test.
    """
    from dgm.cli import drawing, printing

    file = output or Path(f"{Path(names[0].rpartition('=')[2]).name}-{kind}.png")
    drawing.draw(names, str(kind), file, domain, force)
    if json:
        printing.say_json({"file": str(file), "kind": str(kind), "bytes": file.stat().st_size})
    else:
        printing.say(f"{file} ({file.stat().st_size // 1000} kB)")

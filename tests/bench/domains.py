"""The domains side by side: their tasks, what simple means reach on test, and what an offline run reaches. Markdown.

    python -m tests.bench.domains                     all of them; most of the time goes to `reward`
    python -m tests.bench.domains grading reward      some of them
    python -m tests.bench.domains --into FOLDER       keeps the runs, and makes none again that is there

All numbers are of the test split, on which nothing was chosen; `root` is the untouched offline seed, `best` its
descendant that was best on val. How many proposals a run has is fixed here, and its command stands in the table.
Domains without an offline agent, and the one whose judge asks a model, have a line without figures of a run. Not
shown: what language models reach.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from dgm import loop
from dgm.archive import Archive, ScoreRecord
from dgm.config import Place, RunConfig, Search
from dgm.domain import Artifact, Split, Task
from dgm.domains import LoadedDomain, available, load
from dgm.domains.audit import baselines
from dgm.errors import UserError
from dgm.evaluation.candidates import JudgeSession
from dgm.results import ROOT, best_per_domain
from dgm.sandbox import Limits
from dgm.sandbox.choose import choose
from dgm.sitting import start

PROPOSALS: Mapping[str, int] = {"coding": 12, "grading": 12, "review": 12, "points": 12, "preference": 12, "reward": 8}
"""The domains that the offline seed works on, and how long a run is."""

BY_HAND: Mapping[str, str] = {
    "backward": 'def reward(obs, action, info):\n    return -info["x_velocity"]\n',
    "sideways": 'def reward(obs, action, info):\n    return info["y"]\n',
    "jump": 'def reward(obs, action, info):\n    return max(0.0, obs[6]) ** 2 * (info["z"] > 1.1)\n',
}
"""By the second word of a goal's name: a reward that says what its goal says. Of a jump it is how fast the torso rises
from a stand; that one was the best of six in five trainings that are none of the domain's."""

COLUMNS = ("domain", "tasks", "metric", "simple means on test", "root", "best", "command")
SEED = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. Scores are means on test; None where there is no run."""

    domain: LoadedDomain
    simple: Mapping[str, float]
    root: ScoreRecord | None
    best: ScoreRecord | None
    command: str
    seconds: float

    def cells(self) -> Sequence[str]:
        splits = " + ".join(str(len(tasks)) for tasks in self.domain.splits.values())
        simple = ", ".join(f"{name} {mean:.3f}" for name, mean in self.simple.items())
        scores = [
            "–" if score is None else f"{score.mean:.3f} [{score.low:.3f}, {score.high:.3f}]"
            for score in (self.root, self.best)
        ]
        return (f"`{self.domain.name}`", splits, self.domain.spec.metric, simple or "–", *scores, self.command)


def measured(name: str, folder: Path) -> Row:
    """One domain, with its run if it has one."""
    domain, began = load(name), time.monotonic()
    simple = {**_chance(domain), **baselines.figures(domain, domain.splits[Split.TEST])}
    if name == "reward":
        simple |= by_hand(domain)
    if name not in PROPOSALS:
        why = "its judge asks a model: `--judge-model M`" if domain.asks else "needs an agent that writes code"
        return Row(domain, simple, None, None, why, time.monotonic() - began)
    config = RunConfig(
        domains=(name,),
        search=Search(proposals=PROPOSALS[name], random_seed=SEED),
        place=Place(sessions=2),
    )
    root, best = _run(folder / name, config, name)
    command = f"`dgm run {name}-offline --domain {name} --proposals {PROPOSALS[name]} --random-seed {SEED}`"
    return Row(domain, simple, root, best, command, time.monotonic() - began)


def by_hand(domain: LoadedDomain) -> dict[str, float]:
    """On the test goal, in the mean over its trainings: the usual reward of the body, and one that a person wrote."""
    limits = Limits(seconds=domain.spec.limits.seconds, memory_mb=domain.spec.limits.memory_mb)
    found: dict[str, list[float]] = {"usual reward": [], "by hand": []}
    with JudgeSession(choose("auto", may_run_model_code=False), limits) as session:
        for task in domain.splits[Split.TEST]:
            for name, text in (("usual reward", task.files["reward.py"].decode()), ("by hand", written(task))):
                artifact = Artifact(files={"reward.py": text.encode()})
                found[name].append(domain.judge(task, artifact, session).score)
    return {name: fmean(scores) for name, scores in found.items()}


def written(task: Task) -> str:
    """The reward by hand for a task."""
    return BY_HAND[task.hidden["goal"].split("-")[1]]


def _chance(domain: LoadedDomain) -> dict[str, float]:
    labels = domain.spec.answer.labels
    return {"chance": 1 / len(labels)} if labels else {}


def _run(path: Path, config: RunConfig, name: str) -> tuple[ScoreRecord, ScoreRecord]:
    """Test means of the root and of the agent that is best on val; the run is made, or gone on with, if need be."""
    there = (path / "archive.db").is_file()
    with start.reopen(path, _say) if there else start.create(path, config, _say) as run:
        loop.evolve(run, lambda agent: _say(f"{name}: proposal {agent.id} of {config.search.proposals}"))
        loop.test(run)
    with Archive.open(path) as archive:
        chosen = best_per_domain(archive).get(name, ROOT)
        return tuple(_on_test(archive, agent, name) for agent in (ROOT, chosen))  # type: ignore[return-value]


def _on_test(archive: Archive, agent: int, name: str) -> ScoreRecord:
    return next(s for s in archive.scores(agent) if (s.domain, s.split) == (name, Split.TEST))


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of a Markdown table."""
    yield f"| {' | '.join(COLUMNS)} |"
    yield f"|{'---|' * len(COLUMNS)}"
    for row in rows:
        yield f"| {' | '.join(row.cells())} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.domains", description="The domains side by side.")
    parser.add_argument("domain", nargs="*", help="names of shipped domains; without one, all of them")
    parser.add_argument("--into", type=Path, help="folder in which the runs stay")
    options = parser.parse_args()
    names = options.domain or list(available())
    with tempfile.TemporaryDirectory() as scratch:
        rows = []
        for name in names:
            rows.append(measured(name, options.into or Path(scratch)))
            _say(f"{name}: {rows[-1].seconds:.0f} s")
    print("\n".join(table(rows)))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")

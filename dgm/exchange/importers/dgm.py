"""Runs of the published Darwin Gödel Machine and of its descendant, the Huxley-Gödel Machine.

Both keep a folder per agent (`metadata.json`, `model_patch.diff`) and an index that is no JSON lines but objects one
after another. The source of the first agent is not in the run: without `--root` the patches stand in the genomes
unapplied. Results are those of the benchmark that parents were chosen by, so they are taken for train.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dgm.archive import Admission
from dgm.errors import Status, UserError
from dgm.exchange.importers import evaluations, roots
from dgm.exchange.importers.model import ForeignAgent, ForeignRun, ForeignScore
from dgm.exchange.importers.source import Source, objects

ROOT = "initial"
DOMAIN = "benchmark"
MAX_SUMMARY = 2_000


def read_dgm(source: Source, root: Path | None) -> ForeignRun:
    """A DGM's `output_dgm/<id>/`. Raises UserError."""
    name = "dgm_metadata.jsonl"
    agents = [_agent(source, ROOT, None) or ForeignAgent(ROOT, None, Admission.ROOT)]
    for step in objects(source.index(name), str(source.root / name)):
        children = step.get("children")
        if not isinstance(children, list):
            raise UserError(f"{source.root / name} is damaged: generation {step.get('generation')} lists no children")
        agents += [agent for child in children if (agent := _agent(source, str(child), ""))]
    return ForeignRun("Darwin Gödel Machine", source.root.name, _root(source, root), _known(agents))


def read_hgm(source: Source, root: Path | None) -> ForeignRun:
    """An HGM's `output_hgm/<id>/`. The last that the index says of a node counts. Raises UserError."""
    name = "hgm_metadata.jsonl"
    nodes: dict[int, dict[str, Any]] = {}
    for step in objects(source.index(name), str(source.root / name)):
        listed = step.get("nodes") or []
        if not isinstance(listed, list):
            raise UserError(f"{source.root / name} is damaged: its nodes are no list")
        for node in listed:
            if not isinstance(node, dict) or type(node.get("id")) is not int:
                raise UserError(f"{source.root / name} is damaged: a node has no id")
            nodes[node["id"]] = node
    if not nodes:
        raise UserError(f"{source.root / name} has no nodes: the run made nothing")
    folders = {number: str(node.get("commit_id")) for number, node in nodes.items()}
    agents: list[ForeignAgent] = []
    for number, node in sorted(nodes.items()):
        above = node.get("parent_id")
        parent = folders.get(above) if isinstance(above, int) else None
        if parent is None and agents:
            source.miss(f"node {number} has a parent that is not there: it is left out")
            continue
        agent = _agent(source, folders[number], parent) or _nameless(folders[number], parent, node)
        agent.scores = agent.scores or _utility(node)
        agents.append(agent)
    return ForeignRun("Huxley-Gödel Machine", source.root.name, _root(source, root), _known(agents))


def _root(source: Source, root: Path | None) -> dict[str, bytes]:
    if root is not None:
        return roots.read(root, source)
    source.miss(
        "the first agent's source is not in the run: the patches stand in the genomes unapplied; --root gives it"
    )
    return {}


def _known(agents: list[ForeignAgent]) -> list[ForeignAgent]:
    """The agents, each once, the first of them as the root."""
    found: dict[str, ForeignAgent] = {}
    for agent in agents:
        found.setdefault(agent.name, agent)
    first = next(iter(found.values()))
    first.parent, first.admission, first.reason, first.status = None, Admission.ROOT, "", Status.OK
    return list(found.values())


def _nameless(name: str, parent: str | None, node: Mapping[str, Any]) -> ForeignAgent:
    """A node without a folder that is read: the index still knows whether it was measured."""
    if _utility(node):
        return ForeignAgent(name, parent, Admission.ADMITTED)
    return ForeignAgent(name, parent, Admission.FAILED, status=Status.WRONG, reason="it ended before it was evaluated")


def _agent(source: Source, name: str, parent: str | None) -> ForeignAgent | None:
    """An agent's folder; `parent` "" is to be read from there. None, which is told, where nothing is known of it."""
    facts = source.json_object(f"{name}/metadata.json")
    if facts is None:
        source.miss(f"{name} left no metadata" + (": it is left out" if parent == "" else ""))
        return None
    if parent == "":
        parent = str(facts.get("parent_commit") or ROOT)
    performance = facts.get("overall_performance")
    patches = []
    if name != ROOT and facts.get("model_patch_exists") is not False:
        content = source.read(f"{name}/model_patch.diff")
        patches = [(f"{name}/model_patch.diff", content)] if content is not None else []
    admission, reason = _admission(facts)
    measured = admission == Admission.ADMITTED or name == ROOT
    return ForeignAgent(
        name,
        parent,
        admission,
        patches,
        (),
        Status.OK if admission in (Admission.ADMITTED, Admission.UNCHANGED) else Status.WRONG,
        reason,
        _summary(facts),
        (source.root / name / "metadata.json").stat().st_mtime,
        _scores(performance, f"{name}/metadata.json", source) if measured else (),
    )


def _admission(facts: Mapping[str, Any]) -> tuple[Admission, str]:
    if facts.get("model_patch_exists") is False:
        return Admission.FAILED, "it left no patch"
    if facts.get("model_patch_notempty") is False:
        return Admission.UNCHANGED, "the patch is empty"
    if facts.get("is_compiled") is False:
        return Admission.STILLBORN, "it does not compile"
    if "overall_performance" not in facts and "is_compiled" not in facts:
        return Admission.FAILED, "it ended before it was evaluated"
    return Admission.ADMITTED, ""


def _summary(facts: Mapping[str, Any]) -> str:
    entry, problem = (str(facts.get(key) or "") for key in ("entry", "problem_statement"))
    return f"{entry}: {problem}"[:MAX_SUMMARY] if entry and problem else (entry or problem)[:MAX_SUMMARY]


def _scores(performance: object, where: str, source: Source) -> list[ForeignScore]:
    if not isinstance(performance, dict):
        return []
    tasks = evaluations.results(performance, {})
    mean = performance.get("accuracy_score")
    known = float(mean) if isinstance(mean, (int, float)) and 0 <= mean <= 1 else None
    evaluations.check(known, tasks, where, source)
    return [ForeignScore(DOMAIN, "train", tasks, known)] if tasks or known is not None else []


def _utility(node: Mapping[str, Any]) -> list[ForeignScore]:
    mean, n = node.get("mean_utility"), node.get("num_evals")
    if isinstance(mean, (int, float)) and 0 <= mean <= 1 and isinstance(n, int) and n > 0:
        return [ForeignScore(DOMAIN, "train", (), float(mean), {"num_evals": n})]
    return []

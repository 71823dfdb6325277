"""Runs of the published Hyperagents code: `outputs/generate_<run_id>/`.

A generation's own patches are those of `curr_patch_files`; its ancestors are read from `prev_patch_files` where its
parent left no metadata. Paths in there are absolute on the machine of the run and are found again by their end.
Not covered: ensembles' reports, and anything that only the run's model provider knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dgm.archive import Admission
from dgm.errors import Status, UserError
from dgm.exchange.importers import evaluations, roots
from dgm.exchange.importers.model import ForeignAgent, ForeignRun, ForeignScore
from dgm.exchange.importers.source import Source

INDEX = "archive.jsonl"
ROOT = "initial"
_GENERATION = re.compile(r"(?:^|/)gen_([A-Za-z0-9]+)/")


def read(source: Source, root: Path | None) -> ForeignRun:
    """The run in a folder; `root` is the first agent's source where it lies elsewhere. Raises UserError."""
    ids = _ids(source)
    skip = ("domains/",)
    inside = f"gen_{ROOT}/hyperagents"
    files: dict[str, bytes] = {}
    if root is not None or source.has_folder(inside):
        files = roots.read(root or source.root / inside, source, skip)
    else:
        source.miss(f"{inside} is missing: the patches stand in the genomes unapplied; --root gives it")
    agents = [_root(source)]
    for name in ids:
        if (agent := _agent(source, name)) is not None:
            agents.append(agent)
    evaluations.settle_units(agents, source)
    return ForeignRun("Hyperagents", source.root.name, files, agents, skip)


def _ids(source: Source) -> list[str]:
    """All generations but the root, by number: those of the index, then those that have a folder alone."""
    known: dict[str, None] = {}
    lines = [line for line in source.index(INDEX).splitlines() if line.strip()]
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            named = [*entry["archive"], entry["current_genid"]]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(f"{source.root / INDEX}:{number} is damaged: {error!r:.100}") from None
        for name in named:
            if name != ROOT and (type(name) is not int or name < 0):
                raise UserError(f"{source.root / INDEX}:{number} is damaged: {name!r:.40} is no generation")
            known[str(name)] = None
    if not lines:
        raise UserError(f"{source.root / INDEX} is empty: the run made nothing")
    for folder in source.folders():
        if found := re.fullmatch(r"gen_([0-9]{1,9})", folder):
            known[found[1]] = None
    return sorted((name for name in known if name != ROOT), key=int)


def _root(source: Source) -> ForeignAgent:
    return ForeignAgent(ROOT, None, Admission.ROOT, scores=_scores(source, ROOT))


def _agent(source: Source, name: str) -> ForeignAgent | None:
    """A generation; None, which is told, where not even its parent is known."""
    folder = f"gen_{name}"
    if not source.has_folder(folder):
        source.miss(f"{folder} is missing: the generation is left out")
        return None
    facts = source.json_object(f"{folder}/metadata.json")
    if facts is None:
        source.miss(f"{folder} crashed before it wrote its parent: the generation is left out")
        return None
    parent = facts.get("parent_genid")
    if parent != ROOT and type(parent) is not int:
        source.miss(f"{folder}/metadata.json names no parent: the generation is left out")
        return None
    patches = _patches(source, folder, facts)
    admission, reason = _admission(facts, patches)
    works = admission.works
    option = facts.get("optimize_option")
    return ForeignAgent(
        name,
        str(parent),
        admission,
        patches,
        _lineage(facts),
        Status.OK if works or admission == Admission.UNCHANGED else Status.WRONG,
        reason,
        f"generation {name}, {option}" if isinstance(option, str) else f"generation {name}",
        (source.root / folder / "metadata.json").stat().st_mtime,
        _scores(source, name) if works else (),
    )


def _admission(facts: dict[str, Any], patches: Sequence[tuple[str, bytes]]) -> tuple[Admission, str]:
    if facts.get("parent_agent_success") is False:
        return Admission.FAILED, "the parent's meta agent failed"
    if facts.get("valid_parent") is False:
        if any(content.strip() for _, content in patches):
            return Admission.STILLBORN, "it is no valid parent"
        return Admission.UNCHANGED, "the patch is empty"
    return Admission.ADMITTED, ""


def _patches(source: Source, folder: str, facts: dict[str, Any]) -> list[tuple[str, bytes]]:
    """The generation's own patches, each once. One that its list names and nobody finds is told."""
    own = f"{folder}/agent_output/model_patch.diff"
    named = facts.get("curr_patch_files")
    names = [_place(source, str(text)) for text in named] if isinstance(named, list) else [own]
    found = []
    for name in dict.fromkeys(names):
        content = source.read(name)
        if content is not None:
            found.append((name, content))
    return found


def _place(source: Source, text: str) -> str:
    """Where a patch lies here: by the longest end of its former path that is a file of the run."""
    parts = [part for part in text.split("/") if part not in ("", ".", "..")][-5:]
    ends = ["/".join(parts[at:]) for at in range(len(parts))]
    ours = [end for end in ends if end.startswith(("gen_", "meta_patch_files/"))]
    return next((end for end in ours if source.has(end)), ours[0] if ours else text[-200:])


def _lineage(facts: dict[str, Any]) -> list[str]:
    named = facts.get("prev_patch_files")
    places = [_GENERATION.findall(str(text)) for text in (named if isinstance(named, list) else [])]
    return [ROOT, *dict.fromkeys(found[-1] for found in places if found)]


def _scores(source: Source, name: str) -> list[ForeignScore]:
    found = []
    for folder in source.folders(f"gen_{name}"):
        if at := re.fullmatch(r"([A-Za-z0-9_]{1,100}?)_eval(?:_(val|test))?", folder):
            score = evaluations.read(source, f"gen_{name}/{folder}", at[1], at[2] or "train")
            if score is not None:
                found.append(score)
    return found

"""What can be asked of a folder of archives. Plain functions: an answer is JSON, bounded, its texts printable.

An archive is called by its name in the folder; a path is refused. Every error is a UserError of one sentence.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dgm import results, steering
from dgm.archive import AgentRecord, Archive
from dgm.archive.lineage import lineage
from dgm.domain import Split
from dgm.errors import UserError
from dgm.reporting import report
from dgm.reporting.text import printable

MAX_AGENTS = 100
MAX_TEXT = 20_000
"""Characters of one patch or transcript."""
MAX_ROWS = 20


@dataclass(frozen=True)
class Tools:
    """The archives in `folder`; with `every_split` also transcripts of val and test."""

    folder: Path
    every_split: bool = False

    def archives(self) -> list[dict[str, Any]]:
        """Every archive: how many agents it has, whether its run goes on, its domains; or why it cannot be read."""
        found: list[dict[str, Any]] = []
        for place in sorted(self.folder.glob("*/archive.db")):
            found.append({"name": printable(place.parent.name)})
            try:
                with Archive.open(place.parent) as archive:
                    found[-1]["running"] = steering.running(archive.path)
                    found[-1]["agents"] = len(archive.agents())
                    found[-1]["domains"] = sorted(results.chosen_scores(archive))
            except UserError as error:  # it must not hide the others
                found[-1]["problem"] = printable(str(error))
        return found

    def best(self, archive: str) -> dict[str, Any]:
        """The best agent of each domain and the one for all: chosen on val, reported on test."""
        with self._open(archive) as opened:
            return report.best_json(opened)

    def search_agents(
        self,
        archive: str,
        text: str = "",
        admission: str = "",
        domain: str = "",
        least: float = 0.0,
        limit: int = 20,
    ) -> dict[str, Any]:
        """Agents whose summary, reason, author or changed paths hold `text`, best first; how many there are in all."""
        with self._open(archive) as opened:
            chosen = results.chosen_scores(opened)
            if domain and domain not in chosen:
                raise UserError(f"{archive} has no scores in {domain}; its domains are {', '.join(sorted(chosen))}")
            found = []
            for agent in opened.agents():
                means = {d: by[agent.id].mean for d, by in chosen.items() if agent.id in by and domain in ("", d)}
                mean = sum(means.values()) / len(means) if means else None
                if _matches(agent, text, admission) and (least <= 0 or (mean is not None and mean >= least)):
                    found.append((agent, means, mean))
            found.sort(key=lambda one: (-(one[2] if one[2] is not None else -1.0), one[0].id))
            limit = max(1, min(limit, MAX_AGENTS))
            return {"found": len(found), "agents": [_short(a, means) for a, means, _ in found[:limit]]}

    def agent(self, archive: str, agent: int) -> dict[str, Any]:
        """One agent in full: scores with intervals, how it came about, lineage, children, files, notes."""
        with self._open(archive) as opened:
            record = opened.agent(agent)
            page = report.agent_json(record, opened.proposal(agent), opened.scores(agent))
            agents = opened.agents()
            notes = [n for n in steering.state(opened).notes if n.agent == agent]
            files = {name: len(data) for name, data in opened.files(agent).items()} if record.commit else {}
            page |= {
                "author": record.author,
                "parent2": record.parent2,
                "lineage": list(lineage(agents, agent)),
                "children": [a.id for a in agents if a.parent == agent],
                "files": files,
                "notes": [{"text": n.text, "author": n.author, "time": n.time} for n in notes],
            }
            return {key: _clean(value) for key, value in page.items()}

    def diff(self, archive: str, agent: int, other: int | None = None) -> dict[str, Any]:
        """What an agent changed in its parent, or how it differs from `other`, as a patch."""
        with self._open(archive) as opened:
            record = opened.agent(agent)
            base = record.parent if other is None else other
            patch = opened.diff(base, agent, MAX_TEXT)
            return {"from": base, "to": agent, "patch": printable(patch, keep="\n\t")}

    def file(self, archive: str, agent: int, path: str) -> dict[str, Any]:
        """One file of an agent's genome."""
        with self._open(archive) as opened:
            files = opened.files(agent)
        if path not in files:
            raise UserError(f"{archive}#{agent} has no file {path!r:.200}; its files are {', '.join(files)[:2_000]}")
        content = files[path].decode("utf-8", "replace")
        return {"path": path, "text": printable(content[:MAX_TEXT], keep="\n\t"), "characters": len(content)}

    def verdicts(self, archive: str, agent: int, domain: str, split: str = "train") -> dict[str, Any]:
        """How each task of a domain and split ended for an agent. Names and scores; no inputs, no labels."""
        with self._open(archive) as opened:
            opened.agent(agent)
            rows = opened.verdicts(agent, domain, split)
            tasks = [{"task": v.task, "score": v.score, "status": str(v.status), "ms": v.ms} for v in rows]
            return {"agent": agent, "domain": domain, "split": split, "tasks": _clean(tasks)}

    def transcript(
        self, archive: str, agent: int, domain: str, split: str = "train", task: str = "", start: int = 0
    ) -> dict[str, Any]:
        """What an agent did on the tasks of a domain: predictions, logs, errors; a page of them from `start`."""
        if split != Split.TRAIN and not self.every_split:
            raise UserError(f"transcripts of {split} are not shown; `dgm mcp --every-split` shows them")
        with self._open(archive) as opened:
            opened.agent(agent)
            rows = opened.logs(agent, domain, split)
        rows = [row for row in rows if not task or row.get("task") == task]
        page = [_cut(row) for row in rows[max(0, start) : max(0, start) + MAX_ROWS]]
        return {"tasks": len(rows), "start": max(0, start), "rows": _clean(page)}

    @contextmanager
    def _open(self, name: str) -> Iterator[Archive]:
        known = [place.parent.name for place in sorted(self.folder.glob("*/archive.db"))]
        if name not in known:
            raise UserError(f"there is no archive {name!r:.100}; there are {', '.join(known) or 'none'}")
        with Archive.open(self.folder / name) as archive:
            yield archive


def _matches(agent: AgentRecord, text: str, admission: str) -> bool:
    words = "\n".join((agent.summary, agent.reason, agent.author, *agent.changed)).casefold()
    return text.casefold() in words and admission in ("", str(agent.admission))


def _short(agent: AgentRecord, means: dict[str, float]) -> dict[str, Any]:
    return {
        "id": agent.id,
        "parent": agent.parent,
        "admission": str(agent.admission),
        "val": means,
        "summary": printable(agent.summary[:500]),
        "changed": [printable(path) for path in agent.changed[:20]],
    }


def _cut(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose long texts are shortened in the middle; a long list or object becomes such a text."""
    half = MAX_TEXT // MAX_ROWS
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in row.items()}
    long = {key: text[:half] + "\n…\n" + text[-half:] for key, text in texts.items() if len(text) > 2 * half}
    return row | long


def _clean(value: Any) -> Any:
    """JSON whose texts hold nothing that a terminal acts upon."""
    if isinstance(value, str):
        return printable(value, keep="\n\t")
    if isinstance(value, dict):
        return {printable(str(key)): _clean(below) for key, below in value.items()}
    return [_clean(below) for below in value] if isinstance(value, list) else value

"""The contract of a domain: tasks are sound and hidden, the judge is pure, deterministic and hard to upset.

These are checks by trying. A judge that misbehaves only on what is not tried here is not found.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from dgm.domain import Artifact, Files, JudgeModel, JudgeSandbox, Split, Status, Task, Verdict
from dgm.domains import LoadedDomain
from dgm.domains.audit import hostile as hostiles
from dgm.domains.audit.findings import Finding, error, note, warning
from dgm.errors import JudgeFailed, NoVerdict, UserError
from dgm.evaluation.calibration import calibrate
from dgm.evaluation.candidates import JudgeSession
from dgm.sandbox import Limits, Sandbox

LOADING = "loading"
"""The check that all others need."""
SECRET = 12
"""Hidden texts shorter than this may stand in the inputs by chance, and are not looked for."""
SLOW = 1.0
"""Seconds for a verdict on the host that are worth a warning."""
_REFUSED = {status for status in Status if status not in (Status.OK, Status.INFRA)}


def tasks(domain: LoadedDomain) -> list[Finding]:
    """Splits disjoint and as large as said; nothing hidden in what an agent sees."""
    try:
        splits = domain.splits
    except UserError as wrong:
        return [error(LOADING, str(wrong), "mend the tasks, or deal them into splits by content")]
    found = [note("tasks", ", ".join(f"{len(tasks)} {split}" for split, tasks in splits.items()))]
    sizes = {split: len(tasks) for split, tasks in splits.items()}
    if domain.data is None and any(domain.spec.splits.get(split, 0) != n for split, n in sizes.items()):
        said = ", ".join(f"{n} {split}" for split, n in domain.spec.splits.items())
        found.append(error("tasks", f"domain.toml says {said}", "write the true sizes into `splits`"))
    if not sizes[Split.VAL]:
        found.append(
            warning("tasks", "there is no val split: selection uses train, which agents see", "give some tasks to val")
        )
    for split in Split:
        found += [finding for task in splits[split] if (finding := _shown(task, split))][:3]
    return found


def _shown(task: Task, split: Split) -> Finding | None:
    """A hidden text, or the task's id, that stands in what an agent sees."""
    seen = json.dumps(dict(task.inputs), ensure_ascii=False, default=str)
    seen += "".join(data.decode(errors="replace") for data in task.files.values())
    if len(task.id) >= SECRET and task.id in seen:
        return error("hidden", f"{split} task {task.id!r} shows its id", "keep ids out of inputs and files")
    for name, value in task.hidden.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        if len(text) >= SECRET and (text in seen or json.dumps(text, ensure_ascii=False)[1:-1] in seen):
            return error("hidden", f"{split} task {task.id!r} shows its hidden {name!r}", "keep it out of the inputs")
    return None


_PRINT = """\
import sys
from dgm.domains.audit.contract import fingerprint
from dgm.domains import DataRef, load
print(fingerprint(load(sys.argv[1], DataRef.parse(sys.argv[2]) if sys.argv[2] else None)))
"""


def fingerprint(domain: LoadedDomain) -> str:
    """SHA-256 over all tasks in their order."""
    total = hashlib.sha256()
    for split in Split:
        for task in domain.splits[split]:
            body = [split, task.id, dict(task.inputs), dict(task.hidden), list(task.due)]
            total.update(json.dumps(body, sort_keys=True, default=str).encode(errors="surrogatepass"))
            for path, data in sorted(task.files.items()):
                total.update(path.encode() + b"\0" + hashlib.sha256(data).digest())
    return total.hexdigest()


def reproducible(domain: LoadedDomain) -> list[Finding]:
    """The same tasks when loaded again in a process with another hash seed."""
    data = "" if domain.data is None else str(domain.data)
    environment = {"PYTHONHASHSEED": "4711", "PATH": os.defpath, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    there = subprocess.run(
        [sys.executable, "-c", _PRINT, str(domain.folder.resolve()), data],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if there.returncode:
        last = (there.stderr.strip().splitlines() or ["no reason given"])[-1]
        return [error("reproducible", f"cannot be loaded in another process: {last}", "see the message")]
    if there.stdout.strip() != fingerprint(domain):
        mend = "draw from random.Random with a fixed seed, and sort what comes from sets"
        return [error("reproducible", "another process has other tasks", mend)]
    return []


def _reference(domain: LoadedDomain, task: Task) -> Artifact | None:
    """The right answer, as far as the hidden label tells it."""
    label = task.hidden.get("label")
    if label is None:
        return None
    if domain.spec.answer.kind != "files":
        return Artifact(label)
    due = task.due or domain.spec.answer.files
    files: Files | None = None
    if isinstance(label, str) and len(due) == 1:
        files = {due[0]: label.encode()}
    elif isinstance(label, dict) and set(label) == set(due):
        files = {path: str(text).encode() for path, text in label.items()}
    return None if files is None else Artifact(None, files)


def judging(domain: LoadedDomain, sandbox: Sandbox | None, most: int, model: JudgeModel | None = None) -> list[Finding]:
    """The right answer scores best, an empty one nothing, and both the same when judged again."""
    if domain.asks and model is None:
        return [warning("judge", "not tried: the judge asks a language model", "give --judge-model")]
    if domain.executes and sandbox is None:
        return [warning("judge", "not tried: the judge executes artifacts and there is no sandbox", "give --sandbox")]
    found: list[Finding] = []
    began, verdicts = time.monotonic(), 0
    with _judge(domain, sandbox) as session:
        for split in Split:
            for task in domain.splits[split][:most]:
                try:
                    found += _judged(domain, task, split, session, model)
                except JudgeFailed as failure:
                    found.append(error("judge", str(failure), "a judge must answer whatever it is given"))
                except NoVerdict as failure:
                    found.append(error("judge", f"{split} task {task.id!r}: {failure}", "take another model"))
                verdicts += 1
    pause = (time.monotonic() - began) / max(1, 4 * verdicts)
    found = found[:6]
    if pause > SLOW and not (domain.executes or domain.asks):
        found.append(warning("judge", f"a verdict takes {pause:.1f} s", "move what is slow to loading"))
    return [*found, note("judge", f"{verdicts} tasks judged, {pause * 1000:.1f} ms a verdict")]


def _judged(
    domain: LoadedDomain, task: Task, split: Split, session: JudgeSandbox | None, model: JudgeModel | None
) -> list[Finding]:
    where = f"{split} task {task.id!r}"
    found = []
    empty = domain.judge(task, Artifact(), session, model)
    if empty.score > 0 or empty.status == Status.OK:
        found.append(error("judge", f"{where}: no answer at all gets {empty.score:g}", "score it 0, status WRONG"))
    right = _reference(domain, task)
    if right is None:
        return found
    first, again = domain.judge(task, right, session, model), domain.judge(task, right, session, model)
    if first.score < 1.0 or first.status != Status.OK:
        says = f"{where}: the hidden label itself gets {first.score:g} ({first.status}: {first.detail})"
        found.append(error("judge", says, "make the judge accept it, or mend the label"))
    if (first.score, first.status, first.metrics) != (again.score, again.status, again.metrics):
        found.append(error("judge", f"{where}: judged twice, two verdicts", "make the judge pure"))
    if empty != domain.judge(task, Artifact(), session, model):
        found.append(error("judge", f"{where}: a verdict depends on what was judged before", "keep no state"))
    return found


def hostile(domain: LoadedDomain, sandbox: Sandbox | None, model: JudgeModel | None = None) -> list[Finding]:
    """Artifacts that no agent should get anything for are refused, and none upsets the judge."""
    if (domain.executes and sandbox is None) or (domain.asks and model is None):
        return []
    task = next(domain.splits[split][0] for split in Split if domain.splits[split])
    due = task.due or domain.spec.answer.files
    found, tried = [], 0
    with _judge(domain, sandbox) as session:
        for name, artifact in hostiles.decoys(domain.spec.answer.kind, due, task.hidden.get("label")):
            tried += 1
            try:
                verdict = domain.judge(task, artifact, session, model)
            except NoVerdict:
                continue  # missing, and so no score
            except JudgeFailed as failure:
                found.append(error("hostile", f"{name}: {failure}", "answer INVALID for what is not of the kind due"))
                continue
            if not _refused(domain, artifact, verdict):
                says = f"{name}: gets {verdict.score:g} with status {verdict.status}"
                found.append(error("hostile", says, "answer INVALID or WRONG, score 0"))
    return [*found, note("hostile", f"{tried - len(found)} of {tried} refused")]


def _refused(domain: LoadedDomain, artifact: Artifact, verdict: Verdict) -> bool:
    """Whether a decoy got nothing. A number within the range is an answer, if a bad one, and may earn something."""
    answer = domain.spec.answer
    said = artifact.prediction
    low, high = answer.low, answer.high
    if type(said) in (int, float) and low is not None and high is not None and low <= said <= high:
        return True
    return verdict.score == 0.0 and verdict.status in _REFUSED


class _NoSession:
    """Stands where a judge needs no sandbox."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def calibration(domain: LoadedDomain, model: JudgeModel | None) -> list[Finding]:
    """How far a judge's model decides as the domain's labelled examples say."""
    told = calibrate(domain, model) if domain.asks and model is not None else None
    if told is None:
        return []
    found = [note("calibration", str(told))]
    if told.missed:
        found.append(note("calibration", f"decided otherwise: {', '.join(told.missed[:12])}"))
    if told.poor:
        found.append(warning("calibration", "its scores say little", "take another model, or mend the criteria"))
    return found


def _judge(domain: LoadedDomain, sandbox: Sandbox | None) -> JudgeSession | _NoSession:
    if not domain.executes or sandbox is None:
        return _NoSession()
    limits = domain.spec.limits
    return JudgeSession(sandbox, Limits(seconds=limits.seconds, memory_mb=limits.memory_mb, processes=limits.processes))


__all__: Sequence[str] = ["calibration", "fingerprint", "hostile", "judging", "reproducible", "tasks"]

"""Whether the tasks of a domain can be used: an id each, in one split each, with an answer that can be given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from dgm.domain import Split, Task
from dgm.domains.spec import DomainSpec
from dgm.errors import UserError

RESERVED_INPUTS = frozenset({"answer", "workdir"})
"""Keys of a task agent's inputs that the kernel sets itself."""


def check_tasks(spec: DomainSpec, splits: Mapping[Split, Sequence[Task]]) -> None:
    """Raise UserError when ids repeat, splits share content, a split is empty or a label is not in the set."""
    ids: set[str] = set()
    contents: dict[str, tuple[Split, str]] = {}
    for split, tasks in splits.items():
        for task in tasks:
            where = f"domain {spec.name}, {split} task {task.id!r}"
            if task.id in ids:
                raise UserError(f"{where}: the id is used twice")
            ids.add(task.id)
            if reserved := RESERVED_INPUTS & set(task.inputs):
                raise UserError(f"{where}: the input {min(reserved)!r} is a name that the kernel uses itself")
            label = task.hidden.get("label")
            if spec.answer.kind == "label" and label not in spec.answer.labels:
                raise UserError(f"{where}: the label {label!r} is not one of {', '.join(spec.answer.labels)}")
            body = content_key(task)
            other, first = contents.setdefault(body, (split, task.id))
            if first != task.id and other != split:
                raise UserError(f"{where}: has the same content as {first!r} in {other}; splits must be disjoint")
    if not any(splits.values()):
        raise UserError(f"domain {spec.name} has no tasks")
    if not splits[Split.TEST]:
        raise UserError(f"domain {spec.name}: the test split is empty, so nothing could be reported")
    if not splits[Split.TRAIN] and splits[Split.VAL]:
        raise UserError(
            f"domain {spec.name}: the train split is empty, so a meta agent would have nothing to learn from"
        )


def content_key(task: Task) -> str:
    """Equal for tasks of the same inputs and files."""
    body = json.dumps(task.inputs, sort_keys=True, default=str)
    files = "".join(f"{path}:{hashlib.sha256(data).hexdigest()}" for path, data in sorted(task.files.items()))
    return hashlib.sha256(f"{body}|{files}".encode(errors="surrogatepass")).hexdigest()

"""What was begun in an experiment's folder and what has ended: one JSON object a line, only ever added to.

    {"run", "began": its configuration, "anew": whether there was no archive of it}
    {"run", "ended": why, "limits": the configuration's limits, "seconds": in this sitting}

What is said of a run binds only while its archive is there: a run is begun once it has one, and one whose archive was
removed is to be made again. A line that a kill cut short counts as never written: its run is then taken up again, which
finds nothing left to do.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dgm.archive import database
from dgm.config import CHANGEABLE, RunConfig
from dgm.errors import UserError
from dgm.experiment.plan import Planned

FILE = "journal.jsonl"
_LIMITS = ("proposals", "evaluations", "seconds", "usd")


@dataclass
class Journal:
    """The journal of a folder, as it was when it was read, and what was written since, of the runs that are there."""

    path: Path
    began: dict[str, Mapping[str, Any]] = field(default_factory=dict)  #: run to its configuration
    ended: dict[str, Mapping[str, Any]] = field(default_factory=dict)  #: run to its latest end

    @classmethod
    def of(cls, folder: Path) -> Journal:
        journal = cls(folder / FILE)
        if journal.path.is_file():
            for line in journal.path.read_bytes().splitlines():
                try:
                    journal._take(json.loads(line))
                except ValueError:
                    continue  # cut short
        for told in (journal.began, journal.ended):
            for gone in [name for name in told if not journal.made(name)]:
                del told[gone]
        return journal

    def made(self, name: str) -> bool:
        """Whether a run has an archive."""
        return (self.path.parent / name / database.NAME).is_file()

    def finished(self, run: Planned) -> bool:
        """Whether it ended within the limits that it has now: for these, or because it had made all its proposals."""
        end, now = self.ended.get(run.name), limits(run.config)
        if end is None:
            return False
        whole = end["ended"] == "proposals" and end["limits"]["proposals"] == now["proposals"]
        return whole or bool(end["limits"] == now)

    def begin(self, run: Planned) -> None:
        if self.began.get(run.name) != run.config.model_dump(mode="json"):
            began = run.config.model_dump(mode="json")
            self._write({"run": run.name, "began": began, "anew": not self.made(run.name)})

    def end(self, run: Planned, why: str, seconds: float) -> None:
        self._write({"run": run.name, "ended": why, "limits": limits(run.config), "seconds": round(seconds, 1)})

    def check(self, run: Planned) -> None:
        """Raises UserError when the run was begun with another configuration than it has now. Its limits may be
        other than they were."""
        before = self.began.get(run.name)
        if before is None:
            return
        was, now = (_flat(_unlimited(told)) for told in (before, run.config.model_dump(mode="json")))
        for key in sorted(was.keys() | now.keys()):
            if was.get(key) != now.get(key):
                raise UserError(
                    f"{run.name} was begun with {key} = {was.get(key)!r}, and is now to have {now.get(key)!r}; "
                    f"put it back, give another name (--into), or remove {self.path.parent / run.name}"
                )

    def _write(self, told: Mapping[str, Any]) -> None:
        cut = self.path.is_file() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("ab") as file:
            file.write((b"\n" if cut else b"") + json.dumps(told).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._take(told)

    def _take(self, told: Mapping[str, Any]) -> None:
        if "began" in told:
            self.began[told["run"]] = told["began"]
            if told.get("anew"):  # what its former archive came to is gone with it
                self.ended.pop(told["run"], None)
        elif "ended" in told:
            self.ended[told["run"]] = told


def limits(config: RunConfig) -> dict[str, Any]:
    """What a run that goes on may be told anew (see `config.CHANGEABLE`)."""
    told = config.model_dump(mode="json")
    return {name: _at(told, CHANGEABLE[name]) for name in _LIMITS}


def _at(told: Mapping[str, Any], place: tuple[str, ...]) -> Any:
    value: Any = told
    for key in place:
        value = value[key]
    return value


def _unlimited(told: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with each limit that is set taken for any other; one that is not set stays so."""
    copied: dict[str, Any] = json.loads(json.dumps(told))
    for name in _LIMITS:
        *tables, key = CHANGEABLE[name]
        table = _at(copied, tuple(tables))
        table[key] = None if table[key] is None else "a limit"
    return copied


def _flat(told: Mapping[str, Any], below: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in told.items():
        flat |= _flat(value, f"{below}{key}.") if isinstance(value, dict) else {below + key: value}
    return flat

"""Inside a judge's sandbox: writes files, runs one command after the other, and gives back what they said.

What the commands compile and run is a candidate together with its tests; what is returned is worth what such a
process's words are worth, and is read outside.
"""

# It runs in a sandbox, as the source of one module, and imports little.
# ruff: noqa: PTH103, PTH109, PTH118, PTH120, PTH123, PTH207

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import time
from typing import Any

MOST = 400_000  #: characters of a log, its end, and of a report
PLACES = ("/usr/local/go/bin", "/usr/lib/go/bin", "/usr/local/cargo/bin")  #: where official images have their tools


def run(request: dict[str, Any]) -> dict[str, Any]:
    """`{"files": {path: text}, "steps": [argv], "report": pattern, "environment", "seconds"}` to `{"log", "report",
    "failed": number of the step that failed or None, "late", "missing": a program that is not there or None}`.

    `seconds` are for all steps; the step after a failed one is not run. Patterns in an argv are expanded.
    """
    place = os.path.realpath("candidate")
    for path, text in request["files"].items():
        target = os.path.join(place, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    environment = {key: os.environ[key] for key in ("PATH", "LANG", "TZ", "TMPDIR", "RUSTUP_HOME") if key in os.environ}
    environment["PATH"] = os.pathsep.join([environment.get("PATH", "/usr/bin:/bin"), *PLACES])
    environment |= {"HOME": os.getcwd()} | {
        k: v.replace("{home}", os.getcwd()) for k, v in request["environment"].items()
    }
    clock = time.monotonic() + request["seconds"]
    told: dict[str, Any] = {"log": "", "report": "", "failed": None, "late": False, "missing": None}
    with open("log", "w+b") as log:
        for number, step in enumerate(request["steps"]):
            if shutil.which(step[0], path=environment["PATH"]) is None and not step[0].startswith("./"):
                return {**told, "missing": step[0]}
            argv = [name for part in step for name in expanded(part, place)]
            log.seek(0)
            log.truncate()
            try:
                ended = subprocess.run(
                    argv, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                    timeout=max(0.1, clock - time.monotonic()), check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                told["late"] = True
                break
            if ended.returncode:
                told["failed"] = number
                break
        size = log.seek(0, os.SEEK_END)
        log.seek(max(0, size - MOST))
        told["log"] = log.read().decode(errors="replace")
    for path in sorted(glob.glob(os.path.join(place, request["report"]))) if request["report"] else []:
        with open(path, encoding="utf-8", errors="replace") as file:
            told["report"] += file.read(MOST - len(told["report"]))
    return told


def expanded(part: str, place: str) -> list[str]:
    """A pattern as the files that fit it, relative to the place; anything else as it is."""
    if "*" not in part or "/usr/" in part:  # a class path is expanded by Java
        return [part]
    return sorted(os.path.relpath(path, place) for path in glob.glob(os.path.join(place, part), recursive=True))

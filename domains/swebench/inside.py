"""Inside a judge's sandbox made of an instance's image: reads files of its repository, and runs tests on a copy of it.

The image's root cannot be written, so the repository is copied to the work directory and put before all else on the
path of modules. What the tests print goes back as it is; what it is worth is known outside.
"""

# It runs in a sandbox, as the source of one module, and imports little.
# ruff: noqa: PTH103, PTH107, PTH109, PTH110, PTH112, PTH113, PTH114, PTH118, PTH120, PTH123

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

PYTHONS = ("/opt/miniconda3/envs/testbed/bin/python", "/usr/local/bin/python3")
MOST = 700_000  #: characters of a log, its end, and of all files read together


def look(request: dict[str, Any]) -> dict[str, Any]:
    """`{"folder", "paths"}` to `{"files": {path: text}}`, plain text files alone, or `{"missing": True}`."""
    if not os.path.isdir(request["folder"]):
        return {"missing": True}
    files, size = {}, 0
    for path in request["paths"]:
        full = os.path.join(request["folder"], path)
        if os.path.isfile(full) and not os.path.islink(full):
            with open(full, encoding="utf-8", newline="") as file:
                files[path] = file.read()
            size += len(files[path])
    if size > MOST:
        raise ValueError("the files of the patches are too large")
    return {"files": files}


def run(request: dict[str, Any]) -> dict[str, Any]:
    """`{"folder", "files": {path: text or None}, "command", "seconds"}` to `{"log", "late"}`.

    The files stand over the repository's copy, None removes one. `{python}` in the command is the image's interpreter.
    """
    place = os.path.realpath("repository")
    shutil.copytree(request["folder"], place, symlinks=True, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    for path, text in request["files"].items():
        target = os.path.join(place, path)
        if text is None:
            os.remove(target)
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.islink(target):
            os.remove(target)
        with open(target, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    python = next(path for path in PYTHONS if os.path.exists(path))
    folders = [os.path.join(place, part) for part in ("", "src", "lib") if os.path.isdir(os.path.join(place, part))]
    environment = {
        "PATH": f"{os.path.dirname(python)}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": os.pathsep.join(folders), "HOME": os.getcwd(), "TMPDIR": os.environ.get("TMPDIR", os.getcwd()),
        "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    command = [part.replace("{python}", python) for part in request["command"]]
    with open("log", "w+b") as log:
        late = False
        try:
            subprocess.run(
                command, cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                timeout=request["seconds"], check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            late = True
        log.seek(max(0, log.tell() - MOST))
        return {"log": log.read().decode(errors="replace"), "late": late}

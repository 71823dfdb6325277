"""Writes the folder of a new domain that works at once: facts, behaviour, and a test.

Three kinds to start from, by what an agent owes: `label`, `number` (points) and `code` (a function, judged in a
sandbox). The templates are real domains; what a person changes is `domain.py`, and it alone.
"""

from __future__ import annotations

import re
from pathlib import Path

from dgm.errors import UserError

KINDS = ("label", "number", "code")
_TEMPLATES = Path(__file__).parent / "templates"
_FILES = {"domain.toml": "domain.toml", "domain.py": "domain.py.txt", "test_domain.py": "test_domain.py.txt"}


def write(folder: Path, kind: str) -> list[Path]:
    """Write a new domain called after `folder`; the files written. Raises UserError and changes nothing when the
    name is no domain's, the kind is unknown or the folder exists."""
    name = checked_name(folder)
    if kind not in KINDS:
        raise UserError(f"--kind: {kind!r} is none of {', '.join(KINDS)}")
    if folder.exists():
        raise UserError(f"{folder} exists already; choose another name, or change that one")
    texts = {file: _text(kind, template, name) for file, template in _FILES.items()}
    try:
        folder.mkdir(parents=True)
        for file, text in texts.items():
            (folder / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder} cannot be written: {error}") from error
    return [folder / file for file in texts]


def checked_name(folder: Path) -> str:
    """What a domain in this folder is called. Raises UserError where nothing can be called so."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", folder.name):
        raise UserError(
            f"{folder.name!r} cannot be a domain's name: lower-case letters, digits, - and _, a letter first"
        )
    return folder.name


def _text(kind: str, template: str, name: str) -> str:
    """A template of the kind, or the one that all kinds share."""
    own = _TEMPLATES / kind / template
    path = own if own.is_file() else _TEMPLATES / template
    return path.read_text(encoding="utf-8").replace("@NAME@", name)

"""TOML that a person wrote, checked against a model; what is wrong is said with its place."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from dgm.errors import UserError

M = TypeVar("M", bound=BaseModel)


def text(file: Path, where: object) -> str:
    """What a person wrote into a file, not parsed. Raises UserError naming `where`."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"{where} cannot be read: {why}") from None


def loads(text: str | bytes, where: object) -> dict[str, Any]:
    """Raises UserError naming `where` and the line that is wrong."""
    try:
        return tomllib.loads(text if isinstance(text, str) else text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{where} is not TOML: {error}") from None


def parse(model: type[M], text: str | bytes, where: object) -> M:
    """Raises UserError naming `where` and the line or key that is wrong."""
    try:
        return model.model_validate(loads(text, where))
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(": ".join(filter(None, (str(where), ".".join(map(str, first["loc"])), first["msg"])))) from None

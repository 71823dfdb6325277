"""TOML that a person wrote, checked against a model; what is wrong is said with its place."""

from __future__ import annotations

import tomllib
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from dgm.errors import UserError

M = TypeVar("M", bound=BaseModel)


def parse(model: type[M], text: str | bytes, where: object) -> M:
    """Raises UserError naming `where` and the key that is wrong."""
    try:
        return model.model_validate(tomllib.loads(text if isinstance(text, str) else text.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{where} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(": ".join(filter(None, (str(where), ".".join(map(str, first["loc"])), first["msg"])))) from None

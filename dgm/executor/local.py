"""The executor that needs nothing: each piece is done at once, in the thread that asks."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from dgm.errors import UserError
from dgm.executor.pieces import Outcome, Piece, Workshop, perform

T = TypeVar("T")


class Local:
    """See `dgm.executor.Executor`."""

    def __init__(self, where: str = "", archive: Path | None = None) -> None:
        """Raises UserError if a place is named."""
        if where:
            raise UserError(f"--executor local: takes no address, not {where!r}")

    def do(self, piece: Piece[T], shop: Workshop) -> Outcome[T]:
        return perform(piece, shop)

    def close(self) -> None:
        """Nothing is held."""

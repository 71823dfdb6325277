"""What has an end: a base for everything that `with` should close, and a way back for what was only half done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self


class Closing:
    """A context manager that calls its own `close` at the end, however the end came about."""

    def close(self) -> None:
        """Give back what is held. May be called twice."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def close(held: object) -> None:
    """Close what has an end; nothing is done to what has none, as a sandbox without an engine."""
    if isinstance(held, Closing):
        held.close()


@contextmanager
def on_failure(undo: Callable[[], object]) -> Iterator[None]:
    """Call `undo` where the block does not come to its end, whatever ended it; what was raised goes on."""
    with ExitStack() as stack:
        stack.callback(undo)
        yield
        stack.pop_all()

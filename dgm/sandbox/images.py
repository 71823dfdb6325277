"""Tasks that bring the image in which they are done: which sandbox that is, and whether it can be had.

Images are the user's: nothing is pulled here. What the backend puts on top of one is its own matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from dgm.domain import Task
from dgm.errors import UserError
from dgm.sandbox import Sandbox


@runtime_checkable
class Imaging(Protocol):
    """A backend whose sandboxes can be made of other images."""

    def within(self, image: str) -> Sandbox:
        """This backend with the programs of `image`."""
        ...

    def lacking(self, images: Iterable[str]) -> Sequence[str]:
        """Which of these it cannot be made of."""
        ...


class HasTasks(Protocol):
    """The part of `dgm.domains.LoadedDomain` that is needed here."""

    @property
    def name(self) -> str: ...

    @property
    def all_tasks(self) -> Iterable[Task]: ...


def within(sandbox: Sandbox, image: str) -> Sandbox:
    """`sandbox` with the programs of `image`. Raises UserError where it has no images."""
    chosen = getattr(sandbox, "within", None)
    if chosen is None:
        raise UserError(f"the sandbox {sandbox.name} cannot be made of the image {image}; choose --sandbox docker")
    made: Sandbox = chosen(image)
    return made


def check(sandbox: Sandbox, domains: Sequence[HasTasks]) -> None:
    """Raises UserError, before anything is run, when the images of tasks cannot be had."""
    for domain in domains:
        needed = sorted({task.image for task in domain.all_tasks if task.image})
        if not needed:
            continue
        if not isinstance(sandbox, Imaging):
            raise UserError(
                f"the tasks of {domain.name} bring images of their own, which {sandbox.name} has no use for; choose "
                "--sandbox docker"
            )
        if missing := sandbox.lacking(needed):
            raise UserError(
                f"the engine lacks {len(missing)} of {len(needed)} images for {domain.name}: docker pull {missing[0]}"
            )

"""Where proposals are made and evaluated: in this process, or on other machines. The protocol.

An executor does `dgm.executor.pieces`: values that say all there is to say of one piece of work, so that it does not
matter where, or how often, one is done. `local` does them in the thread that asks. `ray` and `slurm` give them out as
leases (`leases`) to kernels on other nodes (`node`), which find the run's domains there and check them against their
digests; whatever a lost node had is given out again. The driver alone selects parents and writes the archive.

Not covered: protection from a node. A node runs this kernel, sees labels, and is trusted like the driver; genome code
is in a sandbox there as here. Language models are asked on the driver's machine alone, so a run with models is local.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from dgm.errors import UserError
from dgm.plugins import Plugins

if TYPE_CHECKING:
    from dgm.config import RunConfig
    from dgm.executor.pieces import Outcome, Piece, Workshop

T = TypeVar("T")

EXECUTORS = Plugins(
    "dgm.executors",
    "--executor",
    __name__,
    {"local": "local:Local", "ray": "ray:connect", "slurm": "slurm:connect"},
)


class Executor(Protocol):
    """Does pieces of work, for any number of threads at once. Installed packages add further ones through the
    entry-point group `dgm.executors`: a function of the text after the colon in `--executor NAME:TEXT` (empty without
    one) and of the archive's path, at which nothing may be there yet."""

    def do(self, piece: Piece[T], shop: Workshop) -> Outcome[T]:
        """What one piece came to; an agent's failure is an outcome. Raises SandboxUnavailable, also as soon as all
        that is `shop.ongoing` is given up, JudgeFailed, UserError, or ModelUnavailable when the budget is spent."""
        ...

    def close(self) -> None:
        """Take back what is given out, and let go of the nodes. May be called twice."""
        ...


def connect(config: RunConfig, archive: Path) -> Executor:
    """The executor that a run asks for. Raises UserError for one that is not there or cannot do this run."""
    return named(config)(config.place.executor.partition(":")[2], archive)


def named(config: RunConfig) -> Callable[[str, Path], Executor]:
    """What makes the executor that a run asks for. Raises UserError as `connect` does, before it connects."""
    name = config.place.executor.partition(":")[0]
    made: Callable[[str, Path], Executor] = EXECUTORS.load(name)
    if name != "local" and config.models.used:
        raise UserError(
            f"--executor {name}: a run that asks language models stays on the driver's machine, where the calls are "
            "paid for and recorded; use --executor local with more --workers"
        )
    return made

"""Which backend a run uses. A further one joins by a line in `ISOLATING`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint
from typing import Protocol

from dgm.errors import UserError
from dgm.sandbox import Sandbox
from dgm.sandbox.bubblewrap import Bubblewrap
from dgm.sandbox.docker import from_environment
from dgm.sandbox.local import Local


class Isolating(Sandbox, Protocol):
    """A backend that may or may not work on this machine."""

    def trouble(self) -> str | None:
        """Why it does not work here, or None."""
        ...


ISOLATING: Mapping[str, Callable[[bool, int], Isolating]] = {
    "docker": lambda named, ahead: from_environment(build=named, ahead=ahead),
    "bubblewrap": lambda _, __: Bubblewrap(),
}
"""The backends that isolate, in the order in which `auto` tries them; each is told whether it was asked for by name,
and how many sandboxes of a kind are to start ahead of need (a backend that starts at once has no use for that)."""

_PLACE = re.compile(r"[\w.]+:[\w.]+")


def choose(
    name: str, may_run_model_code: bool, notice: Callable[[str], None] = lambda _: None, ahead: int = 0
) -> Sandbox:
    """The backend called `name`, tried out; `auto` is the first that works, and says why in a `notice`.
    `MODULE:CLASS` is a backend of somebody's own, made without arguments and taken as it is.

    With `ahead`, sandboxes of each kind may start before they are needed: then the backend must be closed, if it is
    one that can be (`dgm.closing.Closing`).
    `auto` falls back on `local` only where no code written by a language model, or by somebody else, can run.
    Raises UserError in one sentence when there is none.
    """
    if name == "local":
        return Local()
    if _PLACE.fullmatch(name):
        return _own(name)
    if name not in ("auto", *ISOLATING):
        raise UserError(f"--sandbox: there is no {name!r}; choose auto, {', '.join(ISOLATING)}, local or MODULE:CLASS")
    troubles: list[str] = []
    for candidate, make in ISOLATING.items():
        if name in ("auto", candidate):
            sandbox = make(name == candidate, ahead)
            trouble = sandbox.trouble()
            if trouble is None:
                if name == "auto":
                    why = "; ".join(trouble.partition(" (")[0].partition(";")[0] for trouble in troubles)
                    notice(f"the sandbox is {candidate}" + (f" ({why})" if why else ""))
                return sandbox
            troubles.append(f"{candidate}: {trouble}")
    why = "; ".join(troubles)
    if name != "auto":
        raise UserError(f"the sandbox does not work here ({why})")
    if may_run_model_code:
        raise UserError(
            f"this run can execute code of unknown origin and no sandbox works here ({why}); "
            "install bubblewrap, or give --sandbox local to run without one"
        )
    notice(f"the sandbox is local ({why})")
    return Local()


def _own(place: str) -> Sandbox:
    """A backend of somebody's own. Raises UserError if it cannot be had."""
    try:
        made: Sandbox = EntryPoint(place, place, "").load()()
    except (ImportError, AttributeError, TypeError) as error:
        raise UserError(f"--sandbox: {place} cannot be made: {error}") from None
    if not all(hasattr(made, needed) for needed in ("open", "caveats", "name", "holds")):
        raise UserError(f"--sandbox: {place} is no sandbox; dgm.Sandbox says what one has")
    return made

"""Is everything here that a user needs? One finding for each thing, with what to do where it is missing.

Nothing is built, pulled, installed or paid for, and nobody outside this machine is asked: a key is found by its name,
never read. What a sandbox really holds is tried by `dgm sandbox check`, not here.
"""

from __future__ import annotations

from collections.abc import Iterator

from dgm.doctor.finding import Finding


def examine() -> Iterator[Finding]:
    """Every finding, as soon as it is known: the host, the sandboxes, the models, the extras."""
    from dgm.doctor import boxes, host, packages

    yield from host.findings()
    yield from boxes.findings()
    yield from packages.findings()


__all__ = ["Finding", "examine"]

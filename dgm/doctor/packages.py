"""What Python packages and keys are there: model access, and the extras of `dgm` as its own metadata declares them.

A package is found by its metadata and a key by its name; neither is loaded, read or tried.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version

from dgm import extras
from dgm.doctor.finding import Finding

DEVELOPERS = frozenset({"test", "dev", "docs"})
"""Extras that a user has no use for."""
_EXTRA = re.compile(r"""extra\s*==\s*['"]([\w.-]+)['"]""")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_KEY = re.compile(r"[A-Z0-9_]*API_KEY")


def findings() -> Iterator[Finding]:
    yield library()
    yield keys(os.environ)
    yield from addons()


def library() -> Finding:
    """litellm, through which providers are reached by name."""
    found = installed("litellm")
    remedy = "" if found else "pip install litellm, or name an address with --model-url"
    return Finding("model library", found is not None, False, f"litellm {found}" if found else "no litellm", remedy)


def keys(environment: Mapping[str, str]) -> Finding:
    """The names of variables that look like a provider's key."""
    names = sorted(name for name, value in environment.items() if value and _KEY.fullmatch(name))
    remedy = "export a provider's key, for example OPENAI_API_KEY; the offline seeds need none"
    return Finding("model key", bool(names), False, ", ".join(names) or "none set", "" if names else remedy)


def addons() -> Iterator[Finding]:
    """One finding for each extra: whether all that it asks for is installed."""
    try:
        requirements = requires("dgm") or []
    except PackageNotFoundError:
        remedy = "pip install -e . in the checkout"
        yield Finding("extras", False, False, "dgm is not installed, so its extras are unknown", remedy)
        return
    for extra, names in declared(requirements).items():
        lacking = [name for name in names if installed(name) is None]
        found = f"no {', '.join(lacking)}" if lacking else ", ".join(f"{name} {installed(name)}" for name in names)
        remedy = f"{extras.how(extra)} if you want it" if lacking else ""
        yield Finding(f"extra {extra}", not lacking, False, found, remedy)


def declared(requirements: Iterable[str]) -> dict[str, list[str]]:
    """Extra to the packages that it asks for, from the lines of a distribution's metadata."""
    found: dict[str, list[str]] = {}
    for line in requirements:
        extra, name = _EXTRA.search(line), _NAME.match(line)
        if extra and name and extra[1] not in DEVELOPERS:
            found.setdefault(extra[1], []).append(name[0])
    return found


def installed(name: str) -> str | None:
    """The version of an installed distribution."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None

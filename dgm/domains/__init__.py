"""Finding and importing domains. What a domain is stands in `dgm.domain`, what its facts are in `spec`, which tasks are
sound in `tasks`, and what a run has of it in `loaded`.

A domain's code is a judge: it runs on the host and is trusted, its digest is pinned per run. It is imported as a
package of its own name (`_dgm_domain_NAME`), so that two domains may have modules of the same name.
"""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from dgm.domain import AskingDomain, Domain, ExecutingDomain
from dgm.domains.loaded import DataRef, LoadedDomain
from dgm.domains.spec import MARKER, Stage, read_spec
from dgm.domains.tasks import check_tasks
from dgm.errors import UserError
from dgm.genome import content

__all__ = ["DataRef", "LoadedDomain", "Stage", "available", "check_tasks", "load", "read_spec"]


def available() -> dict[str, Path]:
    """Name to folder: the shipped domains and those of installed packages (entry-point group `dgm.domains`).

    An entry point is `name = "package"`, the package's folder being the domain's. One whose package cannot be found
    is left out; of two with one name the shipped comes first.
    """
    found = content.shipped("domains", MARKER)
    for point in entry_points(group="dgm.domains"):
        if (folder := _package_folder(point.value.split(":")[0])) is not None:
            found.setdefault(point.name, folder)
    return found


def _package_folder(module: str) -> Path | None:
    """Where an installed module lies; its code is not run, but that of the packages above it is."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin).parent if spec.origin else None


def load(name: str, data: DataRef | None = None, said: str = "--domain: ") -> LoadedDomain:
    """A domain by its name or folder. Raises UserError if there is none or its facts are wrong; `said` is where a
    person named it."""
    known = available()
    folder = known.get(name) or Path(name)
    if not (folder / MARKER).is_file():
        raise UserError(f"{said}no domain or folder is called {name!r}; the domains are {', '.join(known)}")
    spec = read_spec(folder)
    if data is not None and not data.path.exists():
        raise UserError(f"--data {spec.name}: {data.path} is not there")
    made = _import(folder, spec.name)
    try:
        implementation = made(*_arguments(data))
    except TypeError as error:
        raise UserError(f"{folder}/domain.py: Domain cannot be made as Domain(data, fold): {error}") from error
    if not isinstance(implementation, (Domain, ExecutingDomain, AskingDomain)):
        raise UserError(
            f"{folder}/domain.py: the class Domain lacks tasks, or judge, judge_in or judge_with; see domains/README.md"
        )
    return LoadedDomain(spec, folder, implementation, data)


def _arguments(data: DataRef | None) -> tuple[Any, ...]:
    if data is None:
        return (None,)
    return (data.path, data.fold) if data.fold else (data.path,)


def _import(folder: Path, name: str) -> Any:
    digest = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    package = f"_dgm_domain_{name.replace('-', '_')}_{digest}"
    if package in sys.modules:
        return sys.modules[package].Domain
    where = folder / "domain.py"
    if not where.is_file():
        raise UserError(f"{folder} has no domain.py; see domains/README.md for what it holds")
    spec = importlib.util.spec_from_file_location(package, where, submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None:
        raise UserError(f"{where} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[package] = module
    try:
        spec.loader.exec_module(module)
    except (ImportError, SyntaxError, NameError, AttributeError) as error:
        del sys.modules[package]
        raise UserError(f"{where} cannot be imported: {type(error).__name__}: {error}") from error
    if not hasattr(module, "Domain"):
        del sys.modules[package]
        raise UserError(f"{where} has no class Domain; see domains/README.md")
    return module.Domain

"""What Tab offers. Cheap and silent: where nothing can be read, nothing is offered."""

from __future__ import annotations

from pathlib import Path


def archives(incomplete: str) -> list[str]:
    """Names of archives in `archive/`."""
    return [name for name in _archives() if name.startswith(incomplete)]


def agents(incomplete: str) -> list[str]:
    """`NAME#` of an archive, then the agents in it that have a tree."""
    name, mark, number = incomplete.partition("#")
    if not mark:
        return [f"{archive}#" for archive in _archives() if archive.startswith(name)]
    refs = Path("archive") / name / "genomes.git" / "refs" / "agents"
    ids = sorted(int(ref.name) for ref in refs.glob("*") if ref.name.isdigit())
    return [f"{name}#{i}" for i in ids if str(i).startswith(number)]


def domains(incomplete: str) -> list[str]:
    """Names of shipped and of installed domains; folders are left to the shell."""
    from importlib.metadata import entry_points

    from dgm.genome import content

    installed = (point.name for point in entry_points(group="dgm.domains"))
    names = dict.fromkeys((*content.shipped("domains", "domain.toml"), *installed))
    return [name for name in names if name.startswith(incomplete)]


def agent_seeds(incomplete: str) -> list[str]:
    return _seeds("agents", incomplete)


def meta_seeds(incomplete: str) -> list[str]:
    return _seeds("meta", incomplete)


def strategies(incomplete: str) -> list[str]:
    """What may decide on the next step."""
    return [name for name in ("staged", "treewise", "hgm") if name.startswith(incomplete)]


def selectors(incomplete: str) -> list[str]:
    from dgm.selection import SELECTORS

    return [name for name in SELECTORS.names() if name.startswith(incomplete)]


def _seeds(zone: str, incomplete: str) -> list[str]:
    from dgm.genome import content

    return [name for name in content.shipped(zone, "seed.toml") if name.startswith(incomplete)]


def _archives() -> list[str]:
    return sorted(path.parent.name for path in Path("archive").glob("*/archive.db"))

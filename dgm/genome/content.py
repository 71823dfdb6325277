"""Where the shipped seeds and domains lie, in a checkout as in an installed wheel.

A wheel carries `agents/`, `meta/` and `domains/` below `dgm/_content/`; a checkout has them beside `dgm/`.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def zone(name: str) -> Path:
    """The folder of a content zone: `agents`, `meta` or `domains`."""
    packed = _PACKAGE / "_content" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name


def shipped(name: str, marker: str) -> dict[str, Path]:
    """Name to folder of everything in a zone that has the file `marker` (`seed.toml`, `domain.toml`)."""
    return {path.parent.name: path.parent for path in sorted(zone(name).glob(f"*/{marker}"))}

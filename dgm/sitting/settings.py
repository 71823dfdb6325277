"""The configuration that holds in an archive: `dgm.toml`, which never changes, and what it was told since.

`dgm resume` may be told anew how long a run is to be, what it may cost and where it is made; that is an event of the
kind `extended`, so that the next `dgm resume` needs no option again.
"""

from __future__ import annotations

from collections.abc import Mapping

from dgm import config as configs
from dgm.archive import Archive
from dgm.config import CHANGEABLE, RunConfig

EXTENDED = "extended"
"""The kind of event: its body holds some of `config.CHANGEABLE`."""


def config_of(archive: Archive) -> RunConfig:
    """Raises UserError when `dgm.toml` is not what it should be."""
    config = configs.parse(archive.config, f"{archive.path}/dgm.toml")
    for event in archive.events(EXTENDED):
        if isinstance(event.body, dict):
            config = configs.changed(config, {k: v for k, v in event.body.items() if k in CHANGEABLE})
    return config


def extend(archive: Archive, config: RunConfig, changes: Mapping[str, object]) -> RunConfig:
    """Record the changes that are any, for the archive's writer; the configuration with them."""
    after = configs.changed(config, changes)
    if after != config:
        archive.add_event(EXTENDED, dict(changes))
    return after

"""Whether the runs of an experiment can be made, before the first one is.

Each configuration is asked what `dgm run` would ask it at its start, once for all seeds. What comes from a run that is
still to be made is left to that run's end: a half of its origin, or a domain or data file within its archive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from dgm.archive import Archive, database
from dgm.config import Origin, RunConfig
from dgm.errors import UserError
from dgm.experiment.plan import Planned
from dgm.sitting import start


def check(runs: Sequence[Planned], folder: Path) -> None:
    """Raises UserError naming the variant of the first run that cannot be made; writes nothing. `runs` are all that
    have not ended."""
    asked: set[tuple[str, bool]] = set()
    unfinished = {run.name for run in runs}
    for run in runs:
        path, config = folder / run.name, run.config
        there = (path / database.NAME).is_file()
        to_come = [str(folder / need) for need in run.needs if need in unfinished]
        if _names(to_come, (*config.domains, *config.data.values())):
            continue
        config = _without(to_come, config)
        seedless = config.model_copy(update={"search": config.search.model_copy(update={"random_seed": 0})})
        try:
            if not there:
                Archive.refuse_existing(path)
            if (question := (seedless.model_dump_json(), there)) not in asked:
                start.check(config, root=not there)
                asked.add(question)
        except UserError as error:
            raise UserError(f"variant.{run.variant}: {error}") from None


def _without(to_come: list[str], config: RunConfig) -> RunConfig:
    """With the usual half in place of one that is still to be made."""
    told, usual = config.origin.model_dump(), Origin().model_dump()
    known = {part: usual[part] if source and _names(to_come, (source,)) else source for part, source in told.items()}
    return config.model_copy(update={"origin": Origin.model_validate(known)})


def _names(archives: list[str], texts: Iterable[str]) -> bool:
    return any(archive in text for text in texts for archive in archives)

"""The domains of a run: those that its configuration names, each with its data and its controls, all tasks checked."""

from __future__ import annotations

from dgm.config import RunConfig
from dgm.domain import Split
from dgm.domains import DataRef, LoadedDomain, load
from dgm.errors import UserError
from dgm.evaluation.controls import PermutedTrain


def domains(config: RunConfig) -> list[LoadedDomain]:
    """Raises UserError where one is not there, is named twice, or has nothing to learn from."""
    loaded: list[LoadedDomain] = []
    unused = dict(config.data)
    for name in config.domains:
        domain = load(name)
        data = unused.pop(domain.name, None) or unused.pop(name, None)
        if data is not None:
            domain = load(name, DataRef.parse(data))
        if config.control.train_labels == "permuted":
            domain = PermutedTrain.of(domain, config.search.random_seed)
        if domain.name in {other.name for other in loaded}:
            raise UserError(f"--domain: {domain.name} is named twice")
        if not domain.splits[Split.TRAIN]:
            raise UserError(
                f"domain {domain.name} has no train tasks with this data; `dgm eval` can still measure on it"
            )
        loaded.append(domain)
    if unused:
        raise UserError(f"--data: {next(iter(unused))} is not one of the run's domains, {', '.join(config.domains)}")
    return loaded

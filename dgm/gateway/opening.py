"""From a run's configuration to its open gateway: provider, prices, budget, and the record of calls.

The environment is read here and nowhere else: `OPENAI_API_KEY` for an address that was given, the providers' own
variables by litellm. The record stands in the archive; before there is one (the root is measured first), in a hidden
folder beside it, so that what was paid for is not paid for again after a kill.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from dgm.closing import on_failure
from dgm.config import Models, RunConfig, Spending
from dgm.domain import JSON
from dgm.errors import UserError
from dgm.gateway import Completion, Upstream
from dgm.gateway.budget import NOTHING, Budget, Limit
from dgm.gateway.cache import NAME, CallStore
from dgm.gateway.faults import Patience
from dgm.gateway.lines import Lines, Pool
from dgm.gateway.outage import Say
from dgm.gateway.prices import Prices, from_dollars
from dgm.gateway.service import Gateway, Rules

PATIENCE = Patience()


def open_lines(
    models: Models,
    folder: Path,
    seed: int,
    say: Say,
    environment: Mapping[str, str] = os.environ,
    upstream: Upstream | None = None,
) -> Lines:
    """The models of a run whose calls are recorded in `folder`. Raises UserError naming the option that is wrong.

    An `upstream` that is there already (`provider`) is asked, and closed at the end, instead of a new one."""
    if not models.used:
        return Lines()
    agent, meta = Pool.parse(models.agent, "--model"), Pool.parse(models.meta, "--meta-model")
    names, prices = _priced(models)
    replay = CallStore(Path(models.replay), write=False) if models.replay else None
    upstream = upstream or provider(models, say, environment)
    rules = Rules(names, patience=PATIENCE, seed=seed, cache=models.cache)
    with on_failure(upstream.close):
        store = CallStore(folder)
        gateway = Gateway(upstream, rules, prices, _budget(models.budget, store), store, replay=replay, say=say)
    return Lines(gateway, agent, meta, (models.judge,) if models.judge else (), bandit=models.draw == "bandit")


def provider(models: Models, say: Say, environment: Mapping[str, str] = os.environ) -> Upstream:
    """Who answers what a run asks; in a replay, or where no model is named, nobody. Raises UserError where an address,
    a key or a model is wrong, or a price is not known."""
    if models.replay or not models.used:
        return _Nobody()
    names, _ = _priced(models)
    if models.url:
        from dgm.gateway.http import HttpUpstream

        return HttpUpstream(models.url, environment.get("OPENAI_API_KEY", ""))
    from dgm.gateway.hosted import LitellmUpstream
    from dgm.gateway.process import ProcessUpstream

    say("loading litellm, which takes some seconds")
    hosted = ProcessUpstream(LitellmUpstream)
    with on_failure(hosted.close):
        for name in names:
            hosted.check(name)
    return hosted


@contextmanager
def before_the_archive(archive: Path, config: RunConfig, say: Say, upstream: Upstream) -> Iterator[Lines]:
    """The models while there is no archive yet; `upstream` stays open. What was paid for stays for the next try if this
    one fails."""
    room = _waiting_room(archive)
    if not config.models.used:
        yield Lines()
        return
    alone = not room.parent.exists()
    room.mkdir(parents=True, exist_ok=True)

    def vacate() -> None:
        _leave(room)
        if alone and not any(room.parent.iterdir()):
            room.parent.rmdir()

    seed, lent = config.search.random_seed, _Lent(upstream)
    with on_failure(vacate), open_lines(config.models, room, seed, say, upstream=lent) as lines:
        yield lines


def move_in(archive: Path) -> None:
    """Bring the record of calls from beside the archive into it, if it is still there."""
    room = _waiting_room(archive)
    if (room / NAME).is_file() and not (archive / NAME).exists():
        for name in (NAME + "-wal", NAME + "-shm", NAME):  # the database last: without it nothing has moved
            if (room / name).exists():
                (room / name).rename(archive / name)
    if room.is_dir() and not any(room.iterdir()):
        room.rmdir()


def _waiting_room(archive: Path) -> Path:
    return archive.with_name(f".{archive.name}.calls")


def _leave(room: Path) -> None:
    """Keep a record in which something was paid for, and nothing else."""
    if (room / NAME).is_file():
        with closing(CallStore(room)) as store:
            empty = sum(store.spent(), NOTHING) == NOTHING
        if empty:
            (room / NAME).unlink()
    if not any(room.iterdir()):
        room.rmdir()


class _Nobody:
    """The upstream of a replay: it is never asked."""

    def complete(self, request: Mapping[str, JSON]) -> Completion:
        raise UserError("a replay asks no provider")

    def close(self) -> None:
        pass


class _Lent:
    """An upstream that somebody else closes."""

    def __init__(self, upstream: Upstream) -> None:
        self.complete = upstream.complete

    def close(self) -> None:
        pass


def _priced(models: Models) -> tuple[Sequence[str], Prices]:
    """All that may be asked for, each once, and what they cost."""
    agent, meta = Pool.parse(models.agent, "--model"), Pool.parse(models.meta, "--meta-model")
    names = tuple(dict.fromkeys((*agent.names, *meta.names, *((models.judge,) if models.judge else ()))))
    prices = Prices.parse(models.prices)
    for name in names:
        prices.of(name)
    return names, prices


def _budget(limits: Spending, store: CallStore) -> Budget:
    def nano(usd: float | None) -> int | None:
        return None if usd is None else from_dollars(usd)

    return Budget(
        Limit(nano(limits.usd), limits.tokens),
        Limit(nano(limits.proposal_usd)),
        Limit(nano(limits.task_usd)),
        spent=sum(store.spent(), NOTHING),
    )

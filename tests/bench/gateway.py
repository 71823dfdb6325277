"""What the gateway adds to a model call: beside the bare call to the same server, in turns with it, and at 64 at once.

The `overhead` is the kernel's (check, price, reservation, record), as the difference of medians. `relayed` is all that
an agent waits for beyond the bare call: also its own client, the relay in the sandbox and the frames between.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from dgm.gateway import Role, Upstream
from dgm.gateway.budget import Budget
from dgm.gateway.cache import CallStore
from dgm.gateway.hosted import LitellmUpstream
from dgm.gateway.http import HttpUpstream
from dgm.gateway.prices import Price, Prices
from dgm.gateway.process import ProcessUpstream
from dgm.gateway.service import Gateway, Rules
from dgm.sandbox import Sandbox
from tests.bench import asking
from tests.bench.figures import Figure, each, timed
from tests.gateway import worlds

CALLS, WARM = 200, 10
AT_ONCE, LATENCY = 64, 0.2
KEY = "sk-of-the-bench"
TEXT = "is 1 above 2?"
INSIDE = """
import time
took = []
for _ in range({calls}):
    began = time.perf_counter()
    if chat({text!r}) != "below":
        return "wrong", []
    took.append(time.perf_counter() - began)
return sorted(took)[len(took) // 2], []
"""


def overhead() -> Iterator[Figure]:
    """Through httpx and through litellm."""
    with asking.server() as server:
        yield _overhead("httpx", HttpUpstream(server.url, KEY), "m")
        yield _overhead("litellm", ProcessUpstream(partial(LitellmUpstream, server.url, KEY)), "openai/m")


def relayed(name: str, sandbox: Sandbox) -> Iterator[Figure]:
    """From within a sandbox."""
    with asking.server() as server, tempfile.TemporaryDirectory() as folder:
        upstream = HttpUpstream(server.url, KEY)
        with worlds.gateway(upstream, Path(folder)) as gateway:
            desk = gateway.desk(Role.AGENT, agent=1, proposal=1, models=("m",))
            body = INSIDE.format(calls=CALLS, text=TEXT)
            with worlds.session(sandbox, body, desk) as session:
                bare = _bare(upstream, "m", CALLS // 2)
                median = session.task({}, {"kind": "text"}, {}, 7, 120.0, "bench").prediction
                bare += _bare(upstream, "m", CALLS // 2)
    if not isinstance(median, float):
        raise SystemExit(f"the calls from within the sandbox went wrong: {median}")
    work = f"median of {CALLS} calls of an agent with urllib, minus that of as many bare httpx calls"
    yield Figure(f"gateway.relayed.{name}.milliseconds", (median - statistics.median(bare)) * 1000, work)


def at_once() -> Iterator[Figure]:
    """Sixty-four calls together, each of which takes LATENCY."""
    with (
        asking.server(LATENCY) as server,
        tempfile.TemporaryDirectory() as folder,
        worlds.gateway(HttpUpstream(server.url, KEY, connections=AT_ONCE), Path(folder)) as gateway,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        seats = [worlds.visit(gateway, f"task {number}") for number in range(AT_ONCE)]
        with timed() as took:
            replies = list(pool.map(lambda seat: worlds.ask(gateway, TEXT, seat, max_tokens=5), seats))
    if {reply.status for reply in replies} != {200}:
        raise SystemExit("a call was refused")
    work = f"{AT_ONCE} calls of {LATENCY * 1000:.0f} ms together: that latency, divided by what all took"
    yield Figure(f"gateway.at_once_{AT_ONCE}.ratio", LATENCY / took.seconds, work)


def _overhead(name: str, upstream: Upstream, model: str) -> Figure:
    prices = Prices({model: Price(*worlds.PRICE)})
    with tempfile.TemporaryDirectory() as folder:
        rules = Rules((model,), patience=worlds.QUICK)
        with Gateway(upstream, rules, prices, Budget(), CallStore(Path(folder))) as gateway:
            seat = gateway.visit(worlds.visit(gateway).scope, (model,))
            _bare(upstream, model, WARM)
            through, bare = [], []
            for _ in range(CALLS):  # in turns, so that both have the same machine
                bare += _bare(upstream, model, 1)
                through += each(lambda: _through(gateway, seat), 1)
    added = (statistics.median(through) - statistics.median(bare)) * 1000
    alone = statistics.median(bare) * 1000
    work = f"a call through the gateway minus a bare one (median {alone:.1f} ms), medians of {CALLS} in turns"
    return Figure(f"gateway.overhead.{name}.milliseconds", added, work, "<= 5")


def _through(gateway: Gateway, seat: worlds.Visit) -> None:
    reply = worlds.ask(gateway, TEXT, seat, max_tokens=5)
    if reply.status != 200:
        raise SystemExit(f"the call went wrong: {reply}")


def _bare(upstream: Upstream, model: str, times: int) -> list[float]:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        upstream.complete({"model": model, "messages": [{"role": "user", "content": TEXT}], "max_tokens": 5})
        took.append(time.perf_counter() - began)
    return took

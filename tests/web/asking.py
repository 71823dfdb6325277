"""Asking a viewer over HTTP, through its guard, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path

import httpx

from dgm.web.app import build
from dgm.web.guard import Guard
from dgm.web.shelf import Shelf

Ask = Callable[..., httpx.Response]
OURS = "http://127.0.0.1:7860"


def asker(folder: Path, token: str | None = None, trusted: bool = True) -> Ask:
    """Asks the viewer of the archives in `folder`, as its user or another one; a body that is no bytes is sent in its
    pieces."""
    guard = Guard(build(Shelf(folder)), {"127.0.0.1:7860", "localhost:7860"}, token, lambda _: trusted)

    def ask(
        path: str,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        body: bytes | Iterable[bytes] | None = None,
    ) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(guard)
            async with httpx.AsyncClient(transport=transport, base_url=OURS) as client:
                content = body if body is None or isinstance(body, bytes) else _pieces(body)
                return await client.request(method, path, headers=headers, content=content)

        return asyncio.run(go())

    return ask


async def _pieces(body: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in body:
        yield piece

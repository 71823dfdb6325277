"""Who may ask, and what a browser may do with the answer: plain ASGI, before any page is looked up.

- `Host` must be one of the names this server was started for, or another site could point a name of its own at it.
- `Origin` and `Sec-Fetch-Site`, where a browser sends them, must be this very site; what changes something (any method
  but GET and HEAD) needs the `Origin`.
- Beyond loopback a token is due, once in the address (`?token=`), from then on in a cookie that scripts cannot read. On
  loopback, where none is, only the user who started it changes something.
- The content policy allows nothing but this server's own files; no HTML is ever made from text (trusted types).

Not covered: encryption; tokens travel in the clear. Other users of this machine can read on loopback what is shown.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, urlencode

from dgm.web import peer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

COOKIE = "dgm-view"
HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script';"
        " trusted-types 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """Wraps an ASGI application. `hosts` are what a `Host` header may say, port included. Without a `token`, `trusted`
    says of a request that changes something whether it comes from somebody who may."""

    def __init__(
        self,
        app: App,
        hosts: Iterable[str],
        token: str | None = None,
        trusted: Callable[[Message], bool] = peer.trusted,
    ) -> None:
        self._app, self._hosts, self._token = app, frozenset(host.lower() for host in hosts), token
        self._trusted = trusted

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = _headers(scope)
        if why := self._foreign(headers, scope):
            await _answer(send, 403, why)
        elif self._token is not None and (given := _given(scope)) is not None:
            if self._right(given):
                await _answer(send, 303, "", {"location": _without_token(scope), "set-cookie": self._cookie()})
            else:
                await _answer(send, 401, "this token is not the one that `dgm view` printed")
        elif self._token is not None and not self._right(_kept(headers)):
            await _answer(send, 401, "open the address that `dgm view` printed, with its token")
        elif self._token is None and _changes(scope) and not self._trusted(scope):
            await _answer(send, 403, "only the user who started `dgm view` can change something here")
        else:
            await self._app(scope, receive, _hardened(send))

    def _foreign(self, headers: dict[str, list[str]], scope: Message) -> str:
        """Why a request does not come from this site; empty if it does. A link elsewhere may open the front page,
        which says nothing of any run."""
        hosts = headers.get("host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return "this server does not go by that name; open the address that `dgm view` printed"
        if _changes(scope) and len(headers.get("origin", [])) != 1:
            return "a request that changes something must come from the page itself"
        for origin in headers.get("origin", []):
            if origin.lower() not in (f"http://{hosts[0].lower()}", f"https://{hosts[0].lower()}"):
                return "requests from other sites are refused"
        opened = scope["path"] == "/" and headers.get("sec-fetch-dest") == ["document"]
        if not opened and any(site not in ("same-origin", "none") for site in headers.get("sec-fetch-site", [])):
            return "requests from other sites are refused"
        return ""

    def _right(self, given: str) -> bool:
        return self._token is not None and hmac.compare_digest(given.encode(), self._token.encode())

    def _cookie(self) -> str:
        return f"{COOKIE}={self._token}; HttpOnly; SameSite=Strict; Path=/"


def _changes(scope: Message) -> bool:
    return scope["method"] not in ("GET", "HEAD")


def _headers(scope: Message) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _given(scope: Message) -> str | None:
    """The token in the address."""
    return dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token")


def _kept(headers: dict[str, list[str]]) -> str:
    """The token in the cookie; empty without one."""
    try:
        morsel = SimpleCookie("; ".join(headers.get("cookie", []))).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _without_token(scope: Message) -> str:
    rest = [(k, v) for k, v in parse_qsl(scope["query_string"].decode("latin-1")) if k != "token"]
    path = "/" + str(scope["path"]).lstrip("/\\")
    return path.encode("ascii", "ignore").decode().replace("\r", "").replace("\n", "") + (
        f"?{urlencode(rest)}" if rest else ""
    )


def _hardened(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            fixed = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", []), *fixed]}
        await send(message)

    return sending


async def _answer(send: Send, status: int, text: str, more: dict[str, str] | None = None) -> None:
    headers = {"content-type": "text/plain; charset=utf-8", "cache-control": "no-store", **HEADERS, **(more or {})}
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": text.encode()})

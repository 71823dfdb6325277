"""The upstream that speaks the OpenAI form itself: a hosted provider, a proxy, or a local server. Over httpx.

Its key goes into one header of outgoing requests. Wherever an answer repeats it, it is blotted out before anybody else
sees a byte. Redirects are not followed, and an answer has a size beyond which it is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import httpx

from dgm.domain import JSON
from dgm.gateway import Completion, Denied, Fault
from dgm.gateway.faults import completion, from_status, retry_after

MAX_ANSWER = 16 << 20
CONNECT_SECONDS = 10.0
SECRET = 8
"""A key of fewer characters is a stand-in ("none", "x") and would be found in any answer."""


class HttpUpstream:
    """`base_url` as in OPENAI_BASE_URL (ends in /v1 as a rule). `seconds` without a byte are a lost connection."""

    def __init__(self, base_url: str, key: str = "", *, seconds: float = 600.0, connections: int = 64) -> None:
        self._key = key.encode()
        headers = {"Content-Type": "application/json", "User-Agent": "dgm"}
        try:
            self._client = httpx.Client(
                headers={**headers, "Authorization": f"Bearer {key}"} if key else headers,
                timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
                limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            )
            self._url = httpx.URL(base_url.rstrip("/") + "/chat/completions")
        except (httpx.InvalidURL, UnicodeEncodeError):
            raise Denied(f"{base_url!r} and its key must be a URL and plain characters") from None
        if self._url.userinfo:  # the address stands in dgm.toml, and so in whatever is exported or mirrored
            raise Denied("the provider's address holds a password, which would be written down; use OPENAI_API_KEY")

    def complete(self, request: Mapping[str, JSON]) -> Completion:
        try:
            with self._client.stream("POST", self._url, content=json.dumps(request).encode()) as response:
                raw = self._read(response)
        except httpx.UnsupportedProtocol:
            raise Denied(f"the provider's address {str(self._url)!r} must begin with http:// or https://") from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise Fault(f"no connection: {type(error).__name__}") from None
        except httpx.TimeoutException:
            raise Fault("no answer in time", billed=True) from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise Fault(f"the connection was lost: {type(error).__name__}", billed=True, suspect=True) from None
        if response.status_code == 200:
            return completion(raw)
        wanted = retry_after(response.headers.get("retry-after"))
        raise from_status(response.status_code, raw.decode(errors="replace"), wanted)

    def close(self) -> None:
        self._client.close()

    def _read(self, response: httpx.Response) -> bytes:
        raw = bytearray()
        for part in response.iter_bytes():
            raw += part
            if len(raw) > MAX_ANSWER:
                raise Fault(f"an answer of more than {MAX_ANSWER >> 20} MB", billed=True, suspect=True)
        return bytes(raw).replace(self._key, b"[key]") if len(self._key) >= SECRET else bytes(raw)

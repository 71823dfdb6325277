"""A language model for tests: a real HTTP server that speaks the OpenAI form, answers by a script, and can fail.

It counts calls, tokens (words) and nano-dollars by itself, so that an account kept elsewhere can be held against it. A
call is charged when its answer was sent whole. What fails, and when, is a function of the number of the call: two runs
that make the same calls in the same order meet the same faults. Not covered: real tokenizers, and streaming.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from dgm.closing import Closing

Script = Callable[[Mapping[str, Any]], str | Mapping[str, Any]]
"""From a request's body to the answer's text, or to a whole message (for tool calls). Where it raises, the server
refuses the call as a provider refuses a wrong key: a run then ends with the exception's text, and waits for nobody."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One way to fail: an HTTP status, or one of `drop` (hang up), `hang` (say nothing, then hang up), `truncate` (half
    an answer), `malformed` (no JSON) and `empty` (JSON without a choice)."""

    kind: str | int
    retry_after: str | None = None
    body: str = '{"error": {"message": "scripted fault", "type": "server_error", "code": null}}'


EVERY_FLAW: Sequence[Flaw] = (
    *(Flaw(status) for status in (408, 409, 425, 500, 502, 503, 504)),
    Flaw(429, retry_after="0.01"),
    Flaw("drop"),
    Flaw("hang"),
    Flaw("truncate"),
    Flaw("malformed"),
    Flaw("empty"),
)


@dataclass(frozen=True)
class Storm:
    """Fails a share of all calls in every way, and all calls of each outage.

    An outage is (number of its first call, number of calls).
    """

    seed: int
    share: float = 0.3
    outages: Sequence[tuple[int, int]] = ()
    flaws: Sequence[Flaw] = EVERY_FLAW

    def __call__(self, call: int, request: Mapping[str, Any]) -> Flaw | None:
        if any(first <= call < first + length for first, length in self.outages):
            return Flaw(503)
        rng = random.Random(f"storm/{self.seed}/{call}")
        return rng.choice(self.flaws) if rng.random() < self.share else None


def _no_faults(call: int, request: Mapping[str, Any]) -> Flaw | None:
    return None


@dataclass
class Count:
    """What the server has seen and charged."""

    calls: int = 0  #: requests for a completion, failed ones included
    answered: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    nano: int = 0
    authorizations: set[str] = field(default_factory=set)
    at_once: int = 0  #: the most calls that were under way together


class ScriptedModels(Closing):
    """The server, on a port of 127.0.0.1 that is free. A context manager.

    `price` is (prompt, completion) in nano-dollars for a million tokens; `gate`, if given, is waited for before each
    answer; `hang_seconds` bounds the flaw `hang`.
    """

    def __init__(
        self,
        script: Script,
        *,
        faults: Callable[[int, Mapping[str, Any]], Flaw | None] = _no_faults,
        price: tuple[int, int] = (0, 0),
        gate: Callable[[], object] = lambda: None,
        hang_seconds: float = 0.2,
    ) -> None:
        self.script, self.faults, self.price, self.gate, self.hang_seconds = script, faults, price, gate, hang_seconds
        self.count = Count()
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.under_way = 0
        owner = self

        class Handler(_Handler):
            models = owner

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def close(self) -> None:
        """Stop answering. May be called twice."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def begin(self, authorization: str) -> int:
        """Count a call in; its number."""
        with self.lock:
            self.count.authorizations.add(authorization)
            self.count.calls += 1
            self.under_way += 1
            self.count.at_once = max(self.count.at_once, self.under_way)
            return self.count.calls - 1

    def end(self) -> None:
        with self.lock:
            self.under_way -= 1

    def charge(self, usage: Mapping[str, int]) -> None:
        """Count a call that was answered."""
        with self.lock:
            self.count.answered += 1
            self.count.prompt_tokens += usage["prompt_tokens"]
            self.count.completion_tokens += usage["completion_tokens"]
            cost = usage["prompt_tokens"] * self.price[0] + usage["completion_tokens"] * self.price[1]
            self.count.nano += -(-cost // 1_000_000)

    def completion(self, call: int, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a request, cut to its max_tokens words."""
        said = self.script(request)
        message = {"role": "assistant", "content": said} if isinstance(said, str) else {"role": "assistant", **said}
        words = str(message.get("content") or "").split()
        most = request.get("max_completion_tokens", request.get("max_tokens", len(words)))
        ended = "tool_calls" if message.get("tool_calls") else "stop"
        if len(words) > most:
            message["content"], words, ended = " ".join(words[:most]), words[:most], "length"
        prompt = sum(len(str(m.get("content", "")).split()) for m in request["messages"])
        usage = {"prompt_tokens": prompt, "completion_tokens": len(words), "total_tokens": prompt + len(words)}
        choice = {"index": 0, "message": message, "finish_reason": ended}
        return {
            "id": f"scripted-{call}",
            "object": "chat.completion",
            "created": 0,
            "model": request.get("model", ""),
            "choices": [choice],
            "usage": usage,
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    models: ScriptedModels
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: Any) -> None:
        """Tests print nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        call = self.models.begin(self.headers.get("Authorization", ""))
        try:
            self._answer(call, json.loads(body))
        finally:
            self.models.end()

    def _answer(self, call: int, request: Mapping[str, Any]) -> None:
        self.models.gate()
        flaw = self.models.faults(call, request)
        if flaw is None or flaw.kind == "truncate":
            try:
                answer = self.models.completion(call, request)
            except Exception as error:  # a script is any code, and whoever asked is to be told
                self._send(403, json.dumps({"error": {"message": f"the script failed: {error!r}"}}).encode())
                return
            text = json.dumps(answer).encode()
            if flaw is None:
                self.models.charge(answer["usage"])
                self._send(200, text)
            else:
                self._send(200, text[: len(text) // 2], announced=len(text))
                self._hang_up()
        elif isinstance(flaw.kind, int):
            self._send(flaw.kind, flaw.body.encode(), retry_after=flaw.retry_after)
        elif flaw.kind in ("malformed", "empty"):
            self._send(200, b"<html>busy" if flaw.kind == "malformed" else b'{"choices": []}')
        else:
            if flaw.kind == "hang":
                self.models.closing.wait(self.models.hang_seconds)
            self._hang_up()

    def _send(self, status: int, body: bytes, announced: int | None = None, retry_after: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        if retry_after is not None:
            self.send_header("Retry-After", retry_after)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _hang_up(self) -> None:
        """End the connection with a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.shutdown(socket.SHUT_RD)

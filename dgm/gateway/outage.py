"""Whether the provider answers, as the whole run sees it. While it does not, no call is made and the run waits.

Threads of the run wait in `wait`; one of them probes, with growing pauses, until the provider answers. Waiting ends at
once when the run is told to stop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from dgm.errors import ModelUnavailable
from dgm.gateway import Fault
from dgm.gateway.faults import Backoff

Say = Callable[[str], None]


class Outage:
    """May be used by many threads. `say` is told, once each, when the provider is lost and when it is back."""

    def __init__(self, backoff: Backoff, say: Say) -> None:
        self._backoff, self._say = backoff, say
        self._reason, self._until = "", 0.0
        self._lock, self._prober = threading.Lock(), threading.Lock()

    @property
    def reason(self) -> str:
        """Why the run is paused; empty while the provider answers."""
        return self._reason

    def check(self) -> None:
        """Raises ModelUnavailable while the provider does not answer."""
        if reason := self._reason:
            raise ModelUnavailable(f"the language model's provider does not answer ({reason})")

    def begin(self, fault: Fault) -> None:
        """The provider is lost."""
        with self._lock:
            news = not self._reason
            self._reason = fault.reason or "no reason is known"
            self._until = time.monotonic() + (fault.retry_after or 0.0)
        if news:
            self._say(f"paused: the language model's provider does not answer ({self._reason}); it is tried again")

    def wait(self, probe: Callable[[], object], stop: threading.Event) -> bool:
        """Until the provider answers (`probe` does not raise Fault), or `stop` is set; whether it answers."""
        while self._reason and not stop.is_set():
            if self._prober.acquire(timeout=0.2):
                try:
                    self._probe(probe, stop)
                finally:
                    self._prober.release()
        return not self._reason

    def _probe(self, probe: Callable[[], object], stop: threading.Event) -> None:
        attempt = 0
        while self._reason:
            pause = self._backoff.wait(attempt, max(0.0, self._until - time.monotonic()))
            if stop.wait(pause):
                return
            attempt += 1
            try:
                probe()
            except Fault as fault:
                self._reason = fault.reason
                self._until = time.monotonic() + (fault.retry_after or 0.0)
            else:
                self._reason = ""
                self._say("the language model's provider answers again")

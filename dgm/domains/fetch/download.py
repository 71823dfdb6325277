"""Gets one file over HTTP, going on where it stopped, and compares its digest.

A download goes to `NAME.part` and is renamed when it is whole, so a file that is there under its own name was whole
once. Proxies are those of the environment, as usual for urllib.
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from dgm.errors import UserError

CHUNK = 1 << 16
MAX_BYTES = 8 << 30
"""Of one file. A server may send without end."""
SECONDS = 60.0  #: without a byte
TRIES = 4

Progress = Callable[[int, int | None], None]
"""Bytes there so far, and in all if the server says."""


def download(address: str, target: Path, progress: Progress = lambda *_: None) -> None:
    """The file at `address` as `target`. Raises UserError when it cannot be had; what came stays for the next try."""
    if urlsplit(address).scheme not in ("http", "https"):
        raise UserError(f"{address} is no http address")
    part = target.with_name(target.name + ".part")
    target.parent.mkdir(parents=True, exist_ok=True)
    why = ""
    for _ in range(TRIES):
        try:
            _go_on(address, part, progress)
            part.replace(target)
            return
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416 and part.exists():  # what is there is more than there is to have: begin again
                part.unlink()
            elif error.code < 500:
                raise UserError(f"{address} answers {error.code} {error.reason}; is the address still right?") from None
            why = f"{error.code} {error.reason}"
        except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: an address that it sends us to
            why = str(error) or type(error).__name__
    raise UserError(f"{address} cannot be fetched ({why}); try again, or use --from with a copy of it")


def _go_on(address: str, part: Path, progress: Progress) -> None:
    """Append what is missing. Raises OSError or HTTPException when the connection breaks."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"User-Agent": "dgm", "Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        resumed = answer.status == 206
        have = have if resumed else 0
        length = answer.length  # None where the server says none, or nothing that is a number
        whole = have + length if length is not None else None
        with part.open("ab" if resumed else "wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                have += len(chunk)
                if have > MAX_BYTES:
                    part.unlink()
                    raise UserError(f"{address} sends more than {MAX_BYTES >> 30} GB; is the address still right?")
                progress(have, whole)
    if whole is not None and have < whole:
        raise OSError(f"the connection ended after {have} of {whole} bytes")


def sha256(path: Path) -> str:
    """The digest of a file's bytes, in hexadecimal."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            total.update(chunk)
    return total.hexdigest()

"""Whose process is at the other end of a connection on loopback, as Linux lists it.

On loopback no token is asked for, and a machine may have several users. Not covered: other systems, whose tables are
not read here.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TABLES = {socket.AF_INET: Path("/proc/net/tcp"), socket.AF_INET6: Path("/proc/net/tcp6")}


def trusted(scope: Mapping[str, Any]) -> bool:
    """Whether an ASGI request is of the user who runs this process, or of root.

    True where the system has no such list. False for one who has hung up already: the list then names nobody.
    """
    family = socket.AF_INET6 if ":" in scope["client"][0] else socket.AF_INET
    try:
        rows = _TABLES[family].read_text().splitlines()[1:]
    except OSError:
        return not sys.platform.startswith("linux")
    wanted = [_shown(family, *scope[end]) for end in ("client", "server")]
    for row in rows:
        fields = row.split()  # sl, local, remote, state, queues, timer, retransmits, uid, timeout, inode, ...
        if fields[1:3] == wanted and fields[9] != "0":
            return int(fields[7]) in (0, os.getuid())
    return False


def _shown(family: socket.AddressFamily, host: str, port: int) -> str:
    """An address as the table has it: words of 32 bits in the order of this machine, in hexadecimal."""
    packed = socket.inet_pton(family, host)
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"

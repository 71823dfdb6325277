"""One writer for an archive: an advisory lock on the file `lock`, held for the writer's life.

The kernel of the operating system drops it when the process dies, however it dies. Readers never take it.
Not covered: file systems without working `flock` between machines; there, keep an archive to one machine.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

from dgm.errors import UserError

NAME = "lock"
_TRIES = 10
_PAUSE = 0.02


class WriterLock:
    """The lock on the archive in `directory`. Raises UserError, naming the holder, when another process has
    it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._descriptor = _acquire(self._path)
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "started": time.time()}
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(holder).encode() + b"\n", 0)

    def moved(self, directory: Path) -> None:
        """The directory was renamed; the lock is still held."""
        self._path = directory / NAME

    def release(self) -> None:
        """Remove the file, so that a closed archive has none, and let go."""
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


def held(directory: Path) -> bool:
    """Whether a writer is at work. Looks only; never creates the file."""
    try:
        descriptor = os.open(directory / NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link is nobody's lock
            return False
        raise
    try:
        # A shared lock that is held for a moment: a writer that starts right now tries again, see _acquire.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _acquire(path: Path) -> int:
    for _ in range(_TRIES):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 1000, 0)
            os.close(descriptor)
            time.sleep(_PAUSE)
            continue
        # The former holder may have removed the file between our open and our lock: then we hold a ghost.
        try:
            current = path.stat()
        except FileNotFoundError:
            os.close(descriptor)
            holder = b""
            continue
        if os.fstat(descriptor).st_ino == current.st_ino:
            return descriptor
        os.close(descriptor)
        holder = b""
    raise UserError(
        f"{path.parent} is being written by {_describe(holder)}; wait for it or stop it (readers may go on)"
    )


def _describe(holder: bytes) -> str:
    try:
        data = json.loads(holder)
        since = datetime.fromtimestamp(data["started"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"process {int(data['pid'])} on {data['host']} since {since}"
    except (ValueError, KeyError, TypeError):
        return "another process"

"""Packing in the background: thousands of small files become a few large ones while the writer goes on.

Each genome is a handful of objects, and each object a file of at least one block on the disk. When enough of them have
come together, `git repack` puts them into a pack, in which what hardly differs takes a few bytes, and merges packs so
that their number stays logarithmic; the agents' refs go into `packed-refs`. Nothing is ever dropped: objects and refs
are removed only where they stand in a pack on the disk, so a kill at any moment leaves each at least once.

Not covered: where git is not installed or fails, files stay as they are, which is as valid.
"""

from __future__ import annotations

import subprocess
import threading
from contextlib import suppress

from dgm.archive import git
from dgm.archive.failpoints import failpoint
from dgm.archive.store import GitStore
from dgm.errors import UserError

LOOSE = 3_000
"""Objects that are files of their own before they are packed: those of about 700 agents, 12 MB."""
# Deltas upon deltas are small and slow to read: a dozen of them is as far as it goes.
_REPACK = ("-c", "pack.threads=1", "-c", "pack.depth=12", "repack", "--geometric=2", "-d", "-l", "-q")


class Packing:
    """The one packer of a store that is open for writing. `look` after each record, `close` before the lock goes."""

    def __init__(self, store: GitStore, limit: int) -> None:
        self._store, self._limit = store, limit
        self._before = store.loose() - store.written  # estimated once; from here on what is written is counted
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def look(self) -> None:
        """Begin to pack if it is time to."""
        if self._before + self._store.written < self._limit or (self._thread is not None and self._thread.is_alive()):
            return
        self._before = -self._store.written
        self._thread = threading.Thread(target=self._pack, name="packing", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until what is under way is done."""
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """Give up what is under way: it is begun again another time."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.terminate()
        self.wait()

    def _pack(self) -> None:
        with git.bare(self._store.path) as folder:
            with self._lock:
                if self._closed:
                    return
                self._process = git.start(folder, *_REPACK)
            if self._process is None:
                return
            with self._process:
                self._process.communicate()
        if self._process.returncode != 0:
            return
        failpoint("packed")
        self._store.look_again()
        with suppress(OSError, UserError):  # a full disk, for example: the next record says so
            self._store.pack_refs()

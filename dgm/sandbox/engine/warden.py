"""A script, not a module: the first process of a container, of a user that agents are not.

    python3 -I -S -c TEXT UNFILLED SECONDS

It writes the session's files where agents can read but not change them. It answers each byte on its
standard input with what the control groups have counted. And it ends, which ends everything in the
container, when its standard input does (the kernel has closed the session, or was killed), when SECONDS
have passed, or UNFILLED seconds without files.
"""

# ruff: noqa: PTH103, PTH118, PTH120, PTH123  (importing pathlib takes longer than all that is done here)

import json
import os
import signal
import sys
from typing import NoReturn

FILES, WORK = "/files", "/work"
COUNTERS = {  # what is counted -> its name in a file of version 1 or of version 2 of control groups
    "oom": ("oom_kill", "/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events"),
    "pids": ("max", "/sys/fs/cgroup/pids/pids.events", "/sys/fs/cgroup/pids.events"),
}


def take(count: int) -> bytes:
    """Exactly `count` bytes of standard input; at its end there is nothing left to do."""
    data = bytearray()
    while len(data) < count:
        part = os.read(0, min(count - len(data), 1 << 20))
        if not part:
            os._exit(0)
        data += part
    return bytes(data)


def unpack() -> None:
    """A 4-byte length, a JSON list of [path, size], and the contents one after the other."""
    made = {FILES}
    for path, size in json.loads(take(int.from_bytes(take(4), "big"))):
        folder = os.path.dirname(os.path.join(FILES, path))
        if folder not in made:
            os.makedirs(folder, exist_ok=True)
            made.add(folder)
        with open(os.path.join(FILES, path), "xb") as file:
            file.write(take(size))


def count(key: str, *files: str) -> int:
    """The number that stands after `key` in the first of the files that there is; 0 without one."""
    for name in files:
        try:
            with open(name) as file:
                return next((int(line.split()[1]) for line in file if line.split()[:1] == [key]), 0)
        except OSError:
            continue
    return 0


def full() -> bool:
    """Whether less than a hundredth of the writable place, or of its inodes, is left."""
    room = os.statvfs(WORK)
    return room.f_bavail * 100 < room.f_blocks or room.f_favail * 100 < room.f_files


def say(**told: object) -> None:
    os.write(1, json.dumps(told).encode() + b"\n")


def main() -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # orphans come here to be buried
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    signal.alarm(int(sys.argv[1]))
    os.umask(0o022)
    try:
        unpack()
        signal.alarm(int(sys.argv[2]))
    except OSError as error:
        say(error=str(error))
        os._exit(1)
    say(ready=True)
    while take(1):
        say(**{name: count(*where) for name, where in COUNTERS.items()}, full=full())
    os._exit(0)


if __name__ == "__main__":
    main()

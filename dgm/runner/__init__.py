"""What runs inside a sandbox: it starts a genome, hands it one task at a time and cleans up after each.

The kernel sends the modules beside this one through the sandbox's pipe, so a sandbox needs nothing but a Python:
no shared folder, no installed package. They import the standard library and one another, nothing else. They go as
text, and besides as code, which a Python of the same magic number takes instead and saves compiling.
Three kinds of process, so that the one that talks to the kernel never runs code of a genome:

    runner   (serve.py) reads requests, keeps time, reads what is left behind, kills what is left running
             and, in a session that may ask a language model, passes calls on (relay.py)
    nursery  (worker.py) imported the genome's entry once; does nothing but fork
    worker   (worker.py) one fork of the nursery for each request, in a fresh working directory

What it does not cover. All three run as one user, so a genome can kill or stop the runner: the kernel sees a
lost session and opens another. An entry that at import opens a pipe or a shared mapping can pass notes between its
own tasks; files, processes and (under our seccomp profile) System V objects cannot. So a session that has done a task
of val or test is given none of train (`dgm.evaluation.bench`). Nothing here is a limit: those are the backend's, and
the kernel's clock.
"""

from __future__ import annotations

import base64
import functools
import importlib.util
import json
import marshal
from collections.abc import Sequence
from pathlib import Path

PARTS = ("leftovers", "worker", "serve")
"""The modules that are sent, each after those it imports; `relay` as well where there is a language model."""

_BOOT = """\
import _frozen_importlib_external, binascii, json, marshal, os, sys
def take(count):
    data = b""
    while len(data) < count:
        data += os.read(0, count - len(data)) or sys.exit()
    return data
package = type(sys)("_dgm_runner")
package.__path__ = []
sys.modules[package.__name__] = package
sent = json.loads(take(int.from_bytes(take(4), "big")))
same = sent["magic"] == _frozen_importlib_external.MAGIC_NUMBER.hex()
for name, (source, code) in sent["parts"].items():
    module = type(sys)(package.__name__ + "." + name)
    module.__package__ = package.__name__
    sys.modules[module.__name__] = module
    code = marshal.loads(binascii.a2b_base64(code)) if same else compile(source, f"<runner>/{name}.py", "exec")
    exec(code, module.__dict__)
    setattr(package, name, module)
package.serve.main()
"""


def command(python: Sequence[str], packages: bool) -> list[str]:
    """The argv that starts a runner: an interpreter that takes nothing from the outside but its pipes.

    `-I` would ignore PYTHONHASHSEED; with `packages`, what the image has installed can be imported.
    """
    return [*python, "-P", "-s", *([] if packages else ["-S"]), "-c", _BOOT]


@functools.cache
def text(relay: bool = False) -> bytes:
    """What a runner reads first: a 4-byte length and its own modules."""
    parts: dict[str, tuple[str, str]] = {}
    for name in (*PARTS, *(["relay"] if relay else [])):
        source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
        code = marshal.dumps(compile(source, f"<runner>/{name}.py", "exec"))
        parts[name] = source, base64.b64encode(code).decode()
    sent = json.dumps({"magic": importlib.util.MAGIC_NUMBER.hex(), "parts": parts}).encode()
    return len(sent).to_bytes(4, "big") + sent

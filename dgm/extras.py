"""What to type so that an extra of `dgm` comes into the environment that runs it, wherever that lies.

A bare `pip` on the path may belong to another Python, so the one that runs is named; environments that uv and pipx
make often have no pip of their own. Not covered: whether an extra is there, which `dgm doctor` says.
"""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec


def how(extra: str) -> str:
    """The command that adds an extra; as `dgm` itself is there already, nothing else is fetched."""
    python = shlex.quote(sys.executable)
    if find_spec("pip") is None:
        return f"uv pip install --python {python} 'dgm[{extra}]'"
    return f"{python} -m pip install 'dgm[{extra}]'"

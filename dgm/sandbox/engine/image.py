"""The image that sandboxes are made of, built from the `Dockerfile` beside this module and never pulled.

The tag is a hash of all that goes into it, so that an image of another version of ours is never taken for it.
What a base's own tag stands for may change without our noticing; a base named by digest does not.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dgm.sandbox.engine.client import Engine

BASE = "python:3.12-slim"
DOCKERFILE = Path(__file__).with_name("Dockerfile")


@dataclass(frozen=True, slots=True)
class Image:
    """What an image is to be made of."""

    base: str = BASE  #: image with a package manager of Debian's, or with all that the Dockerfile asks for
    packages: tuple[str, ...] = ()  #: Debian packages besides
    history: bool = True  #: whether folders called .git stay: the image of a task may hold its solution in one

    @property
    def arguments(self) -> dict[str, str]:
        return {"BASE": self.base, "PACKAGES": " ".join(self.packages), "HISTORY": "keep" if self.history else "drop"}

    @property
    def tag(self) -> str:
        """`dgm-sandbox:` and twelve hexadecimal digits."""
        arguments = (f"{key}={value}".encode() for key, value in self.arguments.items())
        return "dgm-sandbox:" + hashlib.sha256(b"\0".join([DOCKERFILE.read_bytes(), *arguments])).hexdigest()[:12]


def provide(engine: Engine, image: Image, say: Callable[[str], None]) -> str:
    """The tag of the image, built if it is not there. Raises SandboxUnavailable."""
    tag = image.tag
    if not engine.has_image(tag):
        say(f"building the image {tag} from {image.base} (once)")
        engine.build(_context(), tag, image.arguments, say)
    return tag


def _context() -> bytes:
    """A tar archive that holds the Dockerfile."""
    text = DOCKERFILE.read_bytes()
    member = tarfile.TarInfo("Dockerfile")
    member.size = len(text)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(member, io.BytesIO(text))
    return archive.getvalue()

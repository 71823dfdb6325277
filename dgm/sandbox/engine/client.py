"""What we ask of a container engine, and its errors as ours. The one importer of the docker SDK, and lazily.

Any engine that speaks docker's API from version 1.41 on (docker 20.10) will do. The caller says where it is;
docker's own configuration (contexts, DOCKER_TLS_VERIFY) is not read.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from dgm.errors import SandboxUnavailable
from dgm.sandbox.engine.stream import Stream, dial, open_stream

if TYPE_CHECKING:
    from docker import APIClient

DEFAULT_HOST = "unix:///var/run/docker.sock"
HOW_TO_GET_ONE = (
    "install one (Debian: apt install docker.io) and start it, or name another's socket in DOCKER_HOST "
    "(podman: systemctl --user start podman.socket)"
)
REQUEST_SECONDS = 60
REMOVE_SECONDS = 30.0


class Engine:
    """One engine, for any number of threads. Every method raises SandboxUnavailable if it does not answer."""

    def __init__(self, host: str | None = None) -> None:
        """`host` as in DOCKER_HOST; None or "" for the usual socket."""
        self.host = host or DEFAULT_HOST
        if not self.host.startswith(("unix://", "tcp://", "http://")):
            raise SandboxUnavailable(f"{self.host}: only engines at unix:// and plain tcp:// can be used")
        try:
            dial(self.host).close()  # before the SDK is loaded, which takes longer than to find nobody there
        except OSError as error:
            raise SandboxUnavailable(
                f"no container engine answers at {self.host} ({error}); {HOW_TO_GET_ONE}"
            ) from None
        with _ours(f"what answers at {self.host} is no container engine of ours"):
            import docker

            self._api: APIClient = docker.APIClient(self.host, version="auto", timeout=REQUEST_SECONDS)
        self._burials = ThreadPoolExecutor(1, thread_name_prefix="dgm-bury")

    def info(self) -> Mapping[str, Any]:
        """What the engine says of itself and of its machine."""
        with _ours("the container engine says nothing of itself"):
            return dict(self._api.info())

    def has_image(self, tag: str) -> bool:
        with _ours(f"the container engine does not look for the image {tag}"):
            return bool(self._api.images(name=tag))

    def build(self, context: bytes, tag: str, arguments: Mapping[str, str], say: Callable[[str], None]) -> None:
        """Build an image from a tar archive; lines of progress go to `say`. Raises SandboxUnavailable."""
        with _ours(f"the image {tag} cannot be built"):
            steps = self._api.build(
                fileobj=io.BytesIO(context), custom_context=True, tag=tag, buildargs=dict(arguments),
                rm=True, forcerm=True, decode=True, timeout=1_800,
            )  # fmt: skip
            for step in steps:
                if "error" in step:
                    raise SandboxUnavailable(f"the image {tag} cannot be built: {step['error'].strip()}")
                for line in step.get("stream", "").splitlines():
                    if line.strip():
                        say(line.rstrip()[:110])

    def create(self, image: str, command: Sequence[str], settings: Mapping[str, Any], host: Mapping[str, Any]) -> str:
        """Make a container, not started; `settings` and `host` as create_container and create_host_config."""
        with _ours("no container can be made"):
            limits = self._api.create_host_config(**host)
            made = self._api.create_container(image, list(command), host_config=limits, **settings)
        return str(made["Id"])

    def attach(self, container: str) -> Stream:
        """The pipes of a container's first process."""
        path = f"/v{self._api.api_version}/containers/{container}/attach?stream=1&stdin=1&stdout=1&stderr=1"
        return open_stream(self.host, path, {})

    def start(self, container: str) -> None:
        with _ours("the container does not start"):
            self._api.start(container)

    def execute(self, container: str, argv: Sequence[str], user: str, folder: str) -> tuple[str, Stream]:
        """Start a command in a running container: its id and its pipes."""
        with _ours("no command can be started in the container"):
            made = self._api.exec_create(container, list(argv), stdin=True, user=user, workdir=folder)
        body = {"Detach": False, "Tty": False}
        return made["Id"], open_stream(self.host, f"/v{self._api.api_version}/exec/{made['Id']}/start", body)

    def exit_code(self, command: str) -> int | None:
        """A command's exit code, 128 + n after signal n; None while it runs, 137 if its container is gone."""
        from docker.errors import NotFound

        with _ours("the container engine does not tell how a command ended"):
            try:
                told = self._api.exec_inspect(command)
            except NotFound:
                return 137
        return None if told["Running"] or told["ExitCode"] is None else int(told["ExitCode"])

    def ran_out_of_memory(self, container: str) -> bool:
        """Whether the engine saw the container, now gone, meet its memory limit. Costs a second."""
        with _ours("the container engine does not tell what has happened"):
            wanted = {"container": container, "event": "oom"}
            seen = self._api.events(since=0, until=int(time.time()) + 1, filters=wanted, decode=True)
            return any(True for _ in seen)

    def containers(self, label: str) -> Sequence[Mapping[str, Any]]:
        """All containers with a label, in whatever state: "Id" and "Labels" of each."""
        with _ours("the container engine does not list containers"):
            return list(self._api.containers(all=True, filters={"label": label}))

    def remove(self, container: str) -> None:
        """Kill and remove; returns when it is gone. One that is gone already is fine."""
        from docker.errors import APIError

        end = time.monotonic() + REMOVE_SECONDS
        with _ours("the container cannot be removed"):
            while True:
                try:
                    return self._api.remove_container(container, force=True, v=True)
                except APIError as error:
                    if error.status_code == 404:
                        return None
                    if error.status_code != 409 or time.monotonic() > end:
                        raise
                time.sleep(0.01)  # it is just being removed, at the end of its first process

    def bury(self, container: str) -> None:
        """See to it that a container whose processes have ended is removed. `close` waits for that."""
        with contextlib.suppress(RuntimeError):  # closed: nobody waits any more, and an engine removes it by itself
            self._burials.submit(self.remove, container)

    def close(self) -> None:
        self._burials.shutdown(wait=True)
        self._api.close()


@contextlib.contextmanager
def _ours(sentence: str) -> Iterator[None]:
    """Errors of the SDK, and of what it stands on, as SandboxUnavailable."""
    from docker.errors import DockerException

    try:
        yield
    except (DockerException, OSError) as error:  # what the SDK's transport raises is an OSError
        raise SandboxUnavailable(f"{sentence}: {error}") from error

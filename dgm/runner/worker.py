"""Inside a sandbox: the nursery that imports a genome's entry, and the worker that does one request.

The only part in which code of a genome, or a candidate's function, is called. What it writes is a claim: the kernel
checks every byte of it. A worker's answer goes to an anonymous file that the runner reads when the worker is gone.
"""

# Importing pathlib takes longer than a fork.
# ruff: noqa: PTH119, PTH120, PTH123

from __future__ import annotations

import _socket
import array
import contextlib
import ctypes
import errno
import gc
import json
import os
import random
import signal
import sys

TYPE_CHECKING = False  # importing typing takes as long as three tasks
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, NoReturn

MAX_DEPTH = 64
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
GENERATOR = type(_ for _ in ())
LIBC = ctypes.CDLL(None)  # opened once: in each worker it would take as long as the fork
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Odd(Exception):
    """A value that is not of the form that is due."""


def plain(value: Any, loose: bool = False, depth: int = 0) -> Any:
    """`value` if it is JSON by exact types; with `loose`, also tuples, ranges, generators and sets, as lists."""
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        if value - value != 0:
            raise Odd("a number that is not finite")
        return value
    if depth >= MAX_DEPTH:
        raise Odd(f"nested deeper than {MAX_DEPTH}")
    if kind is dict:
        if any(type(key) is not str for key in value):
            raise Odd("a dict with a key that is no str")
        return {key: plain(item, loose, depth + 1) for key, item in value.items()}
    if loose and kind in (set, frozenset):
        try:
            value = sorted(value)
        except TypeError:
            raise Odd("a set that cannot be sorted") from None
    elif kind is not list and not (loose and kind in (tuple, range, GENERATOR)):
        raise Odd(f"a {kind.__name__} is not JSON")
    return [plain(item, loose, depth + 1) for item in value]


def dump(value: Any) -> bytes:
    """JSON of a checked value; one that cannot be written (an endless integer) becomes the status that says so."""
    try:
        return json.dumps(value, allow_nan=False).encode()
    except ValueError as error:
        return json.dumps({"status": "invalid", "error": str(error)}).encode()


def describe(failure: BaseException) -> str:
    """Type, message and the last places of an exception, short. Its `__str__` is the genome's own code."""
    try:
        text = str(failure)[:1_000]
    except BaseException:  # whatever it raises, the failure itself is what counts
        text = "(its message cannot be shown)"
    places, trace = list[str](), failure.__traceback__
    while trace is not None and len(places) < 10_000:
        code = trace.tb_frame.f_code
        places.append(f"  {code.co_filename}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return "\n".join([f"{type(failure).__name__}: {text}", *places[-4:]])[:3_000]


def fault(failure: BaseException) -> str:
    """The status that an exception stands for."""
    number = failure.errno if isinstance(failure, OSError) else None
    if isinstance(failure, MemoryError) or number == errno.ENOMEM:
        return "oom"
    if number == errno.EAGAIN or (type(failure) is RuntimeError and failure.args == ("can't start new thread",)):
        return "pids"
    return "disk" if number in FULL else "wrong"


def guarded(action: Callable[..., Any], *args: Any) -> Any:
    """What `action` gives, or the status of what it raised. The one place that catches all that a genome raises."""
    try:
        outcome = action(*args)
        sys.stdout.flush()
        sys.stderr.flush()
        return outcome
    except Odd as odd:
        return {"status": "invalid", "error": str(odd)}
    except BaseException as failure:
        return {"status": fault(failure), "error": describe(failure)}


def load_module(name: str, source: bytes | str, file: str) -> ModuleType:
    """A fresh module made of `source`, known to `sys.modules` under `name`."""
    module = type(sys)(name)
    module.__file__ = file
    sys.modules[name] = module
    exec(compile(source, file, "exec"), module.__dict__)
    return module


def load_entry(root: str, entry: str) -> tuple[ModuleType, str]:
    """The module and the name that `entry` (path/to/file.py:Name) means, with its folders importable."""
    path, _, name = entry.partition(":")
    file = f"{root}/{path}"
    sys.path[:0] = [os.path.dirname(file), root]
    with open(file, "rb") as source:
        module = load_module(os.path.basename(path).removesuffix(".py"), source.read(), file)
    getattr(module, name)
    return module, name


def perform(request: dict[str, Any], module: ModuleType, name: str) -> dict[str, Any]:
    """One request to a genome written in Python; its answer, checked."""
    if request["kind"] == "select":
        return {"parent": plain(module.select(request["candidates"], request["seed"]))}
    agent = getattr(module, name)(request.get("model"), os.environ["TMPDIR"] + "/chat_history.md")
    if request["kind"] == "improve":
        summary = agent.forward(request["genome"], request["feedback"], request["iterations_left"])
        return {"summary": summary[:4_000] if type(summary) is str else ""}
    made = agent.forward({**request["inputs"], "answer": request["answer"], "workdir": request["workdir"]})
    return {"prediction": plain(made[0] if type(made) is tuple and len(made) == 2 else made)}


def perform_calls(request: dict[str, Any], out: int) -> None:
    """Call a candidate's function for each args: a line for the loading, then one for each outcome, go to `out`.

    A late call ends the worker by the default action of SIGALRM, which also stops what never returns to the
    interpreter. A candidate that disarms it meets the runner's own clock.
    """
    texts = [json.dumps(args) for args in request["calls"]]  # parsed again for each call: no argument is shared

    def limited(action: Callable[[], dict[str, Any]]) -> bool:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, request["seconds"])
        outcome = guarded(action)
        line = dump(outcome)
        signal.setitimer(signal.ITIMER_REAL, 0)
        write_all(out, line + b"\n")
        return "status" not in outcome

    def load() -> dict[str, Any]:
        functions.append(getattr(load_module("solution", request["source"], "solution.py"), request["function"]))
        return {}

    functions: list[Callable[..., Any]] = []
    if limited(load):
        for text in texts:
            limited(lambda text=text: {"value": plain(functions[0](*json.loads(text)), loose=True)})  # type: ignore[misc]


def write_all(fd: int, data: bytes) -> None:
    """Write everything, however many writes it takes."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def worker(fds: list[int], loaded: list[Any], command: list[str]) -> NoReturn:
    """The life of a worker: read the request, do it, write the result, leave at once."""
    asked, result, log = fds
    me = os.getpid()
    os.setsid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(log, 1)
    os.dup2(log, 2)
    request = json.loads(os.pread(asked, os.fstat(asked).st_size, 0))
    os.chdir(request["workdir"])
    set_dumpable(True)
    gc.enable()
    random.seed(request["seed"])
    if request["kind"] == "call":
        perform_calls(request, result)
        os._exit(0)
    outcome = guarded(become, command, asked, result) if command else guarded(perform, request, *loaded)
    if os.getpid() == me:  # a child that the genome forked may come back here as well
        write_all(result, dump(outcome))
    os._exit(0)


def become(command: list[str], asked: int, result: int) -> NoReturn:
    """Turn into a genome's own command: the request is its standard input, the result its standard output."""
    os.dup2(asked, 0)
    os.dup2(result, 1)
    os.execvp(command[0], command)


def nursery(link: _socket.socket, log: int, load: dict[str, Any]) -> NoReturn:
    """The life of a nursery: answer the load with a line, then each request with one fork and its exit code."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.dup2(log, 1)
    os.dup2(log, 2)
    set_dumpable(True)
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # when memory runs out, a genome goes before the runner
    set_dumpable(False)
    loaded: list[Any] = []

    def begin() -> dict[str, Any]:
        if load["entry"]:
            loaded.extend(load_entry(load["root"], load["entry"]))
        return {}

    outcome = guarded(begin)
    guarded(warm_up)  # whatever comes of it: it is a matter of time alone
    link.sendall(dump(outcome) + b"\n")
    silence = os.open("/dev/null", os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    gc.freeze()
    while True:
        fds, token = receive_descriptors(link, 3)
        pid = os.fork()
        if pid == 0:
            link.close()
            if token:  # good for this request alone
                os.environ["OPENAI_API_KEY"] = token
            worker(fds, loaded, load["command"])
        for fd in fds:
            os.close(fd)
        _, status = os.waitpid(pid, 0)
        link.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def warm_up() -> dict[str, Any]:
    """Where a model may be asked, have what a first request sets up there for every worker to come: what each
    connection needs, and the standard library's HTTP client, where the genome has imported it. It is refused."""
    if (base := os.environ.get("OPENAI_BASE_URL")) is not None:
        import encodings.idna  # noqa: F401

        if (client := sys.modules.get("urllib.request")) is not None:
            with contextlib.suppress(OSError):
                client.urlopen(base + "/models")
    return {}


def receive_descriptors(link: _socket.socket, count: int) -> tuple[list[int], str]:
    """The descriptors that come with the runner's next message ("!" and a token, if a language model may be asked).

    The end of the runner is the end of the nursery.
    """
    fds = array.array("i", [0] * count)
    data, parts, _, _ = link.recvmsg(64, _socket.CMSG_LEN(len(fds) * fds.itemsize))
    if not data:
        os._exit(0)
    return list(array.array("i", parts[0][2][: len(fds) * fds.itemsize])), data[1:].decode()


def prctl(option: int, value: int) -> None:
    """Set an attribute of this process; where the C library has no prctl the sandbox still holds."""
    with contextlib.suppress(OSError, AttributeError):
        LIBC.prctl(option, value, 0, 0, 0)


def set_dumpable(yes: bool) -> None:
    """Whether other processes of this user may look into this one's memory and descriptors."""
    prctl(PR_SET_DUMPABLE, int(yes))

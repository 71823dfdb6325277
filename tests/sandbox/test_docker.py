"""What holds a container, on a real engine: its walls, its limits, and that nothing of it is left."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest

from dgm.errors import SandboxUnavailable, Status
from dgm.sandbox.check.bench import processes
from dgm.sandbox.choose import choose
from dgm.sandbox.docker import Docker, from_environment
from dgm.sandbox.engine import container as containers
from dgm.sandbox.engine import leftovers
from dgm.sandbox.engine.client import Engine
from dgm.sandbox.engine.image import Image
from dgm.sandbox.engine.warm import KINDS
from tests.sandbox.worlds import LIMITS, agent_session, ask, solve, task_agent

pytestmark = [pytest.mark.needs("docker"), pytest.mark.slow]

PROBE = r"""
import ctypes, json, os, signal, socket, sys

def tried(action):
    try:
        return "done: %r" % (action(),)
    except OSError as error:
        return type(error).__name__

def connect(family, kind, address):
    with socket.socket(family, kind) as s:
        s.settimeout(3)
        s.connect(address)
        return s.send(b"x")

def call(number, *args):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    if libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, args)) == -1:
        return ctypes.get_errno()
    return 0

TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines())
print(json.dumps({
    "status": status,
    "ids": [os.getuid(), os.getgid(), os.getgroups()],
    "env": dict(os.environ),
    "host": socket.gethostname(),
    "interfaces": [name for _, name in socket.if_nameindex()],
    "resolvers": open("/etc/resolv.conf").read(),
    "writes": {path: tried(lambda: open(path + "/x", "w").close()) for path in
        ("", "/etc", "/usr", "/var/tmp", "/run", "/dev", "/dev/mqueue", "/files", "/files/a", "/sys/fs/cgroup")},
    "settings": {path: tried(lambda: open(path, "w").close()) for path in
        ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/fs/cgroup/memory/memory.limit_in_bytes",
         "/sys/fs/cgroup/memory.max", "/proc/1/oom_score_adj", "/proc/1/mem")},
    "files": {name: tried(action) for name, action in {
        "change": lambda: open("/files/a/b", "w"), "add": lambda: open("/files/new", "w"),
        "remove": lambda: os.remove("/files/a/b"), "chmod": lambda: os.chmod("/files/a", 0o777),
        "rename": lambda: os.rename("/files/a", "/files/c")}.items()},
    "reads": {path: tried(lambda: open(path, "rb").read(1)) for path in
        ("/proc/1/environ", "/proc/1/mem", "/etc/shadow", "/proc/kcore", "/dev/mem", "/dev/kmsg", sys.argv[2])},
    "sockets": [path for path in ("/run/docker.sock", "/run/containerd") if os.path.exists(path)],
    "network": {
        "tcp": tried(lambda: connect(socket.AF_INET, TCP, ("1.1.1.1", 53))),
        "udp": tried(lambda: connect(socket.AF_INET, UDP, ("8.8.8.8", 53))),
        "ipv6": tried(lambda: connect(socket.AF_INET6, TCP, ("2606:4700:4700::1111", 53))),
        "metadata": tried(lambda: connect(socket.AF_INET, TCP, ("169.254.169.254", 80))),
        "host": tried(lambda: connect(socket.AF_INET, TCP, ("127.0.0.1", int(sys.argv[3])))),
        "abstract": tried(lambda: connect(socket.AF_UNIX, TCP, "\0" + sys.argv[1])),
        "name": tried(lambda: socket.getaddrinfo("example.com", 80)),
        "vsock": tried(lambda: socket.socket(40, TCP)),
    },
    "signal": tried(lambda: os.kill(1, signal.SIGKILL)),
    "become": [tried(lambda: os.setuid(0)), tried(lambda: os.setuid(65531)), tried(lambda: os.chroot("/work"))],
    "special": [name for name in os.listdir("/usr/bin") if os.stat("/usr/bin/" + name).st_mode & 0o6000],
    "device": tried(lambda: os.mknod("/work/disk", 0o60666, os.makedev(8, 0))),
    "calls": {name: call(number, *args) for name, (number, *args) in json.loads(sys.argv[4]).items()},
}))
"""
NUMBERS = {  # x86_64, aarch64, and arguments
    "ptrace": (101, 117, 16, 1), "mount": (165, 40, 0, 0, 0, 0, 0), "unshare": (272, 97, 0x10000000),
    "setns": (308, 268, 0, 0), "bpf": (321, 280, 0, 0, 0), "perf_event_open": (298, 241, 0, 0, -1, -1, 0),
    "keyctl": (250, 219, 0, -3, 1),
    "add_key": (248, 217, 0, 0, 0, 0, -3), "userfaultfd": (323, 282, 0), "io_uring_setup": (425, 425, 1, 0),
    "process_vm_readv": (310, 270, 1, 0, 0, 0, 0, 0), "pidfd_getfd": (438, 438, 0, 0, 0),
    "kexec_load": (246, 104, 0, 0, 0, 0), "open_by_handle_at": (304, 265, -1, 0, 0),
    "init_module": (175, 105, 0, 0, 0), "fsopen": (430, 430, 0, 0),
    "clone-user": (56, 220, 0x10000011), "shmget": (29, 194, 0, 4096, 0o1600),
}  # fmt: skip
FORBIDDEN = 1  # EPERM


@pytest.fixture(scope="module")
def docker():
    with from_environment("tests") as backend:
        yield backend


@pytest.fixture(scope="module")
def engine():
    return Engine(os.environ.get("DOCKER_HOST"))


@pytest.fixture(autouse=True)
def nothing_left(engine):
    """Every test leaves as many containers as it found."""
    before = living(engine)
    yield
    until(lambda: living(engine) <= before)


def living(engine):
    return {found["Id"] for found in engine.containers(leftovers.MARK)}


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def inside(docker, tmp_path_factory):
    """What a process sees and can do in a container, told by itself."""
    secret = tmp_path_factory.mktemp("host") / "secret"
    secret.write_text("sentinel-4711")
    machine = 1 if os.uname().machine == "aarch64" else 0
    calls = {name: [row[machine], *row[2:]] for name, row in NUMBERS.items()}
    abstract = f"dgm-test-{os.getpid()}"
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind("\0" + abstract)
        unix.listen()
        session = stack.enter_context(docker.open({"a/b": b"text"}, LIMITS))
        argv = [abstract, str(secret), str(listener.getsockname()[1]), json.dumps(calls)]
        process = session.start([*session.python(), "-c", PROBE, *argv], {"A": "1"})
        text = process.stdout.read()
        assert text, process.stderr.read().decode()
        return json.loads(text)


class TestTheWalls:
    def test_an_agent_is_nobody_with_no_capability(self, inside):
        status = inside["status"]
        assert inside["ids"] == [65532, 65532, [65532]] or inside["ids"] == [65532, 65532, []]
        assert {status[key].strip() for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2")
        assert set(inside["become"]) == {"PermissionError"}
        assert inside["special"] == []

    def test_the_environment_and_the_names_say_nothing(self, inside):
        assert inside["env"].keys() - {"LC_CTYPE"} == {"A"}
        assert inside["host"] == "sandbox"
        assert inside["resolvers"].split() == ["nameserver", "127.0.0.1"]

    def test_nothing_but_the_workplace_can_be_written(self, inside):
        refused = {"OSError", "PermissionError", "FileNotFoundError", "NotADirectoryError"}
        assert set(inside["writes"].values()) <= refused
        assert set(inside["settings"].values()) <= refused
        assert set(inside["files"].values()) == {"PermissionError"}
        assert inside["device"] == "PermissionError"

    def test_nothing_of_the_host_and_of_the_warden_can_be_read(self, inside):
        empty = {"PermissionError", "FileNotFoundError", "done: b''"}
        assert set(inside["reads"].values()) <= empty
        assert inside["sockets"] == []
        assert inside["signal"] == "PermissionError"

    def test_there_is_no_network(self, inside):
        assert inside["interfaces"] == ["lo"]
        assert {name: told for name, told in inside["network"].items() if told.startswith("done")} == {}

    def test_system_calls_that_reach_out_are_refused(self, inside):
        assert inside["calls"] == dict.fromkeys(NUMBERS, FORBIDDEN)


class TestTheLimits:
    def test_memory_taken_by_many_that_look_harmless_is_still_out_of_memory(self, docker):
        body = """
        for _ in range(24):
            if os.fork() == 0:
                open('/proc/self/oom_score_adj', 'w').write('0')
                kept = bytearray(os.urandom(1 << 20)) * 30
                time.sleep(60)
        time.sleep(60)
        """
        assert solve(docker, body, seconds=20).status is Status.OOM

    def test_a_million_files_fill_the_workplace_and_not_the_host(self, docker):
        body = "for k in range(1_000_000): open(str(k), 'w').close()"
        assert solve(docker, body, seconds=20).status is Status.DISK

    def test_spinning_on_every_core_is_late_and_the_evidence_can_still_be_had(self, docker):
        body = "for _ in range(4): os.fork()\nwhile True: pass"
        with agent_session(docker, task_agent(body), seconds=1) as session:
            assert ask(session).status is Status.TIMEOUT

    def test_files_beyond_the_usual_room_get_theirs(self, docker):
        big = bytes(containers.FILES_MB + 8 << 20)
        limits = replace(LIMITS, disk_mb=8)
        with docker.open({"big": big, "d/small": b"x"}, limits) as session:
            process = session.start(["/bin/sh", "-c", "wc -c </files/big; cat /files/d/small"])
            assert process.stdout.read().split() == [str(len(big)).encode(), b"x"]


class TestProcesses:
    def test_input_output_and_codes_pass_unchanged(self, docker):
        data = os.urandom(3 << 20)
        with docker.open({}, LIMITS) as session:
            process = session.start(["/bin/sh", "-c", "head -c 3145728; cat >&2; exit 3"])
            writer = threading.Thread(target=lambda: (process.stdin.write(data + b"rest"), process.stdin.close()))
            writer.start()
            out = b"".join(iter(lambda: process.stdout.read(1 << 16), b""))
            writer.join()
            assert (out == data, process.stderr.read(), process.wait(20)) == (True, b"rest", 3)

    def test_a_death_by_signal_is_told_as_one(self, docker):
        with docker.open({}, LIMITS) as session:
            assert session.start(["/bin/sh", "-c", "kill -SEGV $$"]).wait(20) == -11
            assert session.ending() is None

    def test_a_command_that_is_not_there_is_a_result(self, docker):
        with docker.open({}, LIMITS) as session:
            process = session.start(["/no/such/thing"])
            assert process.wait(20) == 127
            assert b"/no/such/thing" in process.stderr.read()


class TestTheEnd:
    def test_nothing_in_it_lives_when_it_has_been_closed(self, docker, engine):
        """Though its engine may still be removing the container."""
        mark = f"864{os.getpid()}"
        with docker.open({}, LIMITS) as session:
            process = session.start(
                ["/bin/sh", "-c", f"setsid sleep {mark} <&- >&- 2>&- & echo begun; exec sleep {mark}"]
            )
            assert process.stdout.read(6) == b"begun\n"
            until(lambda: len(processes(mark)) >= 2)
            session.close()
            until(lambda: processes(mark) == [], seconds=1)

    def test_a_container_ended_from_outside_is_nobodys_fault(self, docker, engine):
        with agent_session(docker, task_agent("return 1")) as session:
            assert ask(session).status is Status.OK
            for container in living(engine):
                engine.remove(container)
            with pytest.raises(SandboxUnavailable, match="ended by its engine"):
                ask(session)

    def test_a_killed_kernel_leaves_no_container(self, engine):
        program = """
import time
from dgm.sandbox import Limits
from dgm.sandbox.docker import from_environment
session = from_environment().open({}, Limits())
process = session.start(["/bin/sh", "-c", "setsid sleep 86451 & echo begun; sleep 86451"])
process.stdout.read(1)
print("open", flush=True)
time.sleep(60)
"""
        before = living(engine)
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as kernel:
            assert kernel.stdout.readline() == b"open\n"
            assert len(living(engine) - before) == 1
            kernel.kill()
        until(lambda: living(engine) == before)

    def test_what_was_made_and_never_started_is_reaped_and_what_lives_is_not(self, docker, engine):
        dead = leftovers.labels(3600) | {leftovers.PID: "1", leftovers.START: "0"}
        elsewhere = dead | {leftovers.HOST: "another machine"}
        over = leftovers.labels(-1)
        with docker.open({}, LIMITS):
            before = living(engine)
            made = [make(engine, labels) for labels in (dead, elsewhere, over)]
            assert sorted(docker.reap()) == sorted([made[0], made[2]])
            assert living(engine) == before | {made[1]}
            engine.remove(made[1])

    def test_who_reads_from_what_another_thread_ends_finds_its_end_and_nobody_elses_pipes(self, docker):
        """Were its descriptors given back at once, the next session to open could get their numbers."""
        with docker.open({}, LIMITS) as session:
            process = session.start(["/bin/cat"])
            numbers = [pipe.fileno() for pipe in (process.stdin, process.stdout, process.stderr)]
            were = [os.fstat(number).st_ino for number in numbers]
            process.stdin.write(b"begun")
            assert process.stdout.read(5) == b"begun"
            thread = threading.Thread(target=process.kill)
            thread.start()
            assert process.stdout.read(1) == b""
            thread.join()
            assert [os.fstat(number).st_ino for number in numbers] == were
            assert process.poll() == -9
        for pipe in (process.stdout, process.stderr):
            assert pipe.closed

    def test_closing_twice_and_after_the_container_is_no_error(self, docker, engine):
        session = docker.open({}, LIMITS)
        process = session.start(["/bin/cat"])
        process.kill()
        assert process.poll() == -9
        session.close()
        session.close()
        assert session.ending() is None


def make(engine, labels):
    """A container as a kernel leaves it that dies before it can start it."""
    return engine.create(from_environment()._image.tag, ["/bin/true"], {"labels": labels}, {"network_mode": "none"})


class TestStartingAhead:
    def test_spare_containers_are_used_once_and_the_rest_goes_at_the_end(self, engine):
        before = living(engine)
        with from_environment("tests", ahead=1) as warm:
            seen = []
            for _ in range(3):
                with warm.open({"name": b"x"}, LIMITS) as session:
                    seen.append(session._container.id)
                    until(lambda: len(living(engine) - before) == 2)
            assert len(set(seen)) == 3
            until(lambda: len(living(engine) - before) == 1)
        assert living(engine) == before

    def test_what_is_expected_waits_before_it_is_asked_for(self, engine):
        before = living(engine)
        with from_environment("tests", ahead=2) as warm:
            warm.expect(LIMITS)
            until(lambda: len(living(engine) - before) == 2)
            waiting = living(engine) - before
            with warm.open({}, LIMITS) as session:
                assert session._container.id in waiting
        assert living(engine) == before

    def test_a_spare_container_that_died_is_replaced(self, engine):
        before = living(engine)
        with from_environment("tests", ahead=1) as warm:
            warm.open({}, LIMITS).close()
            until(lambda: len(living(engine) - before) == 1)
            warm._warm._spare[LIMITS][0].result()
            for container in living(engine) - before:
                engine.remove(container)
            with warm.open({"a": b"1"}, LIMITS) as session:
                assert session.start(["/bin/cat", "/files/a"]).stdout.read() == b"1"

    def test_of_kinds_that_are_asked_for_no_more_nothing_waits_for_ever(self, engine):
        before = living(engine)
        with from_environment("tests", ahead=1) as warm:
            for number in range(KINDS + 1):
                warm.open({}, replace(LIMITS, memory_mb=64 + number)).close()
            until(lambda: len(living(engine) - before) == KINDS)
        assert living(engine) == before

    def test_one_that_has_waited_too_long_is_not_taken(self, engine, monkeypatch):
        with from_environment("tests", ahead=1) as warm:
            warm.open({}, LIMITS).close()
            stale = warm._warm._spare[LIMITS][0].result()
            monkeypatch.setattr(containers, "FRESH", 0.0)
            with warm.open({}, LIMITS) as session:
                assert session._container.id != stale.id
            assert stale.id not in living(engine)

    def test_one_that_is_given_no_files_ends_by_itself(self, engine, monkeypatch):
        monkeypatch.setattr(containers, "UNFILLED", 3)
        with from_environment("tests", ahead=1) as warm, warm.open({}, LIMITS) as session:
            spare = warm._warm._spare[LIMITS][0].result()
            assert spare.waits()
            until(lambda: spare.id not in living(engine))
            assert session._container.id in living(engine)


class TestTheImage:
    def test_auto_takes_docker_where_the_image_is_and_elsewhere_does_not_build_it(self, docker, engine, monkeypatch):
        docker.open({}, LIMITS).close()
        assert choose("auto", may_run_model_code=True).name == "docker"
        monkeypatch.setenv("DGM_SANDBOX_BASE", "localhost:1/no-such-base")
        assert choose("auto", may_run_model_code=False).name != "docker"
        assert not engine.has_image(Image("localhost:1/no-such-base").tag)

    def test_an_image_that_is_not_there_is_not_built_to_find_out(self, engine):
        image = Image("localhost:1/no-such-base")
        docker = Docker(os.environ.get("DOCKER_HOST"), image, build=False)
        assert docker.trouble() == f"the engine has no image {image.tag}; --sandbox docker builds it"
        with pytest.raises(SandboxUnavailable, match="has no image"):
            docker.open({}, LIMITS)
        assert not engine.has_image(image.tag)

    def test_an_image_that_cannot_be_built_says_why_and_leaves_nothing(self, engine):
        told = []
        docker = Docker(os.environ.get("DOCKER_HOST"), Image("localhost:1/no-such-base"), say=told.append)
        with pytest.raises(SandboxUnavailable, match=r"cannot be built.*localhost:1"):
            docker.open({}, LIMITS)
        assert "building the image" in told[0]
        assert "localhost:1" in docker.trouble()

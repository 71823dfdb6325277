"""What a backend that isolates keeps out of reach; `local` holds none of this and says so."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from dgm.domain import Files
from dgm.errors import Status
from dgm.evaluation.session import AgentSession
from dgm.sandbox import cgroup
from dgm.sandbox.bubblewrap import Bubblewrap, _hidden
from dgm.sandbox.local import Local
from dgm.sandbox.seccomp import ARCHITECTURES, PROFILE
from dgm.sandbox.syscalls import NUMBERS
from tests.sandbox.test_contract import EXEC
from tests.sandbox.worlds import ISOLATING_BACKENDS, LIMITS, META, agent_session, ask, meta_agent, task_agent

SECRET = "sentinel-08154711"


@pytest.fixture(scope="module", params=ISOLATING_BACKENDS)
def session(request):
    with agent_session(request.param(), task_agent(EXEC)) as session:
        yield session


def answer(session: AgentSession, code: str, **inputs: object):
    reply = ask(session, code=code, **inputs)
    assert reply.status == Status.OK, reply
    return reply.prediction


CALLS = """
libc = ctypes.CDLL(None, use_errno=True)
def errno(*args):
    ctypes.set_errno(0)
    made = libc.syscall(*(ctypes.c_long(a) for a in args))
    return ctypes.get_errno() if made == -1 else 0
"""

REACH = """
def tried(action):
    try:
        action()
    except OSError:
        return False
    return True
def tcp(family, *address):
    return lambda: socket.socket(family).connect(address)
def udp(*address):
    return lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', address)
def unix(name):
    return lambda: socket.socket(socket.AF_UNIX).connect(name)
"""


class TestNetwork:
    def test_nothing_answers_not_even_the_hosts_own_ports(self, session):
        with socket.create_server(("127.0.0.1", 0)) as server:
            code = """return [tried(t) for t in (
                tcp(socket.AF_INET, '127.0.0.1', inputs['port']),
                tcp(socket.AF_INET, '192.0.2.1', 80),
                tcp(socket.AF_INET, '169.254.169.254', 80),
                tcp(socket.AF_INET6, '2001:db8::1', 80),
                udp('192.0.2.1', 53),
                lambda: socket.getaddrinfo('example.org', 80),
            )]"""
            assert answer(session, REACH + code, port=server.getsockname()[1]) == [False] * 6

    def test_the_hosts_unix_sockets_are_not_there(self, session, tmp_path):
        name = f"\0{SECRET}-{os.getpid()}"
        with socket.socket(socket.AF_UNIX) as abstract, socket.socket(socket.AF_UNIX) as named:
            abstract.bind(name)
            abstract.listen()
            named.bind(path := str(tmp_path / "s"))
            named.listen()
            code = "return [tried(unix(name)) for name in inputs['names']]"
            assert answer(session, REACH + code, names=[name, path, "/var/run/docker.sock"]) == [False] * 3

    def test_the_machine_below_is_not_reached_either(self, session):
        number = NUMBERS["socket"][ARCHITECTURES[os.uname().machine][0]]
        code = "return [errno(inputs['socket'], family, 1, 0) for family in (40, 40 | 1 << 32, 38)]"
        assert answer(session, CALLS + code, socket=number) == [1] * 3


class TestSecrets:
    def test_the_hosts_files_are_not_there(self, session, tmp_path):
        secret = tmp_path / "secret"
        secret.write_text(SECRET)
        secret.chmod(0o644)
        code = """
        paths = inputs['paths'] + ['/etc/shadow', '/root', '/home', '/var', '/sys', '/run']
        starts = ('', '/proc/1/root', '/proc/1/cwd/..')
        return [path for path in paths for start in starts if os.path.exists(start + path)]
        """
        paths = [str(secret), str(Path(__file__).resolve()), str(Path.home()), str(Path.cwd())]
        assert answer(session, code, paths=paths) == []

    def test_no_process_of_the_host_and_no_environment_is_seen(self, session, monkeypatch):
        monkeypatch.setenv("OPENAI_API_KEY", SECRET)
        with agent_session(Bubblewrap(), task_agent(EXEC)) as fresh:
            code = """
            seen = {}
            for pid in filter(str.isdigit, os.listdir('/proc')):
                for name in ('cmdline', 'environ', 'status', 'mountinfo', 'maps'):
                    try:
                        seen[pid + name] = open(f'/proc/{pid}/{name}', 'rb').read().decode(errors='replace')
                    except OSError:
                        pass
            return [len([k for k in seen if k.endswith('status')]), json.dumps(seen)]
            """
            count, text = answer(fresh, code)
        assert count <= 5
        assert SECRET not in text
        assert str(Path.cwd()) not in text

    def test_an_installed_kernel_is_covered(self):
        import dgm

        package = Path(dgm.__file__).resolve().parent
        assert list(_hidden([Path("/usr"), package.parent])) == [package]
        assert list(_hidden([Path("/usr/share")])) == []


class TestWriting:
    def test_one_place_can_be_written_and_nothing_else(self, session):
        code = """
        found = []
        for top, folders, files in os.walk('/'):
            if top == '/':
                folders.remove('proc')
            if top.count('/') > 3:
                folders.clear()
            if os.path.ismount(top) or os.access(top, os.W_OK):
                try:
                    open(top + '/note', 'w').close()
                    os.remove(top + '/note')
                    found.append(top)
                except OSError:
                    pass
        return sorted(found)
        """
        assert answer(session, code) == ["/work", "/work/genome", "/work/shm", "/work/task", "/work/tmp"]

    @pytest.mark.parametrize(
        "path",
        ["/files/genome/agent/task_agent.py", "/etc/passwd", "/etc/hosts", "/proc/sys/kernel/core_pattern",
         "/proc/sys/kernel/domainname", "/proc/sysrq-trigger", "/usr/bin/env"],
    )  # fmt: skip
    def test_what_is_not_ours_cannot_be_opened_for_writing(self, session, path):
        code = f"""
        try:
            os.chmod({path!r}, 0o777)
        except OSError:
            pass
        try:
            os.close(os.open({path!r}, os.O_WRONLY))
        except OSError:
            return 'refused'
        """
        assert answer(session, code) == "refused"

    @pytest.mark.parametrize("backend", ISOLATING_BACKENDS)
    def test_the_feedback_stays_as_it_is(self, backend):
        body = """
        for action in (lambda: os.remove(eval_path + '/a'), lambda: open(eval_path + '/a', 'w'),
                       lambda: os.mkdir(eval_path + '/b'), lambda: os.rename(eval_path, eval_path + '2')):
            try:
                action()
                return 'done'
            except OSError:
                pass
        return 'refused'
        """
        files: Files = meta_agent(body)
        with AgentSession(backend(), files, META, "meta", LIMITS, feedback={"a": b"1"}) as session:
            assert session.improve(files, 0, 1).summary == "refused"

    @pytest.mark.parametrize(
        "body",
        [
            "n = 0\nwhile True:\n n += 1\n open(str(n), 'wb').write(bytes(1 << 20))",
            "try:\n while True: open('/dev/shm/x', 'ab').write(bytes(1 << 20))\nfinally: raise KeyError",
        ],
        ids=["files", "elsewhere"],
    )
    @pytest.mark.parametrize("backend", ISOLATING_BACKENDS)
    def test_filling_the_disk_is_told_and_the_hosts_is_untouched(self, backend, body, tmp_path):
        free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
        with agent_session(backend(), task_agent(EXEC)) as session:
            assert ask(session, code=body).status == Status.DISK
            assert os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize > free - (64 << 20)
            assert ask(session, code="return 1").prediction == 1

    def test_many_empty_files_do_not_stay(self, session):
        code = "for n in range(20_000): os.close(os.open(f'{n}', os.O_CREAT))\nreturn 1"
        assert ask(session, code=code).status in (Status.OK, Status.DISK, Status.OOM)
        assert answer(session, "return os.listdir('.')") == []


class TestPower:
    def test_no_capability_no_other_user_no_new_privilege(self, session):
        code = """
        status = dict(line.split(':', 1) for line in open('/proc/self/status').read().splitlines())
        ids = [sorted(set(status[k].split())) for k in ('Uid', 'Gid', 'Groups')]
        capabilities = [int(status[k], 16) for k in ('CapEff', 'CapPrm', 'CapBnd', 'CapAmb')]
        return [ids[:2], capabilities, status['NoNewPrivs'].strip(), status['Seccomp'].strip(),
                open('/proc/self/uid_map').read().split()]
        """
        ids, capabilities, privileges, filtered, users = answer(session, code)
        assert (ids[0], ids[1]) == ([users[0]], [users[0]])
        assert users[2] == "1"
        assert int(users[0]) != 0
        assert capabilities == [0] * 4
        assert (privileges, filtered) == ("1", "2")

    @pytest.mark.parametrize(
        "command", ["unshare -r true", "unshare -n true", "mount -t tmpfs x /work", "su", "/usr/sbin/chroot / true"]
    )
    def test_commands_that_need_power_fail(self, session, command):
        assert answer(session, f"return subprocess.run({command.split()!r}, capture_output=True).returncode") != 0

    def test_the_filter_refuses_what_the_profile_names(self, session):
        column = ARCHITECTURES[os.uname().machine][0]
        profile = json.loads(PROFILE.read_text())
        plain = [
            n for rule in profile["syscalls"] if "args" not in rule and rule["errnoRet"] == 1 for n in rule["names"]
        ]
        numbers = [NUMBERS[name][column] for name in plain if NUMBERS[name][column] is not None]
        assert len(numbers) > 70
        code = "return [errno(n, 0, 0, 0, 0, 0, 0) for n in inputs['numbers']]"
        assert answer(session, CALLS + code, numbers=numbers) == [1] * len(numbers)
        namespaces = [NUMBERS["clone"][column], NUMBERS["clone3"][column], NUMBERS["ioctl"][column]]
        code = """clone, clone3, ioctl = inputs['numbers']
return [errno(clone, flag | 17, 0, 0, 0, 0) for flag in (0x10000000, 0x20000, 0x50000000)] + [
    errno(clone3, 0, 0), errno(ioctl, 0, 0x5412 | 1 << 32, 0)]"""
        assert answer(session, CALLS + code, numbers=namespaces) == [1, 1, 1, 38, 1]

    @pytest.mark.skipif(os.uname().machine != "x86_64", reason="32-bit and x32 calls are x86_64's")
    def test_a_call_of_another_architecture_ends_the_process(self, session):
        reply = ask(session, code=CALLS + "return errno(0x40000000 | 39)")
        assert reply.status == Status.WRONG
        assert "-31" in reply.error  # SIGSYS


@pytest.mark.parametrize("backend", ISOLATING_BACKENDS)
def test_without_control_groups_rlimits_hold(backend, monkeypatch):
    monkeypatch.setattr(cgroup, "_places", lambda *_: ())
    with agent_session(backend(), task_agent(EXEC), seconds=4) as session:
        assert ask(session, code="x = bytearray(1 << 30)").status == Status.OOM
        assert ask(session, code="while True: subprocess.Popen(['sleep', '60'])").status == Status.PIDS
    assert any("memory" in line for line in backend().caveats())


def test_local_says_that_it_is_no_sandbox():
    assert Local().holds == frozenset()
    assert "not a sandbox" in Local().caveats()[0]

"""The contract that every backend keeps, `local` included: what goes in and out, what a limit does, what is left."""

from __future__ import annotations

import json
import os
import resource
import secrets
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dgm.errors import AgentFailed, SandboxUnavailable, Status
from dgm.evaluation.candidates import JudgeSession
from dgm.evaluation.session import AgentSession
from tests.sandbox.worlds import (
    EVERY_BACKEND,
    LIMITS,
    META,
    Start,
    agent_session,
    ask,
    bubblewrap,
    held,
    local,
    meta_agent,
    processes,
    solve,
    task_agent,
    traces,
)


@pytest.fixture(params=EVERY_BACKEND)
def backend(request):
    return request.param()


class TestHandingInAndOut:
    def test_inputs_go_in_and_a_prediction_comes_out(self, backend):
        reply = solve(backend, "return [inputs['x'], inputs['answer']['kind']], ['history']", inputs={"x": {"é": 1.5}})
        assert (reply.status, reply.prediction) == (Status.OK, [{"é": 1.5}, "text"])
        assert solve(backend, "return 'bare'").prediction == "bare"

    def test_files_are_laid_out_and_the_answers_files_are_read_back(self, backend):
        body = """
        path = inputs['workdir'] + '/src/a.py'
        text = open(path, 'rb').read()
        open(path, 'wb').write(text[::-1])
        assert os.getcwd() == inputs['workdir'] == os.environ['HOME']
        """
        answer = {"kind": "files", "files": ["src/a.py", "absent.py"]}
        with agent_session(backend, task_agent(body)) as session:
            reply = session.task({}, answer, {"src/a.py": b"\xff\0ab"}, 1)
        assert (reply.status, reply.files) == (Status.OK, {"src/a.py": b"ba\0\xff"})

    @pytest.mark.parametrize(
        ("make", "status"),
        [
            ("os.symlink('/etc/passwd', 'a.py')", Status.INVALID),
            ("os.mkfifo('a.py')", Status.INVALID),
            ("os.mkdir('a.py')", Status.INVALID),
            ("open('b', 'w').close(); os.link('b', 'a.py')", Status.INVALID),
            ("open('a.py', 'wb').truncate(1 << 20)", Status.OUTPUT),
        ],
    )
    def test_an_answer_file_that_is_no_plain_file_is_refused(self, backend_in_turn, make, status):
        answer = {"kind": "files", "files": ["a.py"]}
        assert backend_in_turn.task({"code": make}, answer, {}, 1).status == status

    def test_chance_and_hashing_are_the_same_in_every_session(self, backend):
        body = "return [random.random(), hash('x'), list({'a', 'b', 'c', 'd'})]"
        assert solve(backend, body).prediction == solve(backend, body).prediction

    def test_the_interpreter_is_the_systems_and_empty(self, backend_in_turn):
        body = """
        try:
            import pytest
        except ImportError:
            return [sys.version_info >= (3, 11), sys.prefix, sys.stdin.read()]
        """
        reply = ask(backend_in_turn, code=body)
        assert reply.prediction[0] is True
        assert reply.prediction[1] != sys.prefix
        assert reply.prediction[2] == ""

    def test_the_environment_is_emptied(self, backend, monkeypatch):
        monkeypatch.setenv("DGM_TEST_SECRET_KEY", "sentinel-4711")
        reply = solve(backend, "return dict(os.environ)")
        assert "sentinel-4711" not in json.dumps(reply.prediction)
        assert reply.prediction.keys() - {"PWD"} == {
            "PATH", "HOME", "TMPDIR", "LANG", "TZ", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE"
        }  # fmt: skip

    def test_a_genome_may_be_a_command_in_any_language(self, backend):
        script = b"read line; case $line in *'\"x\": 21'*) echo note >&2; printf '{\"prediction\": 42}\\n';; esac\n"
        spec = Start(entry=None, command=("/bin/sh", "{genome}/agent/solve.sh"))
        with AgentSession(backend, {"agent/solve.sh": script}, spec, "agent", LIMITS) as session:
            good, silent = ask(session, x=21), ask(session, x=22)
        assert (good.status, good.prediction, good.log) == (Status.OK, 42, "note\n")
        assert silent.status == Status.WRONG

    def test_a_command_that_prints_something_else_is_invalid(self, backend):
        printed = [b"hello", b'{"prediction": 1} {"prediction": 2}', b'{"prediction": NaN}', b"[1]", b'{"score": 1}']
        files = {f"agent/{k}": text for k, text in enumerate(printed)}
        files["agent/solve.sh"] = b"cat $1/agent/$(sed 's/.*k.: \\([0-9]\\).*/\\1/')"
        spec = Start(entry=None, command=("/bin/sh", "{genome}/agent/solve.sh", "{genome}"))
        with AgentSession(backend, files, spec, "agent", LIMITS) as session:
            for k, text in enumerate(printed):
                reply = ask(session, k=k)
                assert reply.status == Status.INVALID, (text, reply)

    def test_the_meta_agent_edits_a_copy_and_reads_the_feedback(self, backend):
        body = """
        note = open(eval_path + '/README.md').read()
        os.remove(repo_path + '/agent/old.py')
        open(repo_path + '/agent/new.py', 'w').write(note * iterations_left)
        return 'done ' + str(random.random())
        """
        genome = meta_agent(body) | {"agent/old.py": b"old", "agent/kept.py": b"kept"}
        with AgentSession(backend, genome, META, "meta", LIMITS, feedback={"README.md": b"n"}) as session:
            first, second = (session.improve(genome, iterations_left=3, seed=5) for _ in range(2))
        assert first == second
        assert first.refused == []
        assert first.files == {**meta_agent(body), "agent/new.py": b"nnn", "agent/kept.py": b"kept"}

    def test_a_meta_agent_that_met_a_limit_and_went_on_keeps_its_edit(self, backend):
        body = """
        try:
            while True:
                subprocess.Popen(['sleep', '60'])
        except OSError:
            open(repo_path + '/agent/new.py', 'w').write('new')
        """
        genome = meta_agent(body)
        with AgentSession(backend, genome, META, "meta", LIMITS) as session:
            assert session.improve({"agent/a.py": b"a"}, 1, 1).files == {"agent/a.py": b"a", "agent/new.py": b"new"}

    def test_a_meta_agent_that_raises_has_failed(self, backend):
        genome = meta_agent("raise KeyError('no idea')")
        with AgentSession(backend, genome, META, "meta", LIMITS) as session, pytest.raises(AgentFailed) as caught:
            session.improve(genome, 0, 1)
        assert caught.value.status is Status.WRONG
        assert "no idea" in caught.value.reason

    def test_a_genome_chooses_a_parent_among_the_candidates_only(self, backend):
        top = "def select(candidates, seed): return candidates[seed]['id'] if seed < 9 else 99"
        with AgentSession(backend, meta_agent("pass", top), META, "meta", LIMITS) as session:
            assert session.select([{"id": 4}, {"id": 8}], 1) == 8
            with pytest.raises(AgentFailed) as caught:
                session.select([{"id": 4}], 9)
            assert caught.value.status is Status.INVALID

    @pytest.mark.slow
    def test_fifty_megabytes_go_there_and_back(self, backend):
        content = os.urandom(1 << 20) * 50
        genome = meta_agent("os.rename(repo_path + '/agent/big', repo_path + '/agent/moved')")
        limits = replace(LIMITS, disk_mb=128, answer_kb=60_000)
        with AgentSession(backend, genome, META, "meta", limits) as session:
            improved = session.improve({"agent/big": content}, 1, 1)
        assert improved.refused == []
        assert improved.files == {"agent/moved": content}

    def test_only_plain_files_are_taken_and_all_else_is_named(self, backend):
        body = r"""
        os.chdir(repo_path)
        os.symlink('/etc/passwd', 'link'); os.symlink('/etc', 'folder-link'); os.mkfifo('pipe')
        os.link('good.py', 'twin'); socket.socket(socket.AF_UNIX).bind('socket')
        for name in (b'new\nline', b'back\\slash', b'\xff', b'\xe2\x80\xae'):
            open(name, 'w').close()
        os.makedirs('/'.join(['d'] * 40))
        os.mkdir('closed'); open('closed/in.py', 'w').write('in'); os.chmod('closed', 0)
        """
        genome = meta_agent(body)
        with AgentSession(backend, genome, META, "meta", LIMITS) as session:
            improved = session.improve({"good.py": b"1", "other.py": b"2"}, 1, 1)
        assert improved.files == {"other.py": b"2", "closed/in.py": b"in"}
        assert sorted(line.rsplit(": ", 1)[1] for line in improved.refused) == sorted(
            ["a hard link"] * 2 + ["a symbolic link"] * 2 + ["a pipe", "a socket", "too deep"] + ["an odd name"] * 4
        )


class TestWhatAnAgentCanAnswer:
    @pytest.mark.parametrize(
        "expression",
        [
            "float('nan')", "[float('inf')]", "(1,)", "{1, 2}", "{1: 2}", "b'x'", "object()", "10 ** 5000",
            "type('S', (str,), {})('x')", "type('F', (float,), {})(1)", "type('E', (), {'__eq__': lambda *a: True})()",
            "[l := [], l.append(l)]",
        ],
    )  # fmt: skip
    def test_what_is_no_plain_json_is_invalid(self, backend_in_turn, expression):
        assert ask(backend_in_turn, code=f"return {expression}").status == Status.INVALID

    @pytest.mark.parametrize(
        ("code", "status", "text"),
        [
            ("raise ValueError('why')", Status.WRONG, "ValueError: why"),
            ("sys.exit(0)", Status.WRONG, "SystemExit"),
            ("os._exit(0)", Status.WRONG, "exit code 0"),
            ("os.abort()", Status.WRONG, "exit code -6"),
            ("f = lambda: f()\nf()", Status.WRONG, "RecursionError"),
            ("class E(Exception):\n  def __str__(self): raise E\nraise E", Status.WRONG, "cannot be shown"),
            ("return 'x' * 300_000", Status.OUTPUT, "longer"),
            ("raise MemoryError", Status.OOM, ""),
            ("raise OSError(28, 'no space')", Status.DISK, ""),
        ],
    )
    def test_a_failure_has_its_status_and_the_next_task_goes_on(self, backend_in_turn, code, status, text):
        reply = ask(backend_in_turn, code=code)
        assert (reply.status, text in reply.error) == (status, True)
        assert ask(backend_in_turn, code="return 1").prediction == 1

    def test_odd_characters_are_kept_as_text(self, backend_in_turn):
        code = "print('\\udcff\\0\\x1b[31m'); sys.stdout.buffer.write(b'\\xff'); return '\\ud800\\0'"
        reply = ask(backend_in_turn, code=code)
        assert (reply.status, reply.prediction) == (Status.OK, "\\ud800\0")
        assert reply.log == "\\udcff\0\x1b[31m\n\\xff"

    def test_printing_frames_and_results_forges_nothing(self, backend_in_turn):
        code = """
        line = json.dumps({'op': 'work', 'id': inputs.get('id'), 'prediction': 'forged'})
        frame = len(line).to_bytes(4, 'big') + line.encode()
        for fd in (1, 2):
            os.write(fd, frame + b'\\n')
        return 'honest'
        """
        reply = ask(backend_in_turn, code=code)
        assert (reply.status, reply.prediction) == (Status.OK, "honest")

    def test_writing_into_inherited_descriptors_is_tampering(self, backend_in_turn):
        code = """
        for fd in range(3, 256):
            try:
                os.write(fd, b'{"prediction": "forged"}')
            except OSError:
                pass
        return 'honest'
        """
        assert ask(backend_in_turn, code=code).status == Status.TAMPERED

    @settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.binary(max_size=60))
    def test_whatever_bytes_a_worker_leaves_there_is_a_reply(self, backend_in_turn, data):
        code = f"""
        for fd in range(3, 256):
            try:
                os.write(fd, {data!r})
            except OSError:
                pass
        os._exit(0)
        """
        assert ask(backend_in_turn, code=code).status in (Status.OK, Status.WRONG, Status.INVALID, Status.TAMPERED)

    @pytest.mark.parametrize("victim", ["os.getppid()", "int(open(f'/proc/{os.getppid()}/stat').read().split()[3])"])
    def test_ending_the_process_that_asks_is_tampering_and_a_new_sandbox_follows(self, backend_in_turn, victim):
        assert ask(backend_in_turn, code=f"os.kill({victim}, 9); time.sleep(9)").status == Status.TAMPERED
        assert ask(backend_in_turn, code="return 1").prediction == 1


EXEC = """
import textwrap
space = {}
code = 'def f(inputs):\\n' + textwrap.indent(textwrap.dedent(inputs['code']), ' ')
exec(code, globals(), space)
return space['f'](inputs)
"""


@pytest.fixture(scope="module", params=EVERY_BACKEND)
def backend_in_turn(request):
    """A session of an agent that does the code it is given, shared by tests that must not disturb one another."""
    with agent_session(request.param(), task_agent(EXEC)) as session:
        yield session


class TestNothingIsShared:
    NOTES = """
    places = [os.environ['HOME'], os.environ['TMPDIR'], os.environ['HOME'] + '/..', os.environ['HOME'] + '/../shm']
    global COUNT
    COUNT += 1
    found = [COUNT]
    for place in places:
        found.append(sorted(os.listdir(place)))
        found.append([os.stat(place).st_mode, os.listxattr(place)])
        open(place + '/note', 'w').write('x')
        os.chmod(place, 0o700)
    os.makedirs('deep' + '/d' * 20)
    os.chmod('deep', 0)
    if subprocess.run(['sh', '-c', 'grep -sq 8642[2] /proc/[0-9]*/cmdline']).returncode == 0:
        found.append('a process is left')
    subprocess.Popen(['setsid', 'sleep', '86422'])
    random.random()
    return [inputs['x'], found]
    """

    def test_verdicts_do_not_depend_on_order_or_batching(self, backend):
        genome = task_agent(self.NOTES, top="COUNT = 0")
        with agent_session(backend, genome) as session:
            forwards = [ask(session, x=x) for x in range(4)]
            backwards = [ask(session, x=x) for x in reversed(range(4))][::-1]
        alone = []
        for x in range(2):
            with agent_session(backend, genome) as session:
                alone.append(ask(session, x=x))
        assert [r.status for r in forwards + backwards + alone] == [Status.OK] * 10
        assert [r.prediction[0] for r in forwards] == [0, 1, 2, 3]
        assert [r.prediction for r in forwards] == [r.prediction for r in backwards]
        if backend.name != "local":  # its folder has another name each time
            assert [r.prediction for r in forwards[:2]] == [r.prediction for r in alone]
        assert processes("86422") == []

    def test_an_entrys_own_processes_do_not_outlive_its_import(self, backend):
        top = "subprocess.Popen(['sleep', '86423'])"
        with agent_session(backend, task_agent("return 1", top)) as session:
            session.load()
            assert processes("86423") == []
            assert ask(session).prediction == 1


class TestLimits:
    @pytest.mark.parametrize(
        "body",
        [
            "time.sleep(60)",
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass",
            pytest.param("os.kill(os.getpid(), signal.SIGSTOP)", marks=pytest.mark.slow),
            "os.kill(os.getppid(), signal.SIGSTOP); time.sleep(60)",
        ],
        ids=["sleep", "spin", "stop", "stop-parent"],
    )
    def test_still_running_is_a_timeout_with_what_was_printed(self, backend, body):
        marker = f"86431.{secrets.randbelow(10**9):09}"  # the tests on an engine run beside those of the other backends
        with agent_session(backend, task_agent(EXEC), seconds=0.5) as session:
            reply = ask(session, code=f"print('begun'); subprocess.Popen(['sleep', '{marker}'])\n{body}")
            assert (reply.status, reply.log) == (Status.TIMEOUT, "begun\n")
            assert processes(marker) == []
            assert ask(session, code="return 1").prediction == 1

    def test_a_grandchild_that_keeps_the_output_open_holds_nobody_up(self, backend_in_turn):
        body = """
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execvp('sleep', ['sleep', '86432'])
            os._exit(0)
        return 'done'
        """
        assert ask(backend_in_turn, code=body).prediction == "done"
        assert processes("86432") == []

    @pytest.mark.parametrize(
        "body",
        [
            "data = bytearray(b'x') * (1 << 34)",
            "parts = []\nwhile True: parts.append(bytearray(os.urandom(1 << 12)) * 256)",
        ],
        ids=["at-once", "slowly"],
    )
    def test_a_memory_bomb_is_out_of_memory_and_not_late(self, backend, body):
        with agent_session(backend, task_agent(EXEC)) as session:
            assert ask(session, code=body).status == Status.OOM
            assert ask(session, code="return 1").prediction == 1

    @pytest.mark.parametrize(
        "body",
        [
            "while True: os.fork()",
            pytest.param("while True: subprocess.Popen(['sleep', '60'])", marks=pytest.mark.slow),
            "while True: threading.Thread(target=time.sleep, args=(60,)).start()",
            pytest.param("while True:\n try: os.fork()\n except OSError: time.sleep(1)", marks=pytest.mark.slow),
        ],
        ids=["forks", "commands", "threads", "stubborn"],
    )
    def test_a_fork_bomb_meets_the_limit_of_processes(self, backend, body):
        if not held(backend, "pids"):
            pytest.skip("local cannot limit processes without a control group")
        assert solve(backend, body, seconds=1).status == Status.PIDS

    @pytest.mark.parametrize(
        "body", ["open('a', 'wb').truncate(1 << 40)", "open('a', 'wb').write(bytes(1 << 26))"], ids=["sparse", "one"]
    )
    def test_a_file_beyond_the_limit_is_refused(self, backend_in_turn, body):
        assert ask(backend_in_turn, code=body).status == Status.DISK

    def test_endless_output_keeps_its_head_and_tail_and_the_hosts_memory(self, backend_in_turn):
        body = """
        print('first')
        for _ in range(1500):
            os.write(1, b'x' * 10_000)
            os.write(2, b'y' * 10_000)
        print('last')
        return 1
        """
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        reply = ask(backend_in_turn, code=body)
        assert reply.prediction == 1
        assert (reply.log.startswith("first\n"), reply.log.endswith("last\n")) == (True, True)
        assert "bytes left out" in reply.log
        assert len(reply.log) < LIMITS.log_kb * 1024 + 100
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB, of 30,000 that were printed


class TestStarting:
    @pytest.mark.parametrize(
        ("top", "status", "text"),
        [
            ("raise ValueError('broken')", Status.WRONG, "ValueError: broken"),
            ("def (", Status.WRONG, "SyntaxError"),
            ("import nothing_like_it", Status.WRONG, "nothing_like_it"),
            ("os._exit(0)", Status.TAMPERED, "ended"),
            ("time.sleep(60)", Status.TIMEOUT, "time was up"),
        ],
    )
    def test_an_entry_that_does_not_start_fails_every_task_and_nothing_else(self, backend, top, status, text):
        with agent_session(backend, task_agent("return 1", top), seconds=0.7) as session:
            with pytest.raises(AgentFailed) as caught:
                session.load()
            assert (caught.value.status, text in caught.value.reason) == (status, True)
            assert ask(session).status == status

    def test_an_entry_without_its_class_does_not_start(self, backend):
        with (
            agent_session(backend, {"agent/task_agent.py": b""}) as session,
            pytest.raises(AgentFailed, match="TaskAgent"),
        ):
            session.load()

    def test_halves_import_their_neighbours_and_shadow_nothing_of_the_runners(self, backend):
        files = {
            "agent/helper.py": b"X = 1",
            "shared/deep.py": b"Y = 2",
            "agent/json.py": b"boom",
            "agent/random.py": b"boom",
        }
        top = "import helper, shared.deep"
        with agent_session(backend, task_agent("return helper.X + shared.deep.Y", top) | files) as session:
            assert ask(session).prediction == 3

    def test_a_session_runs_one_command(self, backend):
        with backend.open({}, LIMITS) as session:
            assert session.start(["/bin/true"]).wait(20) == 0
            with pytest.raises(SandboxUnavailable):
                session.start(["/bin/true"])

    def test_a_process_can_be_killed_and_says_how_it_ended(self, backend):
        with backend.open({"a/b": b"text"}, LIMITS) as session:
            process = session.start(["/bin/cat", f"{session.base}/files/a/b", "-"])
            assert process.stdout.read(4) == b"text"
            assert process.poll() is None
            process.kill()
            assert process.wait(20) in (-signal.SIGKILL, 128 + signal.SIGKILL)
            assert session.ending() is None


@pytest.fixture(scope="module", params=EVERY_BACKEND)
def judge(request):
    """A judge's session, shared by candidates that must not disturb one another."""
    with JudgeSession(request.param(), LIMITS) as judge:
        yield judge


class TestJudging:
    def call(self, judge, source, calls, seconds=0.5):
        return [o.error if o.error else o.value for o in judge.call(source, "f", calls, seconds)]

    def test_values_come_back_as_plain_json(self, judge):
        source = (
            "def f(k): return [(1, {3, 2}), range(3), (i for i in 'ab'), {'a': (1,)}, None, True, 1.0, 10 ** 30][k]"
        )
        assert self.call(judge, source, [[k] for k in range(8)]) == [
            [1, [2, 3]], [0, 1, 2], ["a", "b"], {"a": [1]}, None, True, 1.0, 10**30
        ]  # fmt: skip

    def test_each_call_has_its_own_fate_and_the_rest_go_on(self, judge):
        source = """
import os, signal, time
def f(k):
    if k == 1: raise ValueError
    if k == 2: return object()
    if k == 3:
        while True: pass
    if k == 4: os._exit(0)
    if k == 5: return float('nan')
    if k == 6: sum(range(10 ** 12))
    if k == 7: raise MemoryError
    if k == 8: return 'x' * 300_000
    if k == 9: return (yield_ for yield_ in iter(int, 1))
    return k
"""
        assert self.call(judge, source, [[k] for k in range(11)], 0.3) == [
            0, Status.WRONG, Status.INVALID, Status.TIMEOUT, Status.WRONG, Status.INVALID, Status.TIMEOUT, Status.OOM,
            Status.OUTPUT, Status.TIMEOUT, 10,
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("source", "status"),
        [
            ("def f(:", Status.WRONG),
            ("g = 1", Status.WRONG),
            ("import os; os._exit(0)", Status.WRONG),
            ("while True: pass", Status.TIMEOUT),
            (
                "import os, gc\nfor fd in range(3, 99):\n try: os.write(fd, b'{}\\n' * 9)\n except OSError: pass",
                Status.TAMPERED,
            ),
        ],
    )
    def test_a_source_that_does_not_load_fails_every_call(self, judge, source, status):
        assert self.call(judge, source, [[1], [2]]) == [status] * 2

    def test_a_candidate_that_disarms_its_alarm_still_ends(self, judge):
        source = "import signal\ndef f(k):\n signal.setitimer(signal.ITIMER_REAL, 0)\n while k: pass\n return k"
        assert self.call(judge, source, [[0], [1], [0]], 0.4) == [0, Status.TIMEOUT, Status.TIMEOUT]

    def test_arguments_and_state_of_other_calls_do_not_leak(self, judge):
        shared = [[1, 2]]
        source = "seen = []\ndef f(xs): xs.append(9); seen.append(1); return [xs, len(seen)]"
        first = judge.call(source, "f", [shared, shared])
        second = judge.call(source, "f", [shared])
        assert [o.value for o in first] == [[[1, 2, 9], 1], [[1, 2, 9], 2]]
        assert second[0].value == [[1, 2, 9], 1]
        assert shared == [[1, 2]]

    def test_no_calls_are_no_outcomes(self, judge):
        assert self.call(judge, "def f(): pass", []) == []


class TestTheEnd:
    def test_closing_leaves_no_process_folder_or_group(self, backend):
        with agent_session(
            backend, task_agent("subprocess.Popen(['sleep', '86441']); time.sleep(60)"), seconds=0.3
        ) as session:
            session.load()
            first = traces(session)
            assert ask(session).status == Status.TIMEOUT
            session.load()
            second = traces(session)
            assert first and not any(path.exists() for path in first)
            assert all(path.exists() for path in second)
            session.close()
            session.close()
        assert not any(path.exists() for path in second)
        assert processes("86441") == []

    @pytest.mark.parametrize("on_this_host", [local, bubblewrap])
    def test_a_killed_supervisor_takes_its_session_along_and_closing_cleans_up(self, on_this_host):
        with agent_session(on_this_host(), task_agent("time.sleep(60)")) as session:
            session.load()
            left = traces(session)
            session._open._session._world._supervisor.kill()
            assert ask(session).status == Status.TAMPERED
        until(lambda: not any(path.exists() for path in left))

    def test_a_session_outlives_the_thread_that_opened_it(self, backend):
        with agent_session(backend, task_agent("return 1")) as session:
            thread = threading.Thread(target=session.load)
            thread.start()
            thread.join()
            first = session._open
            assert ask(session).prediction == 1
            assert session._open is first

    def test_a_killed_kernel_leaves_no_process_folder_or_group(self, backend):
        program = f"""
import sys
from tests.sandbox.worlds import *
genome = task_agent("os.system('setsid sleep 86442 &'); time.sleep(60)")
with agent_session({type(backend).__name__}(), genome, seconds=60) as session:
    session.load()
    print(*traces(session), flush=True)
    ask(session)
"""
        kernel = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        with kernel:
            left = [Path(path) for path in kernel.stdout.readline().split()]
            assert left and all(path.exists() for path in left)
            until(lambda: processes("86442"))
            kernel.kill()
        until(lambda: not processes("86442") and not any(path.exists() for path in left))


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)

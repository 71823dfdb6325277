"""Agents in real sandboxes ask a scripted model through the relay: who may, what comes back, and what never does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from dgm.errors import AgentFailed, ModelUnavailable, Status
from dgm.evaluation.session import AgentSession
from dgm.gateway import Role
from dgm.gateway.cache import CallStore
from dgm.gateway.desk import AT_ONCE
from dgm.gateway.faults import Patience
from dgm.gateway.http import HttpUpstream
from dgm.gateway.lines import Line
from dgm.sandbox.bubblewrap import Bubblewrap
from dgm.sandbox.local import Local
from dgm.testing import Flaw, ScriptedModels
from tests.gateway.worlds import PRICE, gateway, session
from tests.sandbox.test_contract import EXEC
from tests.sandbox.worlds import LIMITS, META, Start, docker, meta_agent, task_agent

SECRET = "sk-sentinel-3141592653589793"

bubblewrap = pytest.param(Bubblewrap, id="bubblewrap", marks=pytest.mark.needs("bubblewrap"))
BACKENDS = [pytest.param(Local, id="local"), bubblewrap, docker]


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request):
    return request.param()


@pytest.fixture
def server() -> Iterator[ScriptedModels]:
    with ScriptedModels(lambda request: f"echo {request['messages'][-1]['content']}", price=PRICE) as server:
        yield server


@pytest.fixture
def made(server, tmp_path):
    with gateway(HttpUpstream(server.url, SECRET, seconds=5), tmp_path) as made:
        yield made


@pytest.fixture
def seat(backend, made) -> Iterator[AgentSession]:
    """A session whose task runs the code it is given."""
    with session(backend, EXEC, made.desk(Role.AGENT, agent=4, proposal=5)) as opened:
        yield opened


def run(seat: AgentSession, code: str, name: str = "t"):
    return seat.task({"code": code}, {"kind": "text"}, {}, 7, name=name)


def answer(seat: AgentSession, code: str, name: str = "t"):
    reply = run(seat, code, name)
    assert reply.status == Status.OK, reply
    return reply.prediction


def test_an_agent_asks_and_the_kernel_knows_who_it_was(seat, made, server):
    assert answer(seat, "return chat('hello')", "grading/train/q1") == "echo hello"
    assert answer(seat, "return [chat('a'), chat('b', model='other')]", "grading/train/q2") == ["echo a", "echo b"]
    calls = [call for _, call in made.store.since(0)]
    assert [(c.key.scope.task, c.model) for c in calls] == [
        ("grading/train/q1", "m"),
        ("grading/train/q2", "m"),
        ("grading/train/q2", "other"),
    ]
    assert {(c.key.scope.role, c.key.scope.agent, c.key.scope.proposal) for c in calls} == {(Role.AGENT, 4, 5)}
    assert server.count.authorizations == {f"Bearer {SECRET}"}


def test_a_meta_agent_asks_in_its_own_role(backend, made):
    body = """
    import urllib.request
    headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"}
    data = json.dumps({"messages": [{"role": "user", "content": "improve"}]}).encode()
    request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", data, headers)
    return json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"]
    """
    files = meta_agent(body)
    desk = made.desk(Role.META, agent=0, proposal=1)
    with AgentSession(backend, files, META, "meta", LIMITS, feedback={"a": b"1"}, desk=desk) as opened:
        assert opened.improve(files, 0, 1).summary == "echo improve"
    ((_, call),) = made.store.since(0)
    assert (call.key.scope.role, call.key.scope.agent, call.key.scope.proposal) == (Role.META, 0, 1)


OWN_CLIENT = b"""
import urllib.request
def urlopen(*args, **kwargs):
    raise SystemExit("mine")
urllib.request.urlopen = urlopen
class TaskAgent:
    def __init__(self, model, chat): pass
    def forward(self, inputs): return "works"
"""


def test_what_a_session_does_ahead_for_its_workers_is_no_call_and_no_reason_not_to_start(backend, made, server):
    for files in (task_agent("return 1", "import urllib.request"), {"agent/task_agent.py": OWN_CLIENT}):
        with AgentSession(backend, files, Start(), "agent", LIMITS, desk=made.desk(Role.AGENT)) as opened:
            opened.load()
    assert server.count.calls == 0 and not made.store.since(0)


def test_a_session_without_a_gateway_offers_none(backend):
    with session(backend, EXEC, None) as opened:
        assert answer(opened, "return sorted(k for k in os.environ if k.startswith('OPENAI'))") == []


def test_the_model_is_named_to_the_agent(backend, made):
    source = b"class TaskAgent:\n def __init__(self, model, chat): self.model = model\n"
    source += b" def forward(self, inputs): return self.model\n"
    desk = made.desk(Role.AGENT, models=("other",))
    with AgentSession(backend, {"agent/task_agent.py": source}, Start(), "agent", LIMITS, desk=desk) as opened:
        assert opened.task({}, {"kind": "text"}, {}, 7).prediction == "openai/other"


class TestTokens:
    def test_a_wrong_token_is_401(self, seat, server):
        status, body = answer(seat, "return post('/chat/completions', {'messages': []}, token='guess')")
        assert (status, json.loads(body)["error"]["code"]) == (401, "invalid_api_key")
        assert server.count.calls == 0

    def test_a_tasks_token_dies_with_it(self, seat):
        old = answer(seat, "return os.environ['OPENAI_API_KEY']")
        assert answer(seat, f"return post('/models', None, token={old!r})[0]") == 401
        assert answer(seat, "return post('/models', None)[0]") == 200

    def test_a_client_made_at_import_works_in_a_task_and_not_at_import(self, backend, made):
        top = "KEY = os.environ['OPENAI_API_KEY']\nEARLY = post('/models', None)[0]\n"
        with session(backend, "return [EARLY, post('/models', None, token=KEY)[0]]", made.desk(Role.AGENT), top) as s:
            assert s.task({}, {"kind": "text"}, {}, 7).prediction == [401, 200]


class TestHttp:
    def test_a_stream_of_events_ends_as_it_should(self, seat):
        code = """
        body = {'stream': True, 'messages': [{'role': 'user', 'content': 'x'}]}
        return post('/chat/completions', body)[1].strip().splitlines()[-1]
        """
        assert answer(seat, code) == "data: [DONE]"

    def test_a_connection_is_kept_and_requests_on_it_may_come_together(self, seat):
        code = """
        host = os.environ['OPENAI_BASE_URL'].split('/')[2]
        head = 'Authorization: Bearer ' + os.environ['OPENAI_API_KEY'] + '\\r\\n\\r\\n'
        link = socket.create_connection(host.split(':'))
        link.sendall(('GET /v1/models HTTP/1.1\\r\\n' + head).encode() * 3)
        got = b''
        while got.count(b'"object": "list"') < 3:
            got += link.recv(1 << 16)
        return got.count(b'HTTP/1.1 200 OK')
        """
        assert answer(seat, code) == 3

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            (b"nonsense\r\n\r\n", 400),
            (b"x" * 70_000, 400),
            (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            (b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
            (b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
            (b"GET /v1/models HTTP/1.1\r\n\r\n", 401),
            (b"GET /v1/models HTTP/1.1\r\n\r\n" * 3_000, 401),
            (b"GET /v1/files HTTP/1.1\r\nAuthorization: Bearer %TOKEN%\r\n\r\n", 404),
        ],
    )
    def test_what_is_no_request_is_refused_and_the_next_is_served(self, seat, sent, status):
        code = f"""
        link = socket.create_connection(os.environ['OPENAI_BASE_URL'].split('/')[2].split(':'))
        link.sendall({sent!r}.replace(b'%TOKEN%', os.environ['OPENAI_API_KEY'].encode()))
        return [link.recv(1 << 16)[:12].decode(), chat('still there')]
        """
        assert answer(seat, code) == [f"HTTP/1.1 {status}", "echo still there"]

    def test_large_bodies_go_both_ways_at_once(self, seat, server):
        """Full pipes in both directions do not wait for each other."""
        server.script = lambda request: "w" * 800_000
        code = """
        sizes = []
        def one(n):
            for k in range(3):
                text = f'{n} {k}' + 'x' * 800_000
                sizes.append(len(post('/chat/completions', {'messages': [{'role': 'user', 'content': text}]})[1]))
        threads = [threading.Thread(target=one, args=(n,)) for n in range(4)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        return sizes
        """
        assert [size > 800_000 for size in answer(seat, code)] == [True] * 12

    def test_more_calls_than_may_be_under_way_wait_for_their_turn(self, seat, server):
        code = f"""
        got = []
        threads = [threading.Thread(target=lambda n=n: got.append(chat(str(n)))) for n in range({AT_ONCE + 4})]
        [t.start() for t in threads]
        [t.join() for t in threads]
        return len(set(got))
        """
        assert answer(seat, code) == AT_ONCE + 4
        assert server.count.at_once <= AT_ONCE

    def test_connections_that_say_nothing_do_not_keep_others_out_for_ever(self, seat):
        code = """
        address = os.environ['OPENAI_BASE_URL'].split('/')[2].split(':')
        idle = [socket.create_connection(address) for _ in range(63)]
        said = chat('a')
        [link.close() for link in idle]
        return [said, chat('b')]
        """
        assert answer(seat, code) == ["echo a", "echo b"]


class TestEnds:
    def test_calls_that_are_under_way_when_a_task_ends_are_dropped(self, backend, tmp_path):
        gate = threading.Event()
        with (
            ScriptedModels(lambda request: "late", gate=lambda: gate.wait(10)) as slow,
            gateway(slow, tmp_path) as made,
            session(backend, EXEC, made.desk(Role.AGENT, agent=1, proposal=1)) as seat,
        ):
            code = """
            threading.Thread(target=chat, args=('x',), daemon=True).start()
            time.sleep(0.3)
            return 'done'
            """
            assert answer(seat, code) == "done"
            assert slow.count.calls == 1
            gate.set()
            assert answer(seat, "return chat('again')") == "late"

    def test_a_task_that_waits_too_long_for_a_slow_model_is_late(self, made, server):
        gate = threading.Event()
        server.gate = lambda: gate.wait(10)
        with session(Local(), EXEC, made.desk(Role.AGENT), seconds=0.4) as seat:
            assert run(seat, "return chat('x')").status == Status.TIMEOUT
        gate.set()

    def test_a_task_that_was_held_up_by_faults_is_not_the_agents_failure(self, made, server):
        server.faults = lambda call, request: Flaw(503)
        patient = Patience(tries=100, base=0.05, cap=0.05)
        with (
            gateway(server, _fresh(made), rules={"patience": patient}) as held_up,
            session(Local(), EXEC, held_up.desk(Role.AGENT), seconds=0.4) as seat,
            pytest.raises(ModelUnavailable),
        ):
            run(seat, "return chat('x')")

    def test_an_agent_that_gives_up_on_a_call_that_was_held_up_is_not_scored(self, made, server):
        server.faults = lambda call, request: Flaw(503)
        patient = Patience(tries=100, base=0.05, cap=0.05)
        code = """
        link = socket.create_connection(os.environ['OPENAI_BASE_URL'].split('/')[2].split(':'))
        body = b'{"messages": [{"role": "user", "content": "x"}]}'
        token = os.environ['OPENAI_API_KEY']
        head = f'Authorization: Bearer {token}\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n'
        link.sendall(b'POST /v1/chat/completions HTTP/1.1\\r\\n' + head.encode() + body)
        time.sleep(0.5)
        link.close()
        time.sleep(0.2)
        return 'a guess'
        """
        with (
            gateway(server, _fresh(made), rules={"patience": patient}) as held_up,
            session(Local(), EXEC, held_up.desk(Role.AGENT)) as seat,
            pytest.raises(ModelUnavailable),
        ):
            run(seat, code)

    def test_an_agent_that_holds_up_its_own_calls_for_ever_is_late_after_all(self, made, server, monkeypatch):
        """Its provider fails on what it asks and answers others; its time is up before it could be told so."""
        monkeypatch.setattr("dgm.gateway.lines.HELD_UP", 3)
        server.faults = lambda call, request: Flaw(500) if "poison" in str(request["messages"]) else None
        with gateway(server, _fresh(made), rules={"patience": Patience(tries=100, base=0.05, cap=0.05)}) as held_up:
            line = Line(held_up, agent=1, proposal=1, models=("m",))
            tried = []

            def work():
                tried.append(1)
                with session(Local(), EXEC, line.desk(), seconds=0.4) as seat:
                    return run(seat, "return chat(f'poison {time.time()}')")

            with pytest.raises(AgentFailed) as caught:
                line.patiently(work)
            assert (caught.value.status, len(tried)) == (Status.TIMEOUT, 3)
            with session(Local(), EXEC, held_up.desk(Role.AGENT)) as seat:
                assert answer(seat, "return chat('hello')") == "echo hello"

    def test_an_outage_ends_the_task_and_the_next_one_waits_for_the_provider(self, backend, made, server):
        server.faults = lambda call, request: Flaw(503) if call < 8 else None
        with session(backend, EXEC, made.desk(Role.AGENT, agent=1, proposal=1)) as seat:
            with pytest.raises(ModelUnavailable):
                run(seat, "try:\n return chat('x')\nexcept BaseException:\n return 'gave up'")
            with pytest.raises(ModelUnavailable):
                run(seat, "return 1")
            assert made.wait()
            assert answer(seat, "return chat('x')") == "echo x"


@pytest.mark.needs("bubblewrap")
def test_the_key_is_in_no_sandbox_log_record_or_reply(server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An agent prints whatever it can reach while its provider repeats the key in answers and errors."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    server.script = lambda request: f"the key is {SECRET}"
    server.faults = lambda call, request: (
        Flaw(400, body=json.dumps({"error": {"message": f"key {SECRET}"}})) if call == 1 else None
    )
    code = """
    seen = [chat('a'), post('/chat/completions', {'messages': [{'role': 'user', 'content': 'b'}]})]
    for pid in filter(str.isdigit, os.listdir('/proc')):
        for name in ('cmdline', 'environ', 'status', 'maps', 'net/tcp'):
            try:
                seen.append(open(f'/proc/{pid}/{name}', 'rb').read().decode(errors='replace'))
            except OSError:
                pass
        try:
            for fd in os.listdir(f'/proc/{pid}/fd'):
                seen.append(os.readlink(f'/proc/{pid}/fd/{fd}'))
        except OSError:
            pass
    for top, folders, files in os.walk('/'):
        if top == '/':
            folders[:] = ['files', 'work', 'tmp']
        for name in files:
            try:
                seen.append(open(os.path.join(top, name), 'rb').read(10_000).decode(errors='replace'))
            except OSError:
                pass
    print(json.dumps(seen))
    return json.dumps(seen)
    """
    with gateway(HttpUpstream(server.url, SECRET, seconds=5), tmp_path) as made:
        with session(Bubblewrap(), EXEC, made.desk(Role.AGENT, agent=1, proposal=1), answer_kb=8_192) as seat:
            reply = run(seat, code)
        assert reply.status == Status.OK
        assert "the key is [key]" in reply.prediction
        assert SECRET not in repr(reply)
    assert server.count.authorizations == {f"Bearer {SECRET}"}
    for path in tmp_path.rglob("*"):
        assert SECRET.encode() not in path.read_bytes()
    store = CallStore(tmp_path, write=False)
    assert all(SECRET.encode() not in (store.find(call.key) or call).reply for _, call in store.since(0))
    store.close()


@pytest.mark.needs("bubblewrap")
def test_nothing_but_the_gateway_answers_in_a_sandbox_that_has_one(made):
    code = """
    def tried(*address):
        try:
            socket.create_connection(address, timeout=0.3)
            return True
        except OSError:
            return False
    port = int(os.environ['OPENAI_BASE_URL'].split(':')[2].split('/')[0])
    return [tried('127.0.0.1', port), tried('127.0.0.1', 22), tried('192.0.2.1', 80), tried('169.254.169.254', 80)]
    """
    with session(Bubblewrap(), EXEC, made.desk(Role.AGENT)) as seat:
        assert answer(seat, code) == [True, False, False, False]


def _fresh(made) -> Path:
    folder = made.store._path.parent / "fresh"
    folder.mkdir()
    return Path(folder)

"""The behaviours of a good sandbox, whosever code runs there: what goes in comes out, what ends is told as it was."""

from __future__ import annotations

import hashlib
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import dgm
from dgm.errors import AgentFailed, SandboxUnavailable, Status
from dgm.sandbox.check.bench import (
    ARGUMENTS,
    ENVIRONMENT,
    LIMITS,
    ODD_ARGUMENTS,
    PATIENCE,
    Bench,
    Start,
    ask,
    differs,
    ended,
    fresh_mark,
    nothing,
    processes,
    remains,
    traces,
)
from dgm.sandbox.check.model import Check

AS_YOU = "the code runs as you"


def text(bench: Bench) -> str:
    told = bench.told
    count = told.sent.index(b"\n")
    return differs(told.out[:count].decode(errors="replace"), told.sent[:count].decode())


def binary(bench: Bench) -> str:
    told = bench.told
    return differs(len(told.out), len(told.sent), "bytes") or (
        "" if told.out == told.sent else "the bytes were changed"
    )


def error_stream(bench: Bench) -> str:
    return differs(bench.told.err.decode(errors="replace"), "to the error stream: ü\n")


def end_of_input(bench: Bench) -> str:
    return differs(bench.told.report["read"], len(bench.told.sent), "bytes read until the end")


def exit_code(bench: Bench) -> str:
    return differs(bench.told.code, 3)


def long_arguments(bench: Bench) -> str:
    count, length = ARGUMENTS
    whole = "\0".join([*["x" * length] * count, *ODD_ARGUMENTS])
    return differs(bench.told.report["arguments"], hashlib.sha256(whole.encode()).hexdigest())


def odd_arguments(bench: Bench) -> str:
    return differs([bytes.fromhex(item).decode() for item in bench.told.report["last"]], list(ODD_ARGUMENTS))


def environment(bench: Bench) -> str:
    found = {name: value for name, value in bench.told.report["environment"].items() if name != "PWD"}
    return differs(found, ENVIRONMENT)


def folder(bench: Bench) -> str:
    return differs(bench.told.report["folder"], bench.told.report["base"] + "/work")


def user(bench: Bench) -> str:
    report = bench.told.report
    return "root" if report["user"] == 0 else "" if 0 not in report["groups"] else "of the group root"


def interpreter(bench: Bench) -> str:
    report = bench.told.report
    if tuple(report["version"]) < (3, 11):
        return f"Python {report['version']}"
    return "it is this program's own" if report["prefix"] == sys.prefix != sys.base_prefix else ""


def few_descriptors(bench: Bench) -> str:
    """The three streams, the folder that is being listed, and what a C library may hold open besides."""
    extra = [fd for fd in bench.told.report["descriptors"] if fd > 3]
    return differs(extra, [], "open besides the three streams")


def signal_death(bench: Bench) -> str:
    code, _, ending = bench.command("/bin/sh", "-c", "kill -SEGV $$")
    return "" if code in (-signal.SIGSEGV, 128 + signal.SIGSEGV) and ending is None else f"{code}, {ending}"


def absent_command(bench: Bench) -> str:
    code, said, ending = bench.command("/no/such/command")
    if code == 0 or ending is not None:
        return f"exit code {code}, {ending}"
    return "" if b"/no/such/command" in said else f"it does not say which: {said.decode(errors='replace')[:100]}"


def one_command(bench: Bench) -> str:
    with bench.sandbox.open({}, LIMITS) as session:
        session.start(["/bin/true"]).wait(PATIENCE)
        try:
            session.start(["/bin/true"])
        except SandboxUnavailable:
            return ""
    return "a second command was started"


def kill(bench: Bench) -> str:
    mark = fresh_mark()
    with bench.sandbox.open({}, LIMITS) as session:
        process = session.start(["/bin/sh", "-c", f"setsid sleep 60 {mark} & echo on; sleep 60 {mark}"])
        if process.stdout.read(2) != b"on" or process.poll() is not None:
            return "it does not run"
        process.kill()
        code = process.wait(PATIENCE)
        left = processes(mark)
    return ("" if code in (-signal.SIGKILL, 128 + signal.SIGKILL) else f"exit code {code}") or differs(left, [], "left")


def files_in(bench: Bench) -> str:
    names = ["plain", "with space", ".hidden", "deep/" * 15 + "er", "ünï€", "x" * 200]
    with bench.sandbox.open({f"d/{name}": name.encode() * 3 for name in names} | {"d/empty": b""}, LIMITS) as session:
        script = 'cd "$1"; find . -type f | sort | while read -r name; do echo "$name"; cat "$name"; echo; done'
        process = session.start(["/bin/sh", "-c", script, "sh", f"{session.base}/files/d"], {"LC_ALL": "C"})
        said = process.stdout.read().decode(errors="replace")
    whole = "".join(f"./{name}\n{name * 3}\n" for name in names)
    return differs(sorted(said.split("\n")), sorted((whole + "./empty\n\n").split("\n")))


def inputs(bench: Bench) -> str:
    value = {"é": [1, -2.5, None, True, "€\n\0😀", {"": []}], "large": 2**80, "deep": [[[[]]]]}
    reply = bench.ask("work.give_back", value=value)
    return ended(reply, Status.OK) or differs(reply.prediction, value)


def answer_files(bench: Bench) -> str:
    content = bytes(range(256)) * 400
    wanted = {"kind": "files", "files": ["src/a.bin", "absent", "src/kept"]}
    order = {"module": "work", "probe": "reverse_file"}
    reply = bench.agent.task(order, wanted, {"src/a.bin": content, "src/kept": b"kept"}, 1)
    return ended(reply, Status.OK) or differs(dict(reply.files), {"src/a.bin": content[::-1], "src/kept": b"kept"})


def fresh_place(bench: Bench) -> str:
    reply = bench.ask("work.place")
    return ended(reply, Status.OK) or differs(
        reply.prediction, {"folder": True, "here": [], "temporary": [], "input": ""}
    )


def no_files_stay(bench: Bench) -> str:
    return ended(bench.ask("work.litter"), Status.OK) or fresh_place(bench)


def same_state(bench: Bench) -> str:
    with bench.session() as other:
        first, second, third = ask(other, "work.state"), bench.ask("work.state"), ask(other, "work.state")
    return (
        ended(first, Status.OK)
        or differs(second.prediction, first.prediction)
        or differs(third.prediction, first.prediction)
        or differs(first.prediction[0] if first.prediction else None, 1, "tasks since the import")
    )


def log(bench: Bench) -> str:
    return differs(bench.ask("work.say").log, "one\ntwo\nthree\nfour\nfive\n")


def exception(bench: Bench) -> str:
    reply = bench.ask("work.fail")
    return ended(reply, Status.WRONG) or ("" if "ValueError: the reason why" in reply.error else reply.error)


def silent_end(bench: Bench) -> str:
    return ended(bench.ask("work.leave", code=0), Status.WRONG) or ended(bench.ask("work.leave", code=5), Status.WRONG)


def sudden_death(bench: Bench) -> str:
    for number in (signal.SIGABRT, signal.SIGSEGV, signal.SIGKILL):
        if seen := ended(bench.ask("work.leave", signal=int(number)), Status.WRONG):
            return f"signal {number}: {seen}"
    return ""


def too_long_answer(bench: Bench) -> str:
    return ended(bench.ask("work.long_answer", count=LIMITS.answer_kb << 10), Status.OUTPUT)


def longest_answer(bench: Bench) -> str:
    count = (LIMITS.answer_kb << 10) - 200
    reply = bench.ask("work.long_answer", count=count)
    return ended(reply, Status.OK) or differs(len(reply.prediction), count, "characters")


def next_task(bench: Bench) -> str:
    """After a failure of every fast kind the next task goes on."""
    for code in (0, 1):
        bench.ask("work.leave", code=code)
    reply = bench.ask("work.give_back", value="on")
    return ended(reply, Status.OK) or differs(reply.prediction, "on")


def late(bench: Bench) -> str:
    mark = fresh_mark()
    started = time.monotonic()
    reply = bench.ask("work.hang", seconds=0.5, mark=mark)
    took = time.monotonic() - started
    seen = ended(reply, Status.TIMEOUT) or differs(reply.log, "begun\n", "printed")
    return seen or differs(processes(mark), [], "left") or ("" if took < 30 else f"it took {took:.0f} s")


def own_time(bench: Bench) -> str:
    """A task's own limit is not the session's."""
    reply = bench.ask("work.give_back", seconds=5.0, value=1)
    return ended(reply, Status.OK)


def a_child_that_holds_on(bench: Bench) -> str:
    mark = fresh_mark()
    reply = bench.ask("work.linger", mark=mark)
    seen = ended(reply, Status.OK) or differs(reply.prediction, "done")
    return seen or differs(processes(mark), [], "left running")


def tools(bench: Bench) -> str:
    return nothing(bench.ask("work.tools")).replace("possible: ", "missing: ")


def own_loopback(bench: Bench) -> str:
    reply = bench.ask("work.loopback")
    return ended(reply, Status.OK) or differs(reply.prediction, "heard")


def other_language(bench: Bench) -> str:
    script = b"read line; echo note >&2; case $line in *'\"x\": 21'*) printf '{\"prediction\": 42}\\n';; esac\n"
    spec = Start(entry=None, command=("/bin/sh", "{genome}/agent/solve.sh"))
    with bench.session({"agent/solve.sh": script}, spec) as session:
        reply = session.task({"x": 21}, {"kind": "number"}, {}, 1)
    return ended(reply, Status.OK) or differs((reply.prediction, reply.log), (42, "note\n"))


def broken_entry(bench: Bench) -> str:
    with bench.session({"agent/task_agent.py": b"import nothing_like_it\n"}) as session:
        try:
            session.load()
        except AgentFailed as failure:
            right = failure.status == Status.WRONG and "nothing_like_it" in failure.reason
            return "" if right else f"{failure.status}: {failure.reason}"
    return "it started"


def edit(bench: Bench) -> str:
    files = {"agent/big": b"big", "agent/old": b"old", "agent/kept": b"\0\xff", "agent/empty": b""}
    made = bench.improve("move", files, {"note": "bänd".encode()})
    wanted = {"agent/moved": b"big", "agent/new": "bänd".encode(), "agent/kept": b"\0\xff", "agent/empty": b""}
    return differs(dict(made.files), wanted) or differs(made.refused, []) or differs(made.summary, "edited")


def fifty_megabytes(bench: Bench) -> str:
    content = hashlib.sha256(b"50 MB").digest() * (50 * 10**6 // 32)
    files = {"agent/big": content, "agent/old": b""}
    made = bench.improve("move", files, {"note": b""}, replace(LIMITS, disk_mb=128, answer_kb=60_000))
    return "" if made.files.get("agent/moved") == content else f"came back: {made.refused or list(made.files)}"


def choice(bench: Bench) -> str:
    with bench.chooser() as session:
        chosen = session.select([{"id": 4}, {"id": 8}], 2)
        try:
            session.select([{"id": 4}], 1)
        except AgentFailed as failure:
            return differs(chosen, 8) or differs(failure.status, Status.INVALID)
    return "one that is no candidate was chosen"


def judged_values(bench: Bench) -> str:
    source = "def f(k): return [(1, {3, 2}), range(3), {'a': (1,)}, None, True, 1.0, 10 ** 30, 'é'][k]"
    wanted = [[1, [2, 3]], [0, 1, 2], {"a": [1]}, None, True, 1.0, 10**30, "é"]
    return differs(bench.call(source, [[k] for k in range(8)]), wanted)


def judged_apart(bench: Bench) -> str:
    source = """
import os
def f(k):
    if k == 1: raise ValueError
    if k == 2:
        while True: pass
    if k == 3: os._exit(0)
    return k
"""
    return differs(bench.call(source, [[k] for k in range(5)], 0.3), [0, "wrong", "timeout", "wrong", 4])


def nothing_left(bench: Bench) -> str:
    before, mark = traces(bench.sandbox), fresh_mark()
    with bench.session() as session:
        session.load()
        if not traces(bench.sandbox) - before:
            return "an open session has left no trace that could be looked for"
        ask(session, "work.linger", mark=mark)
        session.close()
        session.close()
    return remains(bench.sandbox, before, mark)


def closing_while_it_runs(bench: Bench) -> str:
    before, mark = traces(bench.sandbox), fresh_mark()
    with bench.sandbox.open({}, LIMITS) as session:
        process = session.start(["/bin/sh", "-c", f"(setsid sleep 60 {mark} &) ; echo on; sleep 60 {mark}"])
        process.stdout.read(2)
    return remains(bench.sandbox, before, mark)


def two_at_once(bench: Bench) -> str:
    with bench.session() as other:
        reply = ask(other, "work.litter")
        seen = ended(reply, Status.OK) or fresh_place(bench)
    return seen or ended(bench.ask("work.give_back", value=1), Status.OK)


def own_programs_hidden(bench: Bench) -> str:
    place = str(Path(dgm.__file__).resolve().parent)
    return nothing(bench.ask("reach.paths", paths=[place, f"{place}/errors.py"]))


BEHAVIOURS = (
    Check("text passes through standard input and output", text),
    Check("two megabytes of every byte pass unchanged", binary),
    Check("standard error is apart from standard output", error_stream),
    Check("the end of standard input is seen", end_of_input),
    Check("an exit code arrives as it is", exit_code),
    Check("a mebibyte of arguments arrives whole", long_arguments),
    Check("empty, quoted and foreign arguments arrive as they are", odd_arguments),
    Check("the environment holds what was given and nothing else", environment),
    Check("the working directory is the writable place", folder),
    Check("the user is not root", user, without_walls=AS_YOU),
    Check("the interpreter is 3.11 or newer and not this program's", interpreter),
    Check("no descriptor is open but the three streams", few_descriptors),
    Check("a fast death by a signal is told as one and is no time-out", signal_death),
    Check("a command that is not there is a result that names it", absent_command),
    Check("a session runs one command", one_command),
    Check("a running command can be killed with all it started", kill),
    Check("files arrive under any name, deep, hidden or empty", files_in),
    Check("inputs go in and a prediction comes out, to the last digit", inputs),
    Check("the files of an answer are read back, absent ones are absent", answer_files),
    Check("a task starts in an empty place with no input waiting", fresh_place),
    Check("no file of one task is there for the next", no_files_stay),
    Check("the state after import, chance and hashing are alike for every task", same_state),
    Check("what is printed is kept in its order", log),
    Check("an exception is told with its reason", exception),
    Check("an end without an answer is wrong, whatever its exit code", silent_end),
    Check("a task's fast death by a signal is no time-out", sudden_death),
    Check("an answer beyond the limit is told as such", too_long_answer),
    Check("an answer just below the limit arrives whole", longest_answer),
    Check("after a failure the next task goes on", next_task),
    Check("a time-out keeps what was printed and kills grandchildren", late),
    Check("a task has a time limit of its own", own_time),
    Check("a child that holds the output open holds nobody up", a_child_that_holds_on),
    Check("shells, pipes, threads, temporary files and own programs work", tools),
    Check("an address of one's own can be served and reached", own_loopback),
    Check("a genome may be a command in any language", other_language),
    Check("an entry that does not start says why", broken_entry),
    Check("an edited copy comes back: added, renamed, removed, empty", edit),
    Check("fifty megabytes go there and back", fifty_megabytes),
    Check("a parent is chosen among the candidates only", choice),
    Check("a candidate's values come back as plain JSON", judged_values),
    Check("each call of a candidate has a fate of its own", judged_apart),
    Check("closing twice leaves no process, folder, group or container", nothing_left),
    Check("closing while a command runs leaves nothing either", closing_while_it_runs),
    Check("two sessions at once do not meet", two_at_once),
    Check("this program's own files are not there", own_programs_hidden, without_walls="the code sees your files"),
)

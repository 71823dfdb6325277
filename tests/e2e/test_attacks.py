"""Hostile genomes through the whole loop, each test named after what it tries to break.

First the boundary rules, B1 to B10 (B5 and B6 share their tests: what an agent says of itself is no input to anything;
B4, B7 and B10 are bubblewrap's to hold, `local` holds none), then the rows of the list of threats that no sandbox alone
can hold (`dgm.sandbox.check.KERNEL_ROWS`), and of rows 7 and 40 the half that is about showing.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from dgm import loop
from dgm.archive import Admission, Archive
from dgm.archive.verify import verify
from dgm.cli import app
from dgm.config import Models, Spending
from dgm.domain import Files, Split
from dgm.errors import SandboxUnavailable, Status, UserError
from dgm.sandbox import Limits
from dgm.sandbox.local import Local, LocalSession
from dgm.sitting import start
from dgm.testing import ScriptedModels

from .conftest import AGENT, SEED, World

SECRET = "sk-sentinel-7f3a9c"
held = pytest.mark.needs("bubblewrap")


def test_b1_the_kernel_never_imports_genome_code(world: World, backend: str) -> None:
    mark = world.folder / "ran-in-kernel"
    code = f"import os\nif os.getpid() == {os.getpid()}:\n    open({str(mark)!r}, 'w').close()\n" + AGENT
    run = world.start(agent=world.agent(code), sandbox=backend)
    loop.step(run)
    assert not mark.exists()
    assert not {"task_agent", "meta_agent"} & set(sys.modules)


def test_b2_a_genome_cannot_import_the_kernel(world: World, backend: str) -> None:
    with pytest.raises(UserError, match="does not start"):
        world.start(agent=world.agent("import dgm\n" + AGENT), sandbox=backend)
    assert not list(world.folder.glob("run*")), "nothing is left of a run whose root does not start"


@pytest.mark.parametrize(
    "deed",
    [
        "os.symlink('/etc/passwd', repo_path + '/agent/link')",
        "os.symlink('/etc', repo_path + '/agent/folder')",
        "os.mkfifo(repo_path + '/agent/pipe')",
        "os.link(repo_path + '/agent/task_agent.py', repo_path + '/agent/twin.py')",
        "import socket; socket.socket(socket.AF_UNIX).bind(repo_path + '/agent/s')",
        "Path(repo_path, 'agent/.git').mkdir(); Path(repo_path, 'agent/.git/config').write_text('[core]')",
        "Path(repo_path, 'agent/.gitmodules').write_text('[submodule \"x\"]')",
        "Path(repo_path, 'agent/.gitattributes').write_text('* filter=evil')",
        "Path(repo_path, 'agent/big.bin').write_bytes(bytes(2_000_000))",
        "[Path(repo_path, f'agent/{i}').write_text('') for i in range(3000)]",
        "Path(repo_path, 'agent/line\\nbreak').write_text('')",
        "Path(repo_path, 'agent/Threshold.txt').write_text('twin')",
        "os.makedirs(repo_path + '/agent/' + 'd/' * 60)",
    ],
)
def test_b3_a_proposal_with_anything_but_plain_files_is_refused(world: World, deed: str) -> None:
    run = world.start(meta=world.meta_doing(deed))
    made = loop.step(run)
    if deed.startswith("os.makedirs"):
        assert made.admission in (Admission.REFUSED, Admission.UNCHANGED), "empty folders are nothing"
    else:
        assert (made.admission, made.status) == (Admission.REFUSED, Status.FORBIDDEN)
    assert made.tree is None
    assert made.admission == Admission.UNCHANGED or made.reason


def test_b3_files_outside_the_declared_paths_never_arrive(world: World, backend: str) -> None:
    run = world.start(
        sandbox=backend,
        meta=world.meta_doing("""
            Path(repo_path, 'genome.toml').write_text('protocol = 99')
            Path(repo_path, 'conftest.py').write_text('raise SystemExit')
            Path(repo_path, 'domains').mkdir()
            Path(repo_path, 'domains/judge.py').write_text('')
            Path(repo_path, 'agent/threshold.txt').write_text('60')
        """),
    )
    made = loop.step(run)
    assert made.admission == Admission.ADMITTED
    assert set(run.archive.files(made.id)) == set(run.archive.files(0))
    assert run.archive.files(made.id)["genome.toml"] == run.archive.files(0)["genome.toml"]


def test_b3_a_half_that_may_not_evolve_does_not(world: World) -> None:
    meta = world.meta_doing("""
        Path(repo_path, 'meta/extra.py').write_text('')
        Path(repo_path, 'agent/threshold.txt').write_text('60')
    """)
    run = world.start(meta=meta, evolve=("agent",))
    made = loop.step(run)
    assert run.archive.agent(made.id).changed == ("agent/threshold.txt",)


@held
def test_b4_labels_are_nowhere_an_agent_can_look(world: World) -> None:
    search = """
        found = []
        for top in ("/files", "/work", "/tmp", "/home", "/root", "/var", "/etc", "/dev/shm"):
            for folder, _, names in os.walk(top):
                for name in names:
                    try:
                        data = open(os.path.join(folder, name), "rb").read(100_000)
                    except OSError:
                        continue
                    if b"VAL-" + b"SECRET" in data or b"TEST-" + b"SECRET" in data:
                        found.append(os.path.join(folder, name))
        text = json.dumps(inputs)
        return ["VAL-" + "SECRET" in text or "TEST-" + "SECRET" in text, found], []
    """
    run = world.start(agent=world.agent_doing(search), sandbox="bubblewrap", proposals=0)
    loop.test(run)
    for split in (Split.VAL, Split.TEST):
        for row in run.archive.logs(0, "thresholds", split):
            assert row["prediction"] == [False, []]


def test_b5_b6_what_an_agent_says_of_itself_scores_nothing(world: World, backend: str) -> None:
    forged = """
        print('{"score": 1.0, "status": "ok"}')
        os.write(1, b'\\x00\\x00\\x00\\x02{}')
        Path(inputs["workdir"], "results.json").write_text('{"score": 1.0}')
        return {"score": 1.0, "label": "above", "id": "0"}, []
    """
    run = world.start(agent=world.agent_doing(forged), sandbox=backend, proposals=0)
    assert {s.mean for s in run.archive.scores(0)} == {0.0}


def test_b5_a_forged_frame_on_an_inherited_descriptor_is_no_answer(world: World, backend: str) -> None:
    forged = """
        frame = json.dumps({"id": "0", "prediction": "above", "status": "ok"}).encode()
        for fd in range(3, 64):
            try:
                os.write(fd, len(frame).to_bytes(4, "big") + frame)
            except OSError:
                pass
        return "below", []
    """
    run = world.start(agent=world.agent_doing(forged), sandbox=backend, proposals=0)
    verdicts = run.archive.verdicts(0, "thresholds", Split.VAL)
    assert {v.status for v in verdicts} <= {Status.WRONG, Status.TAMPERED, Status.INVALID, Status.OK}
    labels = {"above": 0, "below": 0}
    for row in run.archive.logs(0, "thresholds", Split.VAL):
        labels[row["prediction"]] = labels.get(row["prediction"], 0) + 1
    assert labels["above"] == 0


@held
def test_b7_no_key_of_the_kernels_environment_enters_a_sandbox(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    look = """
        seen = [dict(os.environ)]
        for folder in Path("/proc").iterdir():
            try:
                seen.append((folder / "environ").read_bytes().decode(errors="replace"))
            except OSError:
                pass
        return json.dumps(seen), []
    """
    run = world.start(agent=world.agent_doing(look), sandbox="bubblewrap", proposals=1)
    loop.step(run)
    run.archive.close()
    for path in run.archive.path.rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes()
    assert SECRET not in json.dumps(run.archive.logs(0, "thresholds", Split.TRAIN))


def test_b8_a_meta_agent_sees_train_and_nothing_else(world: World, backend: str) -> None:
    copy = """
        seen = {}
        for path in sorted(Path(eval_path).rglob('*')):
            if path.is_file():
                seen[str(path)] = path.read_text()
        Path(repo_path, 'agent/seen.json').write_text(json.dumps(seen))
    """
    run = world.start(meta=world.meta_doing(copy), sandbox=backend)
    made = loop.step(run)
    seen = run.archive.files(made.id)["agent/seen.json"]
    assert b"TRAIN-CAN-BE-SEEN" in seen
    assert b"label" in seen
    for secret in (b"VAL-SECRET", b"TEST-SECRET", b"train-TRAIN"):
        assert secret not in seen
    scores = json.loads(seen)
    line = json.loads(next(text for path, text in scores.items() if path.endswith("archive.jsonl")).splitlines()[0])
    assert set(line["train"]) == {"thresholds"}
    assert line["train"]["thresholds"]["n"] == 20


KEEPS_NOTES = """\
import mmap

NOTES = mmap.mmap(-1, 1 << 16)

class TaskAgent:
    def __init__(self, model, chat_history_file):
        pass

    def forward(self, inputs):
        kept = NOTES[:].rstrip(bytes(1)) + b" %d" % inputs["i"]
        NOTES[: len(kept)] = kept
        print(kept.decode())
        return "below", []
"""


def test_b8_what_an_entry_keeps_of_val_is_told_in_no_train_task(world: World, backend: str) -> None:
    """Memory that its tasks share, made at import. The second stage's train tasks come after the first one's of val."""
    config = world.config(world.agent(KEEPS_NOTES), world.meta(), backend, proposals=0)
    folders = [Path(config.domains[0]), Path(world.domain("second"))]
    for folder in folders:
        with (folder / "domain.toml").open("a") as declared:
            declared.write("[[stages]]\ntrain = 5\nval = 5\n[[stages]]\ntrain = 10\nval = 10\n")
    config = config.model_copy(update={"domains": tuple(map(str, folders))})
    with start.create(world.folder / "notes", config, lambda _: None) as run:
        told = {
            split: [row.get("log", "") for name in ("thresholds", "second") for row in run.archive.logs(0, name, split)]
            for split in (Split.TRAIN, Split.VAL)
        }
    seen = {split: {int(i) for log in logs for i in log.split()} for split, logs in told.items()}
    assert len(told[Split.TRAIN]) == 20
    assert min(seen[Split.VAL]) < 100 <= max(seen[Split.VAL]), "notes are kept"
    assert max(seen[Split.TRAIN]) < 100, "and none of val comes where a meta agent looks"


def test_b8_feedback_withheld_shows_no_result(world: World) -> None:
    from dgm.domains import load
    from dgm.proposal import feedback

    run = world.start()
    files = feedback.build(run.archive, 0, [load(world.domain())], ["agent"], run.rng(1, "x"), withheld=True)
    assert not [path for path in files if path.endswith("thresholds.jsonl")]
    assert b"mean" not in files["archive.jsonl"]


def test_b9_a_planted_git_configuration_runs_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mark, trap = world.folder / "fsmonitor-ran", tmp_path / "trap"
    trap.mkdir()
    (trap / "config").write_text(f"[core]\n\tfsmonitor = touch {mark}\n\thooksPath = {trap}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(trap / "config"))
    monkeypatch.setenv("GIT_DIR", str(trap))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", f"touch {mark}")
    config = f"[core]\\n\\tfsmonitor = touch {mark}\\n"
    run = world.start(
        meta=world.meta_doing(f"""
        Path(repo_path, '.git').mkdir()
        Path(repo_path, '.git/config').write_text('{config}')
        Path(repo_path, 'agent/threshold.txt').write_text('60')
    """)
    )
    made = loop.step(run)
    assert made.admission == Admission.ADMITTED
    assert run.archive.diff(0, made.id)
    assert not mark.exists()


@held
def test_b10_nothing_that_an_agent_started_outlives_it(world: World) -> None:
    marker = f"dgm-orphan-{os.getpid()}"
    linger = f"""
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", "{marker}"])
                os._exit(0)
        return "below", []
    """
    run = world.start(agent=world.agent_doing(linger), sandbox="bubblewrap", proposals=1)
    loop.step(run)
    run.archive.close()
    left = [p for p in Path("/proc").glob("[0-9]*/cmdline") if _holds(p, marker.encode())]
    assert left == []


def _holds(path: Path, needle: bytes) -> bool:
    try:
        return needle in path.read_bytes()
    except OSError:
        return False


def test_an_agent_that_hangs_is_late_and_the_run_goes_on(world: World, backend: str) -> None:
    hang = """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if inputs["i"] == 3:
            time.sleep(60)
        return "below", []
    """
    run = world.start(agent=world.agent_doing(hang), sandbox=backend, proposals=0)
    verdicts = run.archive.verdicts(0, "thresholds", Split.TRAIN)
    assert [v.status for v in verdicts].count(Status.TIMEOUT) == 1
    assert len(verdicts) == 20


def test_an_agent_that_dies_at_once_is_wrong_not_an_infrastructure_fault(world: World, backend: str) -> None:
    run = world.start(agent=world.agent_doing("os._exit(0)"), sandbox=backend, proposals=0)
    assert {v.score for v in run.archive.verdicts(0, "thresholds", Split.VAL)} == {0.0}


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("Path(repo_path, 'agent/big').write_bytes(bytes(100 << 20))", "agent/big"),
        ("[Path(repo_path, f'agent/{i}.bin').write_bytes(os.urandom(900_000)) for i in range(20)]", "at most"),
        ("Path(repo_path, 'agent/.git').write_text('gitdir: /tmp')", "git's own"),
        ("os.makedirs(repo_path + '/agent/.GIT/hooks'); open(repo_path + '/agent/.GIT/hooks/x', 'w')", "git's own"),
        ("Path(repo_path, 'agent/.gitmodules').write_text('[submodule \"x\"]')", "git's own"),
        ("os.symlink('../../..', repo_path + '/agent/up')", "agent/up"),
        ("[os.chmod(Path(repo_path, f), 0o4755) for f in ('agent/task_agent.py', 'meta/meta_agent.py')]", ""),
    ],
    ids=["100-MB", "many-binaries", "git-file", "git-folder", "submodule", "link", "mode-only"],
)
def test_row_34_a_patch_beyond_the_rules_is_refused_with_the_reason(world: World, deed: str, reason: str) -> None:
    run = world.start(meta=world.meta_doing(deed))
    made = loop.step(run)
    if reason:
        assert (made.admission, made.status) == (Admission.REFUSED, Status.FORBIDDEN)
        assert reason in made.reason
    else:
        assert made.admission == Admission.UNCHANGED, "a mode is no content"
    assert made.tree is None
    assert [agent.id for agent in run.archive.agents() if agent.admission.works] == [0]


class Git:
    """A program `git` that notes where and how it was started, and then is the real one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.notes = folder / "git-runs"
        (folder / "bin").mkdir()
        program = folder / "bin" / "git"
        program.write_text(
            f'#!/bin/sh\n{{ pwd; echo "$@"; env | grep ^GIT_; echo; }} >>{self.notes}\n'
            f'exec {shutil.which("git")} "$@"\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")

    def runs(self) -> list[list[str]]:
        """Of each run its folder, its arguments, and the variables of git's that it saw."""
        return (
            [part.split("\n") for part in self.notes.read_text().split("\n\n") if part] if self.notes.exists() else []
        )


def test_row_35_no_planted_git_configuration_is_ever_read(
    world: World, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every way to have git run a program, in the genome, in the agent's home and in the kernel's environment."""
    mark, git = world.folder / "planted-ran", Git(world.folder, monkeypatch)
    trap = f"touch {mark}"
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", trap)
    monkeypatch.setenv("GIT_DIR", str(world.folder / "elsewhere"))
    plant = f"""
        config = '[core]\\n fsmonitor = {trap}\\n hooksPath = hooks\\n[diff]\\n external = {trap}\\n'
        config += '[include]\\n path = x\\n'
        config += '[filter "f"]\\n smudge = {trap}\\n clean = {trap}\\n[diff "t"]\\n textconv = {trap}\\n'
        for place in (repo_path, os.getcwd(), os.environ["HOME"], os.environ["TMPDIR"]):
            Path(place, '.git/hooks').mkdir(parents=True, exist_ok=True)
            Path(place, '.git/HEAD').write_text('ref: refs/heads/main')
            for name in ('.git/config', '.gitconfig', 'x'):
                Path(place, name).write_text(config)
            Path(place, '.gitattributes').write_text('* filter=f diff=t')
            for hook in ('post-checkout', 'pre-commit', 'post-index-change'):
                Path(place, '.git/hooks', hook).write_text('#!/bin/sh\\n{trap}')
                Path(place, '.git/hooks', hook).chmod(0o755)
        Path(repo_path, 'agent/threshold.txt').write_text('60')
    """
    run = world.start(meta=world.meta_doing(plant), sandbox=backend)
    made = loop.step(run)
    assert made.admission == Admission.ADMITTED
    assert set(run.archive.files(made.id)) == set(run.archive.files(0)), "nothing that was planted has arrived"
    assert "threshold.txt" in run.archive.diff(0, made.id)
    run.archive.close()
    assert verify(run.archive.path) == []
    assert not mark.exists()
    ours = {"GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL", "GIT_ALLOW_PROTOCOL", "GIT_NO_LAZY_FETCH"}
    for folder, arguments, *variables in git.runs():
        assert Path(folder).name.startswith("dgm-git-"), "a folder of the moment, with a configuration of ours"
        assert not Path(folder).exists()
        assert f"--git-dir {folder}" in arguments
        assert {line.split("=")[0] for line in variables} <= ours


def test_row_36_a_submodule_address_runs_no_command(world: World, backend: str) -> None:
    mark = world.folder / "submodule-ran"
    modules = f'[submodule \\"x\\"]\\n path = agent/x\\n url = ext::sh -c touch% {mark}\\n'
    plant = f"""
        Path(repo_path, '.gitmodules').write_text("{modules}")
        if not Path(repo_path, 'agent/second').exists():
            Path(repo_path, 'agent/second').write_text('')
            Path(repo_path, 'agent/threshold.txt').write_text('60')
        else:
            Path(repo_path, 'agent/.gitmodules').write_text("{modules}")
    """
    run = world.start(meta=world.meta_doing(plant), sandbox=backend, selector="latest")
    outside, inside = loop.step(run), loop.step(run)
    assert outside.admission == Admission.ADMITTED
    assert not [path for path in run.archive.files(outside.id) if path.endswith(".gitmodules")]
    assert (inside.admission, inside.status) == (Admission.REFUSED, Status.FORBIDDEN)
    assert "git's own" in inside.reason
    clone = ["git", "-c", "protocol.ext.allow=always", "clone", "-q", "--recurse-submodules", "--mirror"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    subprocess.run(
        [*clone, str(run.archive.path / "genomes.git"), str(world.folder / "clone")], check=True, env=environment
    )
    assert not mark.exists()


def test_row_41_limits_that_an_agent_changes_or_outruns_hold_all_the_same(world: World, backend: str) -> None:
    defy = """
        import resource, signal
        for limit in (resource.RLIMIT_CPU, resource.RLIMIT_NPROC, resource.RLIMIT_AS):
            try:
                resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            except (OSError, ValueError):
                pass
        signal.alarm(0)
        Path(repo_path, 'genome.toml').write_text('seconds = 9999')
        Path(repo_path, 'domain.toml').write_text('limits = { seconds = 9999 }')
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", "while True: pass"])
        while True:
            pass
    """
    again = """
        if inputs["i"] == 3:
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)"])
        if inputs["i"] == 4:
            while True:
                os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", "pass"])
        return "below", []
    """
    run = world.start(agent=world.agent_doing(again), meta=world.meta_doing(defy), sandbox=backend)
    late = [v.status for v in run.archive.verdicts(0, "thresholds", Split.TRAIN)]
    assert late.count(Status.TIMEOUT) + late.count(Status.PIDS) == 2
    run.config = run.config.model_copy(update={"place": run.config.place.model_copy(update={"improve_seconds": 1.0})})
    made = loop.step(run)
    assert (made.admission, made.status) == (Admission.FAILED, Status.TIMEOUT)


@pytest.mark.slow
def test_row_41_an_agent_that_spends_in_a_loop_meets_its_budget(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    spend = """
        import urllib.error, urllib.request
        head = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"}
        body = json.dumps({"messages": [{"role": "user", "content": "more"}], "max_tokens": 400}).encode()
        codes = []
        for _ in range(6):
            asked = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, head)
            try:
                urllib.request.urlopen(asked, timeout=20).read()
                codes.append(200)
            except urllib.error.HTTPError as error:
                codes.append(error.code)
        return codes, []
    """
    agent = world.agent_doing(spend)
    (Path(agent) / "seed.toml").write_text(SEED.format(entry="task_agent.py:TaskAgent") + "model = true\n")
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    limit = 0.02
    with ScriptedModels(lambda request: "yes " * 300, price=(1_000_000_000, 1_000_000_000)) as provider:
        models = Models(
            agent=("m",), url=provider.url, prices=("m=1/1",), budget=Spending(task_usd=limit / 10, proposal_usd=limit)
        )
        config = world.config(agent, world.meta(), proposals=1).model_copy(update={"models": models})
        with start.create(world.folder / "spends", config, lambda _: None) as run:
            root = provider.count.nano
            loop.step(run)
            codes = [r["prediction"] for s in (Split.TRAIN, Split.VAL) for r in run.archive.logs(0, "thresholds", s)]
    assert 0 < root <= limit * 10**9
    assert root <= provider.count.nano <= 2 * limit * 10**9
    assert (codes[0][0], codes[0][-1]) == (200, 402), "a task has a budget of its own"
    assert codes[-1] == [402] * 6, "and all of a proposal's tasks together have one"


@held
def test_row_42_evidence_that_an_agent_deletes_is_kept_outside_and_what_is_missing_is_a_failure(world: World) -> None:
    hide = """
        import shutil
        print("EVIDENCE-" + str(inputs["i"]), flush=True)
        for place in ("/work/task", "/work/tmp", "/work/shm", "/work", "/files"):
            shutil.rmtree(place, ignore_errors=True)
        for fd in (1, 2):
            try:
                os.ftruncate(fd, 0)
            except OSError:
                pass
            os.close(fd)
        if inputs["i"] % 2:
            os._exit(0)
        return "below", []
    """
    run = world.start(agent=world.agent_doing(hide), sandbox="bubblewrap", proposals=0)
    for row in run.archive.logs(0, "thresholds", Split.TRAIN):
        assert "EVIDENCE-" in row["log"]
    for verdict in run.archive.verdicts(0, "thresholds", Split.TRAIN):
        silent = int(verdict.task.rsplit("-", 1)[1]) % 2
        assert not silent or (verdict.score == 0.0 and verdict.status != Status.OK)


@pytest.mark.parametrize(
    "edit",
    ["raise SystemExit", "import missing_module", "def broken(:", "class Other: pass", "while True: pass"],
    ids=["exit", "import", "syntax", "no-entry", "endless"],
)
def test_row_43_a_self_edit_that_breaks_the_agent_is_caught_before_it_is_evaluated(world: World, edit: str) -> None:
    half = "meta/meta_agent.py" if edit == "class Other: pass" else "agent/task_agent.py"
    run = world.start(meta=world.meta_doing(f"Path(repo_path, {half!r}).write_text({edit!r} + chr(10))"))
    before = run.archive.files(0)
    made = loop.step(run)
    assert made.admission == Admission.STILLBORN
    assert made.reason
    assert (run.archive.verdicts(made.id), run.archive.scores(made.id)) == ([], [])
    assert run.archive.files(0) == before
    assert [candidate.id for candidate in run.archive.candidates()] == [0]


def test_row_44_a_dependency_or_an_install_script_is_never_installed_and_is_on_record(
    world: World, backend: str
) -> None:
    mark = world.folder / "setup-ran"
    depend = f"""
        import subprocess
        Path(repo_path, 'agent/requirements.txt').write_text('left-pad-of-python==1.0')
        Path(repo_path, 'agent/setup.py').write_text("open({str(mark)!r}, 'w')")
        Path(repo_path, 'agent/install.sh').write_text('touch {mark}')
        code = Path(repo_path, 'agent/task_agent.py').read_text()
        Path(repo_path, 'agent/task_agent.py').write_text('import left_pad_of_python\\n' + code)
    """
    run = world.start(meta=world.meta_doing(depend), sandbox=backend)
    made = loop.step(run)
    assert made.admission == Admission.STILLBORN
    assert "left_pad_of_python" in made.reason
    assert set(made.changed) == {
        f"agent/{name}" for name in ("install.sh", "requirements.txt", "setup.py", "task_agent.py")
    }
    assert not mark.exists()


def test_row_45_nothing_that_an_agent_can_see_tells_train_val_and_test_apart(world: World, backend: str) -> None:
    look = """
        seen = {"argv": sys.argv, "env": dict(os.environ), "place": os.getcwd(), "file": __file__}
        seen["names"] = sorted(os.listdir(inputs["workdir"])) + sorted(os.listdir(os.environ["TMPDIR"]))
        seen["modules"] = sorted(sys.modules)
        seen["inputs"] = sorted(inputs)
        seen["answer"], seen["workdir"] = inputs["answer"], inputs["workdir"]
        return json.dumps(seen, sort_keys=True), []
    """
    run = world.start(agent=world.agent_doing(look), sandbox=backend, proposals=0)
    loop.test(run)
    seen = {split: {r["prediction"] for r in run.archive.logs(0, "thresholds", split)} for split in Split}
    assert len(set.union(*seen.values())) == 1, "every task of every split looks the same but for its inputs"
    (told,) = seen[Split.TEST]
    for word in ("test-", "train", "val-", "thresholds"):
        assert word not in told.replace("threshold.txt", "")


def test_row_46_two_kernels_cannot_write_one_archive_and_the_second_is_told_in_a_sentence(world: World) -> None:
    run = world.start()
    with pytest.raises(UserError) as second:
        start.reopen(run.archive.path, lambda _: None)
    assert str(os.getpid()) in str(second.value)
    assert "\n" not in str(second.value)
    assert loop.step(run).id == 1, "the first goes on"


def test_row_46_a_full_disk_loses_nothing_and_the_same_proposal_is_made_when_there_is_room(world: World) -> None:
    wordy = "Path(repo_path, 'agent/threshold.txt').write_text(str(random.randrange(100))); return 'x' * 2_000"
    run = world.start(meta=world.meta_doing(wordy))
    connection = run.archive._records._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    with pytest.raises(UserError, match="the disk is full"):
        for _ in range(200):
            loop.step(run)
    kept = [(agent.id, agent.tree) for agent in run.archive.agents()]
    run.archive.close()
    again = start.reopen(run.archive.path, lambda _: None, {"proposals": 300})
    world.open_runs.append(again)
    assert [(agent.id, agent.tree) for agent in again.archive.agents()] == kept
    assert loop.step(again).id == len(kept)
    again.archive.close()
    assert verify(run.archive.path) == []


@pytest.mark.slow
def test_row_46_a_kernel_killed_in_the_middle_of_a_record_scores_nothing_twice(world: World) -> None:
    given = ["--domain", world.domain(), "--agent", world.agent(), "--meta", world.meta(), "--sandbox", "local"]
    given += ["--sessions", "1", "--proposals", "3"]

    def dgm(name: str, *words: str, **environment: str) -> int:
        command = [sys.executable, "-m", "dgm", words[0], str(world.folder / name), *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)
        assert done.returncode in (0, 137), done.stderr
        return done.returncode

    assert dgm("calm", "run", *given) == 0
    assert dgm("killed", "run", *given, DGM_FAILPOINT="ref:3") == 137
    assert dgm("killed", "resume") == 0
    trees = []
    for name in ("calm", "killed"):
        with Archive.open(world.folder / name) as archive:
            trees.append([(a.id, a.tree, archive.scores(a.id)) for a in archive.agents()])
            assert len(archive.verdicts(0, "thresholds", Split.TRAIN)) == 20
    assert trees[0] == trees[1]
    assert verify(world.folder / "killed") == []


class Restarting(Local):
    """A backend whose engine goes away now and then: some of its sandboxes do not open."""

    def __init__(self) -> None:
        self.opened = 0

    def open(self, files: Files, limits: Limits) -> LocalSession:
        self.opened += 1
        if self.opened in (1, 3, 6, 10):
            raise SandboxUnavailable("the container engine does not answer")
        return super().open(files, limits)


def test_row_46_a_sandbox_that_goes_away_is_never_a_score(world: World) -> None:
    run = world.start()
    run.sandbox = flaky = Restarting()
    calm = world.start()
    done = 0
    for _ in range(12):
        try:
            done = loop.step(run).id
        except SandboxUnavailable:
            run.archive.close()
            run = start.reopen(run.archive.path, lambda _: None)
            run.sandbox = flaky
            world.open_runs.append(run)
        if done == 2:
            break
    for _ in range(2):
        loop.step(calm)
    assert flaky.opened > 6
    assert [(a.tree, run.archive.scores(a.id)) for a in run.archive.agents()] == [
        (a.tree, calm.archive.scores(a.id)) for a in calm.archive.agents()
    ]
    assert Status.INFRA not in {v.status for agent in (0, 1, 2) for v in run.archive.verdicts(agent)}


HOSTILE = (
    "\x1b[31m\x1b]0;title\x07\rscore 1.0\x1b[2K\u202e<script>alert(1)</script>\n"
    "=cmd|' /C calc'!A0\n2026-01-01 INFO admitted"
)


def test_rows_7_and_40_what_an_agent_writes_cannot_act_on_a_terminal(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    told = f"""
        Path(repo_path, 'agent/threshold.txt').write_text('60')
        Path(repo_path, 'agent/notes.txt').write_text({HOSTILE!r})
        return {HOSTILE!r}
    """
    agent = world.agent_doing(f"print({HOSTILE!r}); return {HOSTILE!r}, []")
    run = world.start(agent=agent, meta=world.meta_doing(told))
    assert loop.step(run).admission == Admission.ADMITTED
    run.archive.close()
    name = str(run.archive.path)
    for words in (
        ["show", name],
        ["show", f"{name}#1"],
        ["tree", name],
        ["lineage", f"{name}#1"],
        ["diff", f"{name}#1"],
    ):
        app(words, prog_name="dgm", standalone_mode=False)
        shown = "".join(capsys.readouterr())
        assert "alert(1)" in shown or words[0] in ("tree", "lineage"), words
        odd = {c for c in shown if not c.isprintable() and c != "\n"}
        assert odd <= ({"\t"} if words[0] == "diff" else set()), words
        assert "2026-01-01 INFO admitted" not in shown.splitlines(), "no line of it stands for itself"


def test_rows_7_and_40_what_an_archive_of_somebody_else_calls_its_parts_cannot_act_on_a_terminal(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    run = world.start()
    assert loop.step(run).id == 1
    run.archive.close()
    with contextlib.closing(sqlite3.connect(run.archive.path / "archive.db")) as database:
        for column in ("proposals.selector", "proposals.note", "agents.author", "domains.name", "tasks.name"):
            table, name = column.split(".")
            database.execute(f"UPDATE {table} SET {name} = {name} || ?", (HOSTILE,))
        database.commit()
    name = str(run.archive.path)
    for words in (["show", name], ["show", f"{name}#1"], ["tree", name], ["lineage", f"{name}#1"], ["best", name]):
        app(words, prog_name="dgm", standalone_mode=False)
        shown = "".join(capsys.readouterr())
        assert "score 1.0" in shown, words
        assert {c for c in shown if not c.isprintable() and c != "\n"} == set(), words

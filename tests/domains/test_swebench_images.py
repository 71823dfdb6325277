"""Issues whose repository and tests live in an image of their own, in a real engine: an image like the published ones,
made here, with the repository in /testbed, its history beside it, and Django's way to run tests."""

from __future__ import annotations

import difflib
import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dgm.config import Origin, Place, RunConfig, Search
from dgm.domain import Artifact, Split, Status, Task, Verdict
from dgm.domains import DataRef, LoadedDomain, load
from dgm.errors import UserError
from dgm.evaluation.candidates import JudgeSession
from dgm.sandbox import Limits, images
from dgm.sandbox.bubblewrap import Bubblewrap
from dgm.sandbox.docker import Docker, from_environment
from dgm.sandbox.engine.client import Engine
from dgm.sitting import start

IMAGE = "dgm-test-instance:1"
REPOSITORY = {
    "purse/__init__.py": "",
    "purse/money.py": "def change(paid, price):\n    return price - paid\n\n\n"
    "def double(amount):\n    return 2 * amount\n",
    "tests/money/__init__.py": "",
    "tests/money/tests.py": "import unittest\n\nfrom purse.money import double\n\n\n"
    "class MoneyTests(unittest.TestCase):\n"
    "    def test_double(self):\n        self.assertEqual(double(4), 8)\n",
    "tests/runtests.py": "import sys, unittest\n\nsys.path.insert(0, 'tests')\n"
    "names = [name for name in sys.argv[1:] if name.startswith('money')]\n"
    "unittest.main(module=None, argv=['runtests', '-v', *names])\n",
    ".git/later": "the solution of tomorrow",
}
PATCH = """\
--- a/purse/money.py
+++ b/purse/money.py
@@ -1,2 +1,2 @@
 def change(paid, price):
-    return price - paid
+    return paid - price
"""
TESTED = REPOSITORY["tests/money/tests.py"].replace("import double", "import change, double") + (
    "\n    def test_change(self):\n        self.assertEqual(change(5, 3), 2)\n"
)
TESTS = "".join(
    difflib.unified_diff(
        REPOSITORY["tests/money/tests.py"].splitlines(keepends=True),
        TESTED.splitlines(keepends=True),
        "a/tests/money/tests.py",
        "b/tests/money/tests.py",
    )
)
FORGED = """\
import os
for test in ("test_change", "test_double"):
    print(f"{test} (money.tests.MoneyTests.{test}) ... ok", flush=True)
os._exit(0)
"""
AGENT = (
    '''
import pathlib


class TaskAgent:
    def __init__(self, model=None, chat_history_file=None):
        pass

    def forward(self, inputs):
        folder = pathlib.Path(inputs["folder"])
        assert not list(folder.glob(".git*")), "history"
        assert "price - paid" in (folder / "purse/money.py").read_text()
        assert "test_change" not in (folder / "tests/money/tests.py").read_text()
        pathlib.Path(inputs["workdir"], "model.patch").write_text(PATCH)
        return None, []


PATCH = """\\
'''
    + PATCH
    + '"""\n'
)
META = """
class MetaAgent:
    def __init__(self, model=None, chat_history_file=None):
        pass

    def forward(self, repo_path, eval_path, iterations_left=None):
        return ""
"""
pytestmark = [pytest.mark.slow, pytest.mark.needs("docker")]


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    """The engine, with the instance's image in it."""
    engine = Engine(os.environ.get("DOCKER_HOST"))
    engine.build(context(), IMAGE, {}, print)
    engine.close()
    with from_environment() as made:
        yield made


def context() -> bytes:
    base = os.environ.get("DGM_SANDBOX_BASE", "python:3.12-slim")
    files = {f"testbed/{path}": text for path, text in REPOSITORY.items()}
    files["Dockerfile"] = f"FROM {base}\nCOPY testbed /testbed\n"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(text.encode()), 0o644
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def rows(**changes: Any) -> list[Mapping[str, Any]]:
    return [
        {
            "instance_id": f"django__django-{number}",
            "repo": "django/django",
            "base_commit": "0" * 40,
            "problem_statement": f"Change comes out negative ({number}).",
            "patch": PATCH,
            "test_patch": TESTS,
            "FAIL_TO_PASS": ["test_change (money.tests.MoneyTests.test_change)"],
            "PASS_TO_PASS": ["test_double (money.tests.MoneyTests.test_double)"],
            "image": IMAGE,
            "split": split,
            **changes,
        }
        for number, split in enumerate(("train", "val", "test"), start=1)
    ]


def loaded(folder: Path, **changes: Any) -> LoadedDomain:
    file = folder / "instances.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows(**changes)))
    return load("swebench", DataRef(file))


def added(path: str, text: str) -> str:
    lines = text.splitlines()
    return f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{len(lines)} @@\n" + "".join(f"+{line}\n" for line in lines)


def test_an_issue_is_judged_in_its_own_image(tmp_path: Path, docker: Docker) -> None:
    domain = loaded(tmp_path)
    task: Task = domain.splits[Split.TEST][0]
    assert (task.image, task.due, dict(task.files)) == (IMAGE, ("model.patch",), {})
    images.check(docker, [domain])
    with JudgeSession(docker.within(IMAGE), Limits(seconds=60, memory_mb=1024, disk_mb=512)) as session:

        def verdict(patch: str) -> Verdict:
            return domain.judge(task, Artifact(files={"model.patch": patch.encode()}), session)

        assert verdict(PATCH) == Verdict(1.0, Status.OK, "", {"fail to pass": 1.0, "pass to pass": 1.0})
        other = verdict(added("NEWS.md", "News."))
        assert (other.score, other.metrics) == (0.0, {"fail to pass": 0.0, "pass to pass": 1.0})
        harmful = verdict(PATCH.replace("+    return paid - price", "+    return paid - price - 1"))
        assert (harmful.score, harmful.status) == (0.0, Status.WRONG)
        spoilt = added("tests/money/extra.py", "raise SystemExit(0)") + PATCH
        assert verdict(spoilt).score == 1.0
        assert verdict("").status is Status.WRONG
        assert verdict("--- a/absent.py\n+++ b/absent.py\n@@ -1 +1 @@\n-a\n+b\n").status is Status.INVALID
        assert verdict(added(".git/config", "x")).status is Status.INVALID
        start_of = REPOSITORY["purse/money.py"].splitlines()[0]
        lines = FORGED.splitlines()
        forged = f"--- a/purse/money.py\n+++ b/purse/money.py\n@@ -1 +1,{len(lines) + 1} @@\n"
        forged += "".join(f"+{line}\n" for line in lines) + f" {start_of}\n"
        assert verdict(forged).status is Status.TAMPERED
        patched = added("sitecustomize.py", "import unittest\nunittest.TestCase.run = lambda self, result=None: result")
        assert verdict(patched).score == 0.0


def test_a_run_has_each_task_done_in_the_image_that_it_brings_without_its_history(
    tmp_path: Path, docker: Docker
) -> None:
    loaded(tmp_path)
    for name, module, entry, source in (
        ("agent", "task_agent", "TaskAgent", AGENT),
        ("meta", "meta_agent", "MetaAgent", META),
    ):
        half = tmp_path / name
        half.mkdir()
        (half / f"{module}.py").write_text(source)
        (half / "seed.toml").write_text(
            f'name = "{name}"\nprotocol = 1\nentry = "{module}.py:{entry}"\nmodel = false\ndescription = "A half."\n'
        )
    config = RunConfig(
        domains=("swebench",),
        data={"swebench": str(tmp_path / "instances.jsonl")},
        origin=Origin(agent=str(tmp_path / "agent"), meta=str(tmp_path / "meta")),
        search=Search(proposals=0),
        place=Place.model_validate({"sandbox": "docker", "sessions": 1}),
    )
    with start.create(tmp_path / "run", config, lambda _: None) as run:
        told = [(v.task, v.status) for v in run.archive.verdicts(0)]
        scores = {score.split: score.mean for score in run.archive.scores(0)}
    assert scores == {Split.TRAIN: 1.0, Split.VAL: 1.0}, told


def test_an_image_that_is_not_there_is_named_before_anything_runs(tmp_path: Path, docker: Docker) -> None:
    domain = loaded(tmp_path, image="")
    published = "docker pull swebench/sweb.eval.x86_64.django_1776_django-1:latest"
    with pytest.raises(UserError, match=f"lacks 3 of 3 images for swebench: {published}"):
        images.check(docker, [domain])
    with pytest.raises(UserError, match="which bubblewrap has no use for; choose --sandbox docker"):
        images.check(Bubblewrap(), [domain])

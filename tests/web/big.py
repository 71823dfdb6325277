"""A large archive, made in seconds: rows go straight into SQLite, and git holds the genomes of the first few alone.

Everything the viewer reads of a run is there but for that: agents beyond `GENOMES` share the commits of those, and no
transcript is kept beyond `LOGS`. `grow_genomes` gives each its own commit, one line from its parent's, as a pack. The
tree has the shape of a search: good agents have more children.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
import subprocess
from pathlib import Path

from dgm import statistics
from dgm.archive import Admission, Archive, DomainRecord, ScoreRecord, VerdictRecord, database
from dgm.errors import Status
from tests.archive import world

GENOMES = 20
LOGS = 3
DOMAIN = "grading"
CONFIG = 'domains = ["grading"]\n[search]\nproposals = {0}\n[place]\nsandbox = "bubblewrap"\n'
WHEN = world.WHEN
OUTCOMES = [Admission.ADMITTED] * 14 + [Admission.UNCHANGED, Admission.STILLBORN, Admission.FAILED, Admission.REFUSED]


def make(path: Path, agents: int = 10_000, tasks: int = 60, seed: int = 0) -> Path:
    """An archive of so many agents, each that works judged on `tasks` tasks, half train and half val."""
    rng = random.Random(seed)
    difficulty = [rng.random() for _ in range(tasks)]
    splits = ["train" if at % 2 else "val" for at in range(tasks)]
    skill = {0: 0.25}
    _begin(path, agents, tasks, difficulty, splits, rng)
    with Archive.open(path) as archive:
        commits = [(record.tree, record.commit) for record in archive.agents()]
    connection = database.open_writer(path)
    try:
        connection.execute("BEGIN")
        names = {name: at for at, name in connection.execute("SELECT id, name FROM tasks")}
        working = list(range(GENOMES))
        skill.update(dict.fromkeys(working, 0.3))
        for number in range(GENOMES, agents):
            parent = max(rng.choices(working, k=3), key=lambda agent: skill[agent] + rng.random() * 0.2)
            outcome = rng.choice(OUTCOMES)
            _row(connection, number, parent, outcome, commits[number % GENOMES], rng)
            if outcome == Admission.ADMITTED:
                skill[number] = min(0.95, max(0.02, skill[parent] + rng.gauss(0.002, 0.03)))
                working.append(number)
                _results(connection, number, skill[number], difficulty, splits, names, rng)
        connection.execute("COMMIT")
    finally:
        database.close_writer(connection)
    _name_refs(path)
    return path


def _name_refs(path: Path) -> None:
    """Every agent's ref, all but those of the first few packed."""
    with Archive.open(path) as archive:
        commits = sorted((f"refs/agents/{i}", commit) for i, commit in archive.ask.committed().items() if i >= GENOMES)
    lines = "".join(f"{commit} {name}\n" for name, commit in commits)
    (path / "genomes.git" / "packed-refs").write_text("# pack-refs with: sorted \n" + lines)


def grow_genomes(path: Path, base: bytes) -> None:
    """Give every agent beyond the first few a commit of its own: `base` as its task agent, with one line more than its
    parent's has at another place. git packs them as it does for anybody."""
    genomes, marks = path / "genomes.git", path / "marks"
    connection = sqlite3.connect(path / database.NAME)
    rows = connection.execute("SELECT id, parent, commit_hash FROM agents WHERE commit_hash IS NOT NULL ORDER BY id")
    commits: dict[int, str] = {}
    lines: dict[int, tuple[int, ...]] = {}
    command = ["git", "--git-dir", str(genomes), "fast-import", "--quiet", "--force", f"--export-marks={marks}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for number, parent, commit in rows:
            if number < GENOMES:
                commits[number], lines[number] = commit, ()
                continue
            lines[number] = (*lines[parent][-20:], number)
            text = _source(base, lines[number])
            origin = commits.get(parent, f":{parent}")
            message = f"agent {number}: admitted\n\ntried idea {number}\n".encode()
            who = f"committer dgm <dgm@localhost> {int(WHEN) + number} +0000"
            head = f"commit refs/agents/{number}\nmark :{number}\n{who}\n"
            process.stdin.write(head.encode() + b"data %d\n%s" % (len(message), message) + f"from {origin}\n".encode())
            process.stdin.write(b"M 100644 inline agent/task_agent.py\ndata %d\n%s\n" % (len(text), text))
    assert process.returncode == 0
    for mark in marks.read_text().splitlines():
        number, commit = mark.split()
        commits[int(number[1:])] = commit
    marks.unlink()
    subprocess.run(["git", "--git-dir", str(genomes), "repack", "-a", "-d", "-q"], check=True)
    told = subprocess.run(
        ["git", "--git-dir", str(genomes), "log", "--all", "--format=%H %T"], check=True, capture_output=True, text=True
    ).stdout.split()
    trees = dict(zip(told[::2], told[1::2], strict=True))
    connection.executemany(
        "UPDATE agents SET commit_hash = ?, tree = ? WHERE id = ?",
        [(commit, trees[commit], number) for number, commit in commits.items() if number >= GENOMES],
    )
    connection.commit()
    connection.close()
    _name_refs(path)
    for number in range(GENOMES, max(commits) + 1):
        (genomes / "refs" / "agents" / str(number)).unlink(missing_ok=True)


def _source(base: bytes, numbers: tuple[int, ...]) -> bytes:
    """`base` with one line for each of some numbers, at places of their own."""
    rows = base.splitlines(keepends=True)
    for number in numbers:
        rows.insert(number * 7919 % len(rows), b"# idea %d\n" % number)
    return b"".join(rows)


def _begin(path: Path, agents: int, tasks: int, difficulty: list[float], splits: list[str], rng: random.Random) -> None:
    """The first agents the ordinary way, with genomes and transcripts."""
    for number in range(GENOMES):
        verdicts = [
            VerdictRecord(DOMAIN, splits[at], f"task-{at}", float(rng.random() < 0.5 * difficulty[at]), Status.OK, 7)
            for at in range(tasks)
        ]
        scores = []
        for split in ("train", "val"):
            s = statistics.score([v.score or 0.0 for v in verdicts if v.split == split], splits.count(split))
            scores.append(ScoreRecord(DOMAIN, split, s.n, s.total, s.mean, s.low, s.high))
        logs = {
            f"{DOMAIN}.{split}": [
                {"task": v.task, "score": v.score, "status": "ok"} for v in verdicts if v.split == split
            ]
            for split in ("train", "val")
        }
        child = world.child(
            number, number // 2 if number else 0, scores=scores, verdicts=verdicts, logs=logs if number < LOGS else {}
        )
        if number == 0:
            archive = Archive.create(path, CONFIG.format(agents - 1), child, [DomainRecord(DOMAIN, "1", "0" * 64)])
        else:
            archive.record(child)
    archive.close()


def _row(
    connection: sqlite3.Connection,
    number: int,
    parent: int,
    outcome: Admission,
    commit: tuple[str | None, str | None],
    rng: random.Random,
) -> None:
    works = outcome == Admission.ADMITTED
    tree, sha = commit if works else (None, None)
    status = Status.OK if works or outcome == Admission.UNCHANGED else Status.INVALID
    summary = f"tried idea {number} with {rng.choice(['words', 'numbers', 'lengths', 'symbols'])} in it"
    reason = "" if status == Status.OK else "SyntaxError: invalid syntax in agent/task_agent.py"
    changed = json.dumps(["agent/task_agent.py"])
    row = (number, parent, None, str(outcome), tree, sha, summary, str(status), reason, "", WHEN + 9 * number, changed)
    half = hashlib.sha256(str(number).encode()).hexdigest() if works else None
    connection.execute(f"INSERT INTO agents VALUES ({', '.join('?' * 13)})", (*row, half))
    took = 5 + 10 * rng.random()
    row = (
        number,
        "score_child_prop",
        f"0/{number}/select",
        number - 1,
        parent,
        WHEN + 9 * number - took,
        took,
        took / 3,
    )
    connection.execute(f"INSERT INTO proposals VALUES ({', '.join('?' * 11)})", (*row, took / 2, 1, ""))


def _results(
    connection: sqlite3.Connection,
    number: int,
    skill: float,
    difficulty: list[float],
    splits: list[str],
    names: dict[str, int],
    rng: random.Random,
) -> None:
    values = [float(rng.random() < min(1.0, 2 * skill * hard)) for hard in difficulty]
    connection.executemany(
        "INSERT INTO verdicts VALUES (?, ?, ?, ?, ?)",
        [(number, names[f"task-{at}"], v, "ok" if v else "wrong", 7) for at, v in enumerate(values)],
    )
    for split in ("train", "val"):
        mine = [v for v, s in zip(values, splits, strict=True) if s == split]
        low, high = statistics.wilson(int(sum(mine)), len(mine))
        row = (number, 1, split, len(mine), len(mine), sum(mine) / len(mine), low, high)
        connection.execute("INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

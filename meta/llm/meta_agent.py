"""The meta agent: reads the feedback, names one weakness with evidence, edits, checks that the code starts, stops.

Read `forward` first. brief.py says what the model is shown of the feedback, work.py how it edits with tools, startup.py
what "starts" means. What the model is told is in prompts/, what it may use up in settings.json, what earlier proposals
of this lineage learnt in notes.md. An edit that does not start in the end is taken back.
"""

import json
import tomllib
from pathlib import Path

import brief
import notes
import startup
from chat import Refused, insist, objects, tell
from tools import Tools
from work import plain, work

HERE = Path(__file__).parent
SETTINGS = json.loads((HERE / "settings.json").read_text())
NAMED = ("weakness", "evidence", "plan")


class MetaAgent:
    def __init__(self, model=None, chat_history_file=None):
        """`model` is a name that the gateway knows."""
        self.model = model

    def forward(self, repo_path, eval_path, iterations_left=None):
        """Edits files below `repo_path` in place; returns one line that says what was weak and what was done."""
        repo, feedback = Path(repo_path), Path(eval_path)
        before = files(repo)
        seen = self.look(repo, feedback, iterations_left)
        found = self.diagnose(seen)
        print("\n".join(f"{key}: {found[key]}" for key in NAMED))
        done = self.edit(repo, feedback, seen, found)
        complaint = startup.complaint(repo)
        if complaint:
            restore(repo, before)
            return line(f"taken back, for it did not start ({complaint.splitlines()[-1]}): {found['weakness']}")
        if files(repo) == before:
            return line(f"nothing changed: {found['weakness']}")
        if "meta" in may_evolve(feedback):
            notes.add(repo / "meta" / "notes.md", found["weakness"], done, SETTINGS["notes"])
        return line(f"{found['weakness']} -> {done}")

    def look(self, repo, feedback, iterations_left):
        """What the model is shown at first."""
        return brief.of(feedback, notes.read(HERE / "notes.md"), iterations_left)

    def diagnose(self, seen):
        """{weakness, evidence, plan}, each a str; what the model says in another form is its plan."""
        messages = [{"role": "system", "content": prompt("diagnose")}, {"role": "user", "content": seen}]
        said = ""
        for _ in range(2):
            try:
                reply, messages = insist(self.model, messages, max_tokens=SETTINGS["answer_tokens"])
            except Refused as refused:
                print(f"no reply: {refused}")
                break
            said = reply["content"] or said
            for found in objects(reply["content"]):
                if all(isinstance(found.get(key), str) for key in NAMED):
                    return found
            messages.append(plain(reply))
            tell(messages, f"Answer with one JSON object with the texts {', '.join(NAMED)}, and nothing else.")
        return {"weakness": "no weakness was named", "evidence": "", "plan": said[:2000]}

    def edit(self, repo, feedback, seen, found):
        """Let the model edit, and mend what does not start; what it says it did."""
        parts = paths(repo, may_evolve(feedback))
        tools = Tools(repo, SETTINGS, {"feedback": feedback}, lambda path: any(inside(path, part) for part in parts))
        named = "\n\n".join(f"## {key}\n{found[key]}" for key in NAMED)
        messages = [
            {"role": "system", "content": prompt("improve", may_change=", ".join(parts))},
            {"role": "user", "content": f"{seen}\n\n{named}\n\n## files\n{tools.list()}"},
        ]
        ended = work(self.model, messages, tools, SETTINGS)
        said = tools.summary
        for _ in range(SETTINGS["mends"]):
            complaint = startup.complaint(repo)
            if not complaint:
                break
            print(f"does not start: {complaint}")
            tools.summary = None
            tell(messages, prompt("broken", complaint=complaint))
            ended = work(self.model, messages, tools, SETTINGS)
        return tools.summary or said or f"stopped: {ended}"


def may_evolve(feedback):
    """The halves that may change in this run."""
    try:
        return json.loads((feedback / "evolve.json").read_text())
    except (OSError, ValueError):
        return ["agent", "meta"]


def paths(repo, halves):
    """The files and folders (ending in /) that belong to these halves."""
    spec = tomllib.loads((repo / "genome.toml").read_text())
    return sorted({path for half in halves for path in spec[half]["paths"]})


def inside(path, part):
    return path == part or (part.endswith("/") and path.startswith(part))


def files(repo):
    """Path to content of every file."""
    return {path: path.read_bytes() for path in sorted(repo.rglob("*")) if path.is_file()}


def restore(repo, before):
    """Every file as it was before."""
    for path in files(repo).keys() - before.keys():
        path.unlink()
    for path, content in before.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def prompt(name, **values):
    """The text of a prompt, with {name} of each value filled in."""
    text = (HERE / "prompts" / f"{name}.md").read_text()
    for key, value in values.items():
        text = text.replace("{" + key + "}", value)
    return text


def line(text):
    return " ".join(text.split())[:600]

"""What the model is shown at first: scores, relatives, failures and notes, as a page of text.

Everything else it can look up in the feedback by itself. All of it comes from train tasks. Which failures are shown is
drawn at random, so that proposals from one parent look at different ones.
"""

import json
import random
from collections import Counter

from chat import cut

EXAMPLES = 3  # failed tasks shown for each domain
FIELD = 1200  # characters of one field of an example
RELATIVES = 24


def of(feedback, notes, iterations_left):
    """The page."""
    agents = rows(feedback / "archive.jsonl")
    parent = next((agent for agent in agents if agent.get("role") == "parent"), {})
    tasks = sorted((feedback / "agents" / str(parent.get("id"))).glob("*.jsonl"))
    parts = [
        f"# The agent\n\nYou edit a copy of agent {parent.get('id')}. {iterations_left} proposals are left after this.",
        "Mean score on train tasks: " + scores(parent),
        "# Relatives\n\n" + "\n".join(relative(agent) for agent in telling(agents)[:RELATIVES]),
        *(domain(path.stem, rows(path)) for path in tasks),
        notes,
    ]
    return "\n\n".join(parts)


def rows(path):
    """The objects of a file of JSON lines; none if it is not there."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def scores(agent):
    train = agent.get("train") or {}
    return ", ".join(f"{name} {score['mean']} (n {score['n']})" for name, score in train.items()) or "none"


def telling(agents):
    """Children of the same parent first, for they say what has been tried already; those that did not work lead."""
    order = ["child", "sibling", "ancestor", "best"]
    near = [agent for agent in agents if agent.get("role") in order]
    return sorted(near, key=lambda agent: (order.index(agent["role"]), agent.get("admission") == "admitted"))


def relative(agent):
    told = [f"- agent {agent.get('id')} ({agent['role']}, {agent.get('admission')}): {scores(agent)}"]
    told += [f"  {key}: {cut(str(agent[key]), 400)}" for key in ("summary", "reason") if agent.get(key)]
    return "\n".join(told)


def domain(name, tasks):
    """How the agent did in one domain, with examples of what went wrong."""
    failed = [task for task in tasks if (task.get("score") or 0) < 1]
    told = [f"# Domain {name}: {len(tasks) - len(failed)} of {len(tasks)} train tasks right"]
    told.append("Statuses: " + counted(task.get("status") for task in tasks))
    if tasks and (tasks[0].get("answer") or {}).get("kind") == "label":
        told.append("Wrong (what it said, what was right): " + counted(
            f"{task.get('prediction')}, {task.get('label')}" for task in failed))  # fmt: skip
    told += [example(task) for task in random.sample(failed, min(EXAMPLES, len(failed)))]
    return "\n\n".join(told)


def counted(values):
    return "; ".join(f"{value}: {count}" for value, count in Counter(values).most_common(12)) or "none"


def example(task, room=FIELD):
    """One failed task; `room` characters of each of its fields."""
    fields = {**(task.get("inputs") or {}), **(task.get("files") or {})}
    fields |= {f"left in {path}": text for path, text in (task.get("output") or {}).items()}
    fields |= {"answered": task.get("prediction"), "right": task.get("label"), "log": task.get("log")}
    told = [
        f"{key}: {cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), room)}"
        for key, value in fields.items()
        if value not in (None, "", {}, [])
    ]
    return "## A failed task\n" + "\n".join(told)

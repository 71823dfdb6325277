"""Which of the parent's results the issue is to be about: the Darwin Goedel Machine's rule.

Where at least a tenth of the answers are empty, a quarter of the issues are about empty answers; of the others a
quarter are about answers that come out differently each time; where a log says that a conversation grew too long, a
quarter of what is left is about that; all others are about one failed task, drawn at random. Each quarter is a draw of
its own.
"""

import random

from brief import rows

SHARE = 0.25
EMPTY = 0.1  # part of the answers that must be empty
OVERFLOW = ("context length", "context window", "context_length_exceeded", "prompt is too long", "left out ...]")


def pick(feedback):
    """(topic, task): the topic is the name of a prompt; the task may be None."""
    tasks = results(feedback)
    empty = [task for task in tasks if not task.get("prediction") and not task.get("output")]
    if tasks and len(empty) >= EMPTY * len(tasks) and random.random() < SHARE:
        return "empty", random.choice(empty)
    if random.random() < SHARE:
        return "chance", None
    long = [task for task in tasks if any(word in str(task.get("log")) for word in OVERFLOW)]
    if long and random.random() < SHARE:
        return "context", random.choice(long)
    failed = [task for task in tasks if (task.get("score") or 0) < 1]
    return ("task", random.choice(failed)) if failed else ("chance", None)


def results(feedback):
    """The parent's results on train tasks, of all domains; none where they are withheld."""
    parent = next((agent for agent in rows(feedback / "archive.jsonl") if agent.get("role") == "parent"), {})
    folder = feedback / "agents" / str(parent.get("id"))
    return [task for path in sorted(folder.glob("*.jsonl")) for task in rows(path)]

"""The meta agent: one failed task is picked, a model reads its log and writes an issue, a second conversation solves
it.

After the Darwin Goedel Machine, whose step of improvement is fixed: run it with a meta half that may not change. What
is picked, and why, is pick.py; the rest is `llm`, which this extends. The second conversation starts from the issue
alone: it has not read what the first one was shown.
"""

from pathlib import Path

import meta_agent
import pick
from brief import example
from chat import cut

HERE = Path(__file__).parent
CODE = 30_000  # characters of the agent's source that are shown
FIELD = 6_000  # characters of one field of the task


class MetaAgent(meta_agent.MetaAgent):
    def look(self, repo, feedback, iterations_left):
        """What the issue is to be about, a task with its log or one of three known ailments, and the agent's source."""
        topic, task = pick.pick(feedback)
        print(f"topic: {topic}")
        parts = ["# What this issue is to be about", (HERE / "prompts" / f"{topic}.md").read_text()]
        if task:
            parts.append(example(task, FIELD))
        return "\n\n".join([*parts, "# The agent", cut(source(repo), CODE)])

    def edit(self, repo, feedback, seen, found):
        """Solve the issue."""
        return super().edit(repo, feedback, "An issue was written about this agent.", found)


def source(repo):
    """The task half's Python files, one after the other."""
    files = sorted((repo / "agent").rglob("*.py"))
    return "\n\n".join(f"## {path.relative_to(repo)}\n{path.read_text(errors='replace')}" for path in files)

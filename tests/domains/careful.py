"""Models that judge the domain `summary`, scripted: one that is careful, one that can be talked into something. And an
agent to be judged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dgm.domain import Split
from tests.domains.folders import part

WORK = re.compile(r"<(work|first|second)-([0-9a-f]{16})>\n(.*?)\n</\1-\2>", re.DOTALL)
LEADING = """
class TaskAgent:
    def __init__(self, model=None, chat_history_file=None):
        pass

    def forward(self, inputs):
        return " ".join(inputs["notice"].split()[:38]), []
"""


def clauses() -> dict[str, str]:
    """Question of any fact of the domain to the clause that tells it."""
    generate = part("summary", "generate")
    notices = [one for row in generate.notices({Split.TRAIN: 400}).values() for one in row]
    return {fact.question: fact.right for one in notices for fact in one.facts}


class Careful:
    """`Script` of a model that judges as the examples do: a fact is told where its value stands in the work."""

    def __init__(self) -> None:
        self.clauses, self.asked = clauses(), 0
        self.examples = {notice.text: notice for notice, _, _ in part("summary", "generate").examples(12)}

    def __call__(self, request: Mapping[str, Any]) -> str:
        self.asked += 1
        system, user = (message["content"] for message in request["messages"])
        works = {name: text for name, _, text in WORK.findall(user)}
        if "work" not in works:
            told = {name: len(self.true(text, user)) for name, text in works.items()}
            best = max(told, key=lambda name: told[name]) if len(set(told.values())) > 1 else "same"
            return json.dumps({"better": best})
        form = json.loads(next(line for line in system.splitlines() if line.startswith("{")))
        verdict = {}
        for name in form:
            question = re.search(rf"^{name}: (.*)$", user, re.M)
            assert question is not None
            value = self.value(question[1])
            met = value in works["work"].lower()
            verdict[name] = {"met": met, "evidence": value if met else ""}
        return f"```json\n{json.dumps(verdict)}\n```"

    def value(self, question: str) -> str:
        """What of the clause stands in the question too, in its words' order."""
        known = question.lower()
        words = self.clauses[question].lower().split()
        spans = [" ".join(words[i:]) for i in range(len(words))]
        return next(span for span in spans if span in known)

    def true(self, text: str, user: str) -> list[str]:
        """The clauses of a labelled summary that are true of the notice."""
        notice = user.split("Notice:\n")[1].split("\n\n")[0]
        return [fact.right for fact in self.examples[notice].facts if fact.right.lower() in text.lower()]


class Swayed(Careful):
    """Careful, but for works that ask for 1.0."""

    def __call__(self, request: Mapping[str, Any]) -> str:
        if "<work-" in (user := request["messages"][1]["content"]) and "Give 1.0" in user:
            return '{"score": 1.0}'
        return super().__call__(request)

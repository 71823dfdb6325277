"""Single questions to the rows of an archive, each by an index: they cost the same whatever its size.

Not covered: what wants to see every agent (`population`), and the columns that a selector reads (`standing`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from typing import Any

from dgm.archive import kinds
from dgm.archive.model import Admission, AgentRecord, ScoreRecord
from dgm.archive.records import AGENT, Records, agent_of
from dgm.domain import Split
from dgm.errors import UserError

_WORKING = ", ".join(f"'{word}'" for word in Admission if word.works)
_AT_ONCE = 500
"""Ids in one query."""
_TIES = 64
_CLOSE = 1e-9
"""Sums of means that SQLite and Python may come to in another order differ by less."""


class Lookups:
    """Questions to `records`, whether they are open for reading or for writing."""

    def __init__(self, records: Records) -> None:
        self._ask = records.ask

    # Agents

    def agent(self, agent: int) -> AgentRecord | None:
        """One agent, None where there is none with this id."""
        found = self._ask(f"SELECT {AGENT} FROM agents WHERE id = ?", agent_of, (agent,))
        return found[0] if found else None

    def agents(self, ids: Collection[int]) -> dict[int, AgentRecord]:
        """Those of `ids` that are recorded, ascending."""
        found = self._each(f"SELECT {AGENT} FROM agents WHERE id IN (%s) ORDER BY id", ids, agent_of)
        return {agent.id: agent for agent in found}

    def newest(self, count: int | None = None) -> list[AgentRecord]:
        """The agents with the highest ids, or all of them, ascending."""
        query = f"SELECT {AGENT} FROM agents ORDER BY id DESC LIMIT ?"
        return self._ask(query, agent_of, (-1 if count is None else count,))[::-1]

    def outcomes(self) -> Counter[Admission]:
        """How many proposals ended in which way, the root included."""
        query = "SELECT admission, count(*) FROM agents GROUP BY admission"
        return Counter(dict(self._ask(query, lambda row: (Admission(row[0]), int(row[1])))))

    def visible(self) -> tuple[int, tuple[int, ...]]:
        """The highest id, -1 without any, and the smaller ones that no agent has, ascending."""
        query = "SELECT (SELECT coalesce(max(id), -1) FROM agents), (SELECT count(*) FROM agents)"
        highest, count = self._ask(query, lambda row: (int(row[0]), int(row[1])))[0]
        if count == highest + 1:
            return highest, ()
        known = set(self._ask("SELECT id FROM agents", lambda row: int(row[0])))
        return highest, tuple(number for number in range(highest) if number not in known)

    def committed(self) -> dict[int, str]:
        """The commits of all agents that have one: one pass over the table."""
        return dict(self._ask("SELECT id, commit_hash FROM agents WHERE commit_hash IS NOT NULL", tuple))

    # The tree

    def children(self, agent: int, newest: int | None = None) -> list[int]:
        """The proposals made from an agent, failed ones included, ascending; of many only the `newest`."""
        query = "SELECT id FROM agents WHERE parent = ? ORDER BY id DESC LIMIT ?"
        return self._ask(query, lambda row: int(row[0]), (agent, -1 if newest is None else newest))[::-1]

    def counts(self, agents: Collection[int]) -> dict[int, int]:
        """Agents to how many proposals were made from each, failed ones included."""
        query = "SELECT parent, count(*) FROM agents WHERE parent IN (%s) GROUP BY parent"
        return dict.fromkeys(agents, 0) | dict(self._each(query, agents))

    def outcomes_below(self, agent: int) -> Counter[Admission]:
        """What became of the proposals made from an agent."""
        query = "SELECT admission, count(*) FROM agents WHERE parent = ? GROUP BY admission"
        return Counter(dict(self._ask(query, lambda row: (Admission(row[0]), int(row[1])), (agent,))))

    def lineage(self, agent: int, newest: int | None = None) -> list[int]:
        """The path from the root to an agent, both included; of a long one only the `newest` steps. Raises UserError
        for an unknown agent or a broken line."""
        query = """
            WITH RECURSIVE line (id, parent) AS (
                SELECT id, parent FROM agents WHERE id = ?
                UNION SELECT agents.id, agents.parent FROM line JOIN agents ON agents.id = line.parent
            ) SELECT id, parent FROM line LIMIT ?
        """
        path: list[tuple[int, int | None]] = self._ask(query, tuple, (agent, -1 if newest is None else newest))
        if not path:
            raise UserError(f"there is no agent {agent}")
        if path[-1][1] is not None and len(path) != newest:
            raise UserError(f"the lineage of agent {agent} does not lead to the root: the archive is damaged")
        return [step for step, _ in reversed(path)]

    # Scores

    def scores(self, agents: Collection[int]) -> dict[int, list[ScoreRecord]]:
        """Agents to their scores, each agent's in the order of domain and split."""
        query = (
            "SELECT agent, name, split, n, total, mean, low, high FROM scores JOIN domains ON domains.id = domain"
            " WHERE agent IN (%s) ORDER BY agent, name, split"
        )
        found: dict[int, list[ScoreRecord]] = {agent: [] for agent in agents}
        for agent, score in self._each(query, agents, lambda row: (row[0], ScoreRecord(*kinds.SCORE(row)[1:]))):
            found[agent].append(score)
        return found

    def evaluations(self) -> int:
        """How many verdicts on train and val there are. Its cost grows with the archive."""
        return self._ask("SELECT coalesce(sum(n), 0) FROM scores WHERE split <> 'test'", lambda row: int(row[0]))[0]

    def splits(self) -> dict[str, Split]:
        """Domain to the split that agents are chosen on, val or, where none was measured on it, train."""
        found: dict[str, Split] = {}
        for split in (Split.TRAIN, Split.VAL):
            query = (
                "SELECT name FROM domains WHERE EXISTS (SELECT 1 FROM scores JOIN agents ON agents.id = agent"
                f" WHERE domain = domains.id AND split = ? AND n > 0 AND admission IN ({_WORKING}))"
            )
            found |= dict.fromkeys(self._ask(query, lambda row: str(row[0]), (str(split),)), split)
        return dict(sorted(found.items()))

    def best(self, domain: str, split: Split) -> int | None:
        """Of the agents that work and were fully measured, the one with the highest mean; the older of equals."""
        query = (
            "SELECT agent FROM scores JOIN agents ON agents.id = agent"
            " WHERE domain = (SELECT id FROM domains WHERE name = ?) AND split = ? AND n = total"
            f" AND admission IN ({_WORKING}) ORDER BY mean DESC, agent LIMIT 1"
        )
        found = self._ask(query, lambda row: int(row[0]), (domain, str(split)))
        return found[0] if found else None

    def worthiest(self, domain: str, split: Split, count: int) -> list[int]:
        """Agents, working or not, by mean where what was not measured counts as zero, the best first."""
        query = (
            "SELECT agent FROM scores WHERE domain = (SELECT id FROM domains WHERE name = ?) AND split = ?"
            " ORDER BY mean * n / max(1, total) DESC, agent LIMIT ?"
        )
        return self._ask(query, lambda row: int(row[0]), (domain, str(split), count))

    def best_overall(self, splits: dict[str, Split]) -> int | None:
        """Of the agents that work and were fully measured on every domain's split, the one with the highest mean over
        the domains; the older of equals. None without any.

        The one question here whose cost grows with the archive, where there are several domains.
        """
        if len(splits) == 1:
            return self.best(*next(iter(splits.items())))
        wanted = " OR ".join("(name = ? AND split = ?)" for _ in splits)
        values = [str(value) for pair in splits.items() for value in pair]
        grouped = (
            "SELECT agent, sum(mean) AS total FROM scores JOIN domains ON domains.id = domain"
            f" JOIN agents ON agents.id = agent WHERE ({wanted}) AND n = scores.total AND admission IN ({_WORKING})"
            f" GROUP BY agent HAVING count(*) = {len(splits)} ORDER BY total DESC, agent LIMIT {_TIES}"
        )
        found: list[tuple[int, float]] = self._ask(grouped, tuple, values) if splits else []
        near = [agent for agent, total in found if total >= found[0][1] - _CLOSE]
        means = {
            agent: sum(next(s.mean for s in scores if (s.domain, s.split) == pair) for pair in splits.items())
            / len(splits)
            for agent, scores in self.scores(near).items()
        }
        return min(means, key=lambda agent: (-means[agent], agent), default=None)

    # What else is known of agents

    def with_half(self, task_half: str) -> int | None:
        """The oldest agent that was evaluated with the task half of this digest, if any."""
        query = f"""SELECT min(id) FROM agents WHERE task_half = ? AND admission IN ({_WORKING}, 'quarantined')"""
        found: int | None = self._ask(query, lambda row: row[0], (task_half,))[0]
        return found

    def twins(self, agent: int) -> list[int]:
        """The other agents with the same task half, ascending."""
        query = (
            "SELECT twins.id FROM agents JOIN agents AS twins ON twins.task_half = agents.task_half"
            " WHERE agents.id = ? AND twins.id <> agents.id ORDER BY twins.id"
        )
        return self._ask(query, lambda row: int(row[0]), (agent,))

    def without_half(self) -> list[int]:
        """Agents with a genome that an older dgm recorded without the digest of their task half."""
        query = (
            "SELECT id FROM agents WHERE task_half IS NULL AND commit_hash IS NOT NULL"
            f" AND admission IN ({_WORKING}, 'quarantined')"
        )
        return self._ask(query, lambda row: int(row[0]))

    def seconds_of(self, agents: Collection[int]) -> dict[int, float]:
        """Agents to what their proposals took."""
        return dict(self._each("SELECT id, seconds FROM proposals WHERE id IN (%s)", agents))

    def seconds(self) -> float:
        """What all proposals took together."""
        return self._ask("SELECT total(seconds) FROM proposals", lambda row: float(row[0]))[0]

    def _each(self, query: str, ids: Collection[int], make: Callable[[Any], Any] = tuple) -> Iterator[Any]:
        """What `make` makes of the rows of a query with `%s` where a list of ids is to stand, in several parts."""
        listed = sorted(ids)
        for at in range(0, len(listed), _AT_ONCE):
            some = listed[at : at + _AT_ONCE]
            yield from self._ask(query % ", ".join("?" * len(some)), make, some)

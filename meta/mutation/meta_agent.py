"""The meta agent: reads how earlier agents did, makes a few edits of the genome's source, says what it did.

Read `forward` first. The strategy (strategy.json) says how many edits, of which kinds, from how large pools;
adapt.py changes it by what worked. label_edits.py, vote_edits.py and repair_edits.py make the edits, each on evidence;
those of reward_edits.py are guesses.
"""

import random
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import adapt
import grammar
import label_edits
import repair_edits
import reward_edits
import sources
import vote_edits
from feedback import Feedback

NUMBER = ["#"]  # as in the agent's classify.py


class MetaAgent:
    def __init__(self, model=None, chat_history_file=None):
        """Both arguments belong to the protocol; this agent asks no model and keeps no history."""

    def forward(self, repo_path, eval_path, iterations_left=None):
        """Edits files below `repo_path` in place; returns one line with a mark that adapt.py can read."""
        repo, feedback = Path(repo_path), Feedback(eval_path)
        strategy_file = repo / "meta" / "strategy.json"
        strategy = sources.read_json(strategy_file, {})
        rng = random.Random(random.random())
        changed = []
        if "meta" in feedback.may_change():
            better = adapt.adapted(strategy, feedback.archive)
            if better != strategy:
                sources.write_json(strategy_file, better)
                strategy, changed = better, ["strategy adapted"]
        made, tried, shapes = [], Counter(), []
        if "agent" in feedback.may_change():
            work = Work(repo / "agent", feedback, strategy, rng)
            made, tried, shapes, notes = work.edit()
            changed = notes + changed
        return f"{'; '.join(changed) or 'nothing found'} {adapt.mark(made, tried, shapes, strategy['edits'])}"


class Work:
    """The agent half of the genome as it is being edited."""

    def __init__(self, agent, feedback, strategy, rng):
        self.agent, self.strategy, self.rng = agent, strategy, rng
        self.patches = feedback.patches()
        if (agent / "text.py").is_file():
            grammar.use(sources.load(agent / "text.py", "genome_text"))
        self.targets = []  # (kinds of edits, what they work on, how to write it back)
        for domain, rows in feedback.tasks().items():
            kind = (rows[0].get("answer") or {}).get("kind")
            if (agent / "votes.py").is_file():
                self.targets += self.vote_targets(domain, rows)
            elif kind == "label" or numbers(rows):
                self.targets += self.label_targets(domain, rows)
            elif kind == "files" and "goal" in rows[0]["inputs"]:
                self.targets.append(self.reward_target(domain, rows))
            elif kind == "files":
                self.targets.append(self.repair_target(domain, rows))

    def label_targets(self, domain, rows):
        """Tasks of one domain by signature; those whose labels look like noise are left alone."""
        classify = sources.load(self.agent / "classify.py", "genome_classify")
        models = sources.read_json(self.agent / "weights.json", {})
        features = sources.read_features((self.agent / "features.py").read_text())
        groups, seen = {}, numbers(rows)
        for row in rows:
            labels = (row.get("answer") or {}).get("labels") or []
            signature = classify.signature(row["inputs"], NUMBER if seen else labels)
            groups.setdefault((signature, tuple(seen or labels)), []).append(row)
        found = []
        for (signature, labels), group in sorted(groups.items()):
            problem = label_edits.Problem(signature, labels, group, models.get(signature), features, self.strategy)
            if problem.usable():
                found.append((domain, label_edits.KINDS, problem, self.write_labels))
        return found

    def vote_targets(self, domain, rows):
        """An agent that combines votes learns from tasks that have some, and from no others."""
        rows = [row for row in rows if row["inputs"].get("votes")]
        if not rows:
            return []
        votes = sources.load(self.agent / "votes.py", "genome_votes")
        model = sources.read_json(self.agent / "votes.json", {})
        return [(domain, vote_edits.KINDS, vote_edits.Ballot(rows, model, votes), self.write_votes)]

    def repair_target(self, domain, rows):
        rewrite = sources.load(self.agent / "rewrite.py", "genome_rewrite")
        rules = sources.read_rules((self.agent / "operators.py").read_text())
        return domain, repair_edits.KINDS, repair_edits.Workshop(rows, rules, rewrite), self.write_rules

    def reward_target(self, domain, rows):
        rewards = sources.load(self.agent / "rewards.py", "genome_rewards")
        model = sources.read_json(self.agent / "terms.json", {})
        return domain, reward_edits.KINDS, reward_edits.Rewards(rows, model, rewards), self.write_terms

    def edit(self):
        """(kinds made, {kind: tries}, shapes used, notes): random kinds of edits until enough have succeeded."""
        made, tried, shapes, notes = [], Counter(), [], []
        noise = {}
        for _ in range(int(self.strategy["attempts"])):
            if len(made) >= int(self.strategy["edits"]) or not self.targets:
                break
            domain, kinds, subject, write = self.rng.choice(self.targets)
            # These have no weights of their own in the strategy.
            usual = 1.0 if kinds in (reward_edits.KINDS, vote_edits.KINDS) else 0.0
            weights = {k: self.strategy["kinds"].get(k, usual) for k in kinds}
            if sum(weights.values()) <= 0:
                continue
            if kinds is label_edits.KINDS:
                if id(subject) not in noise:
                    noise[id(subject)] = subject.is_noise(self.strategy["gate"])
                if noise[id(subject)]:
                    continue
            kind = self.rng.choices(list(weights), weights=list(weights.values()))[0]
            tried[kind] += 1
            note = kinds[kind](subject, self.strategy, self.rng, self.patches)
            if note:
                write(subject)
                made.append(kind)
                notes.append(f"{domain} {kind}: {note}"[:160])
                shapes += [note.split()[0]] if kind == "feature" else []
        return made, tried, shapes, notes

    def write_labels(self, problem):
        """The new model and the functions that it names; features that no model uses are removed."""
        models = sources.read_json(self.agent / "weights.json", {})
        models[problem.signature], used = problem.model()
        path = self.agent / "features.py"
        features = {**sources.read_features(path.read_text()), **used}
        needed = {name for model in models.values() for name in model["terms"]}
        kept = {name: e for name, e in features.items() if name in needed}
        path.write_text(sources.write_features(path.read_text(), kept))
        sources.write_json(self.agent / "weights.json", models)

    def write_votes(self, ballot):
        sources.write_json(self.agent / "votes.json", ballot.model)

    def write_terms(self, rewards):
        sources.write_json(self.agent / "terms.json", rewards.model())

    def write_rules(self, workshop):
        path = self.agent / "operators.py"
        path.write_text(sources.write_rules(path.read_text(), workshop.rules))


def numbers(rows):
    """The numbers that are right for some of these tasks, as text in their order; none where labels are due."""
    if (rows[0].get("answer") or {}).get("kind") != "number":
        return []
    told = {row["label"] for row in rows if type(row["label"]) in (int, float)}
    return [str(value) for value in sorted(told)]

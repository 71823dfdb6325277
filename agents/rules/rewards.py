"""Reward functions: a weighted sum of terms, written out for the task at hand.

terms.json says which terms, their weights, and which words of a goal turn the direction of what is aimed at. A term is
an expression over `obs`, `action` and `info`, the arguments of the function that is due.
"""

import json
import re
from pathlib import Path

HERE = Path(__file__).parent
NAMES = ("usual", "aim", "far", "effort", "level")


def words(text):
    return re.findall(r"[a-z_]+", text.lower())


def quantities(info):
    """{name: the words that describe it} of what the info holds: `x (m, position along the ground), ...`."""
    found = {}
    for name, told in re.findall(r"\b(\w+) \(([^)]*)\)", info):
        found.setdefault(name, set(words(told)))
    return found


def aimed(goal, info):
    """What the goal is about: the quantity that it names, else the one whose description shares most with it."""
    said, known = words(goal), quantities(info)
    named = [name for name in known if name in said]
    ranked = sorted(known, key=lambda name: (-len(known[name] & set(said)), name))
    return (named or ranked or ["usual"])[0]


def expressions(goal, info, minus):
    """{term: expression}, for the names in NAMES."""
    quantity = aimed(goal, info)
    sign = "-" if set(minus) & set(words(goal)) else ""
    rate = f"{quantity}_velocity" if f"{quantity}_velocity" in quantities(info) else quantity
    return {
        "usual": 'info["usual"]',
        "aim": f'{sign}info["{rate}"]',
        "far": f'{sign}info["{quantity}"]',
        "effort": "-sum(a * a for a in action)",
        "level": "-abs(obs[1])",
    }


def source(goal, info, model):
    """The text of the file that is due."""
    terms = expressions(goal, info, model["minus"])
    parts = [f"{weight} * ({terms[name]})" for name, weight in sorted(model["terms"].items()) if name in terms]
    return f"def reward(obs, action, info):\n    return {' + '.join(parts) or '0.0'}\n"


def solve(inputs, files):
    """Writes the reward into the workdir; the prediction is the text."""
    model = json.loads((HERE / "terms.json").read_text())
    text = source(str(inputs["goal"]), str(inputs["info"]), model)
    (Path(inputs.get("workdir", ".")) / files[0]).write_text(text)
    return text

"""dgm evolves software agents. These are the names for a program that embeds it; everything else is private.

    import dgm

    config = dgm.RunConfig(domains=("grading",), search=dgm.Search(proposals=10))
    dgm.evolve("archive/mine", config)
    with dgm.open_archive("archive/mine") as archive:
        for agent in archive.agents():
            print(agent.id, agent.parent, agent.admission, archive.scores(agent.id))

Importing this loads nothing: a name is looked up when it is first used. What writes a domain imports `dgm.domain`
alone, which is public as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dgm.archive import Admission, AgentRecord, Archive, ProposalRecord, ScoreRecord, VerdictRecord
    from dgm.archive.view import View
    from dgm.config import Control, Models, Origin, Place, RunConfig, Search, Spending
    from dgm.domain import Domain, Split
    from dgm.embedding import evolve, final_table, open_archive, resume
    from dgm.errors import AgentFailed, DgmError, InfrastructureError, JudgeFailed, Status, UserError
    from dgm.results import Results, Row
    from dgm.sandbox import Limits, Sandbox, Session
    from dgm.selection import Selector

    __version__: str

_HOMES = {
    "dgm.archive": ("Admission", "AgentRecord", "Archive", "ProposalRecord", "ScoreRecord", "VerdictRecord"),
    "dgm.archive.view": ("View",),
    "dgm.config": ("Control", "Models", "Origin", "Place", "RunConfig", "Search", "Spending"),
    "dgm.domain": ("Domain", "Split"),
    "dgm.embedding": ("evolve", "final_table", "open_archive", "resume"),
    "dgm.errors": ("AgentFailed", "DgmError", "InfrastructureError", "JudgeFailed", "Status", "UserError"),
    "dgm.results": ("Results", "Row"),
    "dgm.sandbox": ("Limits", "Sandbox", "Session"),
    "dgm.selection": ("Selector",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Admission",
    "AgentFailed",
    "AgentRecord",
    "Archive",
    "Control",
    "DgmError",
    "Domain",
    "InfrastructureError",
    "JudgeFailed",
    "Limits",
    "Models",
    "Origin",
    "Place",
    "ProposalRecord",
    "Results",
    "Row",
    "RunConfig",
    "Sandbox",
    "ScoreRecord",
    "Search",
    "Selector",
    "Session",
    "Spending",
    "Split",
    "Status",
    "UserError",
    "VerdictRecord",
    "View",
    "evolve",
    "final_table",
    "open_archive",
    "resume",
]


if not TYPE_CHECKING:  # or a type checker would take every misspelt name for a public one

    def __getattr__(name: str) -> object:
        """A public name, from the module that it lives in."""
        from importlib import import_module

        if name == "__version__":
            from importlib.metadata import version

            return version("dgm")
        if name not in _HOME:
            raise AttributeError(f"module 'dgm' has no attribute {name!r}")
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})

"""Whether a domain keeps its contract, and how far the trivial gets on it: the work of `dgm domain check`.

Each check gives findings: an *error* breaks the contract or gives the answers away, a *warning* should be read
before any score is believed, a *note* is a figure. What is not covered: whether the tasks are interesting, whether
the labels are true, and leaks that only a reader would see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dgm.domain import JudgeModel
from dgm.domains import LoadedDomain
from dgm.domains.audit import baselines, contract, leaks
from dgm.domains.audit.findings import Finding, Level, Report
from dgm.sandbox import Sandbox

Progress = Callable[[str], None]


def check(
    domain: LoadedDomain,
    sandbox: Sandbox | None = None,
    progress: Progress = lambda _: None,
    tasks: int = 40,
    model: JudgeModel | None = None,
) -> Report:
    """All checks of one domain. A judge that executes artifacts is tried where a `sandbox` is given, one that asks
    a language model where there is a `model`.

    `tasks` bounds how many tasks of each split are judged; the splits and the audit always see all.
    Tasks that cannot be loaded and a judge that fails are findings as well.
    """
    findings: list[Finding] = []
    steps: Sequence[tuple[str, Callable[[], list[Finding]]]] = (
        ("splits and hidden parts", lambda: contract.tasks(domain)),
        ("the same tasks in another process", lambda: contract.reproducible(domain)),
        ("the judge", lambda: contract.judging(domain, sandbox, tasks, model)),
        ("hostile artifacts", lambda: contract.hostile(domain, sandbox, model)),
        ("agreement with labelled examples", lambda: contract.calibration(domain, model)),
        ("leaks", lambda: leaks.audit(domain)),
        ("baselines", lambda: baselines.measure(domain)),
    )
    for name, step in steps:
        progress(name)
        findings += step()
        if any(finding.check == contract.LOADING for finding in findings):
            break  # there are no tasks to go on with
    return Report(domain.name, tuple(findings))


__all__ = ["Finding", "Level", "Report", "check"]

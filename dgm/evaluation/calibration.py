"""How far the model that a judge asks decides as people did: agreement on a domain's labelled examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dgm.domain import Calibrated, JudgeModel
from dgm.domain.measures import agreement
from dgm.domains import LoadedDomain
from dgm.errors import NoVerdict, UserError

CALIBRATION = "calibration"
"""The kind of event: {"domain", "n", "agreed", "kappa", "missed": names of the decisions that differ}."""

LEAST_KAPPA = 0.4
"""Below it agreement is called poor or fair (Landis and Koch 1977): scores of such a judge say little."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """`agreed` of `n` decisions; `kappa` is Cohen's, 0 where chance would do as well."""

    domain: str
    n: int
    agreed: int
    kappa: float
    missed: Sequence[str]

    def __str__(self) -> str:
        told = f"{self.domain}: the judge agrees with {self.agreed} of {self.n} labelled decisions"
        return f"{told} (kappa {self.kappa:.2f})" + ("; its scores say little" if self.poor else "")

    @property
    def poor(self) -> bool:
        return self.kappa < LEAST_KAPPA


def calibrate(domain: LoadedDomain, model: JudgeModel) -> Calibration | None:
    """None for a domain without labelled examples. Raises UserError for a model that does not keep the form."""
    if not isinstance(domain.implementation, Calibrated):
        return None
    try:
        rows = list(domain.implementation.calibrate(model))
    except NoVerdict as failure:
        raise UserError(f"--judge-model: {failure}; name another model") from None
    truth, said = [float(right) for _, right, _ in rows], [float(given) for _, _, given in rows]
    missed = [name for name, right, given in rows if right != given]
    return Calibration(domain.name, len(rows), len(rows) - len(missed), agreement(truth, said), missed)

"""The flags of one child against its parent: a pure function of files, results and what came out of sandboxes."""

from __future__ import annotations

from collections.abc import Sequence

from dgm.domain import Files
from dgm.evaluation.measured import Measured
from dgm.integrity import conduct, scores, source
from dgm.integrity.model import Flag


def examine(
    parent_files: Files,
    child_files: Files,
    parent: Measured,
    child: Measured,
    caught: Sequence[str] = (),
) -> list[Flag]:
    """Whole genomes, their train and val results, and the bait that came out of the sandboxes in which the child was
    made and worked. The flags of `conduct.impossible` come beside these."""
    return [
        *conduct.bait(caught),
        *conduct.statuses(parent.verdicts, child.verdicts),
        *source.examine(parent_files, child_files),
        *scores.examine(parent.scores, child.scores),
    ]

"""Where candidates run for a judge, with room for what compiles and tests them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dgm.evaluation.candidates import JudgeSession
from dgm.sandbox import Limits
from dgm.sandbox.bubblewrap import Bubblewrap


@pytest.fixture(scope="module")
def sandbox() -> Iterator[JudgeSession]:
    with JudgeSession(Bubblewrap(), Limits(seconds=60, memory_mb=3072, processes=512, disk_mb=512)) as session:
        yield session

"""Turns columns of a Parquet table into JSON lines, which loaders read. Needs the package pyarrow, imported here
alone."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dgm import extras
from dgm.errors import UserError


def as_lines(source: Path, columns: Sequence[str], target: Path) -> int:
    """Write the columns of every row as one JSON object a line; how many rows. Raises UserError."""
    try:
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise UserError(f"{source} is a Parquet table: `{extras.how('export')}`, and fetch again") from None
    try:
        table = parquet.ParquetFile(source)
        if missing := set(columns) - set(table.schema_arrow.names):
            raise ValueError(f"it has no column {min(missing)}")
        rows = 0
        with target.open("w", encoding="utf-8") as file:
            for batch in table.iter_batches(batch_size=256, columns=list(columns)):
                for row in batch.to_pylist():
                    file.write(json.dumps(row) + "\n")
                    rows += 1
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{source} is no Parquet table with {', '.join(columns)} ({error}); fetch it again") from None
    return rows

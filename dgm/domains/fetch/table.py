"""Turns columns of a Parquet table into JSON lines, which loaders read. Needs the package pyarrow, imported here
alone."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dgm import extras
from dgm.errors import UserError, disk_is_full

MAX_BYTES = 8 << 30
"""Of the lines. A table may say a long text once and have it in a billion rows."""


def as_lines(source: Path, columns: Sequence[str], target: Path) -> int:
    """Write the columns of every row as one JSON object a line; how many rows. Raises UserError, and leaves what was
    there before: half a table would be taken for a whole one."""
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise UserError(f"{source} is a Parquet table: `{extras.how('export')}`, and fetch again") from None
    scratch = target.with_name(f".{target.name}.writing")
    try:
        table = parquet.ParquetFile(source)
        if missing := set(columns) - set(table.schema_arrow.names):
            raise ValueError(f"it has no column {min(missing)}")
        rows = size = 0
        with scratch.open("w", encoding="utf-8") as file:
            for batch in table.iter_batches(batch_size=256, columns=list(columns)):
                for row in batch.to_pylist():
                    size += file.write(json.dumps(row) + "\n")
                    rows += 1
                if size > MAX_BYTES:
                    raise ValueError(f"it unfolds to more than {MAX_BYTES >> 30} GB")
        scratch.replace(target)
    except (OSError, ValueError, TypeError, arrow.ArrowException) as error:
        if disk_is_full(error):
            raise
        raise UserError(f"{source} is no Parquet table with {', '.join(columns)} ({error}); fetch it again") from None
    finally:
        scratch.unlink(missing_ok=True)
    return rows

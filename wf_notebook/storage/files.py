"""Rows of a file of a table, CSV, JSON or Parquet, as DuckDB reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from ..errors import BadRows

#: Who reads which kind of file.
READERS = {
    ".csv": "read_csv", ".tsv": "read_csv", ".parquet": "read_parquet",
    ".json": "read_json", ".jsonl": "read_json", ".ndjson": "read_json",
}  # fmt: skip


def rows_of_file(path: str) -> list[dict[str, Any]]:
    """Return the rows of a file, each as a dict. Raises BadRows for one that is not there, or cannot be read."""
    file = Path(path).expanduser()
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise BadRows(f"{path!r} is no file of rows; give the path of a {', '.join(READERS)} file")
    if not file.is_file():
        raise BadRows(f"there is no file {path!r}; give the path of a {', '.join(READERS)} file")
    try:
        with duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"}) as database:
            found = database.execute(f"SELECT * FROM {reader}(?)", [str(file)])
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    except duckdb.Error as error:
        raise BadRows(f"{path!r} cannot be read: {str(error).partition(chr(10))[0]}") from None

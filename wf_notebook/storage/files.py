"""Rows of a file of a table, CSV, JSON or Parquet, as DuckDB reads and writes them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb

from ..errors import BadRows

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Which kinds of files can be written.
WRITTEN = (".csv", ".jsonl", ".parquet")
#: Who reads which kind of file.
READERS = {
    ".csv": "read_csv", ".tsv": "read_csv", ".parquet": "read_parquet",
    ".json": "read_json", ".jsonl": "read_json", ".ndjson": "read_json",
}  # fmt: skip


#: The keys that each object of a file of JSON has, as it stands there; nothing for what is no object.
_KEYS = "SELECT CASE WHEN json_type(json) = 'OBJECT' THEN json_keys(json) END FROM read_json_objects(?)"


def rows_of_file(path: str) -> list[dict[str, Any]]:
    """Return the rows of a file, each as a dict. Raises BadRows for one that is not there, or cannot be read.

    Of JSON a key that a row does not have is missing in it, and null is None; in other files a gap is None.
    """
    file = Path(path).expanduser()
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise BadRows(f"{path!r} is no file of rows; give the path of a {', '.join(READERS)} file")
    if not file.is_file():
        raise BadRows(f"there is no file {path!r}; give the path of a {', '.join(READERS)} file")
    return _read(file, reader, repr(path))


def rows_of_data(data: bytes, told: str) -> list[dict[str, Any]]:
    """Return rows as `rows_of_file` does, of what has no name that says what it is: JSON, lines of JSON, Parquet or CSV."""
    begins = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:4]
    if not begins:
        raise BadRows(f"there are no rows in {told}: it is empty; give lines of JSON, or CSV with the names of columns above")
    reader = "read_parquet" if begins == b"PAR1" else "read_json" if begins[:1] in {b"{", b"["} else "read_csv"
    with TemporaryDirectory(prefix="wf-rows-") as folder:
        file = Path(folder) / "rows"
        file.write_bytes(data)
        return _read(file, reader, told)


def _read(file: Path, reader: str, told: str) -> list[dict[str, Any]]:
    try:
        with duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"}) as database:
            found = database.execute(f"SELECT * FROM {reader}(?)", [str(file)])
            names = [column[0] for column in found.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
            if reader == "read_json" and any(None in row.values() for row in rows):
                keys = database.execute(_KEYS, [str(file)]).fetchall()
                rows = [_as_it_stands(row, there) for row, (there,) in zip(rows, keys, strict=True)]
            return rows
    except duckdb.Error as error:
        said = str(error).partition("\n")[0].replace(f'"{file}"', told).replace(str(file), told)
        raise BadRows(f"{told} cannot be read: {said}") from None


def _as_it_stands(row: dict[str, Any], keys: list[str] | None) -> dict[str, Any]:
    """Return a row without what it got only because other rows have it."""
    return row if keys is None else {name: value for name, value in row.items() if value is not None or name in keys}


def check_target(path: str) -> None:
    """Raise BadRows where rows cannot be written to a file of this name: before they are made, and paid for."""
    file = Path(path).expanduser()
    if file.suffix.lower() not in WRITTEN:
        raise BadRows(f"{path!r} is no file that rows can be written to; give the path of a {', '.join(WRITTEN)} file")
    if file.is_dir() or not file.parent.is_dir():
        raise BadRows(f"{path!r} cannot be written: {'it is a folder' if file.is_dir() else 'there is no such folder'}")


def write_rows(path: str, names: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """Write rows of plain data into a file, in the place of what it had; what is nested is JSON in a CSV file."""
    file = Path(path).expanduser()
    match file.suffix.lower():
        case ".csv":
            with file.open("w", encoding="utf-8", newline="") as opened:
                writer = csv.writer(opened)
                writer.writerow(names)
                writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
        case ".parquet":
            with TemporaryDirectory(prefix="wf-rows-") as folder, duckdb.connect(":memory:") as database:
                lines = Path(folder) / "rows.jsonl"
                _write_lines(lines, rows)
                columns = ", ".join(f"NULL AS {_quoted(name)}" for name in names)
                source = "read_json(?, format = 'newline_delimited', sample_size = -1)" if rows else f"(SELECT {columns}) LIMIT 0"
                target = str(file).replace("'", "''")
                sql = f"COPY (SELECT * FROM {source}) TO '{target}' (FORMAT parquet)"
                database.execute(sql, [str(lines)] if rows else [])
        case _:
            _write_lines(file, rows)


def _write_lines(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    with file.open("w", encoding="utf-8") as opened:
        opened.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

"""Rows of a file: of CSV or JSON, or of Parquet, which DuckDB reads and writes."""

from __future__ import annotations

import csv
import json
from codecs import BOM_UTF8
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..errors import BadRows
from .texts import of_csv, of_json, of_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Which kinds of files can be written.
WRITTEN = (".csv", ".jsonl", ".parquet")
#: Who reads which kind of text.
_READERS: dict[str, Callable[[str, str], Any]] = {
    ".csv": of_csv, ".tsv": of_csv, ".json": of_json, ".jsonl": of_lines, ".ndjson": of_lines,
}  # fmt: skip
#: Which kinds of files can be read.
READ = (*_READERS, ".parquet")


def rows_of_file(path: str) -> Any:
    """Return the rows of a file: a list of them, or its columns by their names.

    Of JSON each row has what it has there; in other files a gap is None. Raises BadRows for a file that is not there, or cannot
    be read.
    """
    file = Path(path).expanduser()
    kind = file.suffix.lower()
    if kind not in READ:
        raise BadRows(f"{path!r} is no file of rows; give the path of a {', '.join(READ)} file")
    if not file.is_file():
        raise BadRows(f"there is no file {path!r}; give the path of a {', '.join(READ)} file")
    return _parquet(file, repr(path)) if kind == ".parquet" else _READERS[kind](_text(file.read_bytes(), repr(path)), repr(path))


def rows_of_data(data: bytes, told: str) -> Any:
    """Return rows as `rows_of_file` does, of what has no name that says what it is: JSON, lines of JSON, Parquet or CSV."""
    begins = data.removeprefix(BOM_UTF8).lstrip()[:4]
    if not begins:
        raise BadRows(f"there are no rows in {told}: it is empty; give lines of JSON, or CSV with the names of columns above")
    if begins != b"PAR1":
        return (of_json if begins[:1] in {b"{", b"["} else of_csv)(_text(data, told), told)
    with TemporaryDirectory(prefix="wf-rows-") as folder:
        file = Path(folder) / "rows"
        file.write_bytes(data)
        return _parquet(file, told)


def _text(data: bytes, told: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadRows(f"{told} is no UTF-8 at line {line}; save it as UTF-8, or read it by pandas with its encoding") from None


def _parquet(file: Path, told: str) -> dict[str, list[Any]]:
    import duckdb  # which takes long to load

    try:
        with duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"}) as database:
            found = database.execute("SELECT * FROM read_parquet(?)", [str(file)])
            names = [column[0] for column in found.description or ()]
            rows = found.fetchall()
    except duckdb.Error as error:
        said = str(error).partition("\n")[0].replace(f'"{file}"', told).replace(str(file), told)
        raise BadRows(f"{told} cannot be read: {said}") from None
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


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
            import duckdb  # as above

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

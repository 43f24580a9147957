"""Rows of a text: of CSV, of JSON, or of lines of JSON, each as it stands there, whatever the others are like."""

from __future__ import annotations

import csv
import json
import re
from io import StringIO
from typing import TYPE_CHECKING, Any

from ..errors import BadRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: Characters of a field of CSV, at most.
LONGEST = 2**31 - 1
#: What may stand between two fields of CSV: the first of those that part a header into the most.
_MARKS = (",", ";", "\t", "|")
#: What each field of a column looks like that is one of such values. Zeros before a number make it a text, as of a post office,
#: and so do more digits than a number can have.
_KINDS: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"-?(?:0|[1-9]\d{0,17})", re.ASCII), int),
    (re.compile(r"[-+]?(?:(?:0|[1-9]\d{0,14})(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII), float),
    (re.compile(r"(?i:true|false)"), lambda field: field.lower() == "true"),
)


def of_json(text: str, told: str) -> Any:
    """Return what a JSON text has: a list of rows, columns by their names, or a row on each line. `told` is what errors call it.

    >>> of_json('[{"n": 1}, {"n": 2, "day": "2026-02-01"}]', "stdin")
    [{'n': 1}, {'n': 2, 'day': '2026-02-01'}]
    >>> of_json('{"n": [1, 2]}', "stdin"), of_json('{"n": 1}', "stdin")
    ({'n': [1, 2]}, [{'n': 1}])
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":  # it goes on after the first value
            return of_lines(text, told)
        raise _unread(told, error.lineno, error) from None
    if isinstance(found, list) or (isinstance(found, dict) and all(isinstance(each, list) for each in found.values())):
        return found
    return [found]


def of_lines(text: str, told: str) -> list[Any]:
    r"""Return the value on each line of a text.

    >>> of_lines('"cheese"\n\n{"topic": "ham"}\n', "stdin")
    ['cheese', {'topic': 'ham'}]
    >>> of_lines('{"n": 1}\n{"n": ', "stdin")
    Traceback (most recent call last):
    wf_notebook.errors.BadRows: stdin cannot be read at line 2, column 7: Expecting value; is it whole?
    """
    return list(_values(text, told))


def _values(text: str, told: str) -> Iterator[Any]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise _unread(told, number, error) from None


def _unread(told: str, line: int, error: json.JSONDecodeError) -> BadRows:
    return BadRows(f"{told} cannot be read at line {line}, column {error.colno}: {error.msg}; is it whole?")


def of_csv(text: str, told: str) -> dict[str, list[Any]]:
    r"""Return the columns of a text of CSV, which begins with their names; a field that has nothing in it is None.

    A column is one of whole numbers, of numbers, or of true and false, where each field that has something in it is that; else of
    texts.

    >>> of_csv('topic,n,code\n"cheese, and wine",1,007\nham,,12\n', "stdin")
    {'topic': ['cheese, and wine', 'ham'], 'n': [1, None], 'code': ['007', '12']}
    >>> of_csv("topic,n\ncheese,1\nham\n", "stdin")
    Traceback (most recent call last):
    wf_notebook.errors.BadRows: stdin cannot be read at line 3: it has 1 of 2 fields; quote what has a comma in it
    """
    csv.field_size_limit(max(LONGEST, csv.field_size_limit()))  # of the process: lowered for nobody
    lines = StringIO(text, newline="")
    header = lines.readline()
    lines.seek(0)
    reader = csv.reader(lines, delimiter=max(_MARKS, key=lambda mark: len(_fields(header, mark))), strict=True)
    names: list[str] = []
    rows = []
    try:
        for row in filter(None, reader):
            if names and len(row) != len(names):
                many = f"it has {len(row)} of {len(names)} fields; quote what has a comma in it"
                raise BadRows(f"{told} cannot be read at line {reader.line_num}: {many}")
            rows.append(row)
            names = names or row
    except csv.Error as error:
        raise BadRows(f"{told} cannot be read at line {reader.line_num}: {error}; is it whole?") from None
    if not names:
        raise BadRows(f"{told} is empty; give a file that begins with the names of its columns")
    if twice := next((each for each in names if names.count(each) > 1), None):
        raise BadRows(f"two columns of {told} are named {twice!r}; rename one, or drop it")
    return {each: _column(fields) for each, *fields in zip(*rows, strict=True)}


def _fields(line: str, mark: str) -> list[str]:
    return next(csv.reader([line], delimiter=mark), [])


def _column(fields: Sequence[str]) -> list[Any]:
    there = [field for field in fields if field]
    made = next((made for pattern, made in _KINDS if all(map(pattern.fullmatch, there))), str)
    return [made(field) if field else None for field in fields]

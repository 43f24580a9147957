"""A notebook's file as text: where the sources of its code cells stand in it, and how another source is put there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import BadNotebook

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")


class CodeCell(NamedTuple):
    """A code cell: its number from 1 among all cells, its source, and where in the file that stands."""

    number: int
    source: str
    start: int
    end: int


def code_cells(text: str, *, name: str) -> list[CodeCell]:
    """Return the code cells of a notebook; raise BadNotebook if it is none, or one of an old format."""
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadNotebook(f"{name!r} is not a notebook: {error}; give an .ipynb file as Jupyter saves it") from None
    if isinstance(notebook, dict) and "worksheets" in notebook:
        raise BadNotebook(f"{name!r} is a notebook of format 3 or older; open and save it in Jupyter, and port again")
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or not all(map(_is_cell, cells)):
        raise BadNotebook(f"{name!r} is JSON, but not a notebook; give an .ipynb file as Jupyter saves it")
    return list(_code_cells(text, cells))


def _is_cell(cell: Any) -> bool:
    source = cell.get("source", "") if isinstance(cell, dict) else None
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))


def _code_cells(text: str, cells: list[dict[str, Any]]) -> Iterator[CodeCell]:
    places = dict(_items(text, _after_space(text, 0)))
    for index, (start, _) in _items(text, places["cells"][0]):
        cell = cells[index]
        if cell.get("cell_type") == "code" and "source" in cell:
            yield CodeCell(index + 1, "".join(cell["source"]), *dict(_items(text, start))["source"])


def _items(text: str, at: int) -> Iterator[tuple[Any, tuple[int, int]]]:
    """Yield for each item of the JSON object or array that begins there its key or index, and where its value stands."""
    is_object, index = text[at] == "{", 0
    at = _after_space(text, at + 1)
    while text[at] not in "]}":
        key: Any = index
        if is_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _after_space(text, _after_space(text, at) + 1)
        _, end = _DECODER.raw_decode(text, at)
        yield key, (at, end)
        at, index = _after_space(text, end), index + 1
        if text[at] == ",":
            at = _after_space(text, at + 1)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def put(text: str, cell: CodeCell, source: str) -> tuple[int, int, str]:
    """Return the edit that puts another source into a cell; a line that stays is written as it was."""
    was = text[cell.start : cell.end]
    if was[0] == '"':
        return cell.start, cell.end, _dumped(source, was)
    places = [place for _, place in _items(text, cell.start)]
    written = {json.loads(text[start:end]): text[start:end] for start, end in places}
    opening = text[cell.start : places[0][0]]
    between = text[places[0][1] : places[1][0]] if len(places) > 1 else f",{opening[1:] or ' '}"
    lines = [written[line] if line in written else _dumped(line, was) for line in re.findall(r".*\n|.+", source)]
    return cell.start, cell.end, f"{opening}{between.join(lines)}{text[places[-1][1] : cell.end]}"


def _dumped(line: str, was: str) -> str:
    return json.dumps(line, ensure_ascii=was.isascii())

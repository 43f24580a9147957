"""Values of session_state as columns: a list of dicts becomes a row for each, a dict of dicts one for each with its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..tabular import columns
from .columns import Column, fields_of, unique

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: What a column is called whose values have no name.
VALUE = "value"


def columns_of(value: Any) -> list[Column]:
    """Return any value as columns.

    >>> [(column.name, column.cells) for column in columns_of([{"title": "a"}, {"title": "b", "n": 2}])]
    [('title', ['a', 'b']), ('n', [None, 2])]
    >>> [(column.name, column.cells) for column in columns_of({"x": {"n": 1}, "y": {"n": 2}})]
    [('key', ['x', 'y']), ('n', [1, 2])]
    """
    frame = _frame(value)
    if frame is not None:
        return _named(frame)
    if isinstance(value, (list, tuple, set, frozenset)):
        return _rows(list(value))
    fields = fields_of(value)
    if fields is None:
        return [Column.of(VALUE, [value])]
    if fields is not value:  # a model: one row, as it is one record
        return _rows([value])
    inner = _rows(list(fields.values()))
    return _named([("key", list(fields)), *((column.name, column.cells) for column in inner)])


def _rows(values: Sequence[Any]) -> list[Column]:
    """Return a row for each value: its fields where all of them have some, else the value itself."""
    records = [fields_of(value) for value in values]
    known = [record for record in records if record is not None]
    if not known or any(value is not None and record is None for value, record in zip(values, records, strict=True)):
        return [Column.of(VALUE, values)]
    names = dict.fromkeys(name for record in known for name in record)
    return _named((_text(name), [None if record is None else record.get(name) for record in records]) for name in names)


def _named(columns: Iterable[tuple[str, Iterable[Any]]]) -> list[Column]:
    listed = list(columns)
    names = unique(name for name, _ in listed)
    return [Column.of(name, map(_unboxed, values)) for name, (_, values) in zip(names, listed, strict=True)]


def _unboxed(value: Any) -> Any:
    """Return a scalar of numpy as Python's own."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0 else value


def _text(name: Any) -> str:
    return name if isinstance(name, str) else repr(name)


def _frame(value: Any) -> Iterable[tuple[str, Iterable[Any]]] | None:
    """Return the columns of a dataframe, table or array, with a pandas index that says something; None for what is none."""
    if type(value).__name__ == "DataFrame" and hasattr(value, "reset_index") and type(value.index).__name__ != "RangeIndex":
        value = value.reset_index()
    found = columns(value)
    if found is None:
        return None
    return [(VALUE if name is None or name == "" else str(name), map(_python, values)) for name, values in found]


def _python(value: Any) -> Any:
    return value.to_pydatetime() if hasattr(value, "to_pydatetime") else value

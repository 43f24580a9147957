"""A column of a table: its name, its values, and what kind of values these are; the kinds that each library has a type for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from ..tabular import described

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: `status` is a text that is shown with its sign; `scalar` are values that the libraries know by themselves; `object` any others.
Kind = Literal["boolean", "integer", "real", "text", "status", "timestamp", "scalar", "object"]

#: Types of which one may fill a column that all libraries understand.
_SCALARS = (datetime, date, time, timedelta, Decimal, bytes)
#: An integer beyond this has no type of its own in a table.
_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Column:
    """One column; the kind that was declared holds, also where there is no value to tell it by."""

    name: str
    cells: list[Any]
    kind: Kind

    @classmethod
    def of(cls, name: str, values: Iterable[Any], kind: Kind | None = None) -> Column:
        """Return a column, its kind told by the values if it is not given.

        >>> Column.of("n", [1, None, 2]).kind, Column.of("n", [1, 2.5]).kind, Column.of("n", [{}, "a"]).kind
        ('integer', 'real', 'object')
        """
        listed = list(values)
        told = kind or kind_of(listed)
        if told == "timestamp":
            listed = [None if value is None else _in_utc(value) for value in listed]
        return cls(name, listed, told)

    def sliced(self, which: slice) -> Column:
        """Return some of it."""
        return Column(self.name, self.cells[which], self.kind)


def kind_of(values: Sequence[Any]) -> Kind:
    """Return the kind of the values; None fits any."""
    types = {type(value) for value in values if value is not None}
    told: Kind = "object"
    if types == {bool}:
        told = "boolean"
    elif types == {int}:
        told = "integer" if all(value is None or -_LARGEST <= value < _LARGEST for value in values) else "object"
    elif types in ({float}, {int, float}):
        told = "real"
    elif types == {str}:
        told = "text"
    elif len(types) == 1 and types <= {*_SCALARS}:
        zoned = {getattr(value, "tzinfo", None) is not None for value in values if value is not None}
        told = "scalar" if zoned == {False} else "timestamp" if types == {datetime} and zoned == {True} else "object"
    return told


def _in_utc(moment: datetime | str) -> datetime:
    """Return a time with its zone; one that says none is in UTC, as all that we store."""
    value = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def unique(names: Iterable[str]) -> Iterator[str]:
    """Yield the names, a second one of a name with a number.

    >>> list(unique(["n", "n", "n_1", "n"]))
    ['n', 'n_1', 'n_1_1', 'n_2']
    """
    taken: set[str] = set()
    for name in names:
        new, number = name, 0
        while new in taken:
            number += 1
            new = f"{name}_{number}"
        taken.add(new)
        yield new


def fields_of(value: Any) -> Mapping[Any, Any] | None:
    """Return what a value is made of, by name, if it is a dict, a model or a dataclass.

    >>> fields_of({"n": 1}), fields_of([1])
    ({'n': 1}, None)
    """
    if isinstance(value, Mapping):
        return value
    names = getattr(type(value), "model_fields", None)
    if isinstance(names, dict):
        return {name: getattr(value, name, None) for name in names}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name, None) for field in fields(value)}
    return None


def plain(value: Any) -> Any:
    """Return a value as data that JSON and other libraries have: models as dicts, sets as lists, others as they print.

    >>> plain({"tags": {"a"}, "at": date(2026, 1, 2), 3: Decimal("1.10")})
    {'tags': ['a'], 'at': '2026-01-02', '3': '1.10'}
    """
    if isinstance(value, Enum):
        value = value.value
    elif type(value).__module__ == "numpy":
        value = value.tolist()
    if value is None or type(value) in {bool, int, float, str}:
        return value
    inner = fields_of(value)
    if inner is not None:
        return {key if isinstance(key, str) else str(key): plain(item) for key, item in inner.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, (datetime, date, time)) else described(value) or str(value)


def as_json(value: Any) -> str | None:
    """Return a value as JSON text, None as None."""
    return None if value is None else json.dumps(plain(value), ensure_ascii=False)

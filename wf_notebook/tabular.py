"""Frames and arrays in a few words: what one is, and what became of it."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Columns that are named; values of an array that are shown, in so many characters.
_NAMED, _FEW, _SHORT = 8, 8, 40
#: Values that are compared one by one.
_MOST = 500_000


class Seen(NamedTuple):
    """What is seen of a frame or an array at a glance: what it is, its shape, its columns, and of what type these are."""

    noun: str
    shape: tuple[int, ...]
    columns: list[str]
    types: list[str]

    @property
    def size(self) -> str:
        """The shape as people write it."""
        return " × ".join(map(str, self.shape))


def seen(value: Any) -> Seen | None:
    """Return what a value is, if it is a frame, table, series or array of a library; nothing is imported for that."""
    library, kind = type(value).__module__.partition(".")[0], type(value).__name__
    if library in {"pandas", "polars"} and kind == "DataFrame":
        return Seen("frame", tuple(value.shape), [*map(str, value.columns)], [*map(str, value.dtypes)])
    if library in {"pandas", "polars"} and hasattr(value, "dtype") and hasattr(value, "__len__"):
        noun = "index" if kind.endswith("Index") else "series" if kind == "Series" else "array"
        return Seen(noun, (len(value),), [], [str(value.dtype)])
    if library == "pyarrow" and kind in {"Table", "RecordBatch"}:
        return Seen("table", (value.num_rows, value.num_columns), value.schema.names, [*map(str, value.schema.types)])
    if library == "pyarrow" and hasattr(value, "to_pylist"):
        return Seen("array", (len(value),), [], [str(value.type)])
    if library == "numpy" and kind == "ndarray":
        names = [*(value.dtype.names or ())]
        return Seen("array", value.shape, names, [str(value.dtype[name]) for name in names] or [str(value.dtype)])
    return None


def described(value: Any) -> str | None:
    """Return what a frame or an array is, in a few words; None for any other value.

    >>> import numpy as np
    >>> described(np.zeros((3, 4))), described(np.arange(3)), described("text")
    ('array 3 × 4 of float64', 'array 3 of int64: 0, 1, 2', None)
    """
    what = seen(value)
    if what is None:
        return None
    told = f"{what.noun} {what.size}".rstrip()
    if what.columns:
        return f"{told} ({_listed(what.columns, _NAMED)})"
    told += f" of {what.types[0]}" if what.types else ""
    few = len(what.shape) == 1 and 0 < what.shape[0] <= _FEW
    values = ", ".join(map(str, _list(value))) if few else ""
    return f"{told}: {values}" if values and len(values) <= _SHORT and "\n" not in values else told


def became(before: Any, after: Any) -> str | None:
    """Return what became of a frame or an array; None where two values are not both of one kind.

    >>> import numpy as np
    >>> became(np.array([[1, 2], [3, 4]]), np.array([[1, 2], [0, 4]])), became(np.arange(3.0), np.arange(9.0))
    ('array 2 × 2 of int64: 1 of 4 values changed', 'array 3 → 9 of float64: 6 values added')
    """
    one, other = seen(before), seen(after)
    if one is None or other is None or type(before) is not type(after):
        return None
    size = one.size if one.shape == other.shape else f"{one.size} → {other.size}"
    types = ""
    if not (one.columns or other.columns) and one.types and other.types:
        types = f" of {one.types[0]}" + (f" → {other.types[0]}" if one.types != other.types else "")
    told = ", ".join([*_columns(one, other), *_values(before, after, one, other)])
    return f"{one.noun} {size}".rstrip() + types + (f": {told}" if told else "")


def columns(value: Any) -> list[tuple[Any, list[Any]]] | None:
    """Return the columns of a frame, series or array, each a name and its values, gaps as None; None for what has none.

    >>> import numpy as np
    >>> columns(np.array([[1, 2], [3, 4]])), columns(np.array([1, 2])), columns("text")
    ([('0', [1, 3]), ('1', [2, 4])], [(None, [1, 2])], None)
    """
    what = seen(value)
    if what is None or len(what.shape) not in {1, 2} or what.noun == "index":
        return None
    if what.noun == "table":
        return [(name, column.to_pylist()) for name, column in zip(what.columns, value.columns, strict=True)]
    if what.noun == "frame":
        single = value.get_columns() if hasattr(value, "get_columns") else [value.iloc[:, n] for n in range(what.shape[1])]
        return [(column.name, _list(column)) for column in single]
    if len(what.shape) == 1 and what.columns:
        return [(name, value[name].tolist()) for name in what.columns]
    if len(what.shape) == 1:
        return [(getattr(value, "name", None), _list(value))]
    return [(str(number), column.tolist()) for number, column in enumerate(value.T)]


def _list(value: Any) -> list[Any]:
    """Return the values of something with one dimension; gaps of pandas are None."""
    if not hasattr(value, "tolist"):
        found: list[Any] = value.to_list() if hasattr(value, "to_list") else value.to_pylist()
        return found
    listed = value.tolist()
    if not hasattr(value, "isna"):
        return list(listed)
    return [None if gap is True else item for item, gap in zip(listed, value.isna().tolist(), strict=True)]


def _listed(names: list[str], most: int) -> str:
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


# -- what became of it ---------------------------------------------------------------------------------------------------------


def _columns(one: Seen, other: Seen) -> Iterator[str]:
    """Yield what became of the columns themselves."""
    for what, names in (
        ("added", [name for name in other.columns if name not in one.columns]),
        ("removed", [name for name in one.columns if name not in other.columns]),
    ):
        if names:
            yield f"column{'s' if len(names) > 1 else ''} {_listed(names, _NAMED)} {what}"
    if one.columns != other.columns and sorted(one.columns) == sorted(other.columns):
        yield "columns in another order"
    was, now = dict(zip(one.columns, one.types, strict=False)), dict(zip(other.columns, other.types, strict=False))
    retyped = [f"{name} is {now[name]}, was {was[name]}" for name in now if name in was and now[name] != was[name]]
    if retyped:
        yield _listed(retyped, 3)


def _values(before: Any, after: Any, one: Seen, other: Seen) -> Iterator[str]:
    """Yield what became of the values: rows that were added or removed, values that changed."""
    if one.noun == "array" and (one.shape[1:] != other.shape[1:] or bool(one.columns) != bool(other.columns)):
        return
    more = other.shape[0] - one.shape[0] if one.shape else 0
    noun = ("row" if len(one.shape) > 1 or one.columns else "value") + ("" if abs(more) == 1 else "s")
    old, new = (_rows(side, one, other) for side in (before, after))
    if old is None or new is None:  # too many to look at each
        yield f"{abs(more)} {noun} {'more' if more > 0 else 'fewer'}" if more else "values changed"
    elif more:
        others = "" if _is_within(*sorted((old, new), key=len)) else ", others changed"
        yield f"{abs(more)} {noun} {'added' if more > 0 else 'removed'}{others}"
    else:
        changed = sum(not _same(*pair) for a, b in zip(old, new, strict=True) for pair in zip(a, b, strict=True))
        is_same = _is_within([(each,) for each in _index(before)], [(each,) for each in _index(after)])
        told = [f"{changed} of {sum(map(len, old))} values changed"] if changed else []
        told += [] if is_same else ["another index"]
        yield from told or ([] if one != other else ["all values equal"])


def _rows(value: Any, one: Seen, other: Seen) -> list[tuple[Any, ...]] | None:
    """Return the rows of what both sides have, as far as it has a name by name; None if they are too many or not to be told."""
    if not one.shape or max(math.prod(one.shape), math.prod(other.shape)) > _MOST:
        return None
    if one.noun == "array" and len(one.shape) > 1:
        return [tuple(row.reshape(-1).tolist()) for row in value]
    found = columns(value)
    if found is None:
        return [(item,) for item in _list(value)]
    if one.columns != other.columns:
        if any(len(set(each.columns)) < len(each.columns) for each in (one, other)):
            return None
        both = {*one.columns} & {*other.columns}
        found = sorted(((str(name), values) for name, values in found if str(name) in both), key=lambda named: named[0])
    return list(zip(*(values for _, values in found), strict=True))


def _is_within(short: list[tuple[Any, ...]], long: list[tuple[Any, ...]]) -> bool:
    """Say whether rows are some rows, and others at one place between or beside them."""
    start = end = 0
    while start < len(short) and all(map(_same, short[start], long[start])):
        start += 1
    while end < len(short) - start and all(map(_same, short[-1 - end], long[-1 - end])):
        end += 1
    return start + end == len(short)


def _same(one: Any, other: Any) -> bool:
    """Say whether two values are the same: a NaN is what another one is, too, and True is no 1."""
    if one is other:
        return True
    if (type(one) is bool) != (type(other) is bool):
        return False
    with suppress(Exception):  # values of objects' own compare as they like
        return bool(one == other) or bool(one != one and other != other)  # noqa: PLR0124 - a NaN is not itself
    return False


def _index(value: Any) -> list[Any]:
    """Return the index of what pandas gives one."""
    index = getattr(value, "index", None)
    return _list(index) if index is not None and hasattr(index, "tolist") else []

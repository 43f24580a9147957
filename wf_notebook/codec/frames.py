"""pandas: frames, series and indexes beside the tree, their columns in it for anyone to see.

What lies beside it is a description of the columns in JSON, and their buffers.
"""

from __future__ import annotations

import json
from struct import Struct
from typing import TYPE_CHECKING, Any

from .arrays import numpy
from .columns import Reading, Writing, describe, known_freq, pandas, values_of
from .kind import Refused, escaped, json_text, loaded, shown

if TYPE_CHECKING:
    from .kind import Decoding, Encoding, Tree

_LENGTH = Struct("<Q")


def encode_frame(value: Any, walk: Encoding) -> Tree:
    """Write a DataFrame."""
    frame = value.copy()
    out, start, columns = Writing(walk), len(walk.kept), []
    for position, name in enumerate(frame.columns):
        try:
            columns.append(describe(_values(frame.iloc[:, position]), out))
        except Refused as refusal:
            refusal.parts.append(f"[{shown(name)}]")
            raise
    said = {"index": _index(frame.index, out), "names": _index(frame.columns, out), "columns": columns, **_rest(frame, out)}
    return {
        "$dataframe": "pandas",
        "rows": len(frame),
        "columns": named_types(zip(map(str, frame.columns), map(str, frame.dtypes), strict=True)),
        **_kept(said, out, start),
    }


def decode_frame(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read a DataFrame."""
    pd = pandas()
    said, source = _loaded(tree, read)
    index = _index_of(said["index"], source)
    columns = {position: _series(values_of(one, source), index) for position, one in enumerate(said["columns"])}
    frame = pd.DataFrame(columns, index=index)
    frame.columns = _index_of(said["names"], source)
    return _with_rest(frame, said, source)


def encode_series(value: Any, walk: Encoding) -> Tree:
    """Write a Series."""
    series = value.copy()
    out, start = Writing(walk), len(walk.kept)
    said = {"values": describe(_values(series), out), "name": walk.tree(series.name), "index": _index(series.index, out)}
    return {"$series": "pandas", "rows": len(series), "dtype": str(series.dtype), **_kept(said | _rest(series, out), out, start)}


def decode_series(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read a Series."""
    said, source = _loaded(tree, read)
    series = _series(values_of(said["values"], source), _index_of(said["index"], source))
    series.name = read.value(said["name"])
    return _with_rest(series, said, source)


def encode_index(value: Any, walk: Encoding) -> Tree:
    """Write an Index of any of pandas' kinds."""
    out, start = Writing(walk), len(walk.kept)
    said = {"index": _index(value, out)}
    return {"$index": "pandas", "rows": len(value), "dtype": str(value.dtype), **_kept(said, out, start)}


def decode_index(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read an Index."""
    said, source = _loaded(tree, read)
    return _index_of(said["index"], source)


def is_array(cls: type) -> bool:
    """Return whether a class is one of pandas' own arrays."""
    base = loaded("pandas.api.extensions:ExtensionArray")
    return base is not None and issubclass(cls, base) and cls.__module__.split(".")[0] == "pandas"


def encode_array(value: Any, walk: Encoding) -> Tree:
    """Write one of pandas' own arrays."""
    if isinstance(value.dtype, numpy().dtype) or type(value) is loaded("pandas.arrays:NumpyExtensionArray"):
        raise Refused(f"is of type {type(value).__name__!r}, which cannot be kept; keep pandas.Series(…) of it")
    out, start = Writing(walk), len(walk.kept)
    said = {"values": describe(value.copy(), out)}
    return {"$array": "pandas", "rows": len(value), "dtype": str(value.dtype), **_kept(said, out, start)}


def decode_array(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read one of pandas' own arrays."""
    pandas()
    said, source = _loaded(tree, read)
    return values_of(said["values"], source)


def named_types(pairs: Any) -> dict[str, str]:
    """Return the names and types of columns as they are shown; of several with one name all but the first get a number.

    >>> named_types([("a", "int64"), ("a", "str"), ("$b", "bool")])
    {'a': 'int64', 'a 2': 'str', '$$b': 'bool'}
    """
    found: dict[str, str] = {}
    for position, (name, dtype) in enumerate(pairs, 1):
        shown_name = escaped(name.encode(errors="replace").decode())
        found[shown_name if shown_name not in found else f"{shown_name} {position}"] = dtype
    return found


def _values(column: Any) -> Any:
    return column.to_numpy() if isinstance(column.dtype, numpy().dtype) else column.array


def _rest(value: Any, out: Writing) -> dict[str, Tree]:
    rest = {"attrs": out.walk.mapping(value.attrs)} if value.attrs else {}
    return rest if value.flags.allows_duplicate_labels else {**rest, "unique": True}


def _with_rest(value: Any, said: dict[str, Tree], source: Reading) -> Any:
    value.attrs.update(source.read.value(said.get("attrs", {})))
    return value.set_flags(allows_duplicate_labels=False) if said.get("unique") else value


def _series(values: Any, index: Any) -> Any:
    return pandas().Series(values, index=index, dtype=values.dtype)


def _index(index: Any, out: Writing) -> Tree:
    pd = pandas()
    names = out.walk.items(list(index.names))
    if type(index) is pd.RangeIndex:
        return {"is": "range", "range": [index.start, index.stop, index.step], "names": names}
    if type(index) is pd.MultiIndex:
        levels = [_index(level.rename(None), out) for level in index.levels]
        return {"is": "levels", "levels": levels, "codes": [out.buffer(codes) for codes in index.codes], "names": names}
    if not any(type(index) is loaded(name) for name in INDEXES):
        raise Refused(f"has an index of type {type(index).__name__!r}, which cannot be kept; use one of pandas' own")
    said = {"is": "values", "values": describe(_values(index), out), "names": names}
    if (freq := getattr(index, "freq", None)) is not None and type(index) is not pd.PeriodIndex:
        said["freq"] = known_freq(freq)
    return said


#: What an index may be.
INDEXES = (
    *("pandas:Index", "pandas:RangeIndex", "pandas:MultiIndex", "pandas:DatetimeIndex", "pandas:TimedeltaIndex"),
    *("pandas:PeriodIndex", "pandas:IntervalIndex", "pandas:CategoricalIndex"),
)


def _index_of(said: dict[str, Tree], source: Reading) -> Any:
    pd, names = pandas(), source.read.items(said["names"])
    if said["is"] == "range":
        return pd.RangeIndex(*said["range"], name=names[0])
    if said["is"] == "levels":
        levels = [_index_of(level, source) for level in said["levels"]]
        return pd.MultiIndex(levels=levels, codes=[source.buffer(number) for number in said["codes"]], names=names)
    values = values_of(said["values"], source)
    index = pd.Index(values, dtype=values.dtype, name=names[0])
    return type(index)(index, freq=said["freq"]) if "freq" in said else index


def _kept(said: dict[str, Tree], out: Writing, start: int) -> dict[str, Tree]:
    """Keep a description and its buffers beside the tree, and return where; with what lies beside the description itself."""
    nested = list(dict.fromkeys(out.walk.kept[start:]))
    parts = [json_text(said).encode(), *out.buffers]
    blob = out.walk.keep("pandas", [piece for part in parts for piece in (_LENGTH.pack(len(part)), part)])
    return {"blob": blob, **({"blobs": nested} if nested else {})}


def _loaded(tree: dict[str, Tree], read: Decoding) -> tuple[dict[str, Tree], Reading]:
    content = read.load("pandas", tree["blob"])
    parts, at = [], 0
    while at < len(content):
        (length,) = _LENGTH.unpack_from(content, at)
        parts.append(content[at + _LENGTH.size : at + _LENGTH.size + length])
        at += _LENGTH.size + length
    return json.loads(parts[0]), Reading(read, parts[1:])

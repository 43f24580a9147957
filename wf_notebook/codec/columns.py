"""Columns of pandas, one after the other: plain buffers for what has a fixed width, JSON for texts, trees for objects.

A column becomes a description, and buffers that the description points to by their numbers. No pyarrow is needed but for its own.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .arrays import npy, numpy, of_npy
from .ipc import array_of_ipc, ipc_of_array
from .kind import Absent, Refused, loaded
from .times import zone_named, zone_suffix

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from .kind import Decoding, Encoding, Tree


def pandas() -> ModuleType:
    """Return pandas, or raise Absent where it is not installed."""
    try:
        import pandas as pd
    except ImportError as error:
        raise Absent("pandas", "pandas is not installed; its values are given as dicts until it is") from error
    return pd


class Writing:
    """The columns of one frame on their way out: the buffers so far, and the walk that knows what to do with objects."""

    def __init__(self, walk: Encoding) -> None:
        self.walk = walk
        self.buffers: list[bytes] = []

    def buffer(self, array: Any) -> int:
        """Add a numpy array, and return its number."""
        self.buffers.append(npy(numpy().array(array, order="C", copy=True)))
        return len(self.buffers) - 1

    def text(self, content: str) -> int:
        """Add a text, and return its number."""
        self.buffers.append(content.encode())
        return len(self.buffers) - 1

    def raw(self, content: bytes) -> int:
        """Add bytes, and return their number."""
        self.buffers.append(content)
        return len(self.buffers) - 1


class Reading:
    """The columns of one frame on their way in."""

    def __init__(self, read: Decoding, buffers: list[bytes]) -> None:
        self.read = read
        self.buffers = buffers

    def buffer(self, number: int) -> Any:
        """Return the numpy array of that number."""
        return of_npy(self.buffers[number])


def describe(values: Any, out: Writing) -> Tree:
    """Return the description of the values of a column or index (a numpy array or an array of pandas'); raise Refused."""
    dtype = values.dtype
    if isinstance(dtype, numpy().dtype):
        if dtype.kind == "O":
            return {"is": "object", "items": out.walk.items(values.tolist() if values.ndim == 1 else list(values))}
        return {"is": "numpy", "values": out.buffer(values)}
    for name, (type_name, write, _) in COLUMNS.items():
        known = loaded(type_name)
        if known is not None and isinstance(dtype, known):
            return {"is": name, **write(values, out)}
    raise Refused(f"has dtype {dtype!s}, which cannot be kept; convert it by .astype(…){_DENSE if _is_sparse(dtype) else ''}")


def values_of(said: dict[str, Tree], source: Reading) -> Any:
    """Return the values that `describe` described."""
    if said["is"] == "numpy":
        return source.buffer(said["values"])
    if said["is"] == "object":
        items = source.read.items(said["items"])
        found = numpy().empty(len(items), object)
        for index, item in enumerate(items):
            found[index] = item
        return found
    return COLUMNS[said["is"]][2](said, source)


def known_freq(freq: Any) -> str:
    """Return the name of a frequency; raise Refused for one that its name does not bring back."""
    try:
        same = pandas().tseries.frequencies.to_offset(freq.freqstr) == freq
    except ValueError:
        same = False
    if not same:
        raise Refused(
            f"has the frequency {freq!r}, which its name does not bring back; keep .asfreq(…) or ._with_freq(None) of it"
        )
    return str(freq.freqstr)


_DENSE = ", a sparse one by .sparse.to_dense()"


def _is_sparse(dtype: Any) -> bool:
    return str(dtype).startswith("Sparse")


def _write_zoned(values: Any, out: Writing) -> Tree:
    zone = values.dtype.tz
    suffix = zone_suffix(zone)
    return {
        "unit": values.dtype.unit,
        "zone": suffix[1:-1] or None,
        "tz": None if suffix else _offset(zone),
        "values": _i8(values, out),
    }


def _offset(zone: Any) -> int:
    """Return the seconds of a fixed offset; raise Refused for one with a name of its own or with microseconds."""
    from datetime import timezone

    offset = zone.utcoffset(None)
    if zone.tzname(None) != timezone(offset).tzname(None) or offset.microseconds:
        raise Refused(f"has the time zone {zone!r}, which does not come back as it was; use zoneinfo.ZoneInfo(name)")
    return int(offset.total_seconds())


def _i8(values: Any, out: Writing) -> int:
    return out.buffer(values.view("i8") if hasattr(values, "view") else values.asi8)


def _read_zoned(said: dict[str, Tree], source: Reading) -> Any:
    from datetime import timedelta, timezone

    pd = pandas()
    zone = zone_named(said["zone"]) if said["zone"] else timezone(timedelta(seconds=said["tz"]))
    naive = source.buffer(said["values"]).view(f"M8[{said['unit']}]")
    return pd.DatetimeIndex(naive).tz_localize("UTC").tz_convert(zone).array


def _write_categories(values: Any, out: Writing) -> Tree:
    categories = values.categories
    freq = getattr(categories, "freq", None)
    return {
        **({"freq": known_freq(freq)} if freq is not None and type(categories) is not pandas().PeriodIndex else {}),
        "ordered": bool(values.ordered),
        "categories": describe(categories.array if hasattr(categories.dtype, "na_value") else categories.to_numpy(), out),
        "codes": out.buffer(values.codes),
    }


def _read_categories(said: dict[str, Tree], source: Reading) -> Any:
    pd = pandas()
    categories = values_of(said["categories"], source)
    index = pd.Index(categories, dtype=categories.dtype)
    index = type(index)(index, freq=said["freq"]) if "freq" in said else index
    return pd.Categorical.from_codes(source.buffer(said["codes"]), dtype=pd.CategoricalDtype(index, said["ordered"]))


def _write_masked(values: Any, out: Writing) -> Tree:
    mask = values.isna()
    plain = values.to_numpy(dtype=values.dtype.numpy_dtype, na_value=values.dtype.numpy_dtype.type(0))
    return {"values": out.buffer(plain), "mask": out.buffer(mask)}


def _masked_reader(name: str) -> Callable[[dict[str, Tree], Reading], Any]:
    def read(said: dict[str, Tree], source: Reading) -> Any:
        return getattr(pandas().arrays, name)(source.buffer(said["values"]), source.buffer(said["mask"]))

    return read


def _write_texts(values: Any, out: Writing) -> Tree:
    texts = values.to_numpy(object, na_value=None).tolist()
    tree: dict[str, Tree] = {"storage": values.dtype.storage, "na": "NA" if values.dtype.na_value is pandas().NA else "nan"}
    try:
        return {**tree, "texts": out.text(json.dumps(texts, ensure_ascii=False, separators=(",", ":")))}
    except UnicodeEncodeError:
        return {**tree, "items": out.walk.items(texts)}


def _read_texts(said: dict[str, Tree], source: Reading) -> Any:
    pd = pandas()
    items = source.read.items(said["items"]) if "items" in said else json.loads(source.buffers[said["texts"]])
    na = {} if said["na"] == "NA" else {"na_value": float("nan")}
    try:
        dtype = pd.StringDtype(said["storage"], **na)
    except ImportError:  # the texts are the same without pyarrow
        dtype = pd.StringDtype("python", **na)
    return pd.array(items, dtype=dtype)


def _write_periods(values: Any, out: Writing) -> Tree:
    return {"freq": values.freqstr, "ordinals": out.buffer(values.asi8)}


def _read_periods(said: dict[str, Tree], source: Reading) -> Any:
    return pandas().PeriodIndex.from_ordinals(source.buffer(said["ordinals"]), freq=said["freq"]).array


def _write_intervals(values: Any, out: Writing) -> Tree:
    return {"closed": values.closed, "left": _side(values.left, out), "right": _side(values.right, out)}


def _side(index: Any, out: Writing) -> Tree:
    return describe(index.array if not isinstance(index.dtype, numpy().dtype) else index.to_numpy(), out)


def _read_intervals(said: dict[str, Tree], source: Reading) -> Any:
    left, right = values_of(said["left"], source), values_of(said["right"], source)
    return pandas().arrays.IntervalArray.from_arrays(left, right, closed=said["closed"])


def _write_arrow(values: Any, out: Writing) -> Tree:
    return {"arrow": out.raw(ipc_of_array(values.__arrow_array__()))}


def _read_arrow(said: dict[str, Tree], source: Reading) -> Any:
    return pandas().arrays.ArrowExtensionArray(array_of_ipc(source.buffers[said["arrow"]]))


_Row = tuple[str, "Callable[[Any, Writing], Tree]", "Callable[[dict[str, Tree], Reading], Any]"]

#: The dtypes of pandas' own, and how their values are written and read.
COLUMNS: dict[str, _Row] = {
    "zoned": ("pandas:DatetimeTZDtype", _write_zoned, _read_zoned),
    "category": ("pandas:CategoricalDtype", _write_categories, _read_categories),
    "texts": ("pandas:StringDtype", _write_texts, _read_texts),
    "period": ("pandas:PeriodDtype", _write_periods, _read_periods),
    "interval": ("pandas:IntervalDtype", _write_intervals, _read_intervals),
    "arrow": ("pandas:ArrowDtype", _write_arrow, _read_arrow),
    "boolean": ("pandas:BooleanDtype", _write_masked, _masked_reader("BooleanArray")),
    "integer": ("pandas.core.arrays.integer:IntegerDtype", _write_masked, _masked_reader("IntegerArray")),
    "floating": ("pandas.core.arrays.floating:FloatingDtype", _write_masked, _masked_reader("FloatingArray")),
}

"""The table of types: what of Python comes back as it was, under which tag, and by which two functions."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any
from uuid import UUID

from . import arrays, arrow, containers, enums, frames, models, moments, records, scalars, times
from .custom import codec_of, decode_custom, encode_custom
from .kind import Kind, text_kind
from .unknown import Unknown, encode_unknown

if TYPE_CHECKING:
    from .kind import Decoding, Tree


def never(tree: dict[str, Tree], _: Decoding) -> Any:
    """Refuse to read what is written as something else."""
    raise ValueError(f"{next(iter(tree))} is never written")


IP = (IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network)
ARROW = ("pyarrow:Table", "pyarrow:RecordBatch", "pyarrow:ChunkedArray")

#: A row for each kind of value; the first that fits a type is taken. What JSON has too is here for the rest that it has not.
TABLE = (
    Kind("$custom", (), encode_custom, decode_custom, family=lambda cls: codec_of(cls) is not None),
    Kind("$unknown", (Unknown,), encode_unknown, never),
    Kind("$str", (str,), lambda value, _: scalars.text(value), scalars.decode_str),
    Kind("$int", (int,), lambda value, _: scalars.big_int(value), scalars.decode_int),
    Kind("$float", (float,), lambda value, _: scalars.odd_float(value), scalars.decode_float),
    Kind("$dict", (dict,), lambda value, walk: walk.mapping(value), containers.decode_dict),
    Kind("$complex", (complex,), scalars.encode_complex, scalars.decode_complex),
    text_kind("$decimal", Decimal, str, Decimal),
    text_kind("$fraction", Fraction, str, Fraction),
    text_kind("$uuid", UUID, str, UUID),
    Kind("$datetime", (datetime,), times.encode_datetime, times.decode_datetime),
    text_kind("$date", date, date.isoformat, date.fromisoformat),
    Kind("$time", (time,), times.encode_time, times.decode_time),
    text_kind("$timedelta", timedelta, str, scalars.decode_timedelta),
    Kind("$path", (type(Path()),), *scalars.path_ways("$path", Path)),
    Kind("$pureposixpath", (PurePosixPath,), *scalars.path_ways("$pureposixpath", PurePosixPath)),
    Kind("$purewindowspath", (PureWindowsPath,), *scalars.path_ways("$purewindowspath", PureWindowsPath)),
    *(text_kind(f"${cls.__name__.lower()}", cls, str, cls) for cls in IP),
    Kind("$pattern", (re.Pattern,), scalars.encode_pattern, scalars.decode_pattern),
    Kind("$bytes", (bytes,), scalars.encode_bytes, scalars.decode_bytes, beside=True),
    Kind("$bytearray", (bytearray,), scalars.encode_bytes, scalars.decode_bytearray, beside=True),
    Kind("$tuple", (tuple,), containers.encode_tuple, containers.decode_tuple),
    Kind("$set", (set,), containers.encode_set, containers.decode_set),
    Kind("$frozenset", (frozenset,), containers.encode_set, containers.decode_frozenset),
    Kind("$deque", (deque,), containers.encode_deque, containers.decode_deque),
    Kind("$ordereddict", (OrderedDict,), containers.encode_ordereddict, containers.decode_ordereddict),
    Kind("$counter", (Counter,), containers.encode_counter, containers.decode_counter),
    Kind("$defaultdict", (defaultdict,), containers.encode_defaultdict, containers.decode_defaultdict),
    Kind("$range", (range,), containers.encode_range, containers.decode_range),
    Kind("$slice", (slice,), containers.encode_slice, containers.decode_slice),
    Kind("", ("pydantic.types:SecretStr", "pydantic.types:SecretBytes", "pydantic.types:Secret"), models.encode_secret, never),
    Kind("$enum", (), enums.encode_enum, enums.decode_enum, family=enums.is_enum),
    Kind("$model", (), models.encode_model, models.decode_model, family=models.is_model),
    Kind("$url", (), models.encode_url, models.decode_url, family=models.is_url),
    Kind("$dataclass", (), records.encode_dataclass, records.decode_dataclass, family=records.is_dataclass),
    Kind("$attrs", (), records.encode_attrs, records.decode_attrs, family=records.is_attrs),
    Kind("$numpy", (), arrays.encode_scalar, arrays.decode_scalar, family=arrays.is_scalar),
    Kind("$ndarray", ("numpy:ndarray",), arrays.encode_array, arrays.decode_array, beside=True),
    Kind("$timestamp", ("pandas:Timestamp",), moments.encode_timestamp, moments.decode_timestamp),
    Kind("$pandas_timedelta", ("pandas:Timedelta",), moments.encode_timedelta, moments.decode_timedelta),
    Kind("$period", ("pandas:Period",), moments.encode_period, moments.decode_period),
    Kind("$interval", ("pandas:Interval",), moments.encode_interval, moments.decode_interval),
    Kind("$missing", ("pandas:NaT", "pandas:NA"), moments.encode_missing, moments.decode_missing),
    Kind("$dataframe:pandas", ("pandas:DataFrame",), frames.encode_frame, frames.decode_frame, beside=True),
    Kind("$series:pandas", ("pandas:Series",), frames.encode_series, frames.decode_series, beside=True),
    Kind("$index:pandas", frames.INDEXES, frames.encode_index, frames.decode_index, beside=True),
    Kind("$array:pandas", (), frames.encode_array, frames.decode_array, family=frames.is_array, beside=True),
    Kind("$dataframe:polars", ("polars:DataFrame",), arrow.encode_polars, arrow.decode_polars, beside=True),
    Kind("$series:polars", ("polars:Series",), arrow.encode_polars_series, arrow.decode_polars_series, beside=True),
    Kind("$table:pyarrow", ARROW, arrow.encode_arrow, arrow.decode_arrow, family=arrow.is_arrow_array, beside=True),
    Kind("$namedtuple", (), records.encode_namedtuple, records.decode_namedtuple, family=records.is_namedtuple),
)

_BY_TAG = {kind.tag: kind for kind in TABLE if kind.tag}

#: Tags of what may lie beside a tree.
BESIDE = {kind.tag.partition(":")[0] for kind in TABLE if kind.beside}


def kind_tagged(tag: str, head: Tree) -> Kind | None:
    """Return the kind of a tagged tree; where several share a tag, what stands behind it says which.

    >>> kind_tagged("$set", []).types, kind_tagged("$series", "polars").types, kind_tagged("$nothing", 1)
    ((<class 'set'>,), ('polars:Series',), None)
    """
    return _BY_TAG.get(tag) or _BY_TAG.get(f"{tag}:{head}")


def kind_of(cls: type) -> Kind | None:
    """Return the kind of values of exactly this class, None if they cannot be kept.

    >>> kind_of(tuple).tag, kind_of(type(print))
    ('$tuple', None)
    """
    return next((kind for kind in TABLE if kind.fits(cls)), None)

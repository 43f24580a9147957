"""pandas: its scalars, each as the text that pandas shows and what more it takes to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .columns import pandas
from .kind import Refused
from .times import split_zone, zone_named, zone_suffix

if TYPE_CHECKING:
    from .kind import Decoding, Encoding, Tree


def encode_timestamp(value: Any, _: Encoding) -> Tree:
    """Write a Timestamp."""
    tree = {"$timestamp": value.isoformat() + zone_suffix(value.tzinfo), "unit": value.unit}
    if _timestamp(tree) != value:
        raise Refused(f"is the Timestamp {value!r}, which its text does not bring back; keep its .to_datetime64()")
    return tree


def decode_timestamp(tree: dict[str, Tree], _: Decoding) -> Any:
    """Read a Timestamp."""
    return _timestamp(tree)


def _timestamp(tree: dict[str, Tree]) -> Any:
    plain, name = split_zone(tree["$timestamp"])
    value = pandas().Timestamp(plain)
    if value.tzinfo is not None:
        from datetime import timezone

        value = value.tz_convert(zone_named(name) if name else timezone(value.utcoffset()))
    return value.as_unit(tree["unit"])


def encode_timedelta(value: Any, _: Encoding) -> Tree:
    """Write a Timedelta."""
    return {"$pandas_timedelta": str(value), "unit": value.unit}


def decode_timedelta(tree: dict[str, Tree], _: Decoding) -> Any:
    """Read a Timedelta."""
    return pandas().Timedelta(tree["$pandas_timedelta"]).as_unit(tree["unit"])


def encode_period(value: Any, _: Encoding) -> Tree:
    """Write a Period."""
    if pandas().Period(ordinal=value.ordinal, freq=value.freqstr) != value:
        raise Refused(f"has the frequency {value.freq!r}, which its name does not bring back; keep .asfreq(…) of it")
    return {"$period": str(value), "freq": value.freqstr, "ordinal": value.ordinal}


def decode_period(tree: dict[str, Tree], _: Decoding) -> Any:
    """Read a Period."""
    return pandas().Period(ordinal=tree["ordinal"], freq=tree["freq"])


def encode_interval(value: Any, walk: Encoding) -> Tree:
    """Write an Interval."""
    return {"$interval": walk.items([value.left, value.right]), "closed": value.closed}


def decode_interval(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read an Interval."""
    return pandas().Interval(*read.items(tree["$interval"]), closed=tree["closed"])


def encode_missing(value: Any, _: Encoding) -> Tree:
    """Write NaT or NA."""
    return {"$missing": "NaT" if value is pandas().NaT else "NA"}


def decode_missing(tree: dict[str, Tree], _: Decoding) -> Any:
    """Read NaT or NA."""
    pd = pandas()
    return {"NaT": pd.NaT, "NA": pd.NA}[tree["$missing"]]

"""Dates and times as ISO 8601, a zone behind them in brackets as in RFC 9557: `2026-11-25T09:27:28+01:00[Europe/Berlin]`."""

from __future__ import annotations

from datetime import datetime, time, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .kind import Absent, Refused

if TYPE_CHECKING:
    from .kind import Decoding, Encoding, Tree


def zone_suffix(zone: tzinfo | None) -> str:
    """Return what stands behind a time to name its zone; raise Refused for a zone that does not come back equal.

    >>> zone_suffix(ZoneInfo("Europe/Berlin")), zone_suffix(timezone.utc)
    ('[Europe/Berlin]', '')
    """
    if zone is None or type(zone) is timezone:
        return ""
    if type(zone) is ZoneInfo and zone.key:
        return f"[{zone.key}]"
    raise Refused(
        f"has a time zone of type {f'{type(zone).__module__}.{type(zone).__name__}'!r}, which does not come back equal; "
        "use zoneinfo.ZoneInfo(name) or datetime.timezone"
    )


def zone_named(name: str) -> ZoneInfo:
    """Return a zone, or raise Absent where the time zone database does not have it."""
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError as error:
        raise Absent(name, f"time zone {name!r} is not known here; pip install tzdata") from error


def split_zone(said: str) -> tuple[str, str]:
    """Return a time and the name of its zone.

    >>> split_zone("09:27[Europe/Berlin]"), split_zone("09:27")
    (('09:27', 'Europe/Berlin'), ('09:27', ''))
    """
    if not said.endswith("]"):
        return said, ""
    plain, _, name = said[:-1].partition("[")
    return plain, name


def encode_datetime(value: datetime, _: Encoding) -> Tree:
    """Write a datetime."""
    return _with_rest("$datetime", value)


def encode_time(value: time, _: Encoding) -> Tree:
    """Write a time of day."""
    return _with_rest("$time", value)


def _with_rest(tag: str, value: Any) -> Tree:
    """Return the tree of a time, with what the text does not say: the name of a fixed offset, a fold that makes no difference."""
    tree = {tag: value.isoformat() + zone_suffix(value.tzinfo)}
    if type(value.tzinfo) is timezone and (name := value.tzname()) != timezone(value.utcoffset()).tzname(None):
        tree["tzname"] = name
    if value.fold:
        back = _datetime(tree[tag]) if tag == "$datetime" else _time(tree[tag])
        tree |= {} if back.fold else {"fold": 1}
    return tree


def decode_datetime(tree: dict[str, Tree], _: Decoding) -> datetime:
    """Read a datetime."""
    value = _datetime(tree["$datetime"])
    return value.replace(fold=tree.get("fold", value.fold), tzinfo=_named(value.tzinfo, tree))


def decode_time(tree: dict[str, Tree], _: Decoding) -> time:
    """Read a time of day."""
    value = _time(tree["$time"])
    return value.replace(fold=tree.get("fold", value.fold), tzinfo=_named(value.tzinfo, tree))


def _named(zone: tzinfo | None, tree: dict[str, Tree]) -> tzinfo | None:
    if zone is None or "tzname" not in tree:
        return zone
    return timezone(zone.utcoffset(None) or timedelta(0), tree["tzname"])


def _datetime(said: str) -> datetime:
    plain, name = split_zone(said)
    value = datetime.fromisoformat(plain)
    return in_zone(value, zone_named(name)) if name else value


def in_zone(value: datetime, zone: tzinfo) -> datetime:
    """Return the time of day that a datetime with an offset says, in a zone: the fold is the one that has that offset."""
    for fold in (0, 1):
        here = value.replace(tzinfo=zone, fold=fold)
        if here.utcoffset() == value.utcoffset():
            return here
    return value.astimezone(zone)  # the rules of the zone changed since: the moment counts


def _time(said: str) -> time:
    plain, name = split_zone(said)
    value = time.fromisoformat(plain)
    return value.replace(tzinfo=zone_named(name)) if name else value

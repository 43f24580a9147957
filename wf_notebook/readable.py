"""Any value for people to read, as JSON or in one line: in a record it is shown, and never loaded."""

from __future__ import annotations

import json
import math
import re
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from .encoding import redacted
from .redact import redact
from .tabular import described

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Control characters but for the ends of lines and tabs, marks of direction, halves of surrogate pairs.
_STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
#: A value in one line is cut to so many characters.
BRIEF = 300
#: Of a list or dict in one line so many items are looked at, and so many inside each other.
_ITEMS, _DEPTH = 10, 3
#: Types of which every value prints in a few characters.
_SHORT = (date, time, timedelta, Decimal, UUID, PurePath, Enum, float, complex)
_BRACKETS: dict[type, tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}"), frozenset: ("{", "}")}

#: Lists and dicts inside each other that are shown one by one; what lies deeper is shown by its repr.
_DEEPEST = 10
#: Bits of a number that is shown: Python does not make text of many more.
_LONGEST = 10_000


class Printed(NamedTuple):
    """How a value prints that is no text, and that JSON does not have."""

    text: str


def as_text(text: str | None) -> str | None:
    """Return text without secrets that can be written as UTF-8: half of a surrogate pair becomes a question mark."""
    return None if text is None else redact(text.encode("utf-8", "replace").decode())


def as_json(value: Any) -> str:
    """Return a value as JSON without secrets; models without what is None, and what JSON does not have by its repr.

    >>> as_json({"tags": ("a",), "odd": {1}})
    '{"tags": ["a"], "odd": "{1}"}'
    """
    if not value and type(value) in _EMPTY:
        return _EMPTY[type(value)]
    try:
        text = _json.encode(value)
    except Exception:  # noqa: BLE001 - the user's own __repr__ and model_dump are called here, and a record fails no run
        text = json.dumps(_reprs(value, 0), ensure_ascii=False)
    text = text.encode("utf-8", "replace").decode()
    return text if redact(text) == text else json.dumps(redacted(json.loads(text)), ensure_ascii=False)


def readable(value: Any) -> Any:
    """Return a value as `as_json` has it: what is shown of it is the same before it was stored and afterwards.

    >>> readable({"at": 1 + 2j})
    {'at': '(1+2j)'}
    """
    return value.text if isinstance(value, Printed) else json.loads(as_json(value))


def _shown(value: Any) -> Any:
    return value.model_dump(mode="json", exclude_none=True, fallback=_shown) if hasattr(value, "model_dump") else _repr(value)


_EMPTY: dict[type, str] = {dict: "{}", list: "[]", tuple: "[]"}
_json = json.JSONEncoder(default=_shown, ensure_ascii=False, allow_nan=False)


def _reprs(value: Any, depth: int) -> Any:
    """Return a value in which all that JSON does not have is shown by its repr."""
    if value is None or type(value) in {bool, str} or (type(value) is float and math.isfinite(value)):
        return value
    if type(value) is int and value.bit_length() <= _LONGEST:
        return value
    if depth < _DEEPEST and isinstance(value, dict):
        return {str(key) if type(key) in {str, int} else _repr(key): _reprs(item, depth + 1) for key, item in value.items()}
    if depth < _DEEPEST and isinstance(value, (list, tuple)):
        return [_reprs(item, depth + 1) for item in value]
    return _repr(value)


def _repr(value: Any) -> str:
    if isinstance(value, (bytes, bytearray)) and len(value) > BRIEF:
        return f"<{len(value):,} bytes>"
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - the user's
        return f"<{type(value).__name__}>"


# -- in one line ---------------------------------------------------------------------------------------------------------------


def harmless(text: str) -> str:
    r"""Return a text in which what steers a terminal, turns the direction of others, or is no text at all, is only a mark.

    >>> harmless("red\x1b[31m \u202edesrever\ttab\n")
    'red�[31m �desrever\ttab\n'
    """
    return _STEERS.sub("\ufffd", text.replace("\r\n", "\n"))


def brief(text: str) -> str:
    """Return a text in one line, without secrets, harmless, cut where it is long."""
    line = harmless(re.sub(r"\s+", " ", redact(text)).strip())
    return line if len(line) <= BRIEF else f"{line[:BRIEF]}…"


def glimpse(value: Any) -> str:
    """Return the beginning of a value in one line, in a moment, however large it is; no code of the user's is called for it.

    >>> glimpse({"posts": ["a"] * 100, "odd": object()})
    "{'posts': ['a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', …], 'odd': <object>}"
    """
    return brief(_glimpse(value, _DEPTH))


def _glimpse(value: Any, depth: int) -> str:
    if isinstance(value, str):  # redacted before it is cut, as half of a secret is not recognised
        return repr(str(redact(value[: 20 * BRIEF])[:BRIEF]))
    if value is None or isinstance(value, _SHORT) or (isinstance(value, int) and value.bit_length() <= _LONGEST):
        return repr(value)
    if isinstance(value, bytes):
        return repr(value[:BRIEF])
    return _inside(value, depth)


def _inside(value: Any, depth: int) -> str:
    """Return the beginning of what is made of other values, or else only what it is."""
    kind = type(value)
    if kind is dict:
        items = (f"{_glimpse(key, depth - 1)}: {_glimpse(item, depth - 1)}" for key, item in _some(value.items(), depth))
        return f"{{{_listed(items, len(value))}}}"
    if kind in _BRACKETS:
        opened, closed = _BRACKETS[kind]
        return f"{opened}{_listed((_glimpse(item, depth - 1) for item in _some(value, depth)), len(value))}{closed}"
    names = getattr(kind, "model_fields", None) or ([field.name for field in fields(value)] if is_dataclass(value) else ())
    told = (f"{name}={_glimpse(vars(value).get(name), depth - 1)}" for name in _some(names, depth) if hasattr(value, "__dict__"))
    if names:
        return f"{kind.__name__}({_listed(told, len(names))})"
    return described(value) or f"<{kind.__name__}>"


def _some(items: Iterable[Any], depth: int) -> Iterable[Any]:
    return islice(items, _ITEMS if depth > 0 else 0)


def _listed(items: Iterable[str], count: int) -> str:
    shown: list[str] = []
    for item in items:
        shown.append(item)
        if sum(map(len, shown)) > BRIEF:
            break
    return ", ".join([*shown, *(["…"] if len(shown) < count else [])])

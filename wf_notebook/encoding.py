"""How values become texts: JSON for what comes back from it as it was, a clear refusal for anything else."""

from __future__ import annotations

import json
import marshal
import math
from itertools import repeat
from typing import TYPE_CHECKING, Any

from .errors import UnsavableValue
from .redact import redact, secrets_in
from .run import logger

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A state as it is stored: the JSON text of each top-level key.
Encoded = dict[str, str]

#: Lists and dicts inside each other, at most: a deeper value may be written here and not be readable where the stack is longer.
DEEPEST = 200

_REMEDIES = {
    "tuple": "keep a list",
    "set": "keep a sorted list",
    "frozenset": "keep a sorted list",
    "datetime": "keep its .isoformat()",
    "date": "keep its .isoformat()",
    "Decimal": "keep its str()",
    "UUID": "keep its str()",
    "PosixPath": "keep its str()",
    "WindowsPath": "keep its str()",
    "DataFrame": 'keep its .to_dict("records")',
    "ndarray": "keep its .tolist()",
}


class Encoder:
    """Encodes a live state again and again, and works only on the keys whose values changed since the last time.

    >>> encoder = Encoder()
    >>> encoded, refused = encoder.encode({"topic": "cheese", "seen": {"gouda"}})
    >>> encoded, refused["seen"].path
    ({'topic': '"cheese"'}, 'session_state["seen"]')
    """

    def __init__(self) -> None:
        self._prints: dict[str, bytes] = {}
        self._texts: Encoded = {}

    def encode(self, state: Mapping[Any, Any]) -> tuple[Encoded, dict[Any, UnsavableValue]]:
        """Return the texts of all keys that can be kept, and the reason for each that cannot.

        One consistent snapshot, also while other threads change the state.
        """
        encoded: Encoded = {}
        refused: dict[Any, UnsavableValue] = {}
        prints, texts = {}, {}
        for key, fingerprint in _snapshot(state).items():
            if fingerprint is not None and self._prints.get(key) == fingerprint:
                text = self._texts[key]
            else:
                try:
                    text = _text(key, state.get(key), fingerprint)
                except UnsavableValue as refusal:
                    refused[key] = refusal
                    continue
            encoded[key] = texts[key] = text
            if fingerprint is not None:
                prints[key] = fingerprint
        self._prints, self._texts = prints, texts
        return encoded, refused


def _snapshot(state: Mapping[Any, Any]) -> dict[Any, bytes | None]:
    """Return the fingerprint of each key's value, None for a value that is no plain data.

    The lines that read plain values are C from end to end, so no other thread runs in the middle of them.
    """
    while True:
        try:
            return dict(zip(state.keys(), map(marshal.dumps, state.values(), repeat(2)), strict=True))
        except RuntimeError:  # a finaliser changed the state under our hands: look again
            continue
        except ValueError:  # some value is no plain data: find out which, then read all others together
            prints = {key: fingerprint(value) for key, value in list(state.items())}
        plain = [key for key, print_ in prints.items() if print_ is not None]
        try:
            return prints | dict(zip(plain, map(marshal.dumps, map(state.__getitem__, plain), repeat(2)), strict=True))
        except (KeyError, ValueError):  # it was changed in between: look again
            continue


def fingerprint(value: Any) -> bytes | None:
    """Return bytes that are equal for equal plain values only (1, 1.0 and True are three), None for what is no plain data."""
    try:
        return marshal.dumps(value, 2)  # version 2 has no back references: equal values, equal bytes
    except ValueError:
        return None


def _text(key: Any, live: Any, print_: bytes | None) -> str:
    """Return the JSON text of a value that comes back from it as it was; raise UnsavableValue for any other.

    The value is read from its fingerprint: the live one may change meanwhile, and only serves to say what is wrong with it.
    """
    path = _checked_path(key)
    value = None if print_ is None else marshal.loads(print_)  # noqa: S302 - made by this process, a moment ago
    text = None if print_ is None else _json(value, print_)
    if text is None:
        find_unsavable(live, path, 0)
        raise UnsavableValue(f"{path} cannot be kept: it does not come back from JSON as it was", path=path)
    return text if redact(text) == text else _redacted(path, value, text)


def _checked_path(key: Any) -> str:
    path = f"session_state[{_quoted(key)}]"
    if type(key) is not str:
        raise _refuse_key(key, path)
    find_unsavable(key, path, 0)
    if names := secrets_in(key):
        path = f"session_state[{_quoted(redact(key))}]"
        raise UnsavableValue(f"{path}: the key holds the secret {names[0]}; name it otherwise", path=path)
    return path


def _json(value: Any, print_: bytes) -> str | None:
    """Return a value as JSON, None if it does not come back as it was, everywhere."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode()
        same = fingerprint(json.loads(text)) == print_
    except (TypeError, ValueError, RecursionError):
        return None
    return text if same and not _too_deep(value, text) else None


def _too_deep(value: Any, text: str) -> bool:
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    level, depth = [value], 0
    while level and depth < DEEPEST:
        inner = [item for box in level for item in (box.values() if type(box) is dict else box)]
        level, depth = [item for item in inner if type(item) in {list, dict}], depth + 1
    return bool(level)


def _quoted(key: Any) -> str:
    return json.dumps(key, ensure_ascii=True) if isinstance(key, str) else repr(key)


def _refuse_key(key: Any, path: str) -> UnsavableValue:
    return UnsavableValue(f"{path} has a key of type {type(key).__name__!r}; session_state keeps keys of type str", path=path)


def find_unsavable(value: Any, path: str, depth: int) -> None:
    """Raise UnsavableValue for the first value in `value` that JSON does not give back as it was."""
    kind = type(value)
    if depth >= DEEPEST and kind in {dict, list}:
        raise UnsavableValue(f"{path[:200]}… is nested too deeply, or contains itself; keep a flatter value", path=path)
    if kind is dict:
        for key, item in list(value.items()):
            inner = f"{path}[{_quoted(key)}]"
            if type(key) is not str:
                raise _refuse_key(key, inner)
            find_unsavable(key, inner, depth + 1)
            find_unsavable(item, inner, depth + 1)
    elif kind is list:
        for index, item in enumerate(value):
            find_unsavable(item, f"{path}[{index}]", depth + 1)
    elif kind is str:
        try:
            value.encode()
        except UnicodeEncodeError:
            raise UnsavableValue(f"{path} holds half of a surrogate pair, which is no text; clean it first", path=path) from None
    elif kind is float:
        if not math.isfinite(value):
            raise UnsavableValue(f"{path} is {value!r}, which JSON does not have; keep None or a str", path=path)
    elif kind is int:
        try:
            str(value)
        except ValueError:
            raise UnsavableValue(f"{path} has too many digits; keep it as hex()", path=path) from None
    elif value is not None and kind is not bool:
        raise UnsavableValue(_cannot_keep(value, path), path=path)


def _cannot_keep(value: Any, path: str) -> str:
    name = type(value).__name__
    remedy = _REMEDIES.get(name) or (
        "keep its .model_dump()" if hasattr(value, "model_dump") else "keep str, int, float, bool, None, lists and dicts of these"
    )
    return f"{path} is of type {name!r}, which session_state cannot keep yet; {remedy}"


def _redacted(path: str, value: Any, text: str) -> str:
    without = json.dumps(redacted(value), ensure_ascii=False, separators=(",", ":"))
    if without != text and path not in _warned:
        _warned.add(path)
        logger.warning("a secret in %s is stored as <redacted …>; the live value is untouched", path)
    return without


_warned: set[str] = set()


def redacted(value: Any) -> Any:
    """Return a plain value without the secrets in its texts; the value itself is left alone.

    >>> redacted(["nothing", {"to": "hide"}])
    ['nothing', {'to': 'hide'}]
    """
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [redacted(item) for item in value]
    if isinstance(value, dict):
        return {redact(key): redacted(item) for key, item in value.items()}
    return value

"""The keys of session_state, as they are stored: a text as it is, any other as a `$` and its JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import codec
from .codec.kind import escaped, is_tag, json_text
from .errors import UnsavableValue
from .redact import redact, secrets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Container


def stored_key(key: Any) -> str:
    """Return a key as it is stored; UnsavableValue if it cannot be.

    >>> stored_key("topic"), stored_key(1), stored_key(("a", 2)), stored_key("$schema")
    ('topic', '$1', '${"$tuple":["a",2]}', '$$schema')
    """
    text = escaped(key) if type(key) is str else "$" + json_text(codec.encode(key, path(key), _NoBlobs()))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnsavableValue(f"{path(key)} has half of a surrogate pair, which is no text, in its key", path=path(key)) from None
    if names := secrets_in(text):
        where = redact(path(key))
        raise UnsavableValue(f"{where}: the key holds the secret {names[0]}; name it otherwise", path=where)
    return text


def key_of(text: str) -> Any:
    """Return the key that is stored so: the way back.

    >>> key_of("topic"), key_of("$1"), key_of('${"$tuple":["a",2]}'), key_of("$$schema")
    ('topic', 1, ('a', 2), '$schema')
    """
    if not is_tag(text):
        return text[1:] if text[:1] == "$" else text
    return codec.decode(json.loads(text[1:]), _no_blob)


def is_stored(key: Any, state: Container[str]) -> bool:
    """Say whether a key is among stored ones.

    >>> is_stored(1, {"$1"}), is_stored(object(), {"$1"})
    (True, False)
    """
    try:
        return stored_key(key) in state
    except UnsavableValue:
        return False


def path(key: Any) -> str:
    """Return where a value lies, as Python says it.

    >>> path("topic"), path(1)
    ('session_state["topic"]', 'session_state[1]')
    """
    return f"session_state[{json.dumps(key) if isinstance(key, str) else repr(key)}]"


class _NoBlobs:
    def keep(self, content_hash: str, make: Callable[[], bytes]) -> None:
        raise UnsavableValue("a key of session_state is too large", path="session_state")


def _no_blob(content_hash: str) -> bytes:
    raise KeyError(content_hash)

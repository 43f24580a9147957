"""Secrets stay out of what we write: values of keys and tokens become `<redacted NAME>`."""

from __future__ import annotations

import json
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import SecretStr

#: Environment variables whose values are secrets.
NAMES = re.compile(r"_(API_KEY|TOKEN|SECRET)$", re.IGNORECASE)

#: A shorter value is no secret, and would be found everywhere.
SHORTEST = 8

_registered: dict[str, str] = {}

#: The environment as it was, how many were registered, and the secrets of both.
_known: tuple[dict[Any, Any], int, frozenset[tuple[str, str]]] = {}, 0, frozenset()


def register_secret(name: str, value: str | SecretStr) -> None:
    """Keep a value that came as an argument out of what we write, from now on.

    >>> register_secret("api_key", "sk-of-the-doctest")
    >>> redact("Authorization: sk-of-the-doctest")
    'Authorization: <redacted api_key>'
    """
    secret = value if isinstance(value, str) else value.get_secret_value()
    if len(secret) >= SHORTEST:
        _registered.setdefault(secret, name)


def redact(text: str) -> str:
    """Return `text` with the name of each secret in its place, also where it is escaped as in JSON."""
    if len(text) < SHORTEST:
        return text
    pattern, names = _compiled(_secrets())
    return pattern.sub(lambda found: f"<redacted {names[found[0]]}>", text) if pattern else text


def secrets_in(text: str) -> list[str]:
    """Return the names of the secrets in `text`, each once, in order.

    >>> register_secret("token", "a-token-of-the-doctest")
    >>> secrets_in("id=a-token-of-the-doctest")
    ['token']
    """
    if len(text) < SHORTEST:
        return []
    pattern, names = _compiled(_secrets())
    return list(dict.fromkeys(names[found] for found in pattern.findall(text))) if pattern else []


def _secrets() -> frozenset[tuple[str, str]]:
    """The secrets of now, as (value, name): keys come into the environment at any time."""
    global _known  # noqa: PLW0603 - what was found the last time
    # What os.environ holds undecoded: to compare it with what it was is twenty times quicker than to read it.
    environment = getattr(os.environ, "_data", os.environ)
    before, registered, secrets = _known
    if before != environment or registered != len(_registered):
        before, registered = dict(environment), len(_registered)
        named = [(value, name) for name, value in list(os.environ.items()) if NAMES.search(name) and len(value) >= SHORTEST]
        secrets = frozenset([*named, *_registered.items()])
        _known = before, registered, secrets
    return secrets


@lru_cache(maxsize=8)
def _compiled(secrets: frozenset[tuple[str, str]]) -> tuple[re.Pattern[str] | None, dict[str, str]]:
    names: dict[str, str] = {}
    for value, name in sorted(secrets):
        for form in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
            names.setdefault(form, name)
    longest_first = sorted(names, key=lambda form: (-len(form), form))
    return re.compile("|".join(map(re.escape, longest_first))) if names else None, names

"""What type each input of run() is of, as its annotations say: the values of a row become that, or are refused."""

from __future__ import annotations

import json
from contextlib import suppress
from math import isnan
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: Types of which a value is that already.
_PLAIN = (str, int, float, bool)


class Kinds:
    """The types of inputs; of what nothing is said, or what cannot be found, anything will do.

    >>> def run(self, topic: str, n: int = 1): ...
    >>> kinds = Kinds(run)
    >>> kinds.made({"topic": "cheese", "n": 2.0, "label": None})
    {'topic': 'cheese', 'n': 2, 'label': None}
    >>> kinds.made({"topic": None})
    Traceback (most recent call last):
    ValueError: topic is missing (None), and run() takes str; leave such rows out, or write topic: str | None
    """

    def __init__(self, method: Callable[..., Any]) -> None:
        try:
            hints = get_type_hints(method, include_extras=True)
        except Exception:  # noqa: BLE001 - a name in an annotation that is only there for a type checker
            hints = {}
        self._hints = {name: hint for name, hint in hints.items() if hint is not Any and name != "return"}
        self._adapters: dict[str, Any] = {}

    def made(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Return the inputs as what run() takes; raise ValueError for what cannot be that."""
        return {name: self._made(name, value) for name, value in inputs.items()}

    def _made(self, name: str, value: Any) -> Any:
        hint = self._hints.get(name)
        if hint is None or (hint in _PLAIN and type(value) is hint):
            return value
        adapter = self._adapters.get(name)
        if adapter is None:
            adapter = self._adapters[name] = _adapter(hint)
        try:
            return adapter(value)
        except Exception:  # noqa: BLE001 - of pydantic, or of the user's own validators
            if isinstance(value, str) and value.lstrip()[:1] in {"[", "{"}:  # a list or a dict, as a cell of CSV has it
                with suppress(Exception):
                    return adapter(json.loads(value))
            kind = getattr(hint, "__name__", None) if isinstance(hint, type) else str(hint).replace("typing.", "")
            if value is None or (isinstance(value, float) and isnan(value)):  # a gap of a dataframe, or of a list made of one
                gap = f"{name} is missing ({value}), and run() takes {kind}"
                raise ValueError(f"{gap}; leave such rows out, or write {name}: {kind} | None") from None
            raise ValueError(f"{name}={_brief(value)} is no {kind}") from None


def _adapter(hint: Any) -> Callable[[Any], Any]:
    """Return what makes a value of a type; of one that pydantic knows nothing of, the value itself."""
    from pydantic import ConfigDict, TypeAdapter

    for config in (ConfigDict(arbitrary_types_allowed=True, coerce_numbers_to_str=True), None):
        try:
            return TypeAdapter(hint, config=config).validate_python
        except Exception:  # noqa: BLE001, S112 - it may have settings of its own, or be no type at all
            continue
    return lambda value: value


def _brief(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else f"{text[:39]}…"  # noqa: PLR2004 - as many as a line of an error has room for

"""What the user teaches the codec: a class of their own, by two functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..errors import BadSetting
from .kind import Absent, Decoding, Encoding, Tree

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one class are written and read."""

    name: str
    cls: type
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]


_by_class: WeakKeyDictionary[type, Codec] = WeakKeyDictionary()
_by_name: dict[str, Codec] = {}


def register_codec(cls: type, *, encode: Callable[[Any], Any], decode: Callable[[Any], Any], name: str | None = None) -> None:
    """Let values of a class be kept: `encode` gives what they are made of, `decode` makes one of that again.

    What `encode` gives may be anything that can be kept. `name` is what is stored, and what a value is found by;
    without it, it is the class's module and name. A later codec of a name replaces the earlier one.
    Raises BadSetting for a type that needs none.

    >>> class Money:
    ...     def __init__(self, cents): self.cents = cents
    >>> register_codec(Money, encode=lambda money: money.cents, decode=Money, name="money")
    """
    if not isinstance(cls, type) or cls in {type(None), bool, int, float, str, list, dict}:
        raise BadSetting(f"register_codec() takes a class of your own, not {cls!r}; JSON has that as it is")
    for name_, function in (("encode", encode), ("decode", decode)):
        if not callable(function):
            raise BadSetting(f"{name_} is of type {type(function).__name__!r}; give a function of one argument")
    codec = Codec(name or f"{cls.__module__}:{cls.__qualname__}", cls, encode, decode)
    _by_class[cls] = _by_name[codec.name] = codec


def codec_of(cls: type) -> Codec | None:
    """Return the codec of exactly this class."""
    return _by_class.get(cls)


def codec_named(name: str) -> Codec | None:
    """Return the codec that stored values call by this name."""
    return _by_name.get(name)


def encode_custom(value: Any, walk: Encoding) -> Tree:
    """Write a value by the codec that was registered for its class."""
    codec = _by_class[type(value)]
    walk.met(codec.name)
    return {"$custom": codec.name, "value": walk.tree(codec.encode(value))}


def decode_custom(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read a value by the codec that is registered now."""
    name = tree["$custom"]
    codec = codec_named(name)
    if codec is None:
        raise Absent(name, f"no codec named {name!r} is registered here; its values are given as dicts until it is")
    value = read.value(tree["value"])
    try:
        return codec.decode(value)
    except Exception as error:
        raise Absent(name, f"the codec {name!r} does not take a stored value any more ({error})", codec.cls) from error

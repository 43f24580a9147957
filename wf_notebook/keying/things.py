"""Objects as bytes: what says itself what it is made of, what the codec knows, instances by class and fields, or a name alone."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from contextvars import ContextVar
from enum import Enum
from typing import TYPE_CHECKING, Any

from ..codec import Unknown
from ..codec.blobs import digest
from ..codec.custom import codec_of
from ..codec.kind import Refused, json_text, loaded
from ..codec.table import kind_of
from .held import context, foreign, is_proxy, named
from .instances import Look, own
from .origin import is_own, name_of
from .part import Uncacheable, a
from .plain import SCALARS, sequence
from .remembered import Remembered

if TYPE_CHECKING:
    from ..codec.kind import Kind, Tree

#: Things without a content, which do not change what is computed: they count by what they are called.
NAMED: tuple[type | str, ...] = (
    logging.Logger,
    logging.LoggerAdapter,
    ContextVar,
    type(threading.Lock()),
    type(threading.RLock()),
    threading.Condition,
    threading.Event,
    threading.Semaphore,
    threading.Barrier,
    threading.local,
    asyncio.Lock,
    asyncio.Event,
    asyncio.Semaphore,
    asyncio.Condition,
    weakref.ref,
    weakref.WeakKeyDictionary,
    weakref.WeakValueDictionary,
    weakref.WeakSet,
    "concurrent.futures:Executor",
    "rich.console:Console",
    "IPython.core.interactiveshell:InteractiveShell",
)

#: Tags of the codec for values that are made of others: here they are instances of a class, whose code counts.
_INSTANCES = {"$unknown", "$enum", "$model", "$dataclass", "$attrs", "$namedtuple"}


_writers: Remembered[Callable[[Look, Any], bytes]] = Remembered()


def content(look: Look, value: Any) -> bytes:
    """Return the bytes of an object that is no plain value and no code."""
    cls = type(value)
    if codec_of(cls) is not None:  # it may have been registered a moment ago
        return _custom(look, value)
    write = _writers.get(cls)
    if write is None:
        write = _writers.put(cls, next(write for fits, write in FORMS if fits(cls)))
    return write(look, value)


# -- by their names ------------------------------------------------------------------------------------------------------------


def _is_named(cls: type) -> bool:
    return cls is object or issubclass(cls, tuple(one for one in map(loaded, NAMED) if one is not None))


def _by_name(_: Look, value: Any) -> bytes:
    return named(value)


def _typing(look: Look, value: Any) -> bytes:
    """Return an object of `typing` by its name and what it is made of."""
    names = ("__name__", "_name", "__forward_arg__")
    made_of = ("__origin__", "__args__", "__metadata__", "__supertype__", "__bound__", "__constraints__")
    said = [str(getattr(value, name, "")) for name in names]
    return look.items(b"typing", [name_of(type(value)), *said, *(getattr(value, name, None) for name in made_of)])


def _refused(look: Look, value: Any) -> bytes:
    if look.changes is not None and type(value) is itertools.count:  # it numbers what is done
        return named(value)
    raise Uncacheable(f"({a(type(value))}) can be read only once")


# -- by what they say or wrap --------------------------------------------------------------------------------------------------


def has_parts(value: Any) -> bool:
    """Return whether an object says itself what it is made of, by its method `_key_parts_`."""
    return hasattr(type(value), "_key_parts_")


def parts_of(look: Look, value: Any) -> tuple[bytes, Mapping[str, tuple[Any, bytes]] | None]:
    """Return the bytes of a value, and those of the parts that it says itself, by their names; None if it says nothing."""
    if not has_parts(value):
        return look.content(value), None
    said = type(value)._key_parts_(value)
    parts = {name: (said[name], look.content(said[name])) for name in sorted(said)}
    content = sequence(b"parts", [look.code(type(value)), *(SCALARS[str](name) + inner for name, (_, inner) in parts.items())])
    return content, parts


def _parts(look: Look, value: Any) -> bytes:
    return look.opaque(value, lambda: parts_of(look, value)[0])


def _custom(look: Look, value: Any) -> bytes:
    codec = codec_of(type(value))
    assert codec is not None
    return look.opaque(value, lambda: sequence(b"custom", [look.code(type(value)), look.content(codec.encode(value))]))


def _enum(look: Look, value: Enum) -> bytes:
    return look.items(b"enum", (type(value), value._name_, value._value_))


def _unknown(look: Look, value: Any) -> bytes:
    return sequence(b"unknown", [json_text(value.tree).encode(), look.items(b"d", sorted(value.items()))])


# -- what the codec knows ------------------------------------------------------------------------------------------------------


def _kind(cls: type) -> Kind | None:
    kind = kind_of(cls)
    return None if kind is None or kind.tag in _INSTANCES else kind


def _known(look: Look, value: Any) -> bytes:
    kind = _kind(type(value))
    assert kind is not None
    return look.opaque(value, lambda: _encoded(look, kind, value)) if kind.beside else _encoded(look, kind, value)


def _encoded(look: Look, kind: Kind, value: Any) -> bytes:
    try:
        tree = kind.encode(value, _Encoding(look))
    except (Refused, Uncacheable) as refusal:
        raise Uncacheable(f"({a(type(value))}) has no content to key by: it {refusal}") from None
    except RecursionError:
        raise
    except Exception as error:
        raise Uncacheable(f"({a(type(value))}) cannot be read: {error}") from error
    return sequence(b"codec", [look.code(type(value)), look.content(tree)])


class _Encoding:
    """What the codec works with: what lies in a value stands for itself by its bytes."""

    def __init__(self, look: Look) -> None:
        self.kept: list[str] = []
        self._look = look

    def tree(self, value: Any) -> Tree:
        return self._look.content(value).hex()

    key = tree

    def items(self, values: Iterable[Any]) -> list[Tree]:
        return [self.tree(value) for value in list(values)]

    def mapping(self, value: Mapping[Any, Any]) -> dict[str, Tree]:
        return {"": self.tree(dict(value))}

    def fields(self, values: Mapping[str, Any]) -> dict[str, Tree]:
        return {name: self.tree(value) for name, value in values.items()}

    def within(self, _part: str, value: Any) -> Tree:
        return self.tree(value)

    def name(self, cls: type) -> str:
        return self._look.code(cls).hex()

    def met(self, name: str) -> None:
        """Have nothing to note."""

    def hide(self, name: str) -> str:
        return f"<{name}>"

    def keep(self, kind: str, parts: Iterable[bytes]) -> str:
        return digest(kind, parts)


#: The forms of objects in the order in which they are tried: whether those of a class have it, and how it is written.
FORMS: tuple[tuple[Callable[[type], Any], Callable[[Look, Any], bytes]], ...] = (
    (lambda cls: hasattr(cls, "_key_parts_"), _parts),
    (_is_named, _by_name),
    (lambda cls: cls.__module__ in {"typing", "typing_extensions"}, _typing),
    (lambda cls: issubclass(cls, Enum), _enum),
    (lambda cls: issubclass(cls, Unknown), _unknown),
    (_kind, _known),
    (lambda cls: issubclass(cls, Iterator | AsyncIterator | Coroutine) and not cls.__dictoffset__, _refused),
    (is_proxy, foreign),
    (lambda cls: issubclass(cls, contextlib._GeneratorContextManagerBase), context),  # noqa: SLF001 - they have no public name
    (is_own, own),
    (lambda _: True, foreign),
)

"""Objects of others as bytes; of what their code holds, the settings count, and what is only used or kept does not."""

from __future__ import annotations

import io
import re
from functools import partial
from types import GetSetDescriptorType, MemberDescriptorType
from typing import TYPE_CHECKING, Any

from .instances import dict_of, fields_of, has_more, reduced
from .origin import name_of
from .part import Uncacheable
from .plain import SCALARS, sequence, sized
from .remembered import Remembered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .instances import Look

#: Names of classes of what is only used or kept, held by code of others: it has no content that decides what is computed.
_USED = re.compile(r"(Cache|CacheStore|Channel|Client|Connection|Cursor|Lock|Pool|Queue|Session|Socket|Thread|Tracer|Transport)$")
#: Modules of Python whose objects are so.
_MODULES = frozenset(
    {
        *("_asyncio", "_io", "_queue", "_socket", "_sqlite3", "_ssl", "_thread", "asyncio", "concurrent", "contextvars"),
        *("multiprocessing", "queue", "select", "selectors", "socket", "sqlite3", "ssl", "subprocess", "threading"),
    }
)
#: Of these, only some fields are what they were made with: others lead to all of the user's module.
_MADE_WITH = {
    "pydantic._internal._validate_call:ValidateCallWrapper": ("function", "validate_return", "config_wrapper"),
}
#: By these, a class says itself what `pickle` takes of it.
_SAYS = ("__reduce_ex__", "__reduce__", "__getnewargs_ex__", "__getnewargs__")


def foreign(look: Look, value: Any) -> bytes:
    """Return an instance of a class of others: the class, and what it is made of."""
    if (wrapped := _wrapped(value)) is not None:
        return look.held(lambda: _wrapper(look, value, wrapped))
    if look.changes is None:
        return named(value) if look.is_abroad and type(value).__name__.endswith("Cache") else _pickled(look, value)
    if _is_used(type(value)):
        return _by_texts(look, value)
    look.changes.used(value)
    if (left_out := _left_out(value)) is not None:
        return _by_fields(look, value, left_out)
    watch = look.watch
    try:
        return _pickled(look, value)
    except Uncacheable:
        if not fields_of(value):
            raise
        look.watch = watch
        return _by_fields(look, value)


def _pickled(look: Look, value: Any) -> bytes:
    make = partial(look.abroad, lambda: sequence(b"foreign", [look.code(type(value)), reduced(look, value)]))
    return look.opaque(value, make)


def _left_out(value: Any) -> frozenset[str] | None:
    """Return the fields that do not count of an object that is no more than its fields, as its class says; None for others."""
    cls = type(value)
    if not _is_plain(cls):
        return None
    if getattr(cls, "__getstate__", None) is getattr(object, "__getstate__", None):
        return frozenset()
    fields = fields_of(value)
    try:
        state = value.__getstate__()
    except Exception:  # noqa: BLE001 - code of others
        return None
    if type(state) is not dict or any(fields.get(name, state) is not item for name, item in state.items()):
        return None
    return frozenset(fields.keys() - state.keys())


def _by_fields(look: Look, value: Any, left_out: frozenset[str] = frozenset()) -> bytes:
    """Return an object by its fields, but for those that it changes itself when it is called."""
    cls, changes = type(value), look.changes
    only = _MADE_WITH.get(name_of(cls))

    def fields() -> dict[str, Any]:
        found = fields_of(value)
        names = [name for name in only or found if changes is None or not changes.attribute(value, name, found[name])]
        return {name: found[name] for name in names if name not in left_out}

    if look.watch is not None:
        look.watch.box(lambda: _flat(fields()), _flat(fields()))
    items = [item for name, value in sorted(fields().items()) for item in (name, value)]
    return look.abroad(lambda: sequence(b"fields", [look.code(cls), look.items(b"d", items)]))


def _flat(fields: dict[str, Any]) -> list[Any]:
    return [*fields, *fields.values()]


def _by_texts(look: Look, value: Any) -> bytes:
    """Return what is only used by its class, and by the texts in its own fields, such as an address."""
    if look.watch is not None:
        look.watch.box(lambda: _flat(_texts(value)), _flat(_texts(value)))
    return sequence(b"used", [SCALARS[str](name_of(type(value))), look.named(b"d", _texts(value))])


def _texts(value: Any) -> dict[str, str]:
    return {name: item for name, item in dict_of(value).items() if type(item) is str}


def is_no_setting(value: Any) -> bool:
    """Return whether an object is only used or kept, and has nothing that it was made with: it may come and go.

    >>> import threading
    >>> is_no_setting(threading.Lock()), is_no_setting("a text")
    (True, False)
    """
    return _is_used(type(value)) and not _texts(value)


def _wrapped(value: Any) -> Any:
    """Return what an object of others wraps, as a cache does around a function of the user's."""
    try:
        return object.__getattribute__(value, "__wrapped__")
    except AttributeError:
        return None


def _wrapper(look: Look, value: Any, wrapped: Any) -> bytes:
    """Return what wraps something by its class, what it wraps, and what it holds besides."""
    cls, inner, changes = type(value), dict_of(wrapped), look.changes
    assert changes is not None
    changes.used(value)

    def fields() -> dict[str, Any]:
        found = dict(_own_fields(value))
        names = [name for name, item in found.items() if inner.get(name, found) is not item]
        return {name: found[name] for name in names if not changes.attribute(value, name, found[name])}

    if look.watch is not None:
        look.watch.box(lambda: _flat(fields()), _flat(fields()))
    named = [item for name, held in sorted(fields().items()) for item in (name, held)]
    return sequence(b"wraps", [look.code(cls), look.content(wrapped), look.abroad(lambda: look.items(b"d", named))])


def is_proxy(cls: type) -> bool:
    """Return whether instances of a class stand for something else, as those of wrapt do."""
    return type(getattr(cls, "__wrapped__", None)) in {GetSetDescriptorType, MemberDescriptorType, property}


def _own_fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a wrapper holds beside what it wraps; a proxy keeps that under names that begin with `_self_`."""
    yield from ((name, item) for name, item in fields_of(value).items() if name != "__wrapped__")
    for name in _proxied(type(value)):
        try:
            yield name, object.__getattribute__(value, name)
        except AttributeError:
            continue


_proxied_by: Remembered[tuple[str, ...]] = Remembered()


def _proxied(cls: type) -> tuple[str, ...]:
    if (known := _proxied_by.get(cls)) is not None:
        return known
    names = dict.fromkeys(name for base in cls.__mro__ for name in vars(base) if name.startswith("_self_"))
    return _proxied_by.put(cls, tuple(names))


_used: Remembered[bool] = Remembered()
_plain: Remembered[bool] = Remembered()


def _is_used(cls: type) -> bool:
    known = _used.get(cls)
    if known is not None:
        return known
    is_text = issubclass(cls, io.StringIO | io.BytesIO)
    return _used.put(cls, not is_text and any(_USED.search(one.__name__) or _top(one) in _MODULES for one in cls.__mro__))


def _top(cls: type) -> str:
    return str(cls.__module__).partition(".")[0]


def _is_plain(cls: type) -> bool:
    """Return whether `pickle` takes the fields of an object, or what its `__getstate__` gives."""
    known = _plain.get(cls)
    if known is not None:
        return known
    return _plain.put(cls, not has_more(cls) and all(getattr(cls, name, None) is getattr(object, name, None) for name in _SAYS))


def context(look: Look, value: Any) -> bytes:
    """Return a context made by a generator function by that, and by what that was given."""
    return look.items(b"context", (value.func, value.args, value.kwds))


def named(value: Any) -> bytes:
    """Return a thing by what it is called."""
    return sized(b"named", f"{name_of(type(value))} {getattr(value, 'name', '')}".encode())

"""A workflow as bytes for other processes, with what it is made of where no module has that: classes and functions of a cell."""

from __future__ import annotations

import ast
import copy
import io
import linecache
import marshal
import os
import pickle
import sys
from contextlib import suppress
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

from ..errors import MissingPart, Unshippable
from ..keying.parsing import parsed
from ..settings import own
from ..workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a workflow has for itself in its own process: each that does rows gives it others.
_OWN = ("storage", "_session", "_run", "_last_run", "_next_cache", "_last_ids")


@dataclass(frozen=True, slots=True)
class Cargo:
    """A workflow as bytes; `classes` are those that no module has, and that came along: in turn, the same on both ends."""

    data: bytes
    classes: list[type]


def shipped(workflow: Workflow) -> Cargo:
    """Return a workflow as bytes. Raises Unshippable, which names what stands against it."""
    kinds = _picklers()
    classes: list[type] = []
    files: dict[str, list[str]] = {}
    attributes = {name: own(value) for name, value in vars(workflow).items() if name not in _OWN}
    into = io.BytesIO()
    told = type(workflow), attributes, workflow.session.initial, workflow.session_id
    try:
        pickler = kinds.whole(into, classes, files)
        pickler.dump((os.getpid(), *sys.version_info[:2]))
        pickler.dump(told)
        pickler.dump(list(_more(classes, files)))
        pickler.dump((classes, files))  # now it is known what came along
    except Exception as error:
        raise Unshippable(f"{_blamed(workflow, attributes)} cannot be shipped to other processes ({_brief(error)}); "
                          "open it inside run(), or where it is used first") from error  # fmt: skip
    return Cargo(into.getvalue(), classes)


def unshipped(data: bytes) -> tuple[Workflow, dict[str, Any], str, list[type]]:
    """Return a workflow that was shipped, the state that it begins with, its session's id, and the classes that came along."""
    reader = pickle.Unpickler(io.BytesIO(data))  # noqa: S301 - from who has proved to know the secret
    pid, *version = reader.load()
    if tuple(version) != sys.version_info[:2]:
        here, there = (".".join(map(str, one)) for one in (sys.version_info[:2], version))
        raise Unshippable(f"this worker has Python {here}, and the sweep comes from Python {there}; give both the same")
    cls, attributes, initial, session_id = reader.load()
    more = reader.load()
    classes, files = reader.load()
    if pid != os.getpid():
        _settle(classes, files)
        for function, names in more:
            for name, value in names.items():
                function.__globals__.setdefault(name, value)
    workflow = cls.__new__(cls)
    vars(workflow).update(attributes)
    workflow.storage = None
    return workflow, initial, session_id, classes


def _settle(classes: list[type], files: dict[str, list[str]]) -> None:
    """Let classes of `__main__` be found in that of this process, and the source of a cell be read here."""
    for cls in classes:
        if cls.__module__ == "__main__" and "." not in cls.__qualname__:
            setattr(sys.modules["__main__"], cls.__qualname__, cls)
    for name, lines in files.items():
        if not linecache.getlines(name):
            linecache.cache[name] = sum(map(len, lines)), None, lines, name


def _more(classes: list[type], files: dict[str, list[str]]) -> Iterator[tuple[FunctionType, dict[str, Any]]]:
    """Yield, with a function for each module, what its source names and its code does not: decorators, annotations, bases.

    A step's key is made of them, too.
    """
    named: set[str] = set()
    for lines in files.values():
        with suppress(SyntaxError, ValueError, RecursionError):
            for node in ast.walk(parsed("".join(lines))):
                outer = [*getattr(node, "decorator_list", ()), *getattr(node, "bases", ())]
                outer += [one for name in ("annotation", "returns") if isinstance(one := getattr(node, name, None), ast.AST)]
                named |= {inner.id for one in outer for inner in ast.walk(one) if isinstance(inner, ast.Name)}
    seen: set[int] = set()
    for cls in classes:
        for function in _functions_of(cls):
            if id(function.__globals__) not in seen:
                seen.add(id(function.__globals__))
                found = {name: function.__globals__[name] for name in sorted(named) if name in function.__globals__}
                yield function, {name: value for name, value in found.items() if not _is_stuck(value)}


# -- what goes along with rows -------------------------------------------------------------------------------------------------


def packed_rows(rows: Any, classes: list[type]) -> bytes:
    """Return what rows are given as bytes; classes that were shipped are named only."""
    into = io.BytesIO()
    _picklers().rows(into, classes).dump(rows)
    return into.getvalue()


def packed_answer(answer: Any, classes: list[type]) -> bytes | None:
    """Return what came of a row as bytes, None for what cannot be had in another process."""
    into = io.BytesIO()
    try:
        _Named(into, classes).dump(answer)
    except Exception:  # noqa: BLE001 - whatever a class of the user's may raise
        return None
    return into.getvalue()


def unpacked(data: bytes, classes: list[type]) -> Any:
    """Return what was packed, of the classes that are here."""
    reader = pickle.Unpickler(io.BytesIO(data))  # noqa: S301 - from who has proved to know the secret
    reader.persistent_load = classes.__getitem__  # type: ignore[method-assign] # as pickle has it
    return reader.load()


class _Named(pickle.Pickler):
    """Names the classes that both ends have."""

    def __init__(self, into: io.BytesIO, classes: list[type]) -> None:
        super().__init__(into, pickle.HIGHEST_PROTOCOL)
        self._numbers = {id(cls): number for number, cls in enumerate(classes)}

    def persistent_id(self, value: Any) -> int | None:
        return self._numbers.get(id(value)) if isinstance(value, type) else None


@dataclass(frozen=True, slots=True)
class _Picklers:
    whole: Any
    rows: Any


def _picklers() -> _Picklers:
    """Return who writes what is in no module; MissingPart where the package for that is not there."""
    try:
        from cloudpickle import Pickler
    except ImportError as error:
        raise MissingPart("rows in other processes need cloudpickle; pip install 'wf-notebook[dask]'") from error

    class Whole(Pickler):  # type: ignore[misc] # carries no types
        def __init__(self, into: io.BytesIO, classes: list[type], files: dict[str, list[str]]) -> None:
            super().__init__(into)
            self._classes, self._files = classes, files

        def reducer_override(self, value: Any) -> Any:
            if isinstance(value, io.TextIOWrapper | io.BufferedIOBase | io.FileIO) and not isinstance(value, io.BytesIO):
                raise TypeError("cannot pickle an open file")  # cloudpickle would read it, and send that
            if isinstance(
                value, CodeType
            ):  # with the name of its file, by which its source is found: cloudpickle has no such name
                return marshal.loads, (marshal.dumps(value),)
            made = super().reducer_override(value)
            if made is not NotImplemented and _is_code(value):  # as no module has it
                if isinstance(value, type) and value not in self._classes:
                    self._classes.append(value)
                for function in _functions_of(value):
                    name = function.__code__.co_filename
                    self._files.setdefault(name, linecache.getlines(name))
            return made

    class Rows(Pickler):  # type: ignore[misc] # carries no types
        def __init__(self, into: io.BytesIO, classes: list[type]) -> None:
            super().__init__(into)
            self._numbers = {id(cls): number for number, cls in enumerate(classes)}

        def persistent_id(self, value: Any) -> int | None:
            return self._numbers.get(id(value)) if isinstance(value, type) else None

    return _Picklers(Whole, Rows)


def _is_code(value: Any) -> bool:
    return isinstance(value, type | FunctionType) and value.__module__ != "builtins"


def _functions_of(value: type | FunctionType) -> Iterator[FunctionType]:
    for member in vars(value).values() if isinstance(value, type) else (value,):
        function = getattr(member, "__wrapped__", member)
        if isinstance(function, FunctionType):
            yield function


# -- what stands against it ----------------------------------------------------------------------------------------------------


def _blamed(workflow: Workflow, attributes: dict[str, Any]) -> str:
    """Return what cannot be shipped: an attribute, or what a method reads outside of it."""
    name = type(workflow).__name__
    for attribute, value in attributes.items():
        if _is_stuck(value):
            return f"{name}.{attribute}"
    if _is_stuck(workflow.session.initial):
        return f"session_state of {name}"
    for cls in type(workflow).__mro__[: -len(Workflow.__mro__)]:
        for attribute, value in vars(cls).items():
            function = getattr(value, "__wrapped__", value)
            if isinstance(function, FunctionType):
                for read in function.__code__.co_names:
                    if read in function.__globals__ and _is_stuck(function.__globals__[read]):
                        return f"{read!r}, which {cls.__name__}.{attribute}() reads,"
            elif attribute not in {"__dict__", "__weakref__"} and _is_stuck(value):
                return f"{cls.__name__}.{attribute}"
    return name


def _is_stuck(value: Any) -> bool:
    try:
        _picklers().whole(io.BytesIO(), [], {}).dump(copy.copy(value) if isinstance(value, dict) else value)
    except Exception:  # noqa: BLE001 - that is the question
        return True
    return False


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"

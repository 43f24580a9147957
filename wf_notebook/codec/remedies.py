"""What to do about a value that cannot be kept, by what it is."""

from __future__ import annotations

import io
import threading
from collections.abc import ItemsView, KeysView, ValuesView
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MappingProxyType,
    MethodType,
    ModuleType,
)
from typing import Any

from .classes import register
from .kind import loaded

_BUFFER, _BYTES = "io.BytesIO()", "png.getvalue()"

#: What is refused with a remedy of its own: types, or "module:name" of one that is looked at only when its module is loaded.
REMEDIES: tuple[tuple[tuple[type | str, ...], str], ...] = (
    ((GeneratorType, KeysView, ValuesView, ItemsView, map, filter, zip, enumerate, reversed), "keep list(…) of it"),
    ((AsyncGeneratorType,), "keep [item async for item in …]"),
    ((CoroutineType, "asyncio:Future"), "await it, and keep the result"),
    ((FunctionType, BuiltinFunctionType, MethodType, "functools:partial"), "keep its name, and look it up when it is needed"),
    ((ModuleType,), "import it where it is used"),
    ((type,), "keep its name, and look it up when it is needed"),
    ((io.IOBase, "tempfile:_TemporaryFileWrapper"), "keep its path or its .read()"),
    ((type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Event), "keep it outside of session_state"),
    ((threading.Thread, "asyncio:Queue", "queue:Queue"), "keep it outside of session_state"),
    ((memoryview,), "keep bytes(…) of it"),
    ((MappingProxyType,), "keep dict(…) of it"),
    ((BaseException,), "keep its repr()"),
    (("matplotlib.figure:Figure",), f'keep the PNG bytes: figure.savefig(png := {_BUFFER}, format="png"); {_BYTES}'),
    (("matplotlib.artist:Artist",), "keep the PNG bytes of its .get_figure(), or what it was drawn from"),
    (("PIL.Image:Image",), f'keep the PNG bytes: image.save(png := {_BUFFER}, format="png"); {_BYTES}'),
    (("plotly.basedatatypes:BaseFigure",), "keep its .to_json()"),
    (("IPython.core.display:DisplayObject",), "keep its .data"),
    (("httpx:Response", "requests.models:Response"), "keep its .text or its .json()"),
    (("torch:Tensor",), "keep its .numpy()"),
    (("polars:LazyFrame",), "keep its .collect()"),
    (("pyarrow:Scalar",), "keep its .as_py()"),
    (("_duckdb:DuckDBPyRelation", "duckdb:DuckDBPyRelation"), "keep its .df() or .fetchall()"),
    (("numpy:ma.MaskedArray", "numpy.ma:MaskedArray"), "keep its .data and its .mask"),
    (("numpy:ndarray",), "keep numpy.asarray(…) of it"),
    (("numpy:void",), "keep its .item()"),
    (("pandas:DataFrame", "pandas:Series", "pandas:Index"), "keep the plain pandas object of it"),
    (("pydantic.main:BaseModel",), "keep a model of a class of your own"),
)


#: How classes of things end that talk to a service.
_CLIENTS = ("Agent", "Anthropic", "AsyncClient", "OpenAI", "Connection", "Model", "Session")


def cannot_keep(value: Any) -> str:
    """Return what is said of a value whose type is not in the table.

    >>> cannot_keep(len)
    "is of type 'builtin_function_or_method', which cannot be kept; keep its name, and look it up when it is needed"
    """
    cls = type(value)
    for types, remedy in REMEDIES:
        if any(known is not None and issubclass(cls, known) for known in map(loaded, types)):
            return f"is of type {cls.__name__!r}, which cannot be kept; {remedy}"
    for plain in (str, int, float, bytes, list, tuple, dict, set, frozenset):
        if issubclass(cls, plain):
            name = plain.__name__
            return (
                f"is of type {cls.__name__!r}, a kind of {name}, which cannot be kept; keep {name}(…) of it, or {register(cls)}"
            )
    if cls.__name__.endswith(_CLIENTS):
        return f"is of type {cls.__name__!r}, which cannot be kept; make it in run(), or as an attribute of the workflow"
    return f"is of type {cls.__name__!r}, which cannot be kept; keep what it is made of, or {register(cls)}"

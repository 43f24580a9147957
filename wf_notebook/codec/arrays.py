"""numpy: scalars in the tree, arrays beside it in numpy's own format, which other programs read too."""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from io import BytesIO
from typing import TYPE_CHECKING, Any

from .kind import Absent, Refused, loaded
from .scalars import text

if TYPE_CHECKING:
    from types import ModuleType

    from .kind import Decoding, Encoding, Tree


def numpy() -> ModuleType:
    """Return numpy, or raise Absent where it is not installed."""
    try:
        import numpy as np
    except ImportError as error:
        raise Absent("numpy", "numpy is not installed; its values are given as dicts until it is") from error
    return np


def is_scalar(cls: type) -> bool:
    """Return whether a class is one of numpy's own kinds of scalars."""
    generic = loaded("numpy:generic")
    return (
        generic is not None and issubclass(cls, generic) and cls.__module__ == "numpy" and cls.__name__ not in {"void", "record"}
    )


def encode_scalar(value: Any, walk: Encoding) -> Tree:
    """Write a scalar with its dtype, as the number, text or time that it is."""
    dtype, kind = value.dtype, value.dtype.kind
    tree: dict[str, Tree] = {"$numpy": dtype.str}
    if kind in "biu":
        return {**tree, "value": walk.tree(value.item())}
    if kind == "f":
        return {**tree, "value": walk.tree(_exact(value, float(value)))}
    if kind == "c":
        parts = [_exact(part, float(part)) for part in (value.real, value.imag)]
        return {**tree, "value": walk.items(parts)}
    if kind == "U":
        return {**tree, "value": text(str(value))}
    if kind == "S":
        return {**tree, "value": b64encode(bytes(value)).decode("ascii")}
    if kind in "mM":
        return {**tree, "value": _time(value)}
    raise Refused(f"is a numpy scalar of dtype {dtype!s}, which cannot be kept; keep its .item()")


def _exact(value: Any, number: float) -> float:
    if value != number and not math.isnan(number):
        raise Refused(f"is of type {type(value).__name__!r} with more digits than a float has; keep float(…) of it")
    return number


def _time(value: Any) -> Tree:
    """Return a datetime64 as ISO 8601 where that says all of it; else, and for a timedelta64, its count of units."""
    count: int = value.astype("i8").item()
    if value.dtype.kind == "m" or str(value) == "NaT":
        return count
    try:
        same = numpy().datetime64(str(value)).astype(value.dtype).view("i8") == count
    except (ValueError, OverflowError):
        same = False
    return str(value) if same else count


def decode_scalar(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read a scalar."""
    np = numpy()
    dtype, said = _dtype(np, tree["$numpy"]), tree["value"]
    kind, value = dtype.kind, read.value(said)
    if kind in "mM":
        if type(said) is str:
            return np.datetime64(said).astype(dtype)
        return np.int64(said).view(dtype)
    if kind == "c":
        found = np.zeros(1, dtype)
        found.real, found.imag = value
        return found[0]
    if kind == "S":
        return np.bytes_(b64decode(said, validate=True))
    if kind not in "biufU" or isinstance(value, dict | list):
        raise TypeError(f"{said!r} is no scalar of dtype {dtype!s}")
    return dtype.type(value)


def _dtype(np: Any, name: str) -> Any:
    if type(name) is not str:
        raise TypeError("the name of a dtype is no text")
    try:
        return np.dtype(name)
    except TypeError as error:
        raise Absent(f"dtype {name}", f"this numpy has no dtype {name!r}; its values are given as dicts") from error


def encode_array(value: Any, walk: Encoding) -> Tree:
    """Write an array: its dtype and shape for anyone to see, its content beside the tree; one of objects as their trees."""
    np = numpy()
    if value.dtype.names is None:
        snapshot = np.asarray(value)
    else:  # what lies between the fields is chance, and would be part of the hash
        snapshot = np.zeros(value.shape, value.dtype, order="F" if value.flags.fnc else "C")
        _fill(snapshot, value)
    tree: dict[str, Tree] = {"$ndarray": dtype_name(snapshot.dtype), "shape": list(snapshot.shape)}
    if snapshot.dtype.kind == "O":
        order = {"order": "F"} if snapshot.flags.fnc else {}
        return {**tree, **order, "items": walk.items(list(snapshot.reshape(-1)))}
    return {**tree, "blob": walk.keep("npy", [npy(snapshot)])}


def _fill(array: Any, value: Any) -> None:
    """Copy the fields of a structured array, and nothing of what lies between them."""
    for name in value.dtype.names:
        if value.dtype[name].names is None:
            array[name] = value[name]
        else:
            _fill(array[name], value[name])


def dtype_name(dtype: Any) -> str:
    """Return what a dtype is called in a tree; raise Refused for one whose arrays do not come back."""
    if dtype.kind == "O":
        return "|O"
    npy_format = numpy().lib.format
    try:
        same = not dtype.hasobject and npy_format.descr_to_dtype(npy_format.dtype_to_descr(dtype)) == dtype
    except (TypeError, ValueError):
        same = False
    if not same or dtype.kind == "T":
        raise Refused(f"is a numpy array of dtype {dtype!s}, which cannot be kept; keep .astype(…) of it, or its .tolist()")
    return str(dtype.str if dtype.names is None else dtype.descr)


def npy(array: Any) -> bytes:
    """Return an array in numpy's format."""
    file = BytesIO()
    numpy().lib.format.write_array(file, array, allow_pickle=False)
    return file.getvalue()


def of_npy(content: bytes) -> Any:
    """Return the array that `npy` wrote."""
    return numpy().lib.format.read_array(BytesIO(content), allow_pickle=False)


def decode_array(tree: dict[str, Tree], read: Decoding) -> Any:
    """Read an array."""
    np = numpy()
    shape = tuple(tree["shape"])
    if "items" not in tree:
        found = of_npy(read.load("npy", tree["blob"]))
        if found.shape != shape:
            raise ValueError(f"an array of shape {found.shape} is said to have shape {shape}")
        return found
    items = read.items(tree["items"])
    if len(items) != math.prod(shape):
        raise ValueError(f"{len(items)} items are said to have shape {shape}")
    flat = np.empty(len(items), object)
    for index, item in enumerate(items):
        flat[index] = item
    return np.array(flat.reshape(shape), order=tree.get("order", "C"))

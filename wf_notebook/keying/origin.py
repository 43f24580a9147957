"""Whose code it is: the user's own counts as it reads, that of others by their version."""

from __future__ import annotations

import sys
import sysconfig
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from .remembered import Remembered

_HOUSE = __name__.partition(".")[0]

#: The flag of a class that can be made and changed while a program runs.
_MADE_BY_PYTHON = 1 << 9
#: Folders whose files are not the user's own, wherever they lie.
_INSTALLED = frozenset({"site-packages", "dist-packages"})
_STANDARD = tuple(sorted({str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "platstdlib")}))
_OURS = str(Path(__file__).resolve().parents[1])

#: The distribution that this package is in.
OURS = "wf-notebook"
#: What the standard library and the builtins count as.
PYTHON = ("python", f"{sys.version_info.major}.{sys.version_info.minor}")


def is_at_home(function: FunctionType) -> bool:
    """Return whether a function of others is one that its package itself made and has under a name.

    >>> is_at_home(cache), is_at_home(cache(len).cache_parameters)
    (True, False)
    """
    for name in dict.fromkeys((function.__module__, function.__globals__.get("__name__"))):
        module = sys.modules.get(str(name))
        if module is None or is_own(module):
            continue
        found: Any = module
        for part in function.__qualname__.split("."):
            found = vars(found).get(part) if isinstance(found, ModuleType | type) else None
            found = getattr(found, "__func__", found) if isinstance(found, classmethod | staticmethod) else found
        if found is function or any(value is function for value in [*vars(module).values()]):
            return True
    return False


def is_own(code: Any) -> bool:
    """Return whether a function, class or module is the user's own; one that was made of a text, by whomever, is.

    >>> is_own(Path), is_own(is_own), is_own(sys), is_own(FunctionType(compile("0", "<text>", "eval"), {}))
    (False, False, False, True)
    """
    if type(code) is FunctionType:  # a proxy of one says that it is an instance
        return is_own_file(code.__code__.co_filename)
    if isinstance(code, type):
        known = _classes.get(code)
        return known if known is not None else _classes.put(code, _is_own_class(code))
    if isinstance(code, ModuleType):
        return _is_own_module(code.__name__)
    return _is_own_module(getattr(code, "__module__", None))


_classes: Remembered[bool] = Remembered()


def _is_own_class(cls: type) -> bool:
    if cls.__module__ not in sys.modules and not _is_of_python(cls):
        return False
    return _is_own_module(cls.__module__) or _is_stray(cls)


def _is_of_python(cls: type) -> bool:
    """Return whether a class was made by Python code: one of C may say any module."""
    return any(
        name in {"__weakref__", "__slots__"} or isinstance(value, FunctionType | classmethod | staticmethod)
        for base in cls.__mro__[:-1]
        for name, value in vars(base).items()
    )


def _is_stray(cls: type) -> bool:
    """Return whether a class is not what its module has under its name: `make_dataclass` made it, or another function did."""
    found: Any = sys.modules.get(cls.__module__)
    if not cls.__flags__ & _MADE_BY_PYTHON or found is None or "<locals>" in cls.__qualname__:
        return False
    for name in cls.__qualname__.split("."):
        found = vars(found).get(name) if isinstance(found, ModuleType | type) else None
    return found is None


def _is_own_module(name: Any) -> bool:
    if name == "__main__":
        return True
    if not isinstance(name, str):
        return False
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", None) or ()), None)
    return is_own_file(file) if isinstance(file, str) else name.partition(".")[0] not in {*sys.stdlib_module_names, _HOUSE}


def as_outside(value: Any) -> Any:
    """Return what a value is outside a notebook: in one `open` is IPython's own, which spares the standard streams."""
    is_ipythons = isinstance(value, FunctionType) and value.__globals__.get("__name__") == "IPython.core.interactiveshell"
    return open if is_ipythons and vars(value).get("__wrapped__") is open else value


@cache
def is_own_file(filename: str) -> bool:
    """Return whether a file is neither installed, nor of Python, nor ours."""
    if filename.startswith("<"):
        return not filename.startswith("<frozen ")
    path = Path(filename)
    if not _INSTALLED.isdisjoint(path.parts):
        return False
    resolved = path.resolve()
    return _INSTALLED.isdisjoint(resolved.parts) and not any(resolved.is_relative_to(folder) for folder in (*_STANDARD, _OURS))


def package_of(code: Any) -> tuple[str, str]:
    """Return the name and version of the distribution that somebody else's code comes from.

    >>> package_of(Path) == PYTHON, package_of(package_of)[0]
    (True, 'wf-notebook')
    """
    if isinstance(code, FunctionType):
        module = code.__globals__.get("__name__")
    else:
        module = code.__name__ if isinstance(code, ModuleType) else getattr(code, "__module__", None)
    return package_named(module.partition(".")[0] if isinstance(module, str) else "builtins")


@cache
def package_named(top: str) -> tuple[str, str]:
    """Return the name and version of the distribution that has a top-level module."""
    if top in sys.stdlib_module_names or top == "builtins":
        return PYTHON
    if top == _HOUSE:
        return OURS, _said(top)
    from importlib import metadata  # it takes longer to load than all of this

    try:
        return top, metadata.version(top)
    except metadata.PackageNotFoundError:
        names = sorted(set(metadata.packages_distributions().get(top, ())))
    if names:
        return "+".join(names), "+".join(map(metadata.version, names))
    return top, _said(top)


def _said(top: str) -> str:
    """Return the version that a module says of itself."""
    version = getattr(sys.modules.get(top), "__version__", "")
    return version if isinstance(version, str) else ""


def name_of(code: Any) -> str:
    """Return the name of somebody else's code.

    >>> name_of(dict.get), name_of(len)
    ('builtins:dict.get', 'builtins:len')
    """
    module = getattr(code, "__module__", None) or getattr(getattr(code, "__objclass__", None), "__module__", None) or ""
    return f"{module}:{getattr(code, '__qualname__', None) or getattr(code, '__name__', '') or type(code).__qualname__}"

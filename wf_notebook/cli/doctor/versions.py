"""Whether Python and the packages that we need are here, and new enough."""

from __future__ import annotations

import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING

from .check import Check, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OWN = "wf-notebook"
#: What is told of besides ourselves; without the others nothing is shown in JupyterLab, or run there.
_NEEDED = ("duckdb", "ipython", "anywidget", "ipywidgets", "pydantic-ai-slim")
_WANTED = ("jupyterlab", "nbclient")


def versions() -> Iterator[Check]:
    """Look at Python, at us and at what we need."""
    here = platform.python_version()
    new_enough = sys.version_info >= (3, 11)
    yield Check(
        *("versions", "Python", "ok" if new_enough else "failed"),
        f"{here}, {sys.executable}" + ("" if new_enough else " is too old"),
        "" if new_enough else "install 3.11 or newer",
    )
    try:
        yield Check("versions", _OWN, "ok", version(_OWN))
    except PackageNotFoundError:
        yield Check("versions", _OWN, "warning", "runs from its sources, not installed", "pip install -e .")
    least = at_least(_requirements())
    for name in _NEEDED:
        yield package(name, least.get(name), needed=True)
    for name in _WANTED:
        yield package(name, least.get(name), needed=False)


def package(name: str, least: str | None, *, needed: bool) -> Check:
    """Look at one package.

    >>> package("no-such-package", None, needed=True).state, package("click", "8.0", needed=True).state
    ('failed', 'ok')
    """
    state: State = "failed" if needed else "warning"
    try:
        here = version(name)
    except PackageNotFoundError:
        remedy = f"pip install {name}" if needed else "pip install 'wf-notebook[lab]'"
        return Check("versions", name, state, "is not here", remedy)
    if least is not None and _number(here) < _number(least):
        return Check("versions", name, state, f"{here} is older than {least}", f"pip install -U {name}")
    return Check("versions", name, "ok", here)


def at_least(requirements: Iterable[str]) -> dict[str, str]:
    """Return from requirements which version each package has at least.

    >>> at_least(["duckdb>=1.5", "jupyterlab>=4.2; extra == 'lab'", "pydantic-ai-slim[openai]"])
    {'duckdb': '1.5', 'jupyterlab': '4.2'}
    """
    found = (re.match(r"([\w.-]+)(?:\[[^]]*\])?\s*>=\s*([\d.]+)", each) for each in requirements)
    return {each[1].lower(): each[2] for each in found if each}


def _requirements() -> list[str]:
    try:
        return requires(_OWN) or []
    except PackageNotFoundError:
        return []


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])

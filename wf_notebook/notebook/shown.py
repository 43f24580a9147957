"""Which cell shows which widgets: when it is run again, or was deleted, those of before are closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from IPython.core.getipython import get_ipython

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Closable(Protocol):
    """What a cell shows."""

    def close(self) -> None:
        """Show it no more."""


#: Of each cell what it shows, and in which run of it that was begun.
_shown: dict[str, tuple[str, list[Closable]]] = {}


def shown(widget: Closable) -> None:
    """Know that the cell that runs shows a widget, until it runs again."""
    request = _request()
    cell = request.get("metadata", {}).get("cellId") or _number(request)  # not every front end names its cells
    if not _shown:
        _events().register("pre_run_cell", _close_what_was_before)
    _shown.setdefault(cell, (_number(request), []))[1].append(widget)


def _close_what_was_before(*_: Any) -> None:
    request = _request()
    metadata = request.get("metadata", {})
    cell = metadata.get("cellId")
    _close([each for each in metadata.get("deletedCells", ()) if each in _shown])
    if cell in _shown and _shown[cell][0] != _number(request):
        _close([cell])


def _close(cells: Iterable[str]) -> None:
    for cell in cells:
        for widget in _shown.pop(cell)[1]:
            widget.close()
    if not _shown and _close_what_was_before in _events().callbacks["pre_run_cell"]:
        _events().unregister("pre_run_cell", _close_what_was_before)


def close_all() -> None:
    """Close all that is shown."""
    _close(list(_shown))


def _request() -> Mapping[str, Any]:
    """Return the message that this cell runs for."""
    request: Mapping[str, Any] = getattr(get_ipython(), "kernel").get_parent()  # noqa: B009 - a shell without a kernel has none
    return request


def _number(request: Mapping[str, Any]) -> str:
    number: str = request.get("header", {}).get("msg_id", "")
    return number


def _events() -> Any:
    shell: Any = get_ipython()
    return shell.events

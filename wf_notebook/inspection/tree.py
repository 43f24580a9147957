"""The state as a tree: the nodes below a path, a page at a time, each with its type and its size at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..brief import brief
from ..keys import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .looking import Inspector


def opened_session(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page shows first of a session: which version it is, and the first nodes of its state."""
    loaded = inspector.loaded(asked["session"], asked.get("version"))
    return {"session": loaded.session.session_id, "version": loaded.version, "newest": loaded.session.newest()} | {
        "nodes": children(inspector, {**asked, "version": loaded.version, "path": []})
    }


def children(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of the nodes right below a path."""
    loaded = inspector.loaded(asked["session"], asked.get("version"))
    rows = [
        {"step": key, "key": str(key_of(key)), "type": type(loaded.tree(key)).__name__, "brief": brief(loaded.tree(key))}
        for key in loaded.kept
    ]
    return {"total": len(rows), "start": 0, "rows": rows}

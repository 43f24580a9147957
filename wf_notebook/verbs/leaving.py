"""The verbs of %wf by which a session leaves its store, or is gone on with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import BadArguments

if TYPE_CHECKING:
    from .asked import Asked


def export(asked: Asked) -> None:
    """Write a session as a file."""
    from ..ipynb.exporting import export as written_file  # which is large
    from ..ipynb.exporting import format_of

    if len(asked.words) > 1 or (asked.words and asked.options.get("session")):
        raise BadArguments(f"write the id of one session, not {' '.join(asked.words)}")
    path, kind = asked.options.get("output"), asked.options.get("format")
    kind = format_of(path, kind)
    session = asked.looked_at(asked.words[0] if asked.words else asked.session_id())
    written = written_file(session, path, format=kind, force=bool(asked.options.get("force")))
    asked.say(f"session {session.session_id!r} is written to {written}")

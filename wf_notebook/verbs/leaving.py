"""The verbs of %wf by which a session leaves its store, or is gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadArguments
from ..transaction import sweep_of

if TYPE_CHECKING:
    from ..frames import Table
    from .asked import Asked


def export(asked: Asked) -> None:
    """Write a session as a file."""
    from ..ipynb.exporting import export as written_file  # which is large
    from ..ipynb.exporting import format_of

    if len(asked.words) > 1 or (asked.words and asked.options.get("session")):
        raise BadArguments(f"write the id of one session, not {' '.join(asked.words)}")
    path, kind = asked.options.get("output"), asked.options.get("format")
    kind = format_of(path, kind)
    session_id = asked.words[0] if asked.words else asked.session_id()
    asked.of_one(session_id, f"all rows go with %wf copy {session_id} --to URL, and %wf sessions {session_id} lists them")
    session = asked.looked_at(session_id)
    written = written_file(session, path, format=kind, force=bool(asked.options.get("force")))
    asked.say(f"session {session.session_id!r} is written to {written}")


def copy(asked: Asked) -> Table:
    """Copy sessions whole into another store, with what is unsaved in the notebook."""
    to, everything = asked.options.get("to"), bool(asked.options.get("all"))
    if to is None:
        raise BadArguments("where to is not said: %wf copy SESSION --to duckdb:///other.duckdb")
    if bool(asked.words) == everything:
        raise BadArguments("write the ids of the sessions, or --all for all of them: %wf copy SESSION --to URL")
    storage = asked.storage()
    for session_id in dict.fromkeys(each.session_id for each in asked.workflows()):
        is_meant = everything or session_id in asked.words or f"{sweep_of(session_id)}/" in asked.words
        if is_meant and asked.of_session(session_id, storage):
            asked.looked_at(session_id)
    copied: Table = storage.copy(None if everything else list(asked.words), to=to, new_id=asked.options.get("as"))
    return copied


def status(asked: Asked) -> Table:
    """Return what can be continued of the sessions of a notebook, this kernel's, as far as its file is known, or another one.

    Or of all of a store.
    """
    from ..ipynb.places import Place, noted  # which is large
    from ..ipynb.standing import status as standing
    from ..ipynb.whereabouts import notebook_file

    named = asked.word("the path of one notebook: %wf status report.ipynb") if asked.words else None
    everything = bool(asked.options.get("all"))
    if named is not None and everything:
        raise BadArguments(f"write the notebook, or --all for the whole store: %wf status {named}")
    storage = asked.storage() if everything or asked.options.get("storage") else None
    here = [each for each in asked.workflows() if storage is None or each in asked.of_session(each.session_id, storage)]
    if named is not None:
        known = set(noted(Path(named)))
        here = [each for each in here if Place(each.session_id, getattr(each.storage, "url", "")) in known]
    file = named or (notebook_file(asked.namespace) if storage is None else None)
    return standing(file, storage=storage, workflows=here, namespace=asked.namespace)

"""What is on the screen of an inspector, as a table to go on with: the result, the runs, the diff, the value or the sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..errors import UnknownPath
from ..frames.columns import Column, fields_of
from ..frames.records import columns_of
from ..frames.table import Table
from ..keys import key_of
from ..tabular import columns
from .nodes import at

if TYPE_CHECKING:
    from ..session import Session
    from .loaded import Loaded
    from .place import Place, Step
    from .results import Results


class Looking(Protocol):
    """Who looks, and where."""

    storage: Any
    results: Results

    @property
    def place(self) -> Place:
        """Where it is."""

    def find(self, session_id: str) -> Session:
        """Return a session."""

    def loaded(self) -> Loaded:
        """Return the state that is looked at."""


def frame(looking: Looking) -> Any:
    """Return what is on the screen as a DataFrame. Raises BadQuery, and UnknownSession for a session that is gone."""
    place = looking.place
    if place.view == "sql":
        result = looking.results.newest_of(place.query) or looking.results.run(place.query)
        return result.table.frame()
    if not place.session:
        return looking.storage.sessions().frame()
    if place.view == "runs":
        return looking.storage.runs(place.session).frame()
    if place.view == "history":
        return _difference(looking).df()
    return _state(looking).frame()


def _difference(looking: Looking) -> Any:
    """Return what differs between what is looked at and what it is compared with: the version before, if nothing was chosen."""
    place, loaded = looking.place, looking.loaded()
    if place.other is None:
        return loaded.session.diff(max(loaded.version - 1, 0), loaded.version)
    other, version = place.other
    return looking.find(other).diff(version, loaded.version, other=loaded.session)


def _state(looking: Looking) -> Table:
    """Return the value that is selected, if it has rows; else a row for each key of the state."""
    place, loaded = looking.place, looking.loaded()
    if place.path:
        value = _value(loaded, place.path)
        if columns(value) is not None or (isinstance(value, (list, tuple)) and value and all(map(_is_record, value))):
            return Table(columns_of(value), f"{list(place.path)} of session {place.session!r}")
    if place.version is None:
        state: Table = looking.storage.state(place.session)
        return state
    values = {key_of(key): _value(loaded, (key,)) for key in loaded.kept}
    kinds = [type(value).__name__ for value in values.values()]
    listed = [Column.of("key", values), Column.of("value", values.values(), "object"), Column.of("type", kinds, "text")]
    return Table(listed, f"state of session {place.session!r} at version {loaded.version}")


def _is_record(value: Any) -> bool:
    return fields_of(value) is not None


def _value(loaded: Loaded, path: tuple[Step, ...]) -> Any:
    """Return the value at a path; None for one that is not there."""
    try:
        return loaded.value(at(loaded, path))
    except UnknownPath:
        return None

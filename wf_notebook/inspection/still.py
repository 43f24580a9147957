"""What is seen of a session at one moment: its head, its state, its last versions and runs; or the sessions that there are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..frames.reading import found_session
from ..readable import brief
from ..render import moment, session_name
from ..render.status import standing
from ..storage.runs import status_of
from ..transaction import About
from .sessions import sessions
from .shape import beginning, counted

if TYPE_CHECKING:
    from ..history import Version
    from ..transaction import Transaction
    from .loaded import Loaded
    from .looking import Inspector

#: So many versions, runs and sessions are shown; how long the inputs of a run are, in characters.
VERSIONS, RUNS, SESSIONS, INPUTS = 5, 5, 20, 100
_RUNS = ("run_id", "workflow", "status", "error", "started_at", "duration", "host", "pid", "process_started_at")


class Ran(NamedTuple):
    """A run in a line."""

    run_id: str
    workflow: str
    status: str
    error: str
    inputs: str
    started_at: str
    seconds: str

    @property
    def standing(self) -> str:
        """How it stands: a sign, a word, and why."""
        return standing(self.status, self.error)


class Still(NamedTuple):
    """A session at one moment."""

    loaded: Loaded
    about: About
    newest: int
    versions: list[Version]
    runs: list[Ran]

    @property
    def head(self) -> list[str]:
        """What is said of it first."""
        number = self.loaded.version
        saved = next((each.saved_at for each in self.versions if each.version == number), None)
        return [
            f"session {session_name(self.loaded.session.session_id)}",
            *([repr(brief(self.about.session_name))] if self.about.session_name else []),
            *([brief(self.about.workflow)] if self.about.workflow else []),
            *([self.runs[0].standing] if self.runs else []),
            f"version {number:,} of {self.newest:,}" if number else "never saved",
            *([f"saved {moment(saved)}"] if saved else []),
            counted(len(self.loaded.kept), "key"),
        ]


class Listed(NamedTuple):
    """The sessions of a storage that were used last: where it is, how many there are in all, and a row for each."""

    url: str
    total: int
    names: tuple[str, ...]
    rows: list[tuple[str, ...]]

    @property
    def head(self) -> list[str]:
        """What is said of them first."""
        return [f"sessions in {beginning(self.url, 200)}", counted(self.total, "session")]


def still(inspector: Inspector) -> Still | Listed:
    """Return what is seen of what an inspector looks at. Raises what stands against reading it."""
    return _session(inspector) if inspector.place.session else _sessions(inspector)


def _session(inspector: Inspector) -> Still:
    loaded = inspector.loaded()
    newest = loaded.session.newest()

    def known(tx: Transaction) -> tuple[str, About]:
        stored = found_session(inspector.storage, tx, inspector.place.session)
        return stored, tx.head(stored, 0).about or About()

    stored, about = inspector.storage.transact(known, write=False)
    versions = loaded.session.versions(last=max(VERSIONS, newest - loaded.version + 1))
    return Still(loaded, about, newest, versions[::-1], _runs(inspector, stored))


def _runs(inspector: Inspector, stored: str) -> list[Ran]:
    """Return the last runs of a session, the newest first."""
    rows = inspector.storage.read(
        f"SELECT {', '.join(_RUNS)}, substr(CAST(inputs AS VARCHAR), 1, 10000) FROM runs"
        " WHERE store = ? AND session_id = ? ORDER BY started_at DESC, run_id LIMIT ?",
        (inspector.storage.table_name, stored, RUNS),
    )
    return [_ran(dict(zip(_RUNS, row[:-1], strict=True)), row[-1]) for row in rows]


def _ran(row: dict[str, Any], inputs: str | None) -> Ran:
    seconds = f"{row['duration']:.1f} s" if row["duration"] is not None else ""
    given = brief(inputs or "")[:INPUTS]
    started = shown_moment(row["started_at"])
    return Ran(row["run_id"], brief(row["workflow"] or ""), status_of(row), row["error"] or "", given, started, seconds)


def _sessions(inspector: Inspector) -> Listed:
    """Return the sessions that were used last; what none of them has is no column."""
    page = sessions(inspector, {"count": SESSIONS})
    columns: dict[str, list[str]] = {
        "session": [brief(row["id"]) for row in page["rows"]],
        "workflow": [brief(row["workflow"] or "") for row in page["rows"]],
        "name": [brief(row["name"] or "") for row in page["rows"]],
        "rows": [row.get("rows") or "" for row in page["rows"]],
        "last run": [standing(row["status"]) if row.get("status") else "" for row in page["rows"]],
        "versions": [f"{row['versions']:,}" for row in page["rows"]],
        "runs": [f"{row['runs']:,}" for row in page["rows"]],
        "last used (UTC)": [shown_moment(row["updated_at"]) for row in page["rows"]],
    }
    filled = {name: cells for name, cells in columns.items() if any(cells)}
    return Listed(inspector.storage.url, page["total"], tuple(filled), list(zip(*filled.values(), strict=True)))


def shown_moment(at: Any) -> str:
    """Return a point in time as people read it, in UTC.

    >>> shown_moment("2026-01-02 03:04:05.123"), shown_moment(None)
    ('2026-01-02 03:04:05', '')
    """
    if at is None or at == "None":
        return ""
    found = at if isinstance(at, datetime) else datetime.fromisoformat(str(at))
    return f"{found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC):%Y-%m-%d %H:%M:%S}"

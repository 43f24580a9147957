"""The past of a session on a page: its versions, what differs between two of them, and the way back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import BadArguments
from ..keys import key_of
from ..redact import redact
from ..render.status import STATUS
from .comparing import MOST, whole_texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..session import Session
    from .acting import Side
    from .looking import Inspector

#: Rows on a page at most.
PAGE = 200
#: Keys of one kind of change that a version names, and the characters of a key and of all that it names.
_NAMED, _KEY, _SUMMARY = 4, 40, 160

#: A row for each kind of change of a version and the first keys of it; entries of a dict that went are a change of its key.
_CHANGES = """
SELECT version, saved_at, run_id, op, key, of FROM (
    SELECT version, op, key, min(saved_at) AS saved_at, max(run_id) AS run_id,
           row_number() OVER (PARTITION BY version, op ORDER BY key) AS nth, count(*) OVER (PARTITION BY version, op) AS of
    FROM (SELECT version, CASE WHEN path IS NULL THEN op ELSE 'put' END AS op, key, saved_at, run_id FROM state_log
          WHERE store = ? AND session_id = ? AND version BETWEEN ? AND ?) l
    GROUP BY version, op, key) s
WHERE nth <= ? ORDER BY version DESC, op, nth"""


class _Range(NamedTuple):
    """The versions of a session that there are, and how many runs' names are known of those asked for."""

    first: int
    newest: int
    changes: list[tuple[Any, ...]]
    runs: dict[str, tuple[str | None, str]]


def versions(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of the versions, newest on top: from a number of rows on, or the one with the version `around`."""
    return _page(inspector, inspector.find(asked["session"]), asked)


def at_version(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the state of a version to hand, for all who ask for it next; return what is known of the versions around it."""
    loaded = inspector.loaded(asked["session"], asked.get("version"))
    return _page(inspector, loaded.session, {**asked, "around": loaded.version})


def _page(inspector: Inspector, session: Session, asked: Mapping[str, Any]) -> dict[str, Any]:
    found = _read(inspector, session.stored_as, asked)
    rows: dict[int, dict[str, Any]] = {}
    for version, saved_at, run_id, op, key, of in found.changes:
        workflow, status = found.runs.get(run_id, (None, ""))
        row = rows.setdefault(
            version,
            {
                "version": version,
                "saved_at": _moment(saved_at),
                "run": run_id,
                "workflow": redact(workflow or ""),
                "status": status,
                "sign": STATUS.get(status, ("",))[0],
                "ops": {},
            },
        )
        row["ops"].setdefault(op, (of, []))[1].append(_key(key))
    made = [{**row, "summary": _summary(row.pop("ops"))} for row in rows.values()]
    total = max(found.newest - found.first + 1, 0)
    start = found.newest - made[0]["version"] if made else 0
    return {"first": found.first, "newest": found.newest, "total": total, "start": start, "rows": made}


def _read(inspector: Inspector, stored: str, asked: Mapping[str, Any]) -> _Range:
    start, count, around = int(asked.get("start", 0)), _count(asked), asked.get("around")
    store = inspector.storage.table_name

    def read(tx: Any) -> _Range:
        head = tx.head(stored, 0)
        first = max(head.hidden + 1, head.since)
        skipped = start if around is None else max(head.version - around, 0) // count * count
        last = head.version - skipped
        changes = tx.rows(_CHANGES, (store, stored, max(last - count + 1, first), last, _NAMED))
        run_ids = list({run_id for _, _, run_id, *_ in changes if run_id})
        marks = ", ".join("?" * len(run_ids))
        told = tx.rows(f"SELECT run_id, workflow, status FROM runs WHERE run_id IN ({marks})", run_ids) if run_ids else []
        return _Range(first, head.version, changes, {run_id: (workflow, status) for run_id, workflow, status in told})

    found: _Range = inspector.storage.transact(read, write=False)
    return found


def _summary(ops: dict[str, tuple[int, list[str]]]) -> str:
    """Return what a version changed, in a line."""
    told = [
        f"{op} {', '.join(keys)}{f' and {of - len(keys):,} more' if of > len(keys) else ''}" for op, (of, keys) in ops.items()
    ]
    text = "; ".join(told)
    return text if len(text) <= _SUMMARY else f"{text[: _SUMMARY - 1]}…"


def _key(stored: str) -> str:
    text = redact(str(key_of(stored)))
    return text if len(text) <= _KEY else f"{text[: _KEY - 1]}…"


def _moment(saved_at: Any) -> str:
    return saved_at.isoformat() if isinstance(saved_at, datetime) else str(saved_at)


def _count(asked: Mapping[str, Any]) -> int:
    return max(1, min(int(asked.get("count", 100)), PAGE))


# -- compared ------------------------------------------------------------------------------------------------------------------


def diff(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page of what differs between two sides, each a session and a version; by default from the version before."""
    one, other = _side(asked["one"]), _side(asked.get("other"))
    before, after = inspector.sides(one, other)
    found = inspector.comparisons.between(inspector.loaded(*before), inspector.loaded(*after))
    start = int(asked.get("start", 0))
    return {
        "before": found.before,
        "after": found.after,
        "sides": [list(before), list(after)],
        "total": len(found.differences),
        "more_than": None if found.is_all else MOST,
        "counts": found.counts(),
        "start": start,
        "rows": found.page(start, _count(asked)),
    }


def texts(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return how one text became another: all of it, where a page of differences has only what lies around them."""
    return whole_texts(inspector.comparison(_side(asked["one"]), _side(asked.get("other"))), list(asked["path"]))


def _side(asked: Any) -> Side | None:
    if asked is None:
        return None
    if not (isinstance(asked, (list, tuple)) and len(asked) == 2 and isinstance(asked[0], str)):  # noqa: PLR2004 - a pair
        raise BadArguments(f"a side is a session and a version, not {asked!r}")
    return asked[0], asked[1]


# -- gone back -----------------------------------------------------------------------------------------------------------------


def restore(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Go back to a version; say what was done, and how it is undone."""
    session_id, version = asked["session"], asked["version"]
    before = inspector.find(session_id).newest()
    now = inspector.restore(version, session=session_id)
    if now == before:
        return {"version": now, "said": f"{session_id} is as it was at version {version} already"}
    said = f"{session_id} is as it was at version {version}, which is now version {now}; restore version {now - 1} to undo it"
    return {"version": now, "said": redact(said)}


def fork(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Begin a new session with the state of a version; say so, and how it is undone."""
    session_id, new_id, version = asked["session"], str(asked["to"]).strip(), asked.get("version")
    inspector.fork(new_id, session=session_id, version=version)
    was = f"version {version} of {session_id}" if version is not None else session_id
    return {"session": new_id, "said": redact(f"{new_id} begins as {was} was; delete it to undo that")}


def suggest_id(inspector: Inspector, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return an id for a fork that is free."""
    return {"id": inspector.free_id(asked["session"])}

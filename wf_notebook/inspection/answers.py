"""What a page asks of an inspector, `{id, op, …}`, and what it is told, `{id, ok, …}`: always something, whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadArguments, WorkflowError
from ..nearest import did_you_mean
from ..redact import redact
from .copying import copied
from .editing import editable, put, remove, undo
from .past import at_version, diff, fork, restore, suggest_id, texts, versions
from .queries import last_result, result_cell, result_rows, run_query, schema, stop
from .runs import played, record, run, run_changes, run_error, run_input, run_said, run_steps, run_timeline, runs
from .search import search
from .sessions import delete_sessions, head, rename_session, restore_sessions, sessions
from .takes import takes, use_take
from .tree import children, opened_session, way
from .values import rows, value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .looking import Inspector

    #: Reads the fields of a request, and returns what JSON can hold.
    Op = Callable[[Inspector, Mapping[str, Any]], Any]


def look(inspector: Inspector, asked: Mapping[str, Any]) -> None:
    """Look at something else."""
    inspector.go(**asked["to"])


#: What can be asked for.
OPS: dict[str, Op] = {
    "look": look,
    "sessions": sessions,
    "head": head,
    "rename_session": rename_session,
    "delete_sessions": delete_sessions,
    "restore_sessions": restore_sessions,
    "open": opened_session,
    "children": children,
    "sql": run_query,
    "sql_result": last_result,
    "sql_rows": result_rows,
    "sql_cell": result_cell,
    "sql_stop": stop,
    "schema": schema,
    "runs": runs,
    "run": run,
    "run_input": run_input,
    "run_said": run_said,
    "run_timeline": run_timeline,
    "run_steps": run_steps,
    "run_changes": run_changes,
    "run_error": run_error,
    "record": record,
    "replay": played,
    "takes": takes,
    "use_take": use_take,
    "versions": versions,
    "at": at_version,
    "diff": diff,
    "texts": texts,
    "restore": restore,
    "suggest_id": suggest_id,
    "fork": fork,
    "editable": editable,
    "put": put,
    "remove": remove,
    "undo": undo,
    "way": way,
    "value": value,
    "rows": rows,
    "search": search,
    "copy": copied,
}


def answer(inspector: Inspector, message: Mapping[str, Any], more: Mapping[str, Op] | None = None) -> dict[str, Any]:
    """Return the answer to a request; `more` are ops of who shows the inspector. An error is an answer, too.

    >>> from wf_notebook.inspection import Inspector
    >>> answer(Inspector("memory:"), {"id": 1, "op": "opne"})
    {'id': 1, 'ok': False, 'kind': 'BadArguments', 'error': "an inspector cannot 'opne'; did you mean 'open'?"}
    """
    ops = {**OPS, **(more or {})}
    try:
        return {"id": message.get("id"), "ok": True, "result": _op(message.get("op"), ops)(inspector, message)}
    except WorkflowError as error:
        kind, text = type(error).__name__, str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, the page is not left waiting
        kind, text = type(error).__name__, f"{type(error).__name__}: {error}"
    return {"id": message.get("id"), "ok": False, "kind": kind, "error": redact(text)}


def _op(name: Any, ops: Mapping[str, Op]) -> Op:
    if name not in ops:
        raise BadArguments(f"an inspector cannot {name!r}{did_you_mean(str(name), ops) or ''}")
    return ops[name]

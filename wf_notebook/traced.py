"""How a run failed, as its record has it: the error in short, and among the events its traceback, without our own frames."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import WorkflowError
from .events import RunEvent
from .keying.parsing import PARSING

if TYPE_CHECKING:
    from .log import Log

#: So many characters of a traceback are kept: half of them from its beginning, half from its end.
MOST = 20_000
_OURS = str(Path(__file__).parent)


def failing(error: BaseException, log: Log) -> str:
    """Note the traceback of what failed a run, and return the error in short.

    >>> from wf_notebook.log import Log
    >>> log = Log()
    >>> failing(LookupError("no ducks"), log), log.events()[0].data
    ('LookupError: no ducks', {'span': 'error', 'traceback': 'LookupError: no ducks'})
    >>> from wf_notebook.errors import RowTimeout
    >>> failing(RowTimeout("row 3 took longer than 60 s"), log)
    'RowTimeout: row 3 took longer than 60 s'
    """
    log.note(RunEvent.run_error.value, {"span": "error", "traceback": traced(error)})
    said = "".join(traceback.format_exception_only(error)).strip()
    return said.removeprefix(f"{WorkflowError.__module__}.")  # ours are known by their names, as IPython shows them


def traced(error: BaseException) -> str:
    """Return the traceback of an error, and of those that it came from, without our own frames; cut in the middle if long."""
    told = traceback.TracebackException.from_exception(error, compact=True)
    _without_ours(told)
    with PARSING:
        text = "".join(told.format()).strip()
    half = MOST // 2
    return text if len(text) <= MOST else f"{text[:half]}\n… {len(text) - MOST:,} characters …\n{text[-half:]}"


def _without_ours(told: traceback.TracebackException) -> None:
    """Take our frames out of a traceback, and out of all that hangs on it."""
    waiting: list[traceback.TracebackException | None] = [told]
    while waiting:
        if (one := waiting.pop()) is not None:
            users = [frame for frame in one.stack if not frame.filename.startswith(_OURS)]
            one.stack = traceback.StackSummary.from_list(users)
            waiting += [one.__cause__, one.__context__, *(one.exceptions or ())]

"""Where in the user's code one of our errors came up: ours are shown without a traceback, and the line is what is looked for."""

from __future__ import annotations

import sysconfig
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from .errors import WorkflowError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import FrameType

_OURS = __name__.partition(".")[0]
#: Where code lies that is not the user's.
LIBRARIES = ("<frozen ", *{sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})

#: By the kind of what waits for a value that it asked for: its frame, which is in no traceback.
_FRAMES = ("gi_frame", "ag_frame", "cr_frame")


def locate(error: BaseException, waiting: Iterable[Any] = ()) -> None:
    """Note at an error of ours the innermost line of the user's that it passed, unless that is known.

    Args:
        error: What ended a run; errors of others have a traceback, and are left alone.
        waiting: The generators that wait for what raised it, the innermost last: where it passed no line of the user's.
    """
    if not isinstance(error, WorkflowError) or error.place is not None:
        return
    lines = [(frame, line) for frame, line in walk_tb(error.__traceback__) if _is_users(frame)]
    if not lines:
        frames = [frame for source in waiting if (frame := _frame(source)) is not None and _is_users(frame)]
        lines = [(frame, frame.f_lineno) for frame in frames]
    if lines:
        frame, line = lines[-1]
        error.place = frame.f_code.co_filename, line


def _frame(source: Any) -> FrameType | None:
    source = getattr(source, "values", source)
    return next((frame for name in _FRAMES if (frame := getattr(source, name, None)) is not None), None)


def _is_users(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package != _OURS and not frame.f_code.co_filename.startswith(LIBRARIES)

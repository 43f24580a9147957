"""Failing in a notebook: the user's own traceback and none of our frames; ours in one line; and a cell that really fails."""

from __future__ import annotations

import traceback
from contextlib import contextmanager
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython

from ..errors import WorkflowError
from ..place import LIBRARIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from IPython.core.interactiveshell import InteractiveShell

_OURS = __name__.partition(".")[0]
_SHELL = "IPython"


@contextmanager
def users_tracebacks(shell: InteractiveShell) -> Iterator[None]:
    """Let exceptions pass as they are; for the rest of this cell, they are shown without our frames."""
    __tracebackhide__ = True
    try:
        yield
    except SyntaxError as error:
        if _frames(error.__traceback__):
            raise  # not of the cell itself: raised while the user's code ran
        failure = failed(error, Exception)
    except BaseException as error:
        if not isinstance(error, WorkflowError):
            for_this_cell(shell, error, "_render_traceback_", partial(rendered, error))
        raise
    else:
        return
    raise failure


def show_without_ours(
    shell: InteractiveShell, kind: type[BaseException], error: BaseException, frames: TracebackType, tb_offset: int | None = None
) -> None:
    """Show an exception of any cell as IPython does, without our frames: what `set_custom_exc` asks for."""
    ours = any(_package(frame) == _OURS for frame, _ in traceback.walk_tb(frames))
    if isinstance(error, WorkflowError) or hasattr(error, "_render_traceback_") or not ours or _holds_group(error):
        shell.showtraceback((kind, error, frames), tb_offset=tb_offset, running_compiled_code=True)
    else:
        without: Any = _without_ours(error)
        shell.showtraceback((kind, error, without), tb_offset=0, running_compiled_code=True)


def for_this_cell(shell: InteractiveShell, value: Any, name: str, attribute: Callable[..., Any]) -> None:
    """Give an object an attribute until the cell that runs now has ended."""

    def end(*_: Any) -> None:
        vars(value).pop(name, None)
        shell.events.unregister("post_run_cell", end)

    vars(value)[name] = attribute
    shell.events.register("post_run_cell", end)


def failed(error: BaseException, base: type[BaseException] = BaseException) -> BaseException:
    """Return an exception of the error's name that fails a cell and shows the error's own traceback.

    IPython prints an Exception that is raised while it displays something, and the cell passes; only a BaseException fails it.
    Syntax errors it shows with all frames, ours too, whatever they say themselves.
    """
    lines = rendered(error)
    failure: Any = type(type(error).__name__, (base,), {"_render_traceback_": lambda _: lines})
    shown: BaseException = failure(str(error))
    vars(shown).update(vars(error))  # in sys.last_value is at hand what was at the error
    return shown


def rendered(error: BaseException) -> list[str]:
    """Return the traceback of an error as IPython shows it, without our frames and those of the magic's call."""
    shell = get_ipython()
    if isinstance(error, WorkflowError):
        return error._render_traceback_()
    frames, kind = _without_ours(error), type(error)
    if isinstance(error, KeyboardInterrupt) and not _frames(error.__traceback__):  # nobody wants to know where we waited
        return traceback.format_exception_only(error)
    if shell is None or _holds_group(error):  # IPython cannot show groups
        return traceback.format_exception(kind, error, frames)
    if isinstance(error, SyntaxError):
        extracted: Any = traceback.extract_tb(_chain(error))  # what IPython's own showsyntaxerror gives it
        return list(shell.SyntaxTB.structured_traceback(kind, error, extracted))
    return list(shell.InteractiveTB.structured_traceback(kind, error, frames, tb_offset=0))


def _without_ours(error: BaseException) -> TracebackType | None:
    """Return the error's traceback without our frames; those that it came from lose them for good, and go if they were ours."""
    origin = error.__cause__ or error.__context__
    if origin is not None and not isinstance(origin, WorkflowError):
        frames = _without_ours(origin)
        if error.__cause__ is None and not _frames(origin.__traceback__):
            error.__suppress_context__ = True
        origin.__traceback__ = frames
    return _chain(error) or error.__traceback__


def _chain(error: BaseException) -> TracebackType | None:
    result: TracebackType | None = None
    for frame in reversed(_frames(error.__traceback__)):
        result = TracebackType(result, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return result


def _frames(start: TracebackType | None) -> list[TracebackType]:
    """Return the frames that are the user's, or of libraries that the user called; what we called goes with our own."""
    frames: list[TracebackType] = []
    below_ours = False
    while start is not None:
        package = _package(start.tb_frame)
        if start.tb_frame.f_code.co_name == "run_cell_magic" and frames:
            frames.pop()  # the cell as a whole, as the string that it was called with
        if package in {_OURS, _SHELL}:
            below_ours = package == _OURS
        elif not (below_ours and start.tb_frame.f_code.co_filename.startswith(LIBRARIES)):
            below_ours = False
            frames.append(start)
        start = start.tb_next
    return frames


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _holds_group(error: BaseException | None) -> bool:
    return error is not None and (isinstance(error, BaseExceptionGroup) or _holds_group(error.__context__))

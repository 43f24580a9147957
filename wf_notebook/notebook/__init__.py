"""The only place that knows IPython: magics, live output, completion."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..run import logger

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class _Plain(logging.Handler):
    """Prints what is only said for information as a line of the cell, without the red of a warning."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record))


_plain = _Plain()


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add `%%workflow`, `%workflow` and `%wf`, settings, completion, short tracebacks to a shell: `%load_ext wf_notebook`."""
    from . import hearing
    from .completion import complete
    from .failure import show_without_ours
    from .magics import WorkflowMagics

    hearing.begin()
    shell.register_magics(WorkflowMagics)
    shell.Completer.custom_matchers.append(complete)
    place = logger.getChild("storage")  # says where a new store is
    place.addHandler(_plain)
    place.propagate = False
    if not shell.custom_exceptions:  # else somebody else shows them already
        untyped: Any = shell
        untyped.set_custom_exc((BaseException,), show_without_ours)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take all of it out again: `%unload_ext wf_notebook`."""
    from ..storage import choose_default
    from . import hearing, shown
    from .completion import complete
    from .magics import WorkflowMagics

    choose_default(None)
    shown.close_all()
    hearing.end()
    place = logger.getChild("storage")
    place.removeHandler(_plain)
    place.propagate = True
    if shell.custom_exceptions == (BaseException,):
        untyped: Any = shell
        untyped.set_custom_exc((), None)
    magics = shell.magics_manager
    for kind in ("line", "cell"):
        for name in ("workflow", "wf"):
            magics.magics[kind].pop(name, None)
    magics.registry.pop(WorkflowMagics.__name__, None)
    shell.configurables[:] = [each for each in shell.configurables if not isinstance(each, WorkflowMagics)]
    matchers = shell.Completer.custom_matchers
    matchers[:] = [matcher for matcher in matchers if matcher is not complete]

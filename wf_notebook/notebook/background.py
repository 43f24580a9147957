"""A run that goes on while other cells are run, its output in its own cell: what `--background` gives."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import Future
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from ..errors import RunStopped
from .failure import rendered
from .live import perform

if TYPE_CHECKING:
    from collections.abc import Generator

    from ..record import OpenRun
    from ..run import Run
    from ..workflow import Workflow
    from .views import View


class BackgroundRun:
    """A run in a thread of its own; its error, if it fails, is shown in its cell, and raised by `result()`."""

    def __init__(self, workflow: Workflow, inputs: dict[str, Any], shown: View) -> None:
        self._workflow, self._shown = workflow, shown
        self._future: Future[Any] = Future()
        self._open: OpenRun | None = None
        self._is_stopped = False
        # In a copy of the cell's context, so that what it shows and prints belongs to this cell.
        arguments = [self._perform, inputs]
        threading.Thread(target=copy_context().run, args=arguments, name="wf_notebook-run", daemon=True).start()

    def _perform(self, inputs: dict[str, Any]) -> None:
        try:
            answer = perform(self._workflow, inputs, self._shown, opened=self._opened)
        except RunStopped as stopped:  # the record says so
            self._future.set_exception(stopped)
        except BaseException as error:  # noqa: BLE001 - no cell is there to fail: shown here, and raised where it is asked for
            print("\n".join(rendered(error)), file=sys.stderr)
            self._future.set_exception(error)
        else:
            self._future.set_result(answer)

    def _opened(self, run: OpenRun) -> None:
        self._open = run
        if self._is_stopped:
            run.context.cancel.cancel()

    def __repr__(self) -> str:
        run = self.run
        if not self.done:  # what a cell shows of it stays there, so how it stands is not in it
            standing = ": .stop() ends it, .result() waits for it"
        else:
            standing = f", {run.status}: .result() gives what it said" if run else ", not started: .result() says why"
        return f"<{self._workflow.name} in the background{standing}>"

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self._future.done()

    @property
    def run(self) -> Run | None:
        """The record of the run as it stands, None before it began."""
        return self._open.record() if self._open is not None else None

    def result(self, timeout: float | None = None) -> Any:
        """Wait for the response, no longer than so many seconds; raises what the run raised, or TimeoutError."""
        try:
            return self._future.result(timeout)
        finally:
            if self.done:
                self._shown.show_again()

    def stop(self) -> None:
        """End the run: what was said is kept, its status is `stopped`. Code that does not look up is let go of after a second."""
        self._is_stopped = True
        if self._open is not None:
            self._open.context.cancel.cancel()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._awaited().__await__()

    async def _awaited(self) -> Any:
        try:
            return await asyncio.wrap_future(self._future)
        finally:
            if self.done:
                self._shown.show_again()

"""A run shown while it goes on; its record stays, however the run ends."""

from __future__ import annotations

import inspect
import threading
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .. import background
from ..errors import RunCancelled
from ..ipynb.workflows import method
from ..render import printed_bundle
from ..stream import RunStream
from ..workflow import hears
from .displayed import publish
from .failure import failed
from .letting_go import LettingGo
from .loose import as_run
from .remains import freeze
from .stopping import Stop
from .views import WidgetView, view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..events import RunResponse
    from ..record import OpenRun
    from ..run import Run
    from ..workflow import Workflow
    from .views import View


def display_stream(stream: RunStream) -> None:
    """Show a stream that is the last expression of a cell, or in `display(…)`; if it fails, so does the cell."""
    run = stream.run
    try:
        play(stream, view(run.workflow, run.session_id, lambda: stream.run))
    except BaseException as error:  # noqa: BLE001 - the user's own, shown as such
        failure = failed(error)
    else:
        return
    raise failure


def display_loose(source: Any, name: str) -> None:
    """Show a stream of no workflow in the same way, its record at the end; one that is over says what it was."""
    if source.over:
        publish({"text/plain": repr(source)})
    else:
        display_stream(as_run(source, name))


def perform(
    workflow: Workflow,
    inputs: dict[str, Any],
    shown: View,
    *,
    opened: Callable[[OpenRun], object] = lambda _: None,
    has_stop: bool = False,
) -> Any:
    """Run a workflow and show it; return its response (or list of them, or None). The record is shown however it ends.

    `opened` is given the run before its code is run; who has a Stop of their own says so by `has_stop`. In the main thread
    what blocks is interrupted by Stop; in any other one it is let go of after a while.
    Raises RunStopped where it was stopped, or interrupted.
    """
    one = _Performed(workflow, shown, opened)
    try:
        with Stop(one.cancel, running=lambda: one.is_running, said=lambda: _stopped(one.record(), workflow)) as stop:
            if not has_stop:
                shown.can_stop(stop.press)
            return one.perform(inputs)
    finally:
        if (run := one.record()) is None:  # it could not be loaded
            shown.freeze({"text/plain": f"{workflow.name} · ✗ not started"}, {})
        else:
            freeze(shown, run, one.responses, workflow.session_state)


class _Performed:
    """A run that is done and shown."""

    def __init__(self, workflow: Workflow, shown: View, opened: Callable[[OpenRun], object]) -> None:
        self._workflow, self._shown, self._opened = workflow, shown, opened
        self._run: OpenRun | None = None
        self._answers: list[Any] | None = None
        self._is_cancelled = self._is_stream = False
        self._going = LettingGo()

    def perform(self, inputs: dict[str, Any]) -> Any:
        """Do it, and return its response."""
        if threading.current_thread() is threading.main_thread():
            return copy_context().run(self._work, inputs)
        try:
            return self._going.wait(partial(self._work, inputs))
        except RunCancelled:
            if self._run is None or not self._is_stream:
                raise
            return self._run.result()  # as one that looks up

    def _work(self, inputs: dict[str, Any]) -> Any:
        hears.set(self._begun)
        answer = method(self._workflow)(**inputs)
        if inspect.iscoroutine(answer):
            answer = background.call(answer)
        if isinstance(answer, RunStream):
            self._is_stream = True
            _read(answer, self._add)
            return answer.result()
        self._answers = [answer]
        return answer

    def _begun(self, run: OpenRun) -> None:
        self._run = run
        self._going.opened(run)
        self._opened(run)
        if self._is_cancelled:  # while its session was loaded
            run.context.cancel.cancel()

    def _add(self, response: RunResponse) -> None:
        if self.is_running:  # and was not let go of
            self._shown.add(response)

    def cancel(self) -> None:
        """Ask it to end, from any thread."""
        self._is_cancelled = True
        if self._run is not None:
            self._run.context.cancel.cancel()

    @property
    def is_running(self) -> bool:
        """Whether it has begun, and has not ended."""
        return self._run is not None and self._run.status == "running"

    def record(self) -> Run | None:
        """Return its record as it stands, None where it has not begun."""
        return None if self._run is None else self._run.record()

    @property
    def responses(self) -> list[Any]:
        """What it gave, or said so far."""
        return self._answers if self._answers is not None else [] if self._run is None else self._run.responses


def play(stream: RunStream, shown: View) -> None:
    """Read a stream to its end and show it; its record is shown however it ends. Raises RunStopped where it was stopped."""
    try:
        with Stop(
            stream.token.cancel,
            running=lambda: stream.run.status == "running",
            said=lambda: _stopped(stream.run, stream.workflow),
        ) as stop:
            shown.can_stop(stop.press)
            _read(stream, shown.add)
    finally:
        freeze(shown, stream.run, stream.responses, getattr(stream.workflow, "session_state", None))


def _is_running(stream: RunStream) -> bool:
    return stream.run.status == "running"


def _stopped(run: Run | None, workflow: Any) -> str:
    if run is None or run.duration is None:
        return "the run was stopped"
    where = ""
    if run.session_id:
        is_kept = getattr(workflow, "storage", None) is not None
        where = "; what it said and changed is saved" if is_kept else "; what it changed is in its session_state"
    return f"{run.workflow} was stopped after {run.duration:.1f} s{where}"


class Printed:
    """A stream printed by `pprint_run_response` in a notebook: shown while it comes, a box with what was said at its end."""

    def __init__(self, *, markdown: bool) -> None:
        self._shown = WidgetView("response", markdown=markdown)
        self._markdown = markdown
        self._began = perf_counter()
        self._responses: list[RunResponse] = []

    def add(self, response: RunResponse) -> None:
        """Show one more response."""
        self._responses.append(response)
        self._shown.add(response)

    def end(self, *, show_time: bool) -> None:
        """Put the box in the place of the live output."""
        head = f"Response ({perf_counter() - self._began:.1f}s)" if show_time else ""
        self._shown.freeze(printed_bundle(self._responses, markdown=self._markdown, head=head), {})


@contextmanager
def printed(*, markdown: bool, show_time: bool) -> Iterator[Printed]:
    """Show what `pprint_run_response` prints, in a notebook."""
    shown = Printed(markdown=markdown)
    try:
        yield shown
    finally:
        shown.end(show_time=show_time)


def _read(stream: RunStream, add: Callable[[RunResponse], object]) -> None:
    try:
        for response in stream:
            add(response)
    except BaseException:
        if stream.run.status == "running":  # interrupted between two responses
            stream.stop()
            for _ in stream:
                pass
        raise

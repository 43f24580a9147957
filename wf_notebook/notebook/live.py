"""A run shown while it goes on; its record stays, however the run ends."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .. import background
from ..ipynb.workflows import method
from ..render import printed_bundle
from ..stream import RunStream
from .displayed import publish
from .failure import failed
from .loose import as_run
from .remains import freeze
from .stopping import Stop
from .views import WidgetView, view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..events import RunResponse
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
    workflow: Workflow, inputs: dict[str, Any], shown: View, *, opened: Callable[[RunStream], object] | None = None
) -> Any:
    """Run a workflow and show it; return its response (or list of them, or None). The record is shown however it ends.

    `opened` is for who has a Stop of their own: it is given the stream before that is read, where the run is one.
    Raises RunStopped where it was stopped, or interrupted.
    """
    before, responses = workflow.last_run, []
    stream: RunStream | None = None  # by which this run is known, also when another one begins meanwhile

    def last() -> Run | None:
        return workflow.last_run if stream is None else stream.run

    def cancel() -> None:
        (workflow.stop if stream is None else stream.token.cancel)()

    try:
        with Stop(cancel, running=partial(_is_running, last, before), said=lambda: _stopped(last(), workflow)) as stop:
            if opened is None:
                shown.can_stop(stop.press)
            answer = method(workflow)(**inputs)
            if inspect.iscoroutine(answer):
                answer = background.call(answer)
            if isinstance(answer, RunStream):
                stream = answer
                if opened is not None:
                    opened(stream)
                try:
                    _read(answer, shown)
                    return answer.result()
                finally:
                    responses = answer.responses
            responses = [answer]
            return answer
    finally:
        run = last()
        if run is None or (before is not None and run.run_id == before.run_id):  # it could not be loaded
            shown.freeze({"text/plain": f"{workflow.name} · ✗ not started"}, {})
        else:
            freeze(shown, run, responses, workflow.session_state)


def play(stream: RunStream, shown: View) -> None:
    """Read a stream to its end and show it; its record is shown however it ends. Raises RunStopped where it was stopped."""
    running = partial(_is_running, lambda: stream.run, None)
    try:
        with Stop(stream.token.cancel, running=running, said=lambda: _stopped(stream.run, stream.workflow)) as stop:
            shown.can_stop(stop.press)
            _read(stream, shown)
    finally:
        freeze(shown, stream.run, stream.responses, getattr(stream.workflow, "session_state", None))


def _is_running(last: Callable[[], Run | None], before: Run | None) -> bool:
    run = last()
    return run is not None and (before is None or run.run_id != before.run_id) and run.status == "running"


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


def _read(stream: RunStream, shown: View) -> None:
    try:
        for response in stream:
            shown.add(response)
    except BaseException:
        if stream.run.status == "running":  # interrupted between two responses
            stream.stop()
            for _ in stream:
                pass
        raise

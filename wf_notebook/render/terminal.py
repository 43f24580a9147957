"""Responses in a terminal: a box that fills while the answer comes, as in the old API."""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from ..events import RunResponse
from ..readable import brief, harmless
from ..run import way_up
from .content import content_text
from .made import is_text, original
from .record import OUTPUTS, answer, record_bundle, record_foot, record_head, record_metadata, record_more, told
from .said import Failure, Lane, Reasoning, ToolCall
from .timeline import timeline
from .transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable, Iterator

    from rich.console import RenderableType

    from ..run import Run
    from .record import Detail


def pprint_run_response(
    run_response: RunResponse | Iterable[RunResponse], markdown: bool = False, show_time: bool = False
) -> None:
    """Print one response, or a stream of them while it comes.

    >>> pprint_run_response(RunResponse("hello"))
    ╭───────╮
    │ hello │
    ╰───────╯
    """
    if isinstance(run_response, RunResponse):
        run_response = [run_response]
    with _live(markdown=markdown, show_time=show_time) as box:
        for response in run_response:
            box.add(response)


async def apprint_run_response(
    run_response: RunResponse | AsyncIterable[RunResponse] | Iterable[RunResponse],
    markdown: bool = False,
    show_time: bool = False,
) -> None:
    """Print one response, or an async stream of them while it comes."""
    if isinstance(run_response, RunResponse) or not hasattr(run_response, "__aiter__"):
        pprint_run_response(run_response, markdown, show_time)
        return
    with _live(markdown=markdown, show_time=show_time) as box:
        async for response in run_response:
            box.add(response)


def print_record(run: Run, responses: Iterable[Any] = (), *, detail: Detail = "full", whole: bool = False) -> None:
    """Print the record of a run in a terminal, its text rendered as it was while it came."""
    from rich.console import Console, Group
    from rich.text import Text

    if detail == "none":
        return
    this, run = run, original(run)
    said, left_out = told(run if is_text(this) else this, responses, whole=whole)
    said = answer(said) if detail == "compact" else said
    body = [_renderable(content, markdown=True) for content in said[:OUTPUTS]]
    foot = [] if detail == "compact" else list(filter(None, [record_more(run, left_out), record_foot(run)]))
    if whole and (bars := timeline(run)):
        foot.append(repr(bars))
    feet = (Text(line, style="dim") for line in foot)
    Console().print(Group(Text(record_head(run), style="dim"), *([_box(Group(*body))] if body else []), *feet))


def show(run: Run) -> None:
    """Show a run in full: as a record in a notebook, with its timeline in a terminal."""
    from rich.console import Console

    if Console().is_jupyter:
        way_up("show")(record_bundle(run, whole=True), record_metadata(run))
    else:
        print_record(run, whole=True)


class ResponseBox:
    """What came so far, in a box; rendered only when the terminal asks for it."""

    def __init__(self, *, markdown: bool, show_time: bool) -> None:
        self._markdown = markdown
        self._show_time = show_time
        self._transcript = Transcript()
        self._began = perf_counter()
        self._ended = False

    def add(self, response: RunResponse) -> None:
        """Take the next response."""
        self._transcript.add(response if isinstance(response, RunResponse) else RunResponse(response))

    def end(self) -> None:
        """Say that no more comes."""
        self._ended = True

    def __rich__(self) -> RenderableType:
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        shown = self._transcript.contents()  # joined anew: the terminal's own thread asks while responses arrive
        if not shown:
            return Text() if self._ended else Spinner("dots", "Working…")
        body = Group(*(_renderable(content, markdown=self._markdown) for content in shown))
        return _box(f"Response\n({perf_counter() - self._began:.1f}s)", body) if self._show_time else _box(body)


class Adding(Protocol):
    """What responses are shown in."""

    def add(self, response: RunResponse) -> None:
        """Show one more response."""


@contextmanager
def _live(*, markdown: bool, show_time: bool) -> Iterator[Adding]:
    from rich.console import Console
    from rich.live import Live

    console = Console()
    if console.is_jupyter:  # rich would leave a widget there, which is empty when the notebook is opened again
        with way_up("pprint_run_response")(markdown=markdown, show_time=show_time) as shown:
            yield shown
        return
    box = ResponseBox(markdown=markdown, show_time=show_time)
    if console.is_terminal:
        with Live(box, console=console):
            yield box
            box.end()
        return
    try:
        yield box
    finally:
        box.end()
        console.print(box)


def _renderable(content: Any, *, markdown: bool) -> RenderableType:
    from rich.console import Group
    from rich.json import JSON
    from rich.markdown import Markdown
    from rich.text import Text

    if isinstance(content, Lane):
        said = (_renderable(each, markdown=markdown) for each in content.contents)
        return Group(Text(f"▸ {brief(content.name)}", style="bold"), *said)
    text = harmless(content_text(content))
    if isinstance(content, Failure):
        return Text(text, style="red")
    if isinstance(content, (ToolCall, Reasoning)):
        return Text(text, style="red" if isinstance(content, ToolCall) and content.error and content.over else "dim")
    if isinstance(content, str):
        return Markdown(text) if markdown else Text(text)
    try:
        return JSON(text)
    except ValueError:  # no JSON: shown as it prints
        return Text(text)


def _box(*cells: RenderableType) -> RenderableType:
    from rich.box import ROUNDED
    from rich.table import Table

    table = Table(box=ROUNDED, border_style="blue", show_header=False)
    table.add_row(*cells)
    return table

"""A run while it goes on: a box that fills on a terminal, its text as it comes in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..events import RunResponse
    from ..run import Run


def stream(responses: Iterable[RunResponse]) -> None:
    """Show responses while they come, in their order."""
    if sys.stdout.isatty():
        from ..render.terminal import pprint_run_response

        pprint_run_response(responses, markdown=True)
        return
    text = _Text()
    for response in responses:
        text.add(response)
    text.end()


def print_answer(answer: Any) -> None:
    """Show what was given at once: a response, or a list of them."""
    given = answer if isinstance(answer, list) else [] if answer is None else [answer]
    stream(given)


def told(run: Run) -> str:
    """Return what ran, how it ended and what it took, in a line; and what of it came from the store."""
    from ..render.made import from_store
    from ..render.record import record_head

    return " · ".join(filter(None, [record_head(run), from_store(run)]))


class _Text:
    """Writes text as it comes; what branches say side by side waits, and is written one branch after the other."""

    def __init__(self) -> None:
        from ..render.said import Said

        self._said = Said()
        self._waiting: dict[str, list[str]] = {}
        self._at_start = True

    def add(self, response: RunResponse) -> None:
        """Write what a response says."""
        from ..render.content import content_text
        from ..render.said import Reasoning, ToolCall

        for content in self._said(response):
            if isinstance(content, ToolCall | Reasoning):
                continue  # how it came to the answer is no part of it
            text = content if isinstance(content, str) else f"{content_text(content)}\n"
            if response.lane is None:
                self._flush()
                self._write(text)
            else:
                self._waiting.setdefault(response.lane, []).append(text)

    def end(self) -> None:
        """Write what waits, and end the last line."""
        self._flush()
        if not self._at_start:
            self._write("\n")

    def _flush(self) -> None:
        for lane, texts in self._waiting.items():
            self._write(f"{'' if self._at_start else chr(10)}▸ {lane}\n{''.join(texts)}\n")
        self._waiting.clear()

    def _write(self, text: str) -> None:
        if text:
            click.echo(text, nl=False)
            self._at_start = text.endswith("\n")

"""Spans of OpenTelemetry: one per run and per branch, where tracing is configured in this process; else nothing at all.

OpenTelemetry is never imported here. pydantic-ai makes the spans of agents, requests and tools, inside of these.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .errors import RunCancelled
from .redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextvars import Context

#: No attributes.
NONE: Mapping[str, Any] = {}

#: Ways of being stopped rather than of failing.
STOPS = (RunCancelled, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit)


class Span:
    """A span that has begun, or none where tracing is not configured; it may end in another thread and context."""

    __slots__ = ("_span",)

    def __init__(self, span: Any = None) -> None:
        self._span = span

    @property
    def is_there(self) -> bool:
        """Whether there is a span: else all of this does nothing."""
        return self._span is not None

    def inside(self, variables: Context) -> None:
        """Make what begins in a context from now on a part of this span."""
        if self._span is not None:
            variables.run(self._attach)

    def _attach(self) -> Any:
        trace, context = sys.modules["opentelemetry.trace"], sys.modules["opentelemetry.context"]
        return context.attach(trace.set_span_in_context(self._span))

    def note(self, attributes: Mapping[str, Any]) -> None:
        """Set attributes; None is left out."""
        if self._span is not None:
            self._span.set_attributes(_plain(attributes))

    def end(self, error: BaseException | None = None) -> None:
        """End it, once; an error is recorded with it, and makes its status one, unless it only says that it was stopped."""
        if self._span is None:
            return
        if error is not None and not isinstance(error, STOPS):
            trace: Any = sys.modules["opentelemetry.trace"]
            what = redact("".join(traceback.format_exception_only(error)).strip())
            told = {
                "exception.message": redact(str(error)),
                "exception.stacktrace": redact("".join(traceback.format_exception(error))),
            }
            self._span.record_exception(error, attributes=told)
            self._span.set_status(trace.Status(trace.StatusCode.ERROR, what))
        span, self._span = self._span, None
        span.end()


#: What there is where tracing is not configured.
NOTHING = Span()


def provider() -> Any:
    """Return what somebody configured tracing with in this process, or None.

    pydantic-ai loads OpenTelemetry's interface, which alone does nothing.

    >>> provider() is None
    True
    """
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    chosen = trace.get_tracer_provider()
    return None if isinstance(chosen, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)) else chosen


def begin(name: str, attributes: Mapping[str, Any] = NONE) -> Span:
    """Begin a span inside the one of the calling code; whoever begins it ends it.

    >>> begin("branch fetch", {"wf.lane": "fetch"}).is_there
    False
    """
    chosen = provider()
    return Span(chosen.get_tracer("wf_notebook").start_span(name, attributes=_plain(attributes))) if chosen else NOTHING


@contextmanager
def span(name: str, attributes: Mapping[str, Any] = NONE) -> Iterator[Span]:
    """Have a span around the calling code.

    >>> with span("step fetch", {"wf.step": "fetch"}) as fetching:
    ...     fetching.note({"wf.hit": False})
    """
    begun = begin(name, attributes)
    token = begun._attach() if begun.is_there else None  # noqa: SLF001 - of its own kind
    try:
        yield begun
    except BaseException as error:
        begun.end(error)
        raise
    else:
        begun.end()
    finally:
        if token is not None:
            sys.modules["opentelemetry.context"].detach(token)


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as OpenTelemetry takes them, without secrets."""
    return {name: redact(value) if isinstance(value, str) else value for name, value in attributes.items() if value is not None}

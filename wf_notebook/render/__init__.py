"""A response as safe HTML or text, the record that stays in the notebook, and a box in the terminal."""

from __future__ import annotations

from .bars import timeline_html, timeline_svg, timeline_text
from .content import content_html, content_text
from .growing import GrowingMarkdown, GrowingText
from .layout import PAGES, TAILS, Layout
from .made import counts, from_store
from .markdown import markdown_html
from .record import (
    Detail,
    moment,
    printed_bundle,
    record_bundle,
    record_metadata,
    response_bundle,
    responses_bundle,
    run_bundle,
    session_name,
    used,
)
from .said import Reasoning, Said, ToolCall
from .terminal import apprint_run_response, pprint_run_response, print_record, show
from .timeline import Bar, Timeline, timeline

__all__ = [
    "PAGES",
    "TAILS",
    "Bar",
    "Detail",
    "GrowingMarkdown",
    "GrowingText",
    "Layout",
    "Reasoning",
    "Said",
    "Timeline",
    "ToolCall",
    "apprint_run_response",
    "content_html",
    "content_text",
    "counts",
    "from_store",
    "markdown_html",
    "moment",
    "pprint_run_response",
    "print_record",
    "printed_bundle",
    "record_bundle",
    "record_metadata",
    "response_bundle",
    "responses_bundle",
    "run_bundle",
    "session_name",
    "show",
    "timeline",
    "timeline_html",
    "timeline_svg",
    "timeline_text",
    "used",
]

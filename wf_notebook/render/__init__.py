"""A response as safe HTML or text, the record that stays in the notebook, and a box in the terminal."""

from __future__ import annotations

from .content import content_html, content_text, lane_heading
from .growing import GrowingMarkdown, GrowingText
from .markdown import markdown_html
from .record import moment, printed_bundle, record_bundle, record_metadata, response_bundle, responses_bundle, run_bundle
from .said import Reasoning, Said, ToolCall
from .terminal import apprint_run_response, pprint_run_response, print_record

__all__ = [
    "GrowingMarkdown",
    "GrowingText",
    "Reasoning",
    "Said",
    "ToolCall",
    "apprint_run_response",
    "content_html",
    "content_text",
    "lane_heading",
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
]

"""HTML that others made, as HTML that is safe to show: text, tables and pictures; nothing that runs, fetches or covers."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from ..redact import redact
from .markdown import SCHEMES

if TYPE_CHECKING:
    from nh3 import Cleaner

TAGS = {
    *(
        "a",
        "b",
        "blockquote",
        "br",
        "caption",
        "code",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
    ),
    *("h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub"),
    *("summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"),
}
#: What goes with all that is in it.
GONE = {"iframe", "math", "noscript", "object", "script", "select", "style", "svg", "template", "textarea", "title"}
ATTRIBUTES = {
    "*": {"style", "title"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
#: How something may look; none of these fetches, and none leaves its place.
STYLES = {
    *("background-color", "border", "border-bottom", "border-collapse", "border-left", "border-right", "border-top", "color"),
    *("font-family", "font-size", "font-style", "font-weight", "padding", "text-align", "text-decoration", "vertical-align"),
    *("white-space",),
}
#: What has a picture in it, and nothing that runs.
PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+")
#: HTML in which tags lie deeper than this is not looked at: that would take time beyond all measure.
DEEPEST = 1000
_TAG = re.compile(r"<(/?)(?!(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)\b)[a-z]", re.IGNORECASE)
_REDACTED = re.compile(r"<(redacted [^<>]*)>")


def safe_html(html: str) -> str:
    """Return HTML with nothing in it but what may be shown; empty where that says nothing.

    >>> safe_html("<p class='x' onclick='y' style='color: red; position: fixed'>1</p><script>z</script>")
    '<p style="color:red">1</p>'
    """
    if _depth(html) > DEEPEST:
        return ""
    cleaned = _REDACTED.sub(r"&lt;\1&gt;", redact(_cleaner().clean(html)))
    return cleaned if "<img src=" in cleaned or re.sub(r"<[^>]*>|\s+", "", cleaned) else ""


def _depth(html: str) -> int:
    """Return how deep tags lie in each other, at most."""
    depth = most = 0
    for closing in _TAG.findall(html):
        depth += -1 if closing else 1
        most = max(most, depth)
    return most


@cache
def _cleaner() -> Cleaner:
    from nh3 import Cleaner

    return Cleaner(
        tags=TAGS,
        clean_content_tags=GONE,
        attributes=ATTRIBUTES,
        attribute_filter=_kept,
        allowed_classes={"table": {"dataframe"}},
        filter_style_properties=STYLES,
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes={"http", "https", "mailto", "data"},
        url_relative="deny",
    )


def _kept(_: str, name: str, value: str) -> str | None:
    if name == "src":
        return value if PICTURE.fullmatch(value) else None
    if name == "href":
        return value if value.lower().startswith(SCHEMES) else None
    if name == "style":
        return value if "url" not in value.lower() and "\\" not in value else None
    return value

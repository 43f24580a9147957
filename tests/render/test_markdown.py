from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_notebook import RunResponse
from wf_notebook.render import GrowingMarkdown, GrowingText, content_html, markdown_html, record_bundle, response_bundle

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>@import 'http://evil.example/x.css'</style>",
    "<!--><img src=x onerror=alert(1)>-->",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java&Tab;script:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](/api/contents)",
    '[x](https://example.org "onclick=alert(1)")',
    '[x](https://example.org/"onmouseover=alert(1))',
    "![x](http://evil.example/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![<img src=x onerror=alert(1)>](https://example.org)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    '```"><script>alert(1)</script>\n```',
    "| <script> |\n|---|\n| <img src=x onerror=alert(1)> |",
    "$$<script>alert(1)</script>$$",
    "`<script>`&lt;script&gt;&#60;script&#62;",
]  # fmt: skip
SAFE = {
    *(
        "p",
        "a",
        "em",
        "strong",
        "s",
        "code",
        "pre",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "hr",
        "br",
    ),
    *("table", "thead", "tbody", "tr", "th", "td", "div", "span", "details", "summary"),
}


class Safety(HTMLParser):
    """Notes every tag and attribute that may not be there."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in SAFE:
            self.found.append(tag)
        for name, value in attrs:
            link = name == "href" and value.startswith(("http://", "https://", "mailto:"))
            if not link and name not in {"style", "class", "title", "target", "rel", "start"}:
                self.found.append(f"{tag} {name}={value}")

    def handle_comment(self, data):
        self.found.append(data)


def dangers(html):
    safety = Safety()
    safety.feed(html)
    safety.close()
    return safety.found


def test_the_check_itself_catches_what_is_dangerous():
    assert dangers('<script></script><a href="javascript:x">x</a><p onclick="x">') == [
        "script",
        "a href=javascript:x",
        "p onclick=x",
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text, run):
    growing, plain = GrowingMarkdown(), GrowingText()
    for piece in text.partition("("):
        growing.add(piece)
        plain.add(piece)
    response = RunResponse(text)
    failed = run(status="failed", workflow=text, session_id=text, content=text, error=text, models=(text,), changes={text: text})
    shown = [
        markdown_html(text),
        markdown_html(f"> - {text}\n"),
        growing.finished() + growing.tail(),
        plain.finished() + plain.tail(),
        content_html({text: [text, {"inner": text}]}),
        response_bundle(response)["text/html"],
        record_bundle(failed, [response], state={text: text})["text/html"],
        record_bundle(failed)["text/html"],
    ]
    assert [dangers(html) for html in shown] == [[]] * len(shown)


@given(st.text("<>\"'&;:/\\()[]!`*_#|-=\n ajsvcript", max_size=80))
def test_no_text_at_all_becomes_a_tag_that_markdown_does_not_have(text):
    assert dangers(markdown_html(text)) == []


def test_links_open_elsewhere_and_images_are_links():
    assert markdown_html("[a](https://example.org) ![b](https://example.org/b.png)") == (
        '<p><a href="https://example.org" target="_blank" rel="noopener noreferrer">a</a> '
        '<a href="https://example.org/b.png" target="_blank" rel="noopener noreferrer">b</a></p>\n'
    )

from __future__ import annotations

import re
from html import unescape

import pytest

from wf_notebook.render import markdown_html


def codes(text):
    """Return what is shown as code."""
    return [unescape(code) for code in re.findall(r"<code[^>]*>(.*?)</code>", markdown_html(text), re.DOTALL)]


@pytest.mark.parametrize(
    "math",
    [
        *(
            "$a_1 b_2$",
            "$x$",
            "$$a_1 * b_2 * c$$",
            r"\(a_1 b_2\)",
            r"\[a_1 \\ b_2\]",
            r"$\frac{1}{2}$",
            r"$5 \times 3$",
            "$2^n - 1 = x$",
        ),
        *(r"$\text{a \$5 note}$", r"$\href{javascript:alert(1)}{x}$", "$$\na_1\n=\n- b_2\n$$", "\\[\n> a\n\\]", "$<b>$"),
    ],
)
def test_math_is_left_as_it_is_written(math):
    assert codes(f"See\n\n{math}\n\nand *on*") == [math]
    if "\n" not in math:
        assert codes(f"where {math}, and _so_ {math}.") == [math, math]


@pytest.mark.parametrize(
    "prose",
    [
        *(
            "It costs $5 and $10.",
            "from $5 to $10",
            "$5-$10",
            "US$5 or CA$6",
            "$HOME and $PATH",
            "between $5 and 10$ each",
            "a $ b $ c",
        ),
        *(r"\$5$ and \$6$", "$", "5$", r"\\(x\\)"),
    ],
)
def test_prices_and_names_stay_prose(prose):
    assert codes(prose) == []


def test_no_page_finds_math_in_prose():
    html = markdown_html(r"It costs $5, or \begin{x}$10\end{x}, [a $ b](https://example.org)")
    assert re.findall(r"[^>]?[$\\].?", html) == ["$<", "\\<", "$<", "\\<", "$<"]


def test_a_math_block_without_an_end_ends_at_the_next_empty_line():
    assert codes("$$\na_1\n\n*on*") == ["$$\na_1"]
    assert "<em>on</em>" in markdown_html("$$\na_1\n\n*on*")


def test_tables_and_strikethrough_are_what_they_are_in_jupyterlab():
    html = markdown_html("| a | b |\n|:--|--:|\n| ~~x~~ | `y|z` |")
    assert '<th style="text-align:right">b</th>' in html
    assert "<s>x</s>" in html


def test_tasks_have_a_box():
    html = markdown_html("- [ ] open\n- [x] *done*\n- [X]\n- [y] no\n1. [ ] first\n\n[ ] no")
    assert re.findall(r"<li[^>]*>(.*?)</li>", html) == ["☐ open", "☑ <em>done</em>", "[X]", "[y] no", "☐ first"]
    assert "<p>[ ] no</p>" in html
    assert "<input" not in html


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("see https://example.org/a_b_c.", "https://example.org/a_b_c"),
        ("(http://example.org)", "http://example.org"),
        ("https://example.org/a_(b), and", "https://example.org/a_(b)"),
        ("**https://example.org**", "https://example.org"),
        ("HTTPS://example.org/?a=1&b=2!", "HTTPS://example.org/?a=1&b=2"),
    ],
)
def test_a_bare_address_is_a_link(text, address):
    ((href, shown),) = re.findall(r'<a href="(.*?)" target="_blank" rel="noopener noreferrer">(.*?)</a>', markdown_html(text))
    assert (unescape(href), unescape(shown)) == (address, address)


@pytest.mark.parametrize(
    "text",
    ["xhttps://example.org", "https://", "`https://example.org`", "javascript://example.org", "ftp://example.org", "a:// b"],
)
def test_what_is_no_address_of_the_web_is_no_link(text):
    assert "<a" not in markdown_html(text)


def test_an_address_in_a_link_is_no_link_of_its_own():
    assert markdown_html("[https://a.example](https://b.example)").count("<a") == 1


@pytest.mark.parametrize("begun", ["$$", r"\(", r"\["])
@pytest.mark.parametrize("before", ["", "(", ": "])
def test_math_that_has_not_ended_yet_is_text(before, begun):
    text = f"{before}{begun}a_1 and more"
    shown = begun.removeprefix("\\")
    assert unescape(re.sub("<[^>]*>", "", markdown_html(text))).strip() == f"{before}{shown}a_1 and more"

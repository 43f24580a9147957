from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from wf_notebook.render import GrowingMarkdown, GrowingText, markdown_html
from wf_notebook.render.growing import ANEW, OPEN

BLOCKS = st.sampled_from([
    *("# Head\n", "text\n", "\n", "- item\n", "  more\n", "1. one\n", "```\n", "code\n", "> quote\n", "---\n", "===\n"),
    *("| a | b |\n|---|---|\n| 1 | 2 |\n", "    indented\n", "*em* `c`\n", "[l](https://example.org)\n"),
    *("a\u2028b\x0c\x85c\n", "d\r\n", "e\rf\n"),
])  # fmt: skip


@given(st.lists(BLOCKS, max_size=25), st.integers(1, 9))
def test_text_that_grows_ends_as_the_text_that_is_whole(blocks, size):
    text = "".join(blocks)
    growing, html = GrowingMarkdown(), ""
    for start in range(0, len(text), size):
        growing.add(text[start : start + size])
        html += growing.finished()
        growing.tail()
    html += growing.finished() + growing.tail()
    assert html == markdown_html(text)


def test_a_finished_block_is_rendered_once():
    growing = GrowingMarkdown()
    growing.add("# One\n\ntwo\n\nlast")
    assert (growing.finished(), growing.tail()) == ("<h1>One</h1>\n", "<p>two</p>\n<p>last</p>\n")
    growing.add("\n")
    assert growing.finished() == "<p>two</p>\n"
    assert (growing.finished(), growing.tail()) == ("", "<p>last</p>\n")


def test_a_secret_is_redacted_however_it_arrives(monkeypatch):
    monkeypatch.setenv("DEMO_API_KEY", "sk-very-secret-1234")
    growing = GrowingMarkdown()
    for piece in ("the key is sk-very", "-secret", "-1234 indeed\n\nnext"):
        growing.add(piece)
    html = growing.finished() + growing.tail()
    assert "very-secret" not in html
    assert "&lt;redacted DEMO_API_KEY&gt;" in html


def streamed(text, size=500, kind=GrowingMarkdown):
    """Return the HTML of each update, and all of it in order."""
    growing, updates, html = kind(), [], ""
    for start in range(0, len(text), size):
        growing.add(text[start : start + size])
        finished = growing.finished()
        html += finished
        updates.append(finished + growing.tail())
    return updates, html + growing.tail()


def words(html):
    """Return what HTML says, without spaces, and without the heads of tables that go on."""
    return re.sub(r"<[^>]*>|\s+", "", re.sub(r'<thead class="wf-again">.*?</thead>', "", html, flags=re.DOTALL))


SIZE = 30_000
LONG = {
    "list": "".join(f"- item {n} with *words* and `code`\n" for n in range(SIZE // 30)),
    "short list": "- a\n" * (SIZE // 4),
    "ordered list": "".join(f"{n}. item\n" for n in range(1, SIZE // 12)),
    "nested list": "- top\n" + "".join(f"  - item {n}\n    - deep {n}\n" for n in range(SIZE // 27)),
    "one item": "- top\n\n" + "  some words\n\n" * (SIZE // 14),
    "table": "| a | b |\n|---|---|\n" + "".join(f"| {n} | *x* |\n" for n in range(SIZE // 14)),
    "small table": "|a|b|\n|-|-|\n" + "|1|2|\n" * (SIZE // 6),
    "code": "```python\n" + "for i in range(10): print('x', i)  # why\n" * (SIZE // 40),
    "code in a list": "1. see\n   ```python\n" + "   x = foo(1, 'a')\n" * (SIZE // 20),
    "code in one line": "```json\n" + "{'a': [1, 2]}, " * (SIZE // 15),
    "indented code": "    some words\n" * (SIZE // 15),
    "paragraph": "some *words* and\n" * (SIZE // 17),
    "paragraph without a newline": "some words and *more* of it, " * (SIZE // 29),
    "text without a space": "x" * SIZE,
    "quote": "> some words\n" * (SIZE // 13),
    "quotes in quotes": "> " * (SIZE // 2),
    "heading": "# " + "word " * (SIZE // 5),
    "brackets": "[" * (SIZE // 10),
    "empty lines": "\n" * SIZE,
}


@pytest.mark.parametrize("name", LONG)
def test_one_long_block_arrives_in_small_updates_and_all_of_it(name):
    updates, html = streamed(LONG[name])
    assert max(map(len, updates)) <= 16_000
    assert words(html) == words(markdown_html(LONG[name]))


@pytest.mark.parametrize("name", ["list", "table", "code", "paragraph without a newline", "quote"])
def test_the_work_grows_with_the_text_and_no_step_is_large(name, monkeypatch):
    sizes, parse = [], MarkdownIt.parse

    def counted(self, source, env=None):
        sizes.append(len(source))
        return parse(self, source, env)

    monkeypatch.setattr(MarkdownIt, "parse", counted)
    done = {}
    for share in (4, 1):
        streamed(LONG[name][: SIZE // share])
        done[share], largest = sum(sizes), max(sizes)
        sizes.clear()
    assert largest <= ANEW + OPEN
    assert done[1] <= 5 * done[4]


@settings(max_examples=40)
@given(st.lists(BLOCKS.filter(lambda block: block != "===\n"), min_size=1, max_size=8), st.integers(1, 60), st.integers(1, 700))
def test_a_text_of_long_blocks_says_what_it_says_as_a_whole(blocks, times, size):
    text = "".join(blocks) * times
    assert words(streamed(text, size)[1]) == words(markdown_html(text))


def pieces(text):
    """Return the finished pieces of one long block, the last one as it is at the end."""
    growing, found = GrowingMarkdown(), []
    for start in range(0, len(text), 500):
        growing.add(text[start : start + 500])
        found.append(growing.finished())
    return [piece for piece in found if piece] + [growing.tail()]


def test_code_is_opened_again_in_its_language():
    first, *_, last = pieces("1. see\n   ~~~python\n" + "   for x in y:\n" * 2000)
    assert first.startswith("<ol>\n<li>see<pre><code style=")
    assert first.endswith("</code></pre>\n</li>\n</ol>\n")
    assert last.startswith('<ol start="1">\n<li style="list-style: none">\n<pre><code style=')
    assert '<span style="color:var(--wf-k)">for</span> x' in last


@pytest.mark.parametrize("lines", [30, 45, 60, 63])
def test_text_after_code_is_no_code(lines):
    _, html = streamed("```\n" + "x = 1\n" * lines + "```\n" + "some *words* and " * 200, 50)
    assert html.count("<pre>") == 1
    assert html.count("<em>words</em>") == 200


def test_a_list_goes_on_with_its_numbers():
    found = pieces("".join(f"1. item {n}\n" for n in range(3, 3000)))
    assert len(found) > 2
    for piece in found[1:]:
        start, item = re.match(r'<ol start="(\d+)">\n<li>item (\d+)</li>', piece).groups()
        assert int(start) == int(item) - 2


def test_a_list_in_a_list_goes_on_where_it_was():
    found = pieces("- top\n" + "".join(f"  1. item {n}\n" for n in range(1, 2000)))
    assert len(found) > 2
    for piece in found[1:]:
        begins = r'<ul>\n<li style="list-style: none">\n<ol start="(\d+)">\n<li>item (\d+)</li>'
        assert len(set(re.match(begins, piece).groups())) == 1


def test_a_table_has_its_head_again():
    found = pieces("> | a | b |\n> |---|--:|\n" + "> | 1 | *2* |\n" * 2000)
    assert len(found) > 2
    for piece in found[1:]:
        assert piece.startswith(
            '<blockquote>\n<table>\n<thead class="wf-again">\n<tr>\n<th>a</th>\n<th style="text-align:right">b'
        )
        assert piece.endswith("</tbody>\n</table>\n</blockquote>\n")


def test_what_marks_begin_and_end_is_not_torn():
    _, html = streamed("and **these words are bold** " * 2000)
    assert "**" not in html


def test_a_block_that_is_not_too_long_is_at_its_end_what_it_is_as_a_whole():
    text = "- one\n- two *words*\n" * 100 + "\n- loose\n\nend\n"
    assert streamed(text)[1] == markdown_html(text)


def test_a_reference_that_is_still_being_written_is_not_taken_for_what_it_says_so_far():
    growing = GrowingMarkdown()
    for piece in ("[a]: https://exam", "ple.org\n\n", "see [a]\n\nend\n"):
        growing.add(piece)
        finished = growing.finished()
    assert 'href="https://example.org"' in finished


def test_a_long_line_of_plain_text_arrives_in_small_updates_too():
    text = "<some> words " * 10_000
    updates, html = streamed(text, kind=GrowingText)
    assert max(map(len, updates)) <= 16_000
    assert words(html) == words(markdown_html(text))

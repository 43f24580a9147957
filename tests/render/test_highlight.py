from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_notebook.render import markdown_html
from wf_notebook.render.highlight import COLOURS, LONGEST, code_parts
from wf_notebook.render.markdown import HIGHLIGHTED


def test_code_is_highlighted_in_the_colours_of_the_page():
    html = markdown_html("```python\nif x:  # <why>\n    return 'a'\n```")
    opening, code = html.split(">", 2)[1], html.partition('">')[2]
    assert "--wf-k: var(--jp-mirror-editor-keyword-color, #" in opening
    assert code == (
        '<span style="color:var(--wf-k)">if</span> x:  <span style="color:var(--wf-c)"># &lt;why&gt;</span>\n    '
        '<span style="color:var(--wf-k)">return</span> <span style="color:var(--wf-s)">&#x27;a&#x27;</span>\n</code></pre>\n'
    )


@pytest.mark.parametrize("info", ["", "nobody", "text", "../../etc/passwd", "<script>", "python'"])
def test_a_language_that_nobody_knows_is_plain(info):
    assert markdown_html(f"```{info}\nif x:\n```") == "<pre><code>if x:\n</code></pre>\n"


@pytest.mark.parametrize(
    "language", ["python", "py", "PYTHON", "js", "json", "bash", "sql", "html", "c++", "yaml", "rust", "diff"]
)
def test_the_usual_languages_are_known(language):
    assert code_parts("x", language)[0] != "<pre><code>"


@given(st.text(max_size=60), st.sampled_from(["python", "html", "json", "console", "diff", "php"]))
def test_no_text_of_the_code_is_lost_or_added(code, language):
    opening, inner, closing = code_parts(code, language)
    plain = code_parts(code, "nobody")[1]
    assert re.sub(r'<span style="color:var\(--wf-[a-z]\)">|</span>', "", inner) == plain
    assert (opening[:5], closing) == ("<pre>", "</code></pre>\n")


def test_long_code_is_plain_and_of_many_blocks_only_the_first_are_highlighted():
    line = "if x: pass\n"
    assert "<span" not in markdown_html(f"```python\n{line * (LONGEST // 10)}```")
    block = line * 1000
    html = markdown_html(f"```python\n{block}```\n\n" * 40)
    assert html.count("<pre><code style=") == HIGHLIGHTED // len(block)
    assert html.count("<pre>") == 40


def test_code_that_a_lexer_is_slow_with_stays_plain():
    assert code_parts("a\n" * (LONGEST // 2), "java")[1] == "a\n" * (LONGEST // 2)


def contrast(one, other):
    """Return how well one colour is read on the other (WCAG 2: 3 for large text, 4.5 for small)."""

    def light(colour):
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted([light(one), light(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("kind", COLOURS)
def test_where_a_page_says_no_colours_they_are_read_in_light_and_dark(kind):
    colour = re.search(r"#\w{6}", COLOURS[kind])[0]
    assert contrast(colour, "#ffffff") > 4
    assert contrast(colour, "#111111") > 4

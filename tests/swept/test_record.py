"""The record of a sweep: safe and small, whatever its rows were given and gave; the same whenever it is made."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from wf_notebook import Agent, Workflow
from wf_notebook.redact import register_secret
from wf_notebook.swept import board_html, head, stopped, swept_bundle, swept_metadata
from wf_notebook.testing import scripted

HOSTILE = [each["text"] for each in json.loads((Path(__file__).parent.parent / "data" / "hostile.json").read_text())]
TAGS = {"div", "p", "strong", "span", "details", "summary", "table", "thead", "tbody", "tr", "th", "td", "pre", "br"}


class Elements(HTMLParser):
    """What elements there are, and with which attributes."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes = set(), set()
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attributes}


class Echo(Workflow):
    def run(self, text, fails=False):
        if fails:
            raise ValueError(text)
        return text or "nothing"


def done(rows, **options):
    sweep = Echo(storage="memory:").map(rows, **options)
    sweep.result()
    return sweep


def test_hostile_inputs_contents_and_errors_are_text():
    sweep = done([{"text": text, "fails": fails} for text in HOSTILE for fails in (False, True)])
    bundle = swept_bundle(sweep)
    shown = bundle["text/html"] + board_html(sweep.progress, sweep.rows, sweep.failures)
    elements = Elements(shown)
    assert elements.tags <= TAGS
    assert not [name for name in elements.attributes if name.startswith("on") or name in {"href", "src"}]
    assert "\x1b" not in bundle["text/plain"]


def test_secrets_are_not_in_it():
    register_secret("KEY", "sesame-open-please")
    sweep = done([{"text": f"a {word}", "fails": fails} for word in ("sesame-open-please",) for fails in (False, True)])
    bundle = swept_bundle(sweep)
    board = board_html(sweep.progress, sweep.rows, sweep.failures)
    assert "sesame" not in "".join([*bundle.values(), board, json.dumps(swept_metadata(sweep))])
    assert "&lt;redacted KEY&gt;" in bundle["text/html"]


def test_it_stays_small_however_many_rows_there_are_and_however_long_they_are():
    sweep = done([{"text": "word " * 10_000, "fails": n % 2 == 0} for n in range(200)])
    bundle = swept_bundle(sweep)
    assert len(bundle["text/html"]) < 400_000
    assert len(bundle["text/plain"]) < 10_000
    assert "✗ 100 rows failed" in bundle["text/html"]
    assert "… and 90 more" in bundle["text/plain"]
    assert "the first 20 of 100 rows" in bundle["text/html"]
    assert len(board_html(sweep.progress, sweep.rows[-5:], sweep.failures[-5:])) < 8_000


def test_it_says_which_models_were_asked_and_what_they_took():
    class Blog(Workflow):
        writer = Agent(scripted("one", "two"))

        def run(self, topic):
            return self.writer.run(topic)

    sweep = Blog(session_id="demo", storage="memory:").map(["a", "b"])
    sweep.result()
    head = swept_bundle(sweep)["text/plain"].partition("\n")[0]
    tokens = sweep.progress.tokens
    assert head.startswith(f"Blog · sweep demo · ✓ completed · 2 of 2 rows · scripted · {tokens} tokens · ")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "✓ nothing to do: there are no rows"),
        (iter([]), "✓ nothing to do: there are no rows"),
        (iter(["a", "b"]), "✓ completed · 2 rows"),
    ],
)
def test_no_rows_and_rows_that_nobody_counted_are_said_as_they_are(rows, said):
    sweep = done(rows)
    assert f"Echo · sweep Echo · {said} · " in swept_bundle(sweep)["text/plain"]
    assert "wf-live-bar" not in board_html(sweep.progress, sweep.rows, [])


def test_a_sweep_that_is_done_but_for_some_rows_says_so_in_the_colour_of_a_warning():
    some, every = done([{"text": "a", "fails": n < 3} for n in range(30)]), done([{"text": "a", "fails": True}])
    colour = re.compile(r'<span style="color: [^"]*(warn|error)-color')
    colours = [colour.search(swept_bundle(each)["text/html"])[1] for each in (some, every)]
    assert head(some).startswith("Echo · sweep Echo · ⚠ done, 3 of 30 rows failed · ")
    assert head(every).startswith("Echo · sweep Echo · ✗ done, 1 of 1 row failed · ")
    assert colours == ["warn", "error"]


def test_a_sweep_that_was_stopped_says_how_many_rows_never_began():
    sweep = Echo(storage="memory:").map([f"{n}" for n in range(1000)], limit=1)
    for _ in sweep:
        sweep.stop()
    progress = sweep.progress
    assert 0 < progress.over < 1000
    assert f" · ■ stopped · {progress.done} of 1,000 rows · " in head(sweep)
    assert f" · {1000 - progress.over} never began · " in head(sweep)
    assert f"{1000 - progress.over} never began): {progress.done} of 1,000 rows are done and kept; the same" in stopped(sweep)


def test_what_a_spent_budget_says_agrees_with_what_was_spent():
    class Blog(Workflow):
        writer = Agent(scripted(*["a post"] * 20))

        def run(self, topic):
            return self.writer.run(topic)

    sweep = Blog(storage="memory:").map([f"{n}" for n in range(20)], limit=8, max_tokens=150)
    sweep.result()
    assert " · ■ stopped: budget of 150 tokens spent · " in head(sweep)
    assert head(sweep).count("tokens") == 2
    assert f" · {sweep.progress.tokens} tokens · " in head(sweep)


def test_rows_that_are_in_memory_only_are_not_said_to_be_kept():
    sweep = Echo().map(["a"])
    sweep.result()
    foot = swept_bundle(sweep)["text/plain"].split("\n\n")[-1]
    assert foot == "the rows are in memory only: Workflow(storage=…) keeps them; .df() has all rows as a dataframe"


def test_rows_of_a_private_workflow_are_not_said_to_be_kept():
    sweep = Echo(storage="memory:", private=True).map([{"text": "a", "fails": True}])
    sweep.result()
    foot = swept_bundle(sweep)["text/plain"].split("\n\n")[-1]
    assert foot.startswith("private: of what the rows were given and gave, nothing is kept; .df()")


def test_one_session_of_all_rows_is_named():
    sweep = Echo(session_id="all", storage="memory:").map(["a", "b"], session="one", limit=1)
    sweep.result()
    assert "kept in session all of memory:" in swept_bundle(sweep)["text/plain"]

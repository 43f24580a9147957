"""What is seen of a session where nobody can click: as HTML and as text, bounded, escaped, and quick."""

from __future__ import annotations

import base64
import json
import re
import threading
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wf_notebook import Workflow, inspector, open_storage
from wf_notebook.errors import UnknownSession

HOSTILE = [each["text"] for each in json.loads((Path(__file__).parent.parent / "data" / "hostile.json").read_text())]
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==")
#: What the static tree keeps to, in bytes of HTML, in lines of text, and in seconds for a state of 10 MB.
MOST, LINES = 100_000, 60
SAFE = {"a", "b", "br", "code", "details", "div", "em", "h1", "h2", "h3", "hr", "img", "li", "ol", "p", "pre", "small", "span"}
SAFE |= {"strong", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul", "blockquote", "s", "h4", "h5", "h6"}


class Elements(HTMLParser):
    """Collects elements, what is in their attributes, and what people read; notes what is closed in a wrong order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.text, self.open, self.wrong = set(), [], "", [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        if tag not in {"img", "br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.text += data


def seen(state, **more):
    """Return what is seen of a state: its HTML taken apart, and its text."""
    storage = open_storage("memory:")
    session = storage.session("demo")
    session.state.update(state)
    session.save()
    bundle = inspector(storage, session="demo", **more)._repr_mimebundle_()
    elements = Elements(bundle["text/html"])
    assert (elements.wrong, elements.open) == ([], [])
    assert elements.tags <= SAFE
    assert len(bundle["text/html"].encode()) <= MOST
    assert len(bundle["text/plain"].splitlines()) <= LINES
    return elements, bundle["text/plain"]


class Blog(Workflow):
    def run(self, topic):
        self.session_state.setdefault("posts", []).append({"title": f"On {topic}", "words": 80})
        if topic == "ducks":
            raise ValueError("no ducks")
        yield topic


# -- what is seen --------------------------------------------------------------------------------------------------------------


def test_the_head_says_which_session_and_version_and_how_its_last_run_ended():
    blog = Blog(session_id="demo", storage="memory:")
    blog.run("cats").result()
    with pytest.raises(ValueError, match="ducks"):
        blog.run("ducks").result()
    blog.rename_session("Animals")
    bundle = blog.inspect()._repr_mimebundle_()
    head = bundle["text/plain"].splitlines()[0]
    assert re.fullmatch(
        r"session demo · 'Animals' · Blog · ✗ failed: ValueError: no ducks · version 2 of 2 · saved \S+ \S+ UTC · 1 key", head
    )
    assert head in Elements(bundle["text/html"]).text


def test_the_runs_and_versions_stand_below_the_state_the_newest_first():
    blog = Blog(session_id="demo", storage="memory:")
    for topic in ("cats", "dogs"):
        blog.run(topic).result()
    html, text = (blog.inspect()._repr_mimebundle_()[kind] for kind in ("text/html", "text/plain"))
    for said in (Elements(html).text, text):
        assert said.index('{"topic": "dogs"}') < said.index('{"topic": "cats"}')
        assert said.index("append posts") < said.index("set posts")


def test_values_are_seen_with_their_types_and_sizes():
    html, text = seen({"n": 3, "price": Decimal("1.10"), "tags": {"a", "b"}, 5: None, "deep": {"a": {"b": [[1], "x"]}}})
    for line in ("n: int  3", "price: Decimal  1.10", "tags: set · 2 items  set(['a', 'b'])", "5: None  None"):
        assert f"─ {line}" in text
        assert line.replace(": ", " ", 1).replace("  ", " ") in html.text
    assert text.splitlines()[5:9] == [
        "└─ deep: dict · 1 key",
        "   └─ a: dict · 1 key",
        "      └─ b: list · 2 items",
        "         ├─ 0: list · 1 item  [1]",
    ]


def test_lists_of_dicts_frames_and_arrays_are_tables_of_their_first_rows():
    posts = [{"title": f"On {n}", "body": "word " * 100} for n in range(30)]
    frame = pd.DataFrame({"n": range(40), "word": "x"}, index=pd.date_range("2026-01-01", periods=40))
    html, _ = seen({"posts": posts, "frame": frame, "array": np.arange(6).reshape(2, 3)})
    assert {"table", "th"} <= html.tags
    assert "posts list · 30 items" in html.text
    assert "frame DataFrame · 40 × 2 n int64, word str" in html.text.replace("object", "str")
    assert "array ndarray · 2 × 3 of int64" in html.text
    assert "… 20 more rows" in html.text
    assert "… 30 more rows" in html.text
    assert "On 9" in html.text
    assert "On 10" not in html.text
    assert "2026-01-10" in html.text


def test_a_frame_of_a_million_rows_is_told_and_not_read():
    html, text = seen({"frame": pd.DataFrame({"n": np.arange(1_000_000)})})
    assert "frame DataFrame · 1,000,000 × 1 n int64" in html.text
    assert "frame: DataFrame · 1,000,000 × 1  n int64" in text
    assert "table" in html.tags  # of the versions
    assert "999" not in html.text


def test_markdown_and_pictures_are_seen_as_themselves_and_other_texts_keep_their_lines():
    html, _ = seen({"post": "# On cats\n\nThey *sleep*." + " z" * 50, "poem": "one\n# not a head" + "\nz" * 50, "icon": PNG})
    assert {"h1", "em", "img"} <= html.tags
    assert ("src", f"data:image/png;base64,{base64.b64encode(PNG).decode()}") in html.attributes
    plain, _ = seen({"poem": "roses\nare red" + "\nz" * 50})
    assert "roses\nare red" in plain.text
    assert ("style", "white-space: pre-wrap") in plain.attributes


def test_without_a_session_the_twenty_that_were_used_last_are_listed():
    storage = open_storage("memory:")
    for number in range(25):
        session = storage.session(f"s{number:02}")
        session.state["n"] = number
        session.save()
    bundle = inspector(storage)._repr_mimebundle_()
    for said in (Elements(bundle["text/html"]).text, bundle["text/plain"]):
        assert "25 sessions" in said
        assert all(f"s{number:02}" in said for number in range(5, 25))
        assert "s04" not in said


def test_the_list_says_how_the_last_run_of_a_session_ended():
    blog = Blog(session_id="demo", storage="memory:")
    blog.run("cats").result()
    bundle = inspector(blog.storage)._repr_mimebundle_()
    assert "✓ completed" in bundle["text/plain"]
    assert "✓ completed" in Elements(bundle["text/html"]).text


def test_a_store_without_sessions_and_a_session_without_values_say_so():
    empty = inspector("memory:")._repr_mimebundle_()
    assert "there is none yet" in Elements(empty["text/html"]).text
    assert "0 sessions" in empty["text/plain"]
    html, text = seen({})
    assert "the state is empty" in html.text
    assert "the state is empty" in text


def test_an_older_version_is_seen_as_it_was():
    blog = Blog(session_id="demo", storage="memory:")
    for topic in ("cats", "dogs"):
        blog.run(topic).result()
    looked = blog.inspect()
    looked.go(version=1)
    assert "version 1 of 2 · saved" in repr(looked)
    assert "posts: list · 1 item" in repr(looked)


# -- safe and bounded ----------------------------------------------------------------------------------------------------------


def test_what_others_wrote_runs_nothing_and_fetches_nothing():
    state = {
        f"{n} {text[:200]}": {text[:200]: [text, {"a": text}, {"a": text[:50], text[:20]: 1}]} for n, text in enumerate(HOSTILE)
    }
    html, _ = seen(state | {f"t{n}": text for n, text in enumerate(HOSTILE)})
    for name, value in html.attributes:
        assert name in {"style", "class", "open", "href", "src", "alt", "target", "rel", "start"}
        if name == "href":
            assert re.match("https?://|mailto:", value)
        if name == "src":
            assert value.startswith("data:image/")
        if name == "style":
            assert not re.search(r"url\(|fixed|expression", value)


def test_secrets_are_redacted_wherever_they_stand(monkeypatch):
    storage = open_storage("memory:")
    session = storage.session("demo")
    session.state.update({"long": "x" * 3990 + "sk-wonderful-secret" + "y" * 500, "rows": [{"a": "sk-wonderful-secret"}] * 3})
    session.save()
    monkeypatch.setenv("MY_API_KEY", "sk-wonderful-secret")
    bundle = inspector(storage, session="demo")._repr_mimebundle_()
    assert "sk-wonder" not in bundle["text/html"] + bundle["text/plain"]
    assert "redacted MY_API_KEY" in bundle["text/html"]


def nested(depth, make):
    value = make(1)
    for _ in range(depth):
        value = make(value)
    return value


LARGE = {
    "a list of 100,000": {"items": list(range(100_000)), "rows": [{"a": n, "b": [n]} for n in range(100_000)]},
    "keys of 10 kB": {"<" * 10_000 + str(n): {"&" * 10_000: 1} for n in range(200)},
    "depth 195": {"lists": nested(193, lambda value: [value]), "dicts": nested(193, lambda value: {"k": value})},
    "20,000 keys": {f"key {n}": {"n": n, "text": "<" * 300} for n in range(20_000)},
    "long texts": {f"t{n}": "# Head\n\n- **item** `code`\n\n```python\nx = 1\n```\n" * 50 for n in range(200)},
    "what is long when escaped": {f"t{n}": "$<&\n" * 5000 for n in range(200)},
    "wide tables": {f"t{n}": [{f"<{c}": "<" * 50 for c in range(20)} for _ in range(100)] for n in range(100)},
    "many frames": {f"f{n}": pd.DataFrame({f"c{c}": ["<" * 100] * 100 for c in range(10)}) for n in range(20)},
    "many pictures": {f"p{n}": PNG + bytes(9000) for n in range(30)},
}


@pytest.mark.parametrize("state", LARGE.values(), ids=LARGE)
def test_however_large_a_state_is_little_is_shown_and_that_is_said(state):
    html, text = seen(state)
    assert "…" in html.text
    assert "Not all is shown: %wf inspect" in html.text
    assert "…" in text


def test_a_key_that_is_long_tells_its_length(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    html, text = seen({"k" * 10_000: 1})
    assert "… (10,000 characters)" in html.text
    assert "… (10,000 characters)" in text


# -- a workflow's own ----------------------------------------------------------------------------------------------------------


def test_what_is_unsaved_in_a_workflow_is_saved_and_seen():
    blog = Blog(session_id="demo", storage="memory:")
    blog.run("cats").result()
    blog.session_state["note"] = "new"
    looked = blog.inspect()
    assert looked.notes == ()
    assert "note: str  'new'" in repr(looked)
    assert blog.storage.session("demo").state["note"] == "new"


def test_a_workflow_that_keeps_nothing_is_seen_by_a_copy_which_is_said():
    blog = Blog(session_id="demo")
    blog.run("cats").result()
    looked = blog.inspect()
    blog.session_state["later"] = 1
    assert looked.notes == ("a copy of session 'demo' as it is now: it has no storage; Workflow(storage=\"default\") keeps it",)
    assert repr(looked).splitlines()[0] == looked.notes[0]
    assert looked.session.state == {"posts": [{"title": "On cats", "words": 80}]}


def test_a_workflow_that_never_ran_is_seen_too():
    looked = Blog(session_id="new", storage="memory:", session_state={"n": 1}).inspect()
    assert looked.notes == ("a copy of session 'new' as it is now: it was not saved yet",)
    assert "n: int  1" in repr(looked)


def test_a_value_that_cannot_be_kept_keeps_nobody_from_looking_at_the_others():
    for storage in ("memory:", None):
        blog = Blog(session_id="demo", storage=storage)
        blog.run("cats").result()
        blog.session_state |= {"lock": threading.Lock(), "n": 2}
        looked = blog.inspect()
        assert 'session_state["lock"]' in looked.notes[-1]
        assert "n: int  2" in repr(looked)


def test_a_conflict_keeps_nobody_from_looking():
    storage = open_storage("memory:")
    blogs = [Blog(session_id="demo", storage=storage) for _ in range(2)]
    for blog, topic in zip(blogs, ("cats", "dogs"), strict=True):
        blog.read_from_storage()
        blog.session_state["last"] = topic
    blogs[0].write_to_storage()
    looked = blogs[1].inspect()
    assert "in a conflict; %wf diff shows both sides" in looked.notes[0]
    assert "last: str  'cats'" in repr(looked)


def test_what_is_not_there_is_refused_with_a_suggestion():
    storage = open_storage("memory:")
    session = storage.session("demo")
    session.state["n"] = 1
    session.save()
    with pytest.raises(UnknownSession, match="did you mean 'demo'"):
        inspector(storage, session="dmeo")


def test_a_storage_that_cannot_be_read_is_told_in_the_place_of_the_state():
    storage = open_storage("memory:")
    looked = inspector(storage)
    looked.go(session="gone")
    bundle = looked._repr_mimebundle_()
    assert "UnknownSession: no session 'gone' in memory:" in Elements(bundle["text/html"]).text
    assert repr(looked) == bundle["text/plain"]

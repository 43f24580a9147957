from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_notebook.render import GrowingMarkdown, Layout, Reasoning, ToolCall, content_html
from wf_notebook.render.layout import PAGE, TAILS
from wf_notebook.render.said import Failure

SEARCH = ToolCall("1", "search", {"query": "ducks"})


class Page:
    """What a page that has all the changes shows."""

    def __init__(self):
        self.fields = {"sections": []}
        self.sent = []

    def take(self, layout):
        changes = layout.changes()
        self.sent.append(changes)
        self.fields |= changes
        return changes

    def text(self, section):
        pages = [self.fields[f"page_{number}"] for number in section["pages"]]
        return "".join(pages) + (self.fields[f"tail_{section['tail']}"] if section["tail"] is not None else "")

    @property
    def shown(self):
        return [(section["title"], section["status"], self.text(section)) for section in self.fields["sections"]]


@pytest.fixture
def page():
    return Page()


def test_a_finished_block_is_sent_once_and_then_only_what_is_open(page):
    layout = Layout()
    layout.add("# One\n\nand\nt")
    assert page.take(layout) == {
        "page_0": "<h1>One</h1>\n", "tail_0": "<p>and\nt</p>\n",
        "sections": [{"title": "", "pages": [0], "tail": 0, "status": "running"}],
    }  # fmt: skip
    layout.add("wo")
    assert page.take(layout) == {"tail_0": "<p>and\ntwo</p>\n"}
    assert page.take(layout) == {}


def test_what_does_not_fit_on_a_page_begins_the_next_one(page):
    layout = Layout()
    for _ in range(3):
        layout.add("x" * (PAGE // 2) + "\n\n")
    layout.add("end")
    page.take(layout)
    assert page.fields["sections"][0]["pages"] == [0]
    layout.add("\n\n" + "y" * PAGE + "\n\nend")
    assert "page_0" not in page.take(layout)
    assert page.fields["sections"][0]["pages"] == [0, 1]


def test_branches_grow_side_by_side_until_something_is_said_outside_of_them(page):
    layout = Layout()
    for text, lane in [("Go.", None), ("a", "one"), ("x", "two"), ("b", "one")]:
        layout.add(text, lane=lane)
    page.take(layout)
    assert page.shown == [("", "completed", "<p>Go.</p>\n"), ("one", "running", "<p>ab</p>\n"), ("two", "running", "<p>x</p>\n")]
    layout.add("Done.")
    page.take(layout)
    assert page.shown[1:] == [
        ("one", "completed", "<p>ab</p>\n"),
        ("two", "completed", "<p>x</p>\n"),
        ("", "running", "<p>Done.</p>\n"),
    ]


def test_an_agent_has_its_name_above_what_it_says_once_there_are_two(page):
    layout = Layout()
    layout.add("found", agent="searcher")
    page.take(layout)
    assert [title for title, *_ in page.shown] == [""]
    layout.add("written", agent="writer")
    page.take(layout)
    assert [title for title, *_ in page.shown] == ["searcher", "writer"]


def test_a_tool_that_is_at_work_is_open_and_then_stands_where_it_ended(page):
    layout = Layout()
    layout.add("I look.")
    layout.add(SEARCH)
    page.take(layout)
    assert page.shown == [("", "running", "<p>I look.</p>\n" + content_html(SEARCH))]
    over = SEARCH._replace(result="quack", over=True)
    layout.add(over)
    layout.add("Found.")
    page.take(layout)
    assert page.shown == [("", "running", "<p>I look.</p>\n" + content_html(over) + "<p>Found.</p>\n")]


def test_a_thought_is_open_while_it_comes_and_folded_before_the_answer(page):
    layout = Layout()
    layout.add(Reasoning("Ducks"))
    layout.add(Reasoning(" quack."))
    page.take(layout)
    assert "<details open>" in page.shown[0][2]
    assert "Ducks quack." in page.shown[0][2]
    layout.add("Quack.")
    page.take(layout)
    assert page.shown == [("", "running", content_html(Reasoning("Ducks quack.")) + "<p>Quack.</p>\n")]


def test_a_lane_with_a_failure_says_so(page):
    layout = Layout()
    layout.add(Failure("ValueError: no"), lane="one")
    page.take(layout)
    assert page.shown[0][:2] == ("one", "failed")


def test_a_branch_that_ended_is_over_while_the_others_go_on_and_nothing_that_comes_late_is_lost(page):
    layout = Layout()
    layout.add("a", lane="one")
    layout.add("x", lane="two")
    layout.lane_ended("one", "completed")
    layout.lane_ended("two", "failed")
    layout.lane_ended("three", "completed")
    page.take(layout)
    assert page.shown == [("one", "completed", "<p>a</p>\n"), ("two", "failed", "<p>x</p>\n")]
    layout.add("b", lane="one")
    page.take(layout)
    assert page.shown[0] == ("one", "running", "<p>a</p>\n<p>b</p>\n")


def test_what_says_nothing_is_not_rendered_again(page):
    class Counted(GrowingMarkdown):
        looks = 0

        def tail(self):
            Counted.looks += 1
            return super().tail()

    layout = Layout(text=Counted)
    layout.add("one", lane="a")
    layout.add("two", lane="b")
    page.take(layout)
    looks = Counted.looks
    page.take(layout)
    assert Counted.looks == looks
    layout.add(" more", lane="b")
    page.take(layout)
    assert Counted.looks == looks + 1
    assert page.shown == [("a", "running", "<p>one</p>\n"), ("b", "running", "<p>two more</p>\n")]


def test_at_the_end_nothing_is_open(page):
    layout = Layout()
    layout.add("a", lane="one")
    layout.add(SEARCH, lane="two")
    page.take(layout)
    layout.end()
    page.take(layout)
    assert page.shown == [("one", "completed", "<p>a</p>\n"), ("two", "completed", content_html(SEARCH))]
    assert [section["tail"] for section in page.fields["sections"]] == [None, None]


def test_more_lanes_than_can_grow_are_shown_as_their_blocks_are_finished(page):
    layout = Layout()
    lanes = [f"lane {number}" for number in range(TAILS + 2)]
    for lane in lanes:
        layout.add("one\n\ntwo\n", lane=lane)
    page.take(layout)
    assert [text for *_, text in page.shown][TAILS:] == ["<p>one</p>\n"] * 2
    layout.end()
    page.take(layout)
    assert {text for *_, text in page.shown} == {"<p>one</p>\n<p>two</p>\n"}


def test_what_no_page_has_room_for_is_left_out(page):
    layout = Layout(pages=1)
    layout.add("x" * PAGE + "\n\nlast\n\nend")
    page.take(layout)
    assert layout.full
    layout.add("\n\nmore\n\n")
    layout.end()
    page.take(layout)
    assert "more" not in page.shown[0][2]


@given(
    st.lists(
        st.tuples(st.sampled_from([None, "one", "two"]), st.sampled_from(["a ", "b\n\n", "- c\n", SEARCH, {"n": 1}])), max_size=30
    )
)
def test_nothing_is_lost_or_doubled_whatever_is_asked_for_when(said):
    seldom, often = Page(), Page()
    one, two = Layout(), Layout()
    for lane, content in said:
        one.add(content, lane=lane)
        two.add(content, lane=lane)
        often.take(two)
    for layout, page in ((one, seldom), (two, often)):
        layout.end()
        page.take(layout)
    plain = [[(title, status, text.replace("\n", "")) for title, status, text in page.shown] for page in (seldom, often)]
    assert plain[0] == plain[1]

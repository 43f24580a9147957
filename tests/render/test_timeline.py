"""The timeline of a run: what was done when, as rows, as bars and as a dataframe."""

from __future__ import annotations

from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from wf_notebook import RunEvent
from wf_notebook.log import Event
from wf_notebook.render import timeline_html, timeline_svg
from wf_notebook.render.bars import BARS
from wf_notebook.render.timeline import Bar, Timeline, timeline

BEGINS, ENDS, FAILS = RunEvent.run_started.value, RunEvent.run_completed.value, RunEvent.run_error.value
CALLS, CAME = RunEvent.tool_call_started.value, RunEvent.tool_call_completed.value
EVIL = '<script>alert(1)</script>"&]]>'


class Told:
    def __init__(self, events):
        self._events = events

    def events(self):
        return self._events

    def responses(self):
        return []


@pytest.fixture
def told(run):
    """Return a way to make a run of which so many things are told: (seconds, event, agent, lane, data)."""

    def make(*events, **fields):
        began = run().started_at
        at = [
            Event(began + timedelta(seconds=seconds), event, agent, lane, None, data)
            for seconds, event, agent, lane, data in events
        ]
        return run(**fields).told_by(Told(at))

    return make


def test_beginnings_and_ends_are_put_together_lane_by_lane(told):
    call = {"tool_name": "search", "tool_call_id": "1"}
    made = timeline(
        told(
            (0.0, BEGINS, "editor", None, {"span": "agent", "id": 1}),
            (0.3, BEGINS, "writer", "one", {"span": "agent", "id": 2}),
            (0.4, BEGINS, "writer", "two", {"span": "agent", "id": 3}),
            (0.5, CALLS, "writer", "one", [{"span": "tool", **call}]),
            (0.6, CALLS, "writer", "two", [call]),
            (0.7, CAME, "writer", "one", [{"span": "tool", **call, "tool_call_error": True}]),
            (0.8, CAME, "writer", "two", [call]),
            (0.9, FAILS, "writer", "one", {"span": "agent", "id": 2, "status": "failed"}),
            (1.0, ENDS, "writer", "two", {"span": "agent", "id": 3, "status": "completed"}),
            (1.1, ENDS, None, "one", {"span": "branch", "seconds": 1.0, "status": "failed"}),
            (1.2, ENDS, None, "two", {"span": "branch", "seconds": 1.0, "status": "completed"}),
        )
    )
    assert made == (
        Bar("agent", "editor", None, 0.0, 2.06, "stopped"),
        Bar("branch", "one", "one", 1.1 - 1.0, 1.1, "failed"),
        Bar("agent", "writer", "one", 0.3, 0.9, "failed"),
        Bar("tool", "search", "one", 0.5, 0.7, "failed"),
        Bar("branch", "two", "two", 1.2 - 1.0, 1.2, "completed"),
        Bar("agent", "writer", "two", 0.4, 1.0, "completed"),
        Bar("tool", "search", "two", 0.6, 0.8, "completed"),
    )
    assert made.summary == "3 agents, 2 branches, 2 tools, 2.1 s"
    assert list(made.df().columns) == ["what", "name", "lane", "start", "end", "status"]
    assert made.df()["end"].tolist()[:2] == [2.06, 1.1]


def test_steps_have_bars_as_soon_as_they_are_noted(told):
    made = timeline(
        told(
            (0, BEGINS, None, None, {"span": "step", "id": 1, "name": "fetch"}), (1, ENDS, None, None, {"span": "step", "id": 1})
        )
    )
    assert made == (Bar("step", "fetch", None, 0.0, 1.0, "completed"),)


def test_what_goes_on_ends_now_and_what_a_lost_run_left_ends_with_what_is_known(told):
    began = (0.5, BEGINS, "a", None, {"span": "agent", "id": 1})
    assert timeline(told(began, status="running", duration=3.0)) == (Bar("agent", "a", None, 0.5, 3.0, "running"),)
    late = (0.75, BEGINS, "b", None, {"span": "agent", "id": 2})
    assert [bar.end for bar in timeline(told(began, late, status="lost", duration=None))] == [0.75, 0.75]


def test_a_clock_that_is_set_back_turns_no_bar_around(told):
    made = timeline(
        told((1, BEGINS, "a", None, {"span": "agent", "id": 1}), (-5, ENDS, "a", None, {"span": "agent", "id": 1}), duration=1.0)
    )
    assert made == (Bar("agent", "a", None, 1.0, 1.0, "completed"),)


def test_events_of_the_users_own_are_no_bars(told):
    odd = [{"span": 7}, {"span": "mine"}, [], [1], "text", None, {"span": ["agent"]}]
    events = [(0, event, None, None, data) for data in odd for event in (BEGINS, CALLS, CAME, ENDS)]
    assert timeline(told(*events)) == ()
    assert repr(timeline(told())) == "no agent, tool or branch was at work"


def test_it_is_aligned_bars_as_text():
    made = Timeline([Bar("agent", "w", None, 0, 2, "completed"), Bar("tool", "s", None, 1, 1, "failed")])
    assert str(made) == repr(made)  # print(run.timeline()) in a script
    assert repr(made).splitlines() == [
        f"agent  w    {'█' * 32}  0.00–2.00 s  ✓ completed",
        f"tool     s  {('·' * 16 + '█').ljust(32)}  1.00–1.00 s  ✗ failed",
    ]


def test_it_is_an_image_in_a_notebook_and_text_where_that_is_not_trusted():
    made = Timeline([Bar("agent", EVIL, None, 0, 2, "completed"), Bar("tool", "s", None, 1, 1.5, "failed")])
    bundle = made._repr_mimebundle_()
    assert sorted(bundle) == ["image/svg+xml", "text/plain"]
    root = ET.fromstring(bundle["image/svg+xml"])
    texts = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[:5] == ["0 s", "0.5 s", "1 s", "1.5 s", "2 s"]
    assert texts[5:] == [EVIL, "0.00–2.00 s ✓ completed", "s", "1.00–1.50 s ✗ failed"]
    assert "<script" not in bundle["image/svg+xml"]
    assert sorted(Timeline()._repr_mimebundle_()) == ["text/plain"]


def test_names_that_no_image_can_hold_are_marked(told):
    made = timeline(told((0, BEGINS, "a\x00\x1b\ud800\u202eb", None, {"span": "agent", "id": 1})))
    assert made[0].name == "a\ufffd\ufffd\ufffd\ufffdb"
    ET.fromstring(timeline_svg(made))


def test_its_table_says_all_of_it_without_its_styles():
    html = timeline_html([Bar("agent", "<a>", None, 0, 2, "completed"), Bar("tool", "s", None, 1, 1.5, "failed")])
    assert "margin-left: 50.00%; width: 25.00%" in html
    for said in ("&lt;a&gt;", "1.00–1.50 s", "✗ failed", "agent", "tool"):
        assert f">{said}</td>" in html


@pytest.mark.parametrize("length", [1e-6, 0.003, 0.37, 1, 7, 61, 3600, 86400.5])
def test_a_timeline_of_any_length_has_a_few_round_ticks(length):
    svg = timeline_svg([Bar("agent", "a", None, 0.0, length, "completed")])
    assert 2 <= svg.count('text-anchor="middle"') <= 7


def test_many_bars_are_cut_and_counted():
    many = Timeline([Bar("agent", f"a{n}", None, n, n + 1, "completed") for n in range(BARS + 7)])
    assert repr(many).splitlines()[-1] == timeline_html(many)[-len("… 7 more; .df() has all</td></tr></table></div>") :][:23]
    assert len(many.df()) == BARS + 7
    assert timeline_svg(many).count("<rect") == BARS

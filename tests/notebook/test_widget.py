from __future__ import annotations

import os

import pytest
from ipykernel import version_info
from ipykernel.comm.comm import BaseComm
from playwright.sync_api import expect

from wf_notebook.notebook.widget import LiveWidget, answer_at_once

LONG = """\
%%workflow long
from wf_notebook import Workflow
class Long(Workflow):
    def run(self):
        self.session_state["seen"] = True
        for n in range(400):
            yield f"## Part {n}\\n\\nword{n} <img src=x onerror=\\"document.title='owned'\\"> and *more*\\n\\n"
        yield "| a | b |\\n|---|---|\\n| end | [link](https://example.org) |\\n"
        open("gate").read()  # a pipe: waits here until somebody writes
"""


@pytest.mark.browser
def test_a_run_is_whole_on_the_page_while_it_goes_on_and_a_record_takes_its_place(page, jupyter_lab):
    os.mkfifo(jupyter_lab.root / "gate")
    jupyter_lab.write("long.ipynb", "%load_ext wf_notebook\n%config WorkflowMagics.storage = 'memory:'", LONG)
    jupyter_lab.open(page, "long.ipynb")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    live = page.locator(".jp-OutputArea-output .wf-live")
    live.locator(".wf-live-content").get_by_text("link").wait_for()
    body = live.locator(".wf-live-body")
    text = body.inner_text()
    assert [n for n in range(400) if f"word{n} <img" not in text] == []
    expect(live.get_by_role("status")).to_have_text("● running", use_inner_text=True)
    follows = "body => body.scrollHeight - body.scrollTop - body.clientHeight < 32"
    page.wait_for_function(follows, arg=body.element_handle())

    (jupyter_lab.root / "gate").write_text("go on")
    page.locator(".jp-OutputArea-output .wf-record").wait_for()
    expect(live).to_have_count(0)
    assert page.title() != "owned"


@pytest.mark.browser
def test_the_record_is_readable_in_a_notebook_that_is_opened_without_a_kernel(page, jupyter_lab):
    source = LONG.replace('open("gate").read()', "pass")
    jupyter_lab.write("record.ipynb", "%load_ext wf_notebook\n%config WorkflowMagics.storage = 'memory:'", source)
    jupyter_lab.open(page, "record.ipynb")
    jupyter_lab.run_all(page)
    record = page.locator(".jp-OutputArea-output .wf-record")
    record.wait_for()
    expect(page.locator(".wf-live")).to_have_count(0)
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")

    page.goto(f"{jupyter_lab.url}/lab/tree/record.ipynb?reset&token={jupyter_lab.token}")
    record.wait_for()
    text = record.inner_text()
    assert ("✓ completed" in text, "word399 <img" in text, "session_state: 1 change" in text) == (True, True, True)
    assert page.get_by_text("Error displaying widget").count() == 0


JUMPS = """\
%%workflow jumps
from wf_notebook import Workflow
class Jumps(Workflow):
    def run(self):
        yield "## Part\\n\\n" + "many words " * 60 + "\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n\\n- item\\n\\nend\\n"
        open("jump").read()  # a pipe: waits here until somebody writes
"""
#: Where each part of an answer stands on the page, and how large it is.
PLACES = """root => [...root.querySelectorAll("p, h2, td, li")].map(part => {
    const box = part.getBoundingClientRect();
    return [part.tagName, ...[box.left, box.top, box.width, box.height].map(Math.round)];
})"""


@pytest.mark.browser
def test_nothing_moves_when_the_record_takes_the_place_of_the_live_output(page, jupyter_lab):
    os.mkfifo(jupyter_lab.root / "jump")
    jupyter_lab.write("jumps.ipynb", "%load_ext wf_notebook\n%config WorkflowMagics.storage = 'memory:'", JUMPS)
    jupyter_lab.open(page, "jumps.ipynb")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    live = page.locator(".jp-OutputArea-output .wf-live")
    live.locator(".wf-live-content").get_by_text("end", exact=True).wait_for()
    while_it_ran = live.evaluate(PLACES)
    head = live.locator(".wf-live-head").inner_text()

    (jupyter_lab.root / "jump").write_text("go on")
    record = page.locator(".jp-OutputArea-output .wf-record")
    record.wait_for()
    assert record.evaluate(PLACES) == while_it_ran
    assert head.startswith("Jumps · session jumps · ● running · ")


def test_what_a_page_says_is_read_where_it_arrives_and_not_in_the_shell_that_waits():
    comm = BaseComm(target_name="jupyter.widget", primary=False)
    comm._reply_subshell_id = None  # ipykernel 7.4 writes down the shell that opened it: here the main one
    answer_at_once(comm)
    # Private, and not there in 7.1 to 7.3, which do not need it: a later one that lacks it must be tried by hand.
    assert hasattr(comm, "_reply_subshell_for") == (version_info[:2] >= (7, 4))
    assert getattr(comm, "_reply_subshell_for", lambda _, default: default)({}, "a subshell") == "a subshell"


def test_a_press_of_stop_that_is_said_until_it_is_heard_counts_once_and_the_next_one_again():
    stops = []
    widget = LiveWidget(workflow="w", stop=lambda: stops.append("stop"))
    for press in ("view 1", "view 1", "view 1", "view 2"):
        widget._hear(widget, {"is": "stop", "press": press}, [])
    assert stops == ["stop", "stop"]
    widget.close()

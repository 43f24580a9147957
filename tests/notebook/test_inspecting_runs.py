"""The runs of a session in an inspector, in a real JupyterLab."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

STORE = """\
%load_ext wf_notebook
import threading
from wf_notebook import Agent, Workflow, inspector, open_storage, parallel, step
from wf_notebook.testing import ToolCall, scripted
storage = open_storage("duckdb:///runs.duckdb")
on = threading.Event()
on.set()

def search(topic: str) -> str:
    "Search."
    return f"found {topic}"

class Blog(Workflow):
    @step
    def outline(self, topic):
        return [topic, "end"]
    def run(self, topic, notes=""):
        self.session_state["topic"] = topic
        self.outline(topic)
        script = scripted(ToolCall("search", {"topic": topic}), f"**{topic}** is <img src=x onerror=alert(1)>")
        writer = Agent(script, name="writer", tools=[search])
        def left():
            return writer.run(topic, stream=True)
        def right():
            yield "to the *right*"
        yield parallel(left, right)
        if topic == "ducks":
            raise LookupError("no <b>ducks</b>")

class Slow(Workflow):
    def run(self):
        yield "begun "
        while not on.wait(0.05):
            yield "and on "

def ran(cls, cache="use", **inputs):
    try:
        list(cls(session_id="demo", storage=storage, cache=cache).run(**inputs))
    except LookupError:
        pass
ran(Slow)
ran(Blog, topic="cheese", notes="x" * 1000)
ran(Blog, "refresh", topic="cheese", notes="x" * 1000)
ran(Blog, topic="ducks")
list(Slow(session_id="other", storage=storage).run())
on.clear()"""


@pytest.fixture
def runs(page, jupyter_lab):
    """Return what an inspector shows of the runs of a new store."""
    for left in jupyter_lab.root.glob("runs.duckdb*"):
        left.unlink()
    page.on("dialog", lambda dialog: pytest.fail(f"something ran: {dialog.message}"))
    jupyter_lab.write("runs.ipynb", STORE, "looking = inspector(storage, session='demo'); looking.go(view='runs'); looking")
    jupyter_lab.open(page, "runs.ipynb")
    jupyter_lab.run_all(page)
    root = page.locator(".wf-inspector")
    expect(root.locator("[data-run]")).to_have_count(4)
    return root


def open_part(runs, name):
    """Open a part of the run that is shown, and return it."""
    fold = runs.locator("details.wfi-fold", has=runs.page.locator("summary", has_text=re.compile(f"^{name}")))
    if fold.get_attribute("open") is None:
        fold.locator("summary").first.click()
    return fold.locator(".wfi-fold-body")


def test_a_run_is_looked_into_part_by_part_and_another_take_is_chosen(runs):
    page, rows = runs.page, runs.locator("[data-run]")
    expect(rows.nth(0)).to_contain_text("✗ failed")
    expect(rows.nth(2)).to_contain_text(re.compile(r"✓ completed.*topic='cheese'.*now|ago.*tokens · 0 of 3 steps from the store"))
    rows.nth(3).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")

    head = runs.locator(".wfi-run-head")
    expect(head).to_contain_text("Blog · ✗ failed: LookupError: no <b>ducks</b>")
    expect(head).to_contain_text("scripted")
    expect(head.locator("dd").first).to_have_text("'ducks'")
    responses = open_part(runs, "Responses")
    expect(responses.locator("details")).to_have_count(2)
    expect(responses).to_contain_text("ducks is <img src=x onerror=alert(1)>")
    error = open_part(runs, "Error")
    expect(error).to_contain_text('raise LookupError("no <b>ducks</b>")')
    expect(open_part(runs, "Timeline").locator("tr")).to_have_count(4)
    expect(open_part(runs, "Steps")).to_contain_text("argument `topic` 'cheese' → 'ducks'")
    expect(open_part(runs, "Record").locator(".wf-record")).to_contain_text("LookupError: no <b>ducks</b>")

    open_part(runs, "Replay")
    frame = runs.locator("iframe")
    expect(frame).to_have_attribute("sandbox", "allow-scripts")
    inside = frame.content_frame
    expect(inside.locator("body")).to_contain_text("to the right")
    assert (
        inside.locator("body").evaluate("() => { try { return parent.document.title } catch (e) { return e.name } }")
        == "SecurityError"
    )

    takes = open_part(runs, "Takes").get_by_role("group", name="takes of outline").locator(".wfi-take")
    expect(takes).to_have_count(2)
    expect(takes.nth(1)).to_contain_text("✓ used")
    takes.nth(0).get_by_role("button", name="use this one").click()
    runs.get_by_role("button", name="Use it").click()
    expect(takes.nth(0)).to_contain_text("✓ used")

    open_part(runs, "Changes").get_by_role("button", name="topic").click()
    expect(runs.get_by_role("tab", name="State")).to_have_attribute("aria-selected", "true")


def test_a_run_is_run_again_and_grows_where_it_is_until_it_is_stopped_and_closes_with_its_session(runs):
    rows = runs.locator("[data-run]")
    rows.nth(3).click()
    runs.get_by_role("button", name="Run again").click()
    expect(runs.get_by_role("alertdialog")).to_contain_text("Run Slow again, with no inputs?")
    runs.get_by_role("alertdialog").get_by_role("button", name="Run again").click()

    head = runs.locator(".wfi-run-head")
    expect(head).to_contain_text("Slow · ● running")
    block = open_part(runs, "Responses").locator(".wfi-block").first
    expect(block).to_contain_text("begun and on")
    block.evaluate("element => { element.mark = element.textContent.length }")
    runs.page.wait_for_function("() => [...document.querySelectorAll('.wfi-block')].some(e => e.textContent.length > e.mark)")
    head.get_by_role("button", name="Stop").click()
    expect(head).to_contain_text("Slow · ■ stopped")
    expect(head.get_by_role("button", name="Stop")).to_be_hidden()
    expect(rows).to_have_count(5)
    expect(rows.first).to_contain_text("■ stopped")

    runs.get_by_role("listbox", name="sessions").get_by_text("other").click()
    expect(rows).to_have_count(1)
    expect(head).to_have_count(0)

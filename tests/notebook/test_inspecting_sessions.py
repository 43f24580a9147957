"""The list of sessions and the frame in a real JupyterLab: by mouse, by keys, in light and dark, and narrow."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

STORE = """\
%load_ext wf_notebook
from wf_notebook import Workflow, inspector, open_storage
from wf_notebook.transaction import About
storage = open_storage("duckdb:///runs.duckdb")
def write(tx):
    for n in range(1000):
        about = About(workflow=f"Flow{n % 7}", session_name=f"Name {n}" if n % 3 == 0 else None)
        tx.append_about(f"session-{n:04}", "created", about)
storage.transact(write, write=True)
class Blog(Workflow):
    def run(self, topic):
        if topic == "bad": raise ValueError(topic)
        self.session_state["topic"] = topic
        return topic
for session_id in ("<b>demo</b>", "other"):
    blog = Blog(session_id=session_id, storage=storage)
    blog.run(topic="a"); blog.run(topic="b")
try: blog.run(topic="bad")
except ValueError: pass
look = inspector(storage)
look"""
PALE = (Path(__file__).parent.parent / "data" / "pale.js").read_text()
STATUSES = ("running", "completed", "failed", "stopped", "lost")


@pytest.fixture
def inspected(page, jupyter_lab, request):
    """Return the inspector of a store of 1002 sessions, as a page shows it, and the page."""
    name = f"{request.node.name[:40]}.ipynb"
    for left in jupyter_lab.root.glob("runs.duckdb*"):
        left.unlink()
    jupyter_lab.write(name, STORE, "print(look.place.session, look.selected, look.place.other, look.place.sort)")
    jupyter_lab.open(page, name)
    jupyter_lab.run_all(page)
    root = page.locator(".wf-inspector")
    root.locator(".wfi-session").first.wait_for()
    return root, page


def test_sessions_are_found_as_one_types_sorted_and_scrolled_and_no_key_reaches_the_notebook(inspected):
    root, page = inspected
    listed = root.get_by_role("listbox", name="sessions")
    rows, foot, head = listed.get_by_role("option"), root.locator(".wfi-foot"), root.locator(".wfi-heading")
    search = root.get_by_role("searchbox", name="filter sessions")

    expect(rows.nth(0)).to_contain_text(re.compile(r"other.*✗ failed\s*Blog", re.DOTALL))
    expect(rows.nth(1)).to_contain_text("<b>demo</b>")
    expect(foot).to_contain_text("1,002 sessions")
    assert rows.count() < 40
    search.press_sequentially("DEMO bl")
    expect(foot).to_contain_text("1 session")
    expect(rows).to_have_count(1)
    rows.first.click()
    expect(head).to_contain_text(re.compile(r"<b>demo</b>.*✓ completed", re.DOTALL))
    search.fill("no such thing")
    expect(foot).to_contain_text("0 sessions")
    search.fill("")
    expect(foot).to_contain_text("1,002 sessions")

    root.get_by_role("combobox", name="sort by").select_option("name")
    expect(rows.first).to_contain_text("<b>demo</b>")
    root.get_by_title("ascending").click()
    expect(rows.first).to_contain_text("session-0998")
    listed.focus()
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    for key in ("End", "d", "d", "x", "a", "b"):  # the notebook's own would cut cells, and add some
        page.keyboard.press(key)
    expect(rows.last).to_contain_text("<b>demo</b>")
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells
    expect(listed).to_have_attribute("aria-activedescendant", rows.last.get_attribute("id"))
    expect(rows.last).to_have_attribute("aria-posinset", "1002")
    expect(rows.last).to_have_attribute("aria-setsize", "1002")


def test_sessions_are_selected_compared_hidden_and_named_and_python_has_what_the_page_shows(inspected):
    root, page = inspected
    listed = root.get_by_role("listbox", name="sessions")
    rows, foot, head = listed.get_by_role("option"), root.locator(".wfi-foot"), root.locator(".wfi-heading")
    root.get_by_role("combobox", name="sort by").select_option("name")
    root.get_by_title("ascending").click()
    expect(rows.first).to_contain_text("session-0998")
    listed.focus()
    page.keyboard.press("Home")
    for key in ("Space", "ArrowDown", "ArrowDown", "Space"):
        page.keyboard.press(key)
    expect(foot).to_contain_text("1,002 sessions, 2 selected")
    foot.get_by_role("button", name="compare").click()
    expect(root.get_by_role("tab", selected=True)).to_have_text("History")
    expect(head).to_contain_text("session-0998")
    rows.nth(1).click(modifiers=["Control"])
    expect(foot).to_contain_text("3 selected")
    expect(foot.get_by_role("button", name="compare")).to_be_hidden()
    rows.nth(4).click(modifiers=["Shift"])
    expect(foot).to_contain_text("4 selected")
    foot.get_by_role("button", name="delete").click()
    root.get_by_role("alertdialog").get_by_role("button", name="Cancel").click()
    expect(foot).to_contain_text("1,002 sessions, 4 selected")
    foot.get_by_role("button", name="delete").click()
    root.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(foot).to_contain_text("998 sessions")
    foot.get_by_role("button", name="undo").click()
    expect(foot).to_contain_text("1,002 sessions")

    rows.nth(2).click()
    head.get_by_title("rename this session").click()
    page.keyboard.type("A <i>name</i>")
    page.keyboard.press("Enter")
    expect(head.locator("strong")).to_have_text("A <i>name</i>")
    assert root.locator("b, i").count() == 0
    rows.nth(3).click(modifiers=["Control"])
    expect(foot).to_contain_text("1 selected")
    page.locator(".jp-Notebook .jp-InputArea-editor").last.click()
    page.keyboard.press("Control+Enter")
    printed = page.locator(".jp-OutputArea-output").last
    expect(printed).to_contain_text(re.compile(r"session-0\d+ \['session-0\d+'\] \('session-0\d+', None\) name"))


@pytest.fixture
def answers(page):
    """Return what the kernel says to the page while it is a list; while it is None, that is passed on at once."""
    held = SimpleNamespace(messages=None)

    def between(socket):
        server = socket.connect_to_server()
        held.socket = socket
        server.on_message(lambda message: socket.send(message) if held.messages is None else held.messages.append(message))

    page.route_web_socket(re.compile("/api/kernels/"), between)
    return held


def test_a_cell_that_is_run_before_the_kernel_answered_finds_python_where_the_page_is(answers, inspected):
    root, page = inspected
    rows, foot = root.get_by_role("listbox", name="sessions").get_by_role("option"), root.locator(".wfi-foot")
    expect(foot).to_contain_text("1,002 sessions")
    answers.messages = []
    for row in range(3):
        rows.nth(row).click(modifiers=["Control"])
    expect(foot).to_contain_text("3 selected")
    page.locator(".jp-Notebook .jp-InputArea-editor").last.click()
    page.keyboard.press("Control+Enter")
    while not any("execute_input" in str(message) for message in answers.messages):
        page.wait_for_timeout(20)
    held, answers.messages = answers.messages, None
    for message in held:
        answers.socket.send(message)
    printed = page.locator(".jp-OutputArea-output").last
    expect(printed).to_contain_text(re.compile(r" \['other', '<b>demo</b>', 'session-0999'\] None updated_at"))


def test_the_frame_folds_follows_python_and_is_readable_in_light_and_dark_and_in_a_narrow_window(inspected):
    root, page = inspected
    tabs, fold = root.get_by_role("tab"), root.get_by_title("show or hide the list of sessions")
    listed = root.get_by_role("listbox", name="sessions")
    listed.get_by_role("option").nth(1).click()
    tabs.first.focus()
    for key, title in (
        ("ArrowLeft", "SQL"),
        ("Home", "State"),
        ("ArrowRight", "History"),
        ("End", "SQL"),
        ("ArrowRight", "State"),
    ):
        page.keyboard.press(key)
        expect(root.get_by_role("tab", selected=True)).to_have_text(title)
        expect(root.get_by_role("tab", selected=True)).to_be_focused()
    fold.click()
    expect(listed).to_be_hidden()
    expect(fold).to_have_attribute("aria-expanded", "false")
    fold.click()
    expect(listed).to_be_visible()

    listed.get_by_role("option").nth(1).click(modifiers=["Control"])
    page.keyboard.press("Control+b")
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.get_by_role("menuitem", name="Settings", exact=True).click()
        page.locator(".lm-Menu-item", has_text="Theme").first.click()
        page.locator(".lm-Menu-item", has_text=re.compile(f"{theme}$")).click()
        page.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
        for status in STATUSES:
            root.locator(".wfi-standing").first.evaluate("(element, status) => { element.dataset.status = status; }", status)
            assert root.evaluate(PALE) == {}, (theme, status)

    copied = root.locator(".wfi-heading strong")
    copied.dblclick()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.keyboard.press("Control+c")
    page.wait_for_function("async () => await navigator.clipboard.readText() === 'demo'")

    page.set_viewport_size({"width": 600, "height": 900})
    expect(listed).to_be_hidden()
    fold.click()
    expect(listed).to_be_visible()
    assert listed.bounding_box()["y"] < root.locator(".wfi-heading").bounding_box()["y"]
    right = root.bounding_box()["x"] + root.bounding_box()["width"]
    for each in root.locator(".wfi-main, .wfi-sorting, .wfi-foot").all():
        assert each.bounding_box()["x"] + each.bounding_box()["width"] <= right

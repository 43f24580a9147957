"""The state of a session in an inspector, in a real JupyterLab: a tree, the value that is selected, a search."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

PAYLOADS = json.loads((Path(__file__).parent.parent / "data" / "hostile.json").read_text())
HOSTILE = [each["text"].replace("{n}", "1") for each in PAYLOADS]
STORE = """\
%load_ext wf_notebook
import base64, datetime, decimal
from dataclasses import dataclass
import pandas as pd
from wf_notebook import inspector, open_storage
@dataclass
class Post:
    title: str
    at: datetime.date
storage = open_storage("duckdb:///runs.duckdb")
session = storage.session("demo")
session.state["posts"] = [{"title": f"Post {n}", "n": n} for n in range(12_345)]
session.state["draft"] = "# A title\\n\\n- one\\n- two\\n\\n**bold** <script>fired(1)</script>"
session.state["picture"] = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
session.state["frame"] = pd.DataFrame({"n": range(1000), "name": [f"row {n}" for n in range(1000)]})
session.state["post"] = Post("first", datetime.date(2026, 1, 2))
session.state["hostile"] = {text: text for text in hostile}
session.state["gone"] = 1
session.state["price"] = decimal.Decimal("1.10")
session.save()
del session.state["gone"]
session.state["price"] = decimal.Decimal("2.20")
session.state["new"] = True
session.save()"""


#: Does what a session does meanwhile, once the page has put a variable there, and says what is selected.
AFTERWARDS = """\
if "note" in globals():
    session.state["posts"].append({"title": "late", "n": -1})
    session.state["late"] = note
    session.save()
    if hasattr(looked, "widget"):
        looked.widget.news = {"n": 1}
    print("here:", looked.path, looked.selection, note)"""


@pytest.fixture
def inspected(page, jupyter_lab, request):
    """Return a page on which an inspector of a new store is shown; `fired` in it notes that a payload ran."""
    name = f"{request.node.name[:40]}.ipynb"
    for left in jupyter_lab.root.glob("runs.duckdb*"):
        left.unlink()
    jupyter_lab.write(name, f"hostile = {HOSTILE!r}", STORE, "looked = inspector(storage, session='demo')\nlooked", AFTERWARDS)
    page.fired = []

    def fired(number):
        page.fired.append(number)

    page.expose_function("fired", fired)
    jupyter_lab.open(page, name)
    jupyter_lab.run_all(page)
    page.locator(".wf-inspector").wait_for()
    return page


def parts(inspected):
    """Return the inspector, its tree, what shows the value, and a way to a node by its text."""
    root = inspected.locator(".wf-inspector")
    tree, pane = root.get_by_role("tree"), root.get_by_role("region", name="selected value")
    return root, tree, pane, lambda text: tree.get_by_role("treeitem").filter(has_text=text).first


@pytest.mark.browser
@pytest.mark.timeout(180)
def test_a_state_is_opened_by_mouse_and_keyboard_and_its_values_are_shown_as_what_they_are(inspected):
    _, _, pane, node = parts(inspected)
    # The tree: what changed is marked; a long list opens as ranges, down to a value.
    node("+ added").wait_for()
    for mark, key in (("+ added", "new"), ("~ changed", "price"), ("- removed", "gone")):
        expect(node(mark)).to_have_text(re.compile(rf"^{key}\b"), use_inner_text=True)
    node("posts").click()
    pane.get_by_role("columnheader", name="title").wait_for()
    node("10,000 …").click()
    node("12,300 …").click()
    node("[12344]").click()
    node("title str 'Post 12344'").click()
    pane.get_by_text("Post 12344", exact=True).wait_for()
    expect(pane.locator("code").first).to_have_text('session_state["posts"][12344]["title"]', use_inner_text=True)
    expect(node("title str 'Post 12344'")).to_have_attribute("aria-selected", "true")

    # The keyboard: to the parent, which shuts, and to the first of all.
    inspected.keyboard.press("ArrowLeft")
    inspected.keyboard.press("ArrowLeft")
    expect(node("[12344]")).to_have_attribute("aria-expanded", "false")
    inspected.keyboard.press("Home")
    inspected.wait_for_function("() => document.activeElement.textContent.startsWith('posts')")

    # The value as itself.
    node("draft").click()
    pane.get_by_role("heading", name="A title").wait_for()
    expect(pane).to_contain_text("<script>", use_inner_text=True)
    pane.get_by_role("button", name="text", exact=True).click()
    pane.locator("pre").filter(has_text="# A title").wait_for()
    node("picture").click()
    pane.locator("img").wait_for()
    inspected.wait_for_function("image => image.naturalWidth === 1", arg=pane.locator("img").element_handle())
    node("frame").click()
    pane.get_by_role("cell", name="row 99", exact=True).wait_for()
    pane.get_by_role("button", name="next page").click()
    pane.get_by_role("cell", name="row 199", exact=True).wait_for()

    # What is hostile, as keys and as values, each in all the views that it has.
    node("hostile").click()
    pane.get_by_text('session_state["hostile"]', exact=True).wait_for()
    lines = node("hostile").locator("xpath=..").locator("[aria-level='2']")
    lines.nth(len(set(HOSTILE)) - 1).wait_for()
    for line in lines.all():
        told = pane.inner_text()
        line.click()
        inspected.wait_for_function("([pane, told]) => pane.innerText !== told", arg=[pane.element_handle(), told])
    assert inspected.fired == []


@pytest.mark.browser
@pytest.mark.timeout(180)
def test_what_is_found_is_taken_into_the_notebook_and_a_save_meanwhile_moves_nothing(inspected):
    root, tree, pane, node = parts(inspected)
    search = root.get_by_role("searchbox", name="search the state")
    node("+ added").wait_for()

    # The search: as one types, by key, value and path; Enter leads there.
    search.fill("post 1234")
    root.get_by_text("6 found", exact=True).wait_for()
    search.press("ArrowDown")
    inspected.keyboard.press("Enter")
    node("title str 'Post 1234'").wait_for()
    pane.get_by_text("Post 1234", exact=True).wait_for()
    search.press("Escape")
    expect(search).to_have_value("")

    # Onto the clipboard; where the browser refuses that, into a field that is selected.
    inspected.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pane.get_by_role("button", name="Copy path").click()
    root.get_by_role("status").filter(has_text="copied: the path").wait_for()
    assert inspected.evaluate("navigator.clipboard.readText()") == 'session_state["posts"][1234]["title"]'
    inspected.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    pane.get_by_role("button", name="Copy JSON").click()
    expect(pane.get_by_role("textbox", name="to copy")).to_have_value('"Post 1234"')
    inspected.wait_for_function("() => `${getSelection()}` === '\"Post 1234\"'")
    inspected.keyboard.press("Escape")

    # Into the notebook, first under a name that is none.
    for name, told in (("not a name", "cannot be the name of a variable"), ("note", "it is in note now")):
        pane.get_by_role("button", name="To variable").click()
        pane.get_by_role("alertdialog").get_by_role("textbox").fill(name)
        inspected.keyboard.press("Enter")
        root.get_by_role("status").filter(has_text=told).wait_for()
    pane.get_by_role("button", name="To variable").click()
    pane.get_by_role("alertdialog").get_by_role("textbox").fill("note")
    inspected.keyboard.press("Enter")
    pane.get_by_role("alertdialog").get_by_text("note is a str already").wait_for()
    inspected.keyboard.press("Escape")

    # A save meanwhile: it is shown, and nothing that is looked at moves.
    node("title str 'Post 1234'").focus()
    before = tree.evaluate("tree => tree.scrollTop")
    inspected.locator(".jp-CodeCell").last.locator(".cm-content").evaluate("cell => cell.focus()")
    inspected.keyboard.press("Control+Enter")
    inspected.get_by_text('here: session_state["posts"][1234]["title"] Post 1234 Post 1234').wait_for()
    node("late").filter(has_text="+ added").wait_for()
    expect(node("title str 'Post 1234'")).to_have_attribute("aria-selected", "true")
    expect(node("12,346 items").filter(has_text="·")).to_have_count(1)
    assert tree.evaluate("tree => tree.scrollTop") == before
    assert inspected.fired == []

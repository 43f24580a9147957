"""The past of a session in a real page: slid over, compared, restored, forked; and a value that is edited, with others."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

STORE = """\
%load_ext wf_notebook
from wf_notebook import Workflow, inspector, open_storage
storage = open_storage("duckdb:///past.duckdb")
class Blog(Workflow):
    def run(self, topic):
        self.session_state["topic"] = topic
        yield f"about {topic}"
blog = Blog(session_id="demo", storage=storage)
blog.run(topic="a red fox").result()
blog.session_state["posts"] = [{"title": "<img src=x onerror=alert(1)>", "views": 1}]
blog.write_to_storage()
blog.run(topic="a brown fox").result()
for number in range(60):
    blog.session_state["n"] = number
    blog.write_to_storage()
blog.session_state["posts"].append({"title": "second", "views": 2})
blog.write_to_storage()
trial = storage.session("trial"); trial.state["topic"] = "a duck"; trial.save()"""

ELSEWHERE = """
import json, sys
from wf_notebook import open_storage
session = open_storage("duckdb:///" + sys.argv[1]).session(sys.argv[2])
exec(sys.argv[3])
session.save()
print(json.dumps(session.state), session.version)
"""


@pytest.fixture
def past(page, jupyter_lab, request):
    """Return a page on which an inspector of a session with 64 versions is shown, and a way to ask another process of it."""
    for left in jupyter_lab.root.glob("past.duckdb*"):
        left.unlink()
    name = f"{request.node.name[:40]}.ipynb"
    jupyter_lab.write(
        name, STORE, "shown = inspector(storage, session='demo')\nshown", "print(blog.session_state, shown.version)"
    )
    jupyter_lab.open(page, name)
    jupyter_lab.run_all(page)
    page.locator(".wf-inspector").wait_for()

    def elsewhere(code="", session="demo"):
        command = [sys.executable, "-c", ELSEWHERE, str(jupyter_lab.root / "past.duckdb"), session, code]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return page.locator(".wf-inspector"), elsewhere


@pytest.mark.browser
def test_versions_are_slid_over_compared_restored_and_forked(past, page):
    root, _ = past
    head, slider = root.locator(".wfi-at"), root.get_by_role("slider", name="version")
    expect(head).to_contain_text("version 64 of 64")
    slider.focus()
    for key in ("ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    expect(head).to_contain_text("version 62 of 64")
    expect(head).to_contain_text("set n")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^version 62 of 64, saved"))
    page.keyboard.press("Home")
    expect(head).to_contain_text("✓ completed Blog")
    expect(root.get_by_role("treeitem")).to_have_count(1)  # the state of version 1 has a topic only
    root.get_by_role("group", name="version", exact=True).get_by_role("button", name="newest").click()
    expect(root.get_by_role("treeitem")).to_have_count(3)

    root.get_by_role("tab", name="History").click()
    versions = root.get_by_role("group", name="versions").get_by_role("listitem")
    expect(versions).to_have_count(50)
    expect(versions.first).to_contain_text("append posts")
    expect(root.locator(".wfi-counts")).to_have_text("demo:63 → demo:64: 1 added")
    root.get_by_role("button", name="next page").click()
    expect(versions).to_have_count(14)
    versions.filter(has_text="set topic").first.get_by_role("button").first.click()
    expect(root.locator(".wfi-counts")).to_have_text("demo:2 → demo:3: 1 changed")
    difference = root.get_by_role("tree", name="differences").get_by_role("treeitem")
    expect(difference).to_contain_text("topic", use_inner_text=True)
    assert difference.inner_text().split() == ["topic", "~", "changed", "a", "redbrown", "fox"]

    root.get_by_role("textbox", name="session to compare with").fill("trial")
    page.keyboard.press("Tab")
    expect(root.locator(".wfi-counts")).to_contain_text("trial:1 → demo:3: 1 added, 1 changed")
    assert "fired" not in page.content()
    root.get_by_role("treeitem").filter(has_text="added").click()
    expect(root.get_by_role("tab", name="State")).to_have_attribute("aria-selected", "true")


@pytest.mark.browser
def test_a_version_is_restored_and_forked_after_a_question(past, page):
    root, elsewhere = past
    head = root.locator(".wfi-at")
    root.get_by_role("tab", name="History").click()
    root.get_by_role("button", name="next page").click()
    root.get_by_role("button", name=re.compile("^3 · ")).click()
    root.get_by_role("button", name="Restore…").click()
    root.get_by_role("button", name="Cancel").click()
    assert elsewhere().endswith(" 64")
    root.get_by_role("button", name="Restore…").click()
    root.get_by_role("button", name="Restore", exact=True).click()
    expect(root.locator(".wfi-status")).to_contain_text("is now version 65; restore version 64 to undo it")
    expect(head).to_contain_text("version 65 of 65")
    assert elsewhere() == '{"topic": "a brown fox", "posts": [{"title": "<img src=x onerror=alert(1)>", "views": 1}]} 65'
    run_last(page)
    expect(output(page)).to_contain_text(
        "{'topic': 'a brown fox', 'posts': [{'title': '<img src=x onerror=alert(1)>', 'views': 1}]} 65"
    )

    root.get_by_role("button", name="Fork…").click()
    field = root.get_by_role("textbox", name="id of the new session")
    expect(field).to_have_value("demo-2")
    field.fill("other")
    page.keyboard.press("Enter")
    expect(head).to_contain_text("version 1 of 1")
    assert elsewhere(session="other").endswith(" 1")


@pytest.mark.browser
def test_a_value_is_edited_undone_and_never_over_what_another_process_wrote(past, page):
    root, elsewhere = past
    root.get_by_role("treeitem").filter(has_text="topic").click()
    edit, field, save = (
        root.get_by_role("button", name="Edit", exact=True),
        root.get_by_role("textbox", name="value", exact=True),
        root.get_by_role("button", name="Save", exact=True),
    )
    edit.click()
    expect(field).to_have_value("a brown fox")
    field.fill("a blue fox")
    save.click()
    expect(root.locator(".wfi-at")).to_contain_text("version 65 of 65")
    assert '"topic": "a blue fox"' in elsewhere()
    run_last(page)
    expect(output(page)).to_contain_text("'topic': 'a blue fox'")
    root.get_by_role("button", name="Undo").click()
    expect(root.locator(".wfi-at")).to_contain_text("version 66 of 66")
    assert '"topic": "a brown fox"' in elsewhere()

    root.get_by_role("treeitem").filter(has_text=re.compile("^n ")).click()
    edit.click()
    field.fill("many")
    save.click()
    expect(root.get_by_role("alert")).to_have_text("'many' is no int: write a whole number, or choose float")
    field.fill("1000")
    elsewhere("session.state['n'] = 77")
    save.click()
    conflict = root.get_by_role("alertdialog")
    expect(conflict).to_contain_text('session_state["n"] was changed meanwhile: it is 77; nothing was written')
    assert '"n": 77' in elsewhere()
    conflict.get_by_role("button", name="Take mine over it").click()
    expect(conflict).to_have_count(0)
    expect(root.locator(".wfi-at")).to_contain_text("version 68 of 68", use_inner_text=True)
    assert '"n": 1000' in elsewhere()
    root.get_by_role("button", name="Delete…").click()
    root.get_by_role("button", name="Delete", exact=True).click()
    expect(root.get_by_role("treeitem").filter(has_not_text="- removed")).to_have_count(2)
    expect(root.get_by_role("treeitem").filter(has_text="- removed")).to_have_text(re.compile("^n "))
    assert '"n"' not in elsewhere()


def run_last(page):
    page.locator(".jp-Notebook .jp-CodeCell").last.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")


def output(page):
    return page.locator(".jp-Notebook .jp-CodeCell").last.locator(".jp-OutputArea-output")

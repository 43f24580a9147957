"""The inspector in a real JupyterLab."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

STORE = """\
%load_ext wf_notebook
from wf_notebook import inspector, open_storage
storage = open_storage("duckdb:///runs.duckdb")
session = storage.session("demo")
session.state["posts"] = [{"title": "a"}]
session.save()"""


@pytest.fixture
def inspected(page, jupyter_lab, request):
    """Return a page on which an inspector of a new store is shown."""
    name = f"{request.node.name[:40]}.ipynb"
    for left in jupyter_lab.root.glob("runs.duckdb*"):
        left.unlink()
    jupyter_lab.write(name, STORE, "inspector(storage, session='demo')")
    jupyter_lab.open(page, name)
    jupyter_lab.run_all(page)
    page.locator(".wf-inspector").wait_for()
    return page


@pytest.mark.browser
def test_an_inspector_takes_the_place_of_its_static_tree_and_shows_the_state(inspected):
    root = inspected.locator(".wf-inspector")
    expect(root.get_by_role("treeitem").first).to_have_text(re.compile("^posts"), use_inner_text=True)
    expect(root.locator(".wfi-session")).to_have_text([re.compile(r"^demo\s+(now|\d+ s ago)\s+15 B$")], use_inner_text=True)


@pytest.mark.browser
def test_it_is_there_again_after_a_reload(inspected):
    inspected.keyboard.press("Control+s")
    inspected.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    inspected.reload()
    inspected.locator(".wf-inspector").get_by_role("treeitem").first.wait_for()

"""Notebook 7, the other front end that Jupyter has: what runs is shown live there too, stopped, and readable afterwards."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SETUP = "%load_ext wf_notebook\n%config WorkflowMagics.storage = 'memory:'\nimport time\nfrom wf_notebook import *"
CELL = """\
%%workflow waits
class Waits(Workflow):
    def run(self):
        yield "# Live\\n\\npart of it "
        time.sleep(60)
"""


def test_a_run_is_live_stopped_and_readable(page, jupyter_lab):
    jupyter_lab.write("seven.ipynb", SETUP, CELL)
    page = page.context.browser.new_page()  # one whose own errors are not counted: extensions for JupyterLab make some here
    page.goto(f"{jupyter_lab.url}/notebooks/seven.ipynb?token={jupyter_lab.token}")
    page.get_by_text("Python 3 (ipykernel)").wait_for(timeout=60_000)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    live = page.locator(".jp-OutputArea-output .wf-live")
    live.locator(".wf-live-content").get_by_text("part of it").wait_for(timeout=60_000)
    expect(live.get_by_role("status")).to_have_text("● running", use_inner_text=True)
    live.get_by_role("button", name="Stop").click()
    page.locator(".jp-OutputArea-output", has_text="RunStopped: ").wait_for()
    record = page.locator(".jp-OutputArea-output .wf-record")
    assert ("■ stopped" in record.inner_text(), "part of it" in record.inner_text()) == (True, True)
    expect(live).to_have_count(0)


def test_an_inspector_takes_its_place_follows_and_gives_it_back(page, jupyter_lab):
    store = "storage = open_storage('memory:')\nsession = storage.session('demo'); session.state['a'] = 1; session.save()"
    later = "session.state['later'] = 1; session.save()"
    jupyter_lab.write("looks.ipynb", f"{SETUP}\n{store}", "inspector(storage, session='demo')", later)
    page = page.context.browser.new_page()
    page.goto(f"{jupyter_lab.url}/notebooks/looks.ipynb?token={jupyter_lab.token}")
    page.get_by_text("Python 3 (ipykernel)").wait_for(timeout=60_000)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    tree = page.locator(".jp-OutputArea-output .wf-inspector").get_by_role("treeitem")
    tree.get_by_text("later").first.wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator('[data-command="kernelmenu:restart"]:visible').click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.get_by_text("this is what it was; run the cell again to look further").wait_for()
    expect(page.locator(".wf-inspector")).to_have_count(0)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    tree.get_by_text("later").first.wait_for(timeout=60_000)

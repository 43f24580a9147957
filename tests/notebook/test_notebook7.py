"""Notebook 7, the other front end that Jupyter has: what runs is shown live there too, stopped, and readable afterwards."""

from __future__ import annotations

import pytest

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
    assert live.get_by_role("status").inner_text() == "● running"
    live.get_by_role("button", name="Stop").click()
    page.locator(".jp-OutputArea-output", has_text="RunStopped: ").wait_for()
    record = page.locator(".jp-OutputArea-output .wf-record")
    assert ("■ stopped" in record.inner_text(), "part of it" in record.inner_text()) == (True, True)
    assert live.count() == 0

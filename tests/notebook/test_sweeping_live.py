"""A sweep in a real JupyterLab: watched while it goes on, stopped by its button, read in light and dark."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

SETUP = """\
%load_ext wf_notebook
%config WorkflowMagics.storage = "duckdb:///sweep.duckdb"
import asyncio
import pandas as pd
from wf_notebook import Workflow
"""
TOLD = {
    "numpy": "Arrays of numbers, and what is reckoned with them.",
    "rich": "Text in colours, tables and Markdown in the terminal.",
    "click": "Command lines, composed of small functions.",
    "duckdb": "A database for analysis that lives in the process.",
    "pydantic": "Data checked by the types that it is said to have.",
    "httpx": "A client for HTTP that can wait for many answers.",
    "polars": "Dataframes on all cores, by lazy queries.",
    "pytest": "Tests that are plain functions with plain asserts.",
}
#: Rows without a text fail; those after them go on until they are stopped.
DATA = f"""\
told = {json.dumps(TOLD)}
df = pd.DataFrame({{"package": [*told, "nowhere", *(f"package {{n}}" for n in range(9, 40))]}})

async def read_about(package):
    if package.startswith("package"):
        await asyncio.sleep(600)
    if package not in told:
        raise LookupError(f"no package {{package!r}} is installed")
    return told[package]"""
CELL = """\
%%workflow describe --map df --limit 4
class Describe(Workflow):
    async def arun(self, package: str):
        return await read_about(package)"""
#: What of an element reaches beyond it, or is cut off within it.
TOO_WIDE = """
live => [live, ...live.querySelectorAll('*')].filter(
  each => each.getBoundingClientRect().right > live.getBoundingClientRect().right + 1 || each.scrollWidth > each.clientWidth + 1
).map(each => each.textContent)
"""
PALE = (Path(__file__).parent.parent / "data" / "pale.js").read_text()


@pytest.mark.browser
@pytest.mark.picture
def test_a_sweep_is_watched_and_stopped_and_readable_in_light_and_dark(page, jupyter_lab, picture):
    jupyter_lab.write("sweep.ipynb", f"{SETUP}{DATA}", CELL, "'it went on'")
    jupyter_lab.open(page, "sweep.ipynb")
    page.keyboard.press("Control+b")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()

    live = page.locator(".jp-OutputArea-output .wf-live")
    bar = live.get_by_role("progressbar", name="rows")
    expect(bar).to_have_attribute("aria-valuenow", "9")
    expect(bar).to_have_attribute("aria-valuemax", "40")
    expect(live.locator(".wf-live-numbers")).to_contain_text("8 of 40 rows · 1 failed · 4 go on")
    failed = live.get_by_role("table", name="rows that failed")
    expect(failed).to_have_text("8nowhere✗ failedLookupError: no package 'nowhere' is installed")
    expect(live.get_by_role("table", name="rows that ended last").get_by_role("row")).to_have_count(4)
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        page.get_by_role("menuitem", name="Settings", exact=True).click()
        page.locator(".lm-Menu-item", has_text="Theme").first.click()
        page.locator(".lm-Menu-item", has_text=re.compile(f"{theme}$")).click()
        page.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
        assert live.evaluate(PALE) == {}, theme
    page.set_viewport_size({"width": 1000, "height": 480})
    page.locator(".jp-CodeCell").nth(1).evaluate("cell => cell.scrollIntoView({block: 'start'})")
    picture("sweep")
    page.set_viewport_size({"width": 360, "height": 640})
    assert live.evaluate(TOO_WIDE) == []

    live.get_by_role("button", name="Stop").click()
    outputs = page.locator(".jp-OutputArea-output")
    outputs.filter(has_text="RunStopped: Describe was stopped after ").wait_for()
    expect(outputs.filter(has_text="it went on")).to_have_count(0)
    record = page.locator(".wf-record")
    expect(record).to_contain_text("■ stopped · 8 of 40 rows · 1 failed · 4 stopped")
    expect(live).to_have_count(0)
    record.evaluate("record => record.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert record.evaluate(PALE) == {}

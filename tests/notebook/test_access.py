"""A live output is used by keyboard alone, told by a screen reader, and read in light and dark, also in a narrow window."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

SETUP = """\
%load_ext wf_notebook
%config WorkflowMagics.storage = 'memory:'
from wf_notebook import *
from wf_notebook.testing import ToolCall, scripted
def looks(at: str) -> str: "Look."; return at
def clerk(): return Agent(scripted(ToolCall("looks", {"at": "cats"}), "Seen 3.5 cats. "), name="clerk", tools=[looks])
def says(word): return Agent(scripted(f"{word} is said. And more"), name=word).run("go", stream=True)
"""
TOLD = """\
%%workflow told
class Told(Workflow):
    def run(self):
        self.session_state["a_key"] = "a value " * 20
        yield from clerk().run("go", stream=True)
        yield "And Mr"
        open("told").read()  # a pipe: waits here until somebody writes
        yield " Cat.\\n\\n| a | table | of | words |\\n|---|---|---|---|\\n| which | is rather wide | for a | window |\\n\\n"
        yield "```python\\ndef f(x: int = 1):  # a comment\\n    return f'text {x}'\\n```\\n\\n"
        yield "verylong" * 30 + " `code` [link](https://a.b)\\n\\n"
        open("told").read()
        yield from parallel(says("one"), says("two"))
        yield "\\n\\n".join(f"line {n}." for n in range(100))
        yield " The last word"
        open("told").read()
"""
#: Keep what a screen reader is told: what is added to live regions, in whole.
HEAR = """() => {
    window.told = [];
    new MutationObserver(changes => {
        for (const {target, addedNodes} of changes)
            if (target.closest?.(".wf-live-voice, .wf-live [aria-live=polite]"))
                for (const node of addedNodes) window.told.push(node.textContent);
    }).observe(document, {subtree: true, childList: true});
}"""
#: Texts of which the contrast with what is behind them is under 4.5, as WCAG 2 has it; and what it is.
PALE = (Path(__file__).parent.parent / "data" / "pale.js").read_text()
STATUSES = ("running", "completed", "failed", "stopped", "lost")
#: What reaches over the right edge.
WIDE = """root => {
    const right = root.getBoundingClientRect().right + 1;
    return [...root.querySelectorAll("*")].filter(each => each.checkVisibility() && each.getBoundingClientRect().right > right)
        .map(each => each.outerHTML);
}"""


def begin(lab, page, name):
    """Run the notebook of the cell above up to where it first waits; return its live output."""
    os.mkfifo(lab.root / name)
    lab.write(f"{name}.ipynb", SETUP, TOLD.replace('"told"', f'"{name}"'))
    lab.open(page, f"{name}.ipynb")
    page.evaluate(HEAR)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    live = page.locator(".jp-OutputArea-output .wf-live")
    live.locator(".wf-live-content").get_by_text("And Mr").wait_for()
    return live


def test_a_run_is_told_in_whole_sentences_once_and_scrolled_opened_and_stopped_by_keyboard(page, jupyter_lab):
    live = begin(jupyter_lab, page, "keys")
    page.wait_for_function("() => window.told.some(each => each.includes('cats'))")
    told = page.evaluate("window.told")
    assert (told[0], told[1].startswith("✓ looks"), told[1].endswith("Seen 3.5 cats.")) == ("Told running", True, True)
    body, focused = live.locator(".wf-live-body"), "element => element === document.activeElement"
    (jupyter_lab.root / "keys").write_text("go on")
    body.get_by_text("link").wait_for()
    (jupyter_lab.root / "keys").write_text("go on")
    body.get_by_text("The last word").wait_for()
    page.wait_for_function("() => window.told.some(each => each.includes('line 99'))")

    page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    page.keyboard.press("Escape")
    while not body.evaluate(focused):
        page.keyboard.press("Tab")
    page.keyboard.press("Home")
    page.wait_for_function("body => body.scrollTop === 0", arg=body.element_handle())
    page.keyboard.press("ArrowDown")
    page.wait_for_function("body => body.scrollTop > 0", arg=body.element_handle())
    assert body.evaluate(focused), "JupyterLab did not go to the next cell"
    page.keyboard.press("Tab")
    stop, call = live.get_by_role("button", name="Stop"), live.locator("summary").first
    assert stop.evaluate(focused)
    page.keyboard.press("Tab")
    assert call.evaluate(focused)
    page.keyboard.press("Enter")
    live.locator("details[open]").get_by_text("arguments").wait_for()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    page.locator(".jp-OutputArea-output", has_text="RunStopped: ").wait_for()

    assert page.locator(".wf-record").evaluate(PALE) == {}
    told = page.evaluate("window.told")
    assert told[-2:] == ["The last word", "Told stopped"]
    assert [
        sum(each.count(part) for each in told) for part in ("cats.", "And Mr Cat.", "one is said.", "two is said.", "line 99.")
    ] == [1] * 5
    assert [each for each in told if each.endswith(("And Mr", "3."))] == []


def test_a_live_output_and_its_record_are_readable_in_light_and_dark_and_in_a_narrow_window(page, jupyter_lab):
    live = begin(jupyter_lab, page, "looks")
    (jupyter_lab.root / "looks").write_text("go on")
    live.locator(".wf-live-content").get_by_text("link").wait_for()
    page.keyboard.press("Control+b")
    page.set_viewport_size({"width": 400, "height": 900})
    themes = "JupyterLab Dark", "JupyterLab Light"
    for theme in themes:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.get_by_role("menuitem", name="Settings", exact=True).click()
        page.locator(".lm-Menu-item", has_text="Theme").first.click()
        page.locator(".lm-Menu-item", has_text=re.compile(f"{theme}$")).click()
        page.locator(f"body[data-jp-theme-name='{theme}']").wait_for(state="attached")
        page.set_viewport_size({"width": 400, "height": 900})
        for status in STATUSES:
            live.get_by_role("status").evaluate("(element, status) => { element.dataset.status = status; }", status)
            assert live.evaluate(PALE) == {}, (theme, status)
    assert live.evaluate(WIDE) == []
    (jupyter_lab.root / "looks").write_text("go on")
    live.locator(".wf-live-content").get_by_text("The last word").wait_for()
    (jupyter_lab.root / "looks").write_text("go on")
    record = page.locator(".wf-record")
    record.wait_for()
    record.evaluate("record => record.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert record.evaluate(PALE) == {}

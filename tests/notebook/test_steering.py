"""A run is stopped, reloaded, cleared and left alone by a reader in a real JupyterLab: what was said is never lost."""

from __future__ import annotations

import json
import os
import signal

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SETUP = """\
%load_ext wf_notebook
%config WorkflowMagics.storage = 'memory:'
import time
from threading import Event
from wf_notebook import *
from wf_notebook.testing import ToolCall, scripted
def sleeps(): "Sleep."; time.sleep(60)
def sleeper(): return Agent(scripted(ToolCall("sleeps"), "done"), name="sleeper", tools=[sleeps])
"""
#: Ways to hold up a cell, each after it said something.
HOLDS = {
    "sleep": "time.sleep(60)",
    "loop": "while True: pass",
    "stream": "yield from iter(lambda: (time.sleep(0.01), 'x ')[1], None)",
    "tool": "yield from sleeper().run('go', stream=True)",
    "batch": "sleeper().run('go')",
    "branches": "yield from parallel(lambda: time.sleep(60), sleeper().run('go', stream=True))",
}


def workflow(name, work):
    head = f"%%workflow {name}\nclass {name.title()}(Workflow):\n    def run(self):\n"
    return f"{head}        yield 'part of {name} '\n        {work}\n"


def run(page, beginning):
    """Run the cell that begins so, and return it: once no other is at work, as one that fails draws the focus to itself."""
    cell = page.locator(".jp-CodeCell", has_text=beginning)
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    cell.locator(".cm-content").click()
    cell.locator("css=.cm-focused").wait_for()
    page.keyboard.press("Shift+Enter")
    return cell


def start(page):
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def saved(lab, page, name):
    """Save the notebook that is open, and return it as it lies on the disk."""
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    return json.loads((lab.root / name).read_text())


def test_stop_ends_a_cell_whatever_holds_it_up(page, jupyter_lab):
    jupyter_lab.write("stops.ipynb", SETUP, *(workflow(name, work) for name, work in HOLDS.items()), "print('kernel ' + 'lives')")
    jupyter_lab.open(page, "stops.ipynb")
    run(page, "%load_ext")
    for name in HOLDS:
        cell = run(page, f"%%workflow {name}")
        cell.locator(".wf-live-content").get_by_text(f"part of {name}").wait_for()
        cell.get_by_role("button", name="Stop").click()
        cell.locator(".jp-OutputArea-output", has_text="RunStopped: ").wait_for()
        record = cell.locator(".wf-record")
        record.wait_for()
        assert ("■ stopped" in record.inner_text(), f"part of {name}" in record.inner_text()) == (True, True)
        expect(cell.locator(".wf-live")).to_have_count(0)
    run(page, "kernel").locator(".jp-OutputArea-output", has_text="kernel lives").wait_for()


def test_run_all_ends_at_a_run_that_was_stopped_and_a_second_press_stops_what_swallowed_the_first(page, jupyter_lab):
    stubborn = "try: time.sleep(60)\n        except KeyboardInterrupt: print('swallowed'); time.sleep(60)"
    jupyter_lab.write("all.ipynb", SETUP, workflow("stubborn", stubborn), "print('not ' + 'reached')")
    jupyter_lab.open(page, "all.ipynb")
    start(page)
    page.locator(".wf-live-content").get_by_text("part of stubborn").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.locator(".jp-OutputArea-output", has_text="swallowed").wait_for()
    page.get_by_role("button", name="Stop").click()
    page.locator(".jp-OutputArea-output", has_text="RunStopped: ").wait_for()
    jupyter_lab.wait_until_idle(page)
    assert page.get_by_text("not reached", exact=True).count() == 0
    assert "widget-view" not in json.dumps(saved(jupyter_lab, page, "all.ipynb"))


def test_after_a_reload_the_output_is_live_again_and_ends_whole_and_says_where_the_record_is(page, jupyter_lab):
    os.mkfifo(jupyter_lab.root / "reload")
    work = "open('reload').read()\n        yield 'goes on '\n        open('reload').read()\n        yield 'and the end'"
    cell = workflow("long", work).replace("%%workflow long", "%%workflow long --background")
    jupyter_lab.write("reload.ipynb", SETUP, cell)
    jupyter_lab.open(page, "reload.ipynb")
    start(page)
    live = page.locator(".jp-OutputArea-output .wf-live")
    live.locator(".wf-live-content").get_by_text("part of long").wait_for()
    saved(jupyter_lab, page, "reload.ipynb")
    page.reload()
    live.locator(".wf-live-content").get_by_text("part of long").wait_for(timeout=60_000)
    (jupyter_lab.root / "reload").write_text("go on")
    live.locator(".wf-live-content").get_by_text("part of long goes on").wait_for()
    expect(live.get_by_role("status")).to_have_text("● running", use_inner_text=True)
    (jupyter_lab.root / "reload").write_text("go on")
    live.locator(".wf-live-content").get_by_text("part of long goes on and the end").wait_for()
    live.get_by_text("%wf show").wait_for()
    expect(live.get_by_role("status")).to_have_text("✓ completed", use_inner_text=True)
    expect(live.get_by_role("button", name="Stop")).to_have_count(0)


def test_after_a_reload_while_the_cell_held_the_kernel_up_the_output_is_whole_at_its_end(page, jupyter_lab):
    os.mkfifo(jupyter_lab.root / "held")
    jupyter_lab.write("held.ipynb", SETUP, workflow("held", "open('held').read()\n        yield 'and the end'"))
    jupyter_lab.open(page, "held.ipynb")
    start(page)
    live = page.locator(".jp-OutputArea-output .wf-live")
    live.locator(".wf-live-content").get_by_text("part of held").wait_for()
    saved(jupyter_lab, page, "held.ipynb")
    page.reload()
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    (jupyter_lab.root / "held").write_text("go on")
    live.locator(".wf-live-content").get_by_text("part of held and the end").wait_for(timeout=60_000)
    live.get_by_text("%wf show").wait_for()


def test_an_output_that_was_cleared_while_it_ran_gets_its_record(page, jupyter_lab):
    os.mkfifo(jupyter_lab.root / "cleared")
    jupyter_lab.write("cleared.ipynb", SETUP, workflow("cleared", "open('cleared').read()"))
    jupyter_lab.open(page, "cleared.ipynb")
    start(page)
    page.locator(".wf-live-content").get_by_text("part of cleared").wait_for()
    page.get_by_role("menuitem", name="Edit", exact=True).click()
    page.get_by_role("menuitem", name="Clear Outputs of All Cells", exact=True).click()
    page.locator(".wf-live").wait_for(state="detached")
    (jupyter_lab.root / "cleared").write_text("go on")
    page.locator(".wf-record", has_text="part of cleared").wait_for()


def test_a_run_in_the_background_leaves_the_kernel_free_and_its_output_in_its_cell(page, jupyter_lab):
    work = "while not released.wait(0.01): pass\n        print('printed by ' + 'it')\n        yield 'and the end'"
    cell = workflow("later", work).replace("%%workflow later", "%%workflow later --background -o going")
    ask = "print('cell ' + 'two'); released.set(); going.result().content"
    jupyter_lab.write("later.ipynb", f"{SETUP}released = Event()", cell, ask)
    jupyter_lab.open(page, "later.ipynb")
    jupyter_lab.run_all(page)
    cells = page.locator(".jp-CodeCell")
    cells.nth(1).locator(".wf-record", has_text="part of later and the end").wait_for()
    expect(cells.nth(1)).to_contain_text("printed by it", use_inner_text=True)
    expect(cells.nth(2)).to_contain_text("cell two", use_inner_text=True)
    expect(cells.nth(2)).to_contain_text("part of later and the end", use_inner_text=True)


def test_a_reader_who_scrolled_up_is_left_alone_and_one_at_the_end_follows(page, jupyter_lab):
    os.mkfifo(jupyter_lab.root / "scroll")
    lines = "yield ''.join(f'\\n\\nline{n}' for n in range(200))"
    work = f"{lines}\n        open('scroll').read()\n        {lines}\n        yield '\\n\\nlast'\n        time.sleep(60)"
    jupyter_lab.write("scroll.ipynb", SETUP, workflow("scroll", work))
    jupyter_lab.open(page, "scroll.ipynb")
    start(page)
    body = page.locator(".wf-live-body")
    body.get_by_text("line199").wait_for()
    at_its_end = "body => body.scrollHeight - body.scrollTop - body.clientHeight < 32"
    page.wait_for_function(at_its_end, arg=body.element_handle())
    body.evaluate("body => { body.scrollTop = 100; }")
    (jupyter_lab.root / "scroll").write_text("go on")
    body.get_by_text("last", exact=True).wait_for()
    assert body.evaluate("body => body.scrollTop") == 100
    page.get_by_role("button", name="Stop").click()
    page.locator(".wf-record").wait_for()


def test_a_run_whose_kernel_died_says_so_and_what_it_said_is_kept_and_it_can_be_run_again(page, jupyter_lab, kernel):
    once = "import os\n        if not os.path.exists('pid'): open('pid', 'w').write(str(os.getpid())); time.sleep(60)"
    killed = f"{once}\n        yield 'and the end'"
    setup = SETUP.replace("memory:", "sqlite:///killed.db")
    jupyter_lab.write("killed.ipynb", setup, workflow("killed", killed), "%wf show -s killed")
    jupyter_lab.open(page, "killed.ipynb")
    run(page, "%load_ext")
    cell = run(page, "%%workflow killed")
    live = cell.locator(".wf-live")
    live.locator(".wf-live-content").get_by_text("part of killed").wait_for()
    live.locator(".wf-live-numbers", has_text="s").wait_for()
    os.kill(int((jupyter_lab.root / "pid").read_text()), signal.SIGKILL)
    live.get_by_text("? lost").wait_for()
    expect(live).to_contain_text("nothing more is heard from the kernel; %wf show", use_inner_text=True)
    expect(live.get_by_role("button", name="Stop")).to_have_count(0)
    page.get_by_role("dialog").get_by_role("button", name="Ok").click()
    new = kernel("killed.ipynb")
    while not new.value("'wf' in get_ipython().magics_manager.magics['line']"):  # what is sent while it starts may be lost
        run(page, "%load_ext")
    record = run(page, "%wf show -s killed").locator(".wf-record")
    record.wait_for()
    assert ("? lost" in record.inner_text(), "part of killed" in record.inner_text()) == (True, True)
    run(page, "%%workflow killed").locator(".wf-record", has_text="part of killed and the end").wait_for()
    expect(live).to_have_count(0)


def test_a_run_that_ended_while_no_page_was_open_is_whole_when_one_is_opened(page, jupyter_lab):
    os.mkfifo(jupyter_lab.root / "closed")
    cell = workflow("closed", "open('closed').read()\n        yield 'and the end'").replace(
        "%%workflow closed", "%%workflow closed --background"
    )
    jupyter_lab.write("closed.ipynb", SETUP, cell)
    jupyter_lab.open(page, "closed.ipynb")
    start(page)
    page.locator(".wf-live-content").get_by_text("part of closed").wait_for()
    saved(jupyter_lab, page, "closed.ipynb")
    browser = page.context.browser
    page.close()
    (jupyter_lab.root / "closed").write_text("go on")
    page = browser.new_page()
    jupyter_lab.open(page, "closed.ipynb")
    live = page.locator(".jp-OutputArea-output .wf-live")
    live.locator(".wf-live-content").get_by_text("part of closed and the end").wait_for()
    live.get_by_text("%wf show").wait_for()
    expect(live.get_by_role("status")).to_have_text("✓ completed", use_inner_text=True)


def test_two_notebooks_in_one_session_show_each_its_own_run_and_a_second_view_may_be_closed(page, jupyter_lab):
    setup = SETUP.replace("memory:", "sqlite:///both.db")
    pages = {"one": page, "two": page.context.browser.new_page()}
    for name, its in pages.items():
        os.mkfifo(jupyter_lab.root / name)
        cell = workflow(name, f"open({name!r}).read()\n        self.session_state[{name!r}] = 1\n        yield 'end of {name}'")
        jupyter_lab.write(f"{name}.ipynb", setup, cell.replace(f"%%workflow {name}", f"%%workflow {name} -s both"), "%wf state")
        its.goto(f"{jupyter_lab.url}/lab/workspaces/{name}/tree/{name}.ipynb?reset&token={jupyter_lab.token}")
        its.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
        jupyter_lab.wait_until_idle(its)
        start(its)
        its.locator(".wf-live-content").get_by_text(f"part of {name}").wait_for()
    live, view = page.locator(".wf-live"), page.locator(".lm-TabBar-tab", has_text="Output View")
    live.click(button="right")
    page.locator(".lm-Menu-item", has_text="Create New View for Cell Output").click()
    live.nth(1).wait_for()
    view.locator(".lm-TabBar-tabCloseIcon").click()
    view.wait_for(state="detached")
    for name, its in pages.items():
        (jupyter_lab.root / name).write_text("go on")
        its.locator(".wf-record").wait_for()
        jupyter_lab.wait_until_idle(its)
        assert its.locator(".wf-record").all_inner_texts()[0].endswith(f"part of {name} end of {name}\n\nsession_state: 1 change")
        expect(its.locator(".wf-record")).to_have_count(1)
        expect(its.locator(".wf-live")).to_have_count(0)
    pages["two"].locator(".jp-CodeCell").nth(2).locator(".jp-OutputArea-output").get_by_text("one").first.wait_for()

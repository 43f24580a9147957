"""The inspector in a real page while things happen: others save, the file cannot be read, the kernel is busy, or is gone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from wf_notebook.storage import open_storage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SETUP = """\
%load_ext wf_notebook
from wf_notebook import inspector, open_storage
storage = open_storage("duckdb:///live.duckdb")
for name in ("demo", "other"):
    session = storage.session(name)
    session.state["posts"] = [{"title": "a"}]
    session.save()
looking = inspector(storage, session="demo")"""
HOLD = """
import duckdb, sys
while True:
    try:
        db = duckdb.connect(sys.argv[1])
        break
    except duckdb.IOException:  # the kernel reads just now
        pass
print("ready")
input()
"""
SAVE = """
import sys
from wf_notebook.storage import open_storage
storage = open_storage(sys.argv[1])
session = storage.session(sys.argv[2])
print("ready")
for line in sys.stdin:
    session.state[line.strip()] = 1
    session.save()
    print("saved")
"""


@contextmanager
def another(code, *arguments):
    """Run code in another process until the block ends."""
    command = [sys.executable, "-u", "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()
        process.wait(30)


def told(process, line):
    """Tell a process something, and wait until it has done it."""
    process.stdin.write(line + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "saved\n"


@pytest.fixture
def open_notebook(page, jupyter_lab):
    """Return a way to run a notebook of these cells after the setup, on a new file."""

    def opened(name, *cells):
        for left in jupyter_lab.root.glob("live.duckdb*"):
            left.unlink()
        jupyter_lab.write(name, SETUP, *cells)
        jupyter_lab.open(page, name)
        jupyter_lab.run_all(page)
        page.locator(".wf-inspector").first.wait_for()
        return page

    return opened


def soon(is_so):
    """Wait until something is so."""
    until = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < until


def status(root):
    """Return the line below an inspector."""
    return root.locator(":scope > [role=status]")


def test_what_others_save_is_shown_and_what_cannot_be_read_is_said_until_it_can(open_notebook, jupyter_lab):
    page = open_notebook("news.ipynb", "looking")
    file, root = jupyter_lab.root / "live.duckdb", page.locator(".wf-inspector")
    tree = root.get_by_role("treeitem")
    tree.get_by_text("posts").first.wait_for()
    with another(SAVE, f"duckdb:///{file}", "demo") as other:
        for key in ("first", "second"):
            told(other, key)
            tree.get_by_text(key).first.wait_for()
    with another(SAVE, f"duckdb:///{file}", "newcomer") as other:
        told(other, "n")
        root.get_by_role("option").get_by_text("newcomer").wait_for()

    with another(HOLD, file) as holder:
        root.get_by_role("option").get_by_text("other").click()
        status(root).get_by_text(re.compile(rf"is held by .*{holder.pid}")).wait_for()
        assert tree.get_by_text("posts").count() >= 1, "what was shown stays"
        marked = """line => getComputedStyle(line, "::before").content === '"⚠ shown as it was: "'"""
        page.wait_for_function(marked, arg=status(root).element_handle())
    expect(status(root)).to_have_text("")
    root.locator("[role=option][aria-current]").get_by_text("other").wait_for()

    with open_storage(f"duckdb:///{file}"):
        pass  # what is in the WAL is in the file
    content = file.read_bytes()
    copy = file.with_name("copy.duckdb")
    copy.write_bytes(content)
    with open_storage(f"duckdb:///{copy}") as storage:
        late = storage.session("latecomer")
        late.state["n"] = 1
        late.save()
    for left in jupyter_lab.root.glob("live.duckdb*"):
        left.unlink()
    status(root).get_by_text("'live.duckdb' is not there any more; what is shown is what was in it").wait_for()
    tree.get_by_text("posts").first.wait_for()  # the tree is drawn anew meanwhile
    file.write_bytes(content)
    expect(status(root)).to_have_text("")
    file.write_bytes(b"no database" * 10_000)
    status(root).get_by_text("is no DuckDB database").wait_for()
    file.write_bytes(copy.read_bytes())
    root.get_by_role("option").get_by_text("latecomer").wait_for()  # all is read anew, not only what was refused
    expect(status(root)).to_have_text("")
    with another(SAVE, f"duckdb:///{file}", "other") as other:
        told(other, "last")
        tree.get_by_text("last").first.wait_for()


#: Click on one tab after the other, faster than the kernel can follow; return which were shown.
CLICK_THROUGH = """async () => {
    const tabs = [...document.querySelector(".wf-inspector").querySelectorAll("[role=tab]")], seen = [];
    const pause = (ms) => new Promise((done) => setTimeout(done, ms));
    const look = () => {
        const now = tabs.find((tab) => tab.getAttribute("aria-selected") === "true").textContent;
        if (seen.at(-1) !== now) seen.push(now);
    };
    new MutationObserver(look).observe(tabs[0].parentElement, {subtree: true, attributes: true});
    for (let n = 1; n <= 24; n += 1) {
        tabs[n % 4].click();
        await pause(15);
    }
    await pause(1000);
    return seen;
}"""


def test_pages_and_python_move_each_other_and_nothing_moves_a_page_back(open_notebook, kernel):
    page = open_notebook("places.ipynb", "looking", "looking")
    views, kernel = page.locator(".wf-inspector"), kernel("places.ipynb")
    views.nth(1).wait_for()
    views.nth(0).get_by_role("option").get_by_text("other").click()
    views.nth(1).locator("[role=option][aria-current]").get_by_text("other").wait_for()
    kernel.wait_for("looking.place.session", "other")
    kernel.value("looking.go(session='demo', view='state').session")
    for n in (0, 1):
        views.nth(n).locator("[role=option][aria-current]").get_by_text("demo").wait_for()

    # a hand that is faster than the kernel: what the page shows never goes back
    assert page.evaluate(CLICK_THROUGH) == [name for _ in range(6) for name in ("History", "Runs", "SQL", "State")]
    kernel.wait_for("looking.place.view", "state")

    kernel.value("looking.go(session='other', view='runs').view")
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    page.reload()
    again = page.locator(".wf-inspector").first
    again.locator("[role=option][aria-current]").get_by_text("other").wait_for()
    expect(again.get_by_role("tab", selected=True)).to_have_text("Runs", use_inner_text=True)


WIDGETS = """
import threading
from ipywidgets.widgets import widget as _widget
def alive():
    names = [type(each).__name__ for each in _widget._instances.values()]
    threads = sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("wf_notebook-"))
    return {"inspectors": names.count("InspectorWidget"), "layouts": names.count("Layout"), "threads": threads}
"""


def test_a_cell_that_runs_again_or_a_kernel_that_is_gone_leaves_nothing_behind(open_notebook, kernel, jupyter_lab):
    page = open_notebook("life.ipynb", WIDGETS, "looking")
    seen = kernel("life.ipynb")
    for _ in range(3):
        jupyter_lab.run_all(page)
        page.locator(".wf-inspector").get_by_role("treeitem").first.wait_for()
    seen.wait_for(
        "{**alive(), 'threads': alive()['threads'].count('wf_notebook-watch')}", {"inspectors": 1, "layouts": 1, "threads": 1}
    )

    # while a cell runs all is answered, and the page follows
    os.mkfifo(jupyter_lab.root / "busy")
    seen.run("open('busy').read()  # a pipe: waits here until somebody writes")
    page.locator("#jp-main-statusbar").get_by_text("| Busy").wait_for()
    page.locator(".wf-inspector").get_by_role("option").get_by_text("other").click()
    page.locator(".wf-inspector [role=option][aria-current]").get_by_text("other").wait_for()
    (jupyter_lab.root / "busy").write_text("go on")
    jupyter_lab.wait_until_idle(page)

    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.locator('[data-command="kernelmenu:restart"]:visible').click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.get_by_text("this is what it was; run the cell again to look further").wait_for()
    expect(page.locator(".wf-inspector")).to_have_count(0)
    expect(page.locator("[class^=wf-inspector-]").first).to_have_text(
        re.compile("^session demo · version 1 of 1"), use_inner_text=True
    )
    jupyter_lab.wait_until_idle(page)
    jupyter_lab.run_all(page)
    page.locator(".wf-inspector").get_by_role("treeitem").first.wait_for()
    again = kernel("life.ipynb")
    again.value("get_ipython().run_line_magic('unload_ext', 'wf_notebook')")
    page.get_by_text("this is what it was; run the cell again to look further").wait_for()
    again.wait_for("alive()['inspectors']", 0)


WORKS = """\
import time
from pathlib import Path
from wf_notebook import Workflow
class Works(Workflow):
    def run(self):
        for n in range(3):
            yield f"part {n}"
            self.session_state[f"part {n}"] = n
            self.write_to_storage()
        while not Path("go_on").exists():
            time.sleep(0.05)
        self.session_state["end"] = True
        yield "the end"
"""


def test_two_inspectors_a_run_and_another_kernel_on_one_file(open_notebook, kernel, jupyter_lab):
    page = open_notebook("together.ipynb", WORKS, "looking", "inspector(storage, session='other')")
    seen, file = kernel("together.ipynb"), jupyter_lab.root / "live.duckdb"
    first, second = page.locator(".wf-inspector").first, page.locator(".wf-inspector").nth(1)
    second.get_by_role("treeitem").first.wait_for()
    seen.run("for said in Works(session_id='demo', storage=storage).run(): pass")
    with another(SAVE, f"duckdb:///{file}", "other") as other:
        for n in range(20):
            told(other, f"key{n}")
        second.get_by_role("treeitem").get_by_text("key19").first.wait_for()
        first.get_by_role("treeitem").get_by_text("part 2").first.wait_for()
        assert first.get_by_role("treeitem").get_by_text("key19").count() == 0
        first.get_by_role("tab", name="Runs").click()
        second.get_by_role("option").get_by_text("demo").click()
        second.get_by_role("treeitem").get_by_text("part 2").first.wait_for()
    (jupyter_lab.root / "go_on").touch()
    second.get_by_role("treeitem").get_by_text("end").first.wait_for()
    for root in (first, second):
        expect(status(root)).to_have_text("")
    expect(first.get_by_role("tab", selected=True)).to_have_text("Runs", use_inner_text=True)

    # a kernel that hears nothing for a while, which is said until it hears again
    jupyter_lab.wait_until_idle(page)
    seen.run("import ctypes; ctypes.PyDLL(None).usleep(5_000_000)")
    second.get_by_role("option").get_by_text("other").click()
    status(second).get_by_text("the kernel does not answer yet: it runs a cell, or is gone").wait_for()
    expect(status(second)).to_have_text("")
    second.get_by_role("treeitem").get_by_text("key19").first.wait_for()

    page.get_by_role("menuitem", name="Edit", exact=True).click()
    page.locator('[data-command="editmenu:clear-all"]:visible').click()
    threads = "[each.name for each in __import__('threading').enumerate()]"
    soon(lambda: "wf_notebook-watch" not in seen.value(threads))


LONG = """\
import time
from pathlib import Path
from wf_notebook import Workflow
session = storage.session("demo")
session.state |= {f"key {n:03}": {"n": n} for n in range(80)}
session.save()
class Long(Workflow):
    def run(self):
        n = 0
        while True:
            self.session_state["n"] = n = n + 1
            self.write_to_storage()
            yield f"part {n} "
            time.sleep(0.1)
Path("begin").unlink(missing_ok=True)"""
CELL = """\
%%workflow if_begun -s demo --storage duckdb:///live.duckdb
class IfBegun(Long):
    def run(self):
        if Path("begin").exists():
            yield from super().run()"""


def test_a_cell_that_runs_is_followed_by_two_inspectors_below_while_another_kernel_saves_and_nothing_jumps(
    open_notebook, jupyter_lab
):
    page = open_notebook("beside.ipynb", LONG, CELL, "looking", "inspector(storage, session='demo')")
    file = jupyter_lab.root / "live.duckdb"
    first, second = page.locator(".wf-inspector").first, page.locator(".wf-inspector").nth(1)
    tree = first.get_by_role("tree")
    tree.get_by_text("key 060").first.click()
    first.get_by_role("region", name="selected value").get_by_text('session_state["key 060"]').wait_for()
    second.get_by_role("tab", name="Runs").click()
    rows = second.get_by_role("listbox", name="runs").get_by_role("option")
    rows.first.wait_for()
    was = rows.count()
    scrolled = "tree => { while (tree.scrollHeight <= tree.clientHeight) tree = tree.parentElement; return tree.scrollTop; }"
    stays = tree.evaluate(scrolled)
    assert stays > 0

    (jupyter_lab.root / "begin").touch()
    page.locator(".jp-CodeCell").nth(2).locator(".cm-content").evaluate("cell => cell.focus()")
    page.keyboard.press("Control+Enter")
    rows.filter(has_text="● running").first.wait_for()
    expect(rows).to_have_count(was + 1)
    rows.first.click()
    run = second.get_by_role("region", name="run")
    run.get_by_text("part 5").first.wait_for()
    with another(SAVE, f"duckdb:///{file}", "demo") as other:
        for n in range(5):
            told(other, f"other {n}")
        tree.get_by_text("other 4").first.wait_for()
    heard = run.inner_text()
    page.wait_for_function("([run, heard]) => run.innerText.length > heard.length + 50", arg=[run.element_handle(), heard])
    assert tree.evaluate(scrolled) == stays
    assert tree.locator("[aria-selected=true]").inner_text().startswith("key 060")
    assert first.get_by_role("region", name="selected value").get_by_text('session_state["key 060"]').count() == 1
    assert first.get_by_role("tab", selected=True).inner_text() == "State"

    run.get_by_role("button", name="Stop").click()
    run.get_by_text("■ stopped").first.wait_for()
    jupyter_lab.wait_until_idle(page)
    expect(page.locator(".jp-OutputArea-output .wf-record").first).to_contain_text("■ stopped", use_inner_text=True)
    for root in (first, second):
        expect(status(root)).to_have_text("")
    with open_storage(f"duckdb:///{file}") as storage:
        state = storage.session("demo").state
        assert [key for key in state if key.startswith("other")] == [f"other {n}" for n in range(5)]
        assert state["n"] >= 5

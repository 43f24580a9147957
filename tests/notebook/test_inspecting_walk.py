"""A session that the local model made is walked through in one inspector; its kernel and another process see what it changed."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.timeout(300)]

STORE = """\
%load_ext wf_notebook
from wf_notebook import Agent, Workflow, inspector, open_storage, parallel, step
storage = open_storage("duckdb:///walked.duckdb")
writer = Agent(name="writer", model="local:smollm2", instructions="Answer in one short sentence.")

class Tale(Workflow):
    @step
    def outline(self, animal):
        return {"animal": animal, "parts": ["begin", "end"]}
    def run(self, animal):
        outline = self.outline(animal)
        self.session_state.setdefault("tales", []).append(outline)
        if animal == "unicorn":
            raise LookupError(f"no {animal} was found")
        def left():
            return writer.run(f"The {animal} sleeps. What does the {animal} do?", stream=True)
        def right():
            yield f"*{animal}*, a label"
        told = []
        for said in parallel(left, right):
            told.append(said.content or "")
            yield said
        self.session_state["text"] = "".join(told)
        self.session_state["tales"][-1]["words"] = len("".join(told).split())

class Note(Workflow):
    def run(self, text):
        self.session_state["note"] = text
        yield text"""
RUNS = """\
tale = Tale(session_id="tale", storage=storage, cache="use")
tale.run(animal="fox").result()
Tale(session_id="tale", storage=storage, cache="refresh").run(animal="fox").result()
Note(session_id="other", storage=storage).run(text="by the way").result()
try:
    Tale(session_id="tale", storage=storage).run(animal="unicorn").result()
except LookupError:
    pass
Note(session_id="another", storage=storage).run(text="last").result()"""
ELSEWHERE = """
import json, sys
from wf_notebook import open_storage
storage = open_storage(f"duckdb:///{sys.argv[1]}")
print(json.dumps(eval(sys.argv[2])))
"""


@pytest.mark.usefixtures("local_model")
def test_a_session_by_the_local_model_is_walked_through_and_its_values_are_the_same_everywhere(  # noqa: PLR0915 - one walk
    page, jupyter_lab, kernel
):
    name, file = "walked.ipynb", jupyter_lab.root / "walked.duckdb"
    page.set_viewport_size({"width": 1280, "height": 1000})
    jupyter_lab.write(name, STORE, RUNS, "looked = inspector(storage, session='tale')\nlooked")
    jupyter_lab.open(page, name)
    page.keyboard.press("Control+b")  # without the side bar
    jupyter_lab.run_all(page, timeout=90)
    seen = kernel(name)
    root = page.locator(".wf-inspector")
    root.get_by_role("treeitem").first.wait_for()
    root.evaluate("root => root.scrollIntoView()")

    def stored(code):
        command = [sys.executable, "-c", ELSEWHERE, str(file), code]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    def state(session="tale"):
        return f"storage.session({session!r}).state"

    def press(label, within=root):
        within.get_by_role("button", name=label, exact=True).click()

    def answer(label, typed=None):
        box = root.get_by_role("alertdialog")
        if typed is not None:
            box.get_by_role("textbox").fill(typed)
        press(label, box)
        box.wait_for(state="detached")

    def both(code, value):
        """Assert that something of the store is so, in this kernel and in another process."""
        seen.wait_for(code, value)
        assert stored(code) == value

    tree = root.get_by_role("tree", name="state")
    node = lambda key: tree.get_by_role("treeitem").filter(has_text=re.compile(rf"^{re.escape(key)}(?!\w)")).first
    tab = lambda label: root.get_by_role("tab", name=label).click()
    said = root.locator(":scope > [role=status]")
    session = lambda words: root.get_by_role("option").filter(has_text=words).first

    # Sessions: filtered as one types, opened.
    sessions = root.get_by_role("listbox", name="sessions")
    words = root.get_by_role("searchbox", name="filter sessions")
    expect(sessions.get_by_role("option")).to_have_count(3)
    words.fill("note")
    expect(sessions.get_by_role("option")).to_have_count(2)
    seen.wait_for("len(looked.sessions())", 2)
    session("another").click()
    node("note").wait_for()
    words.fill("")
    session("tale").click()

    # State: expanded, selected, searched.
    node("tales").click()
    node("[0]").click()
    node("animal").click()
    pane = root.get_by_role("region", name="selected value")
    pane.get_by_text("fox", exact=True).first.wait_for()
    seen.wait_for("[looked.path, looked.selection]", ['session_state["tales"][0]["animal"]', "fox"])
    root.get_by_role("searchbox", name="search the state").fill("unicorn")
    root.get_by_role("listbox", name="found").get_by_role("option").first.click()
    pane.get_by_text("unicorn", exact=True).first.wait_for()
    seen.wait_for("looked.path", 'session_state["tales"][2]["animal"]')

    # History: slid over, two versions and two sessions compared.
    newest = stored("storage.session('tale').newest()")
    slider = root.get_by_role("slider", name="version")
    slider.focus()
    page.keyboard.press("Home")
    root.get_by_role("group", name="version", exact=True).get_by_text(f"version 1 of {newest}").wait_for()
    pane.get_by_text("has nothing there").wait_for()
    seen.wait_for("looked.version", 1)
    tab("History")
    root.get_by_role("spinbutton", name="version to compare with").fill(str(newest))
    page.keyboard.press("Tab")
    root.get_by_text(f"tale:{newest} → tale:1").wait_for()
    expect(root.get_by_role("tree", name="differences").locator("[data-kind]")).to_have_count(seen.value("len(looked.diff)"))
    root.get_by_role("textbox", name="session to compare with").fill("other")
    page.keyboard.press("Tab")
    root.get_by_text(re.compile("other:1 → tale:1")).wait_for()
    press("the one before")

    # Forked, and restored, after a question.
    press("Fork…")
    answer("Fork", "forked")
    said.get_by_text("forked begins as version 1 of tale was").wait_for()
    root.get_by_role("group", name="version", exact=True).get_by_text("version 1 of 1").wait_for()
    seen.wait_for("looked.session.session_id", "forked")
    assert stored(state("forked")) == seen.value(state("forked")) == stored("storage.session('tale').at(1)")
    session("tale").click()
    tab("History")
    root.get_by_role("group", name="versions").get_by_role("button", name=re.compile("^1 · ")).click()
    before = stored(state())
    press("Restore…")
    answer("Restore")
    said.get_by_text(f"is now version {newest + 1}").wait_for()
    both(state(), stored("storage.session('tale').at(1)"))
    versions = root.get_by_role("group", name="versions")
    versions.get_by_role("button", name=re.compile(f"^{newest + 1} · ")).wait_for()  # till then the one before is the newest here
    versions.get_by_role("button", name=re.compile(f"^{newest} · ")).click()
    press("Restore…")
    answer("Restore")
    said.get_by_text(f"is now version {newest + 2}").wait_for()
    both(state(), before)

    # A value is edited, that undone; one is added, and deleted.
    tab("State")
    node("tales").wait_for()
    if node("tales").get_attribute("aria-expanded") != "true":
        node("tales").click()
    node("[0]").click()
    node("animal").click()
    press("Edit")
    field = root.get_by_role("textbox", name="value", exact=True)
    field.fill("wolf")
    press("Save")
    pane.get_by_text("wolf", exact=True).first.wait_for()
    both(f"{state()}['tales'][0]['animal']", "wolf")
    press("Undo")
    pane.get_by_text("fox", exact=True).first.wait_for()
    both(state(), before)
    node("[0]").click()
    press("Add…")
    root.get_by_role("textbox", name="key").fill("legs")
    root.get_by_role("combobox", name="type").select_option("int")
    field.fill("4")
    press("Save")
    node("legs").click()
    both(f"{state()}['tales'][0]['legs']", 4)
    press("Delete…")
    answer("Delete")
    expect(tree.get_by_role("treeitem").filter(has_text=re.compile("^legs(?!.*removed)"))).to_have_count(0)
    both(state(), before)

    # As a variable; as rows of a query, and as a dataframe.
    node("animal").click()
    press("To variable")
    answer("Put", "animal")
    said.get_by_text("animal").wait_for()
    assert seen.value("animal") == "fox"
    tab("SQL")
    root.get_by_label("SQL query").fill(
        "SELECT status, count(*) AS n FROM runs WHERE session_id = 'tale' GROUP BY ALL ORDER BY 1"
    )
    press("Run")
    root.get_by_role("cell", name="completed").wait_for()
    press("To dataframe")
    answer("Put", "counts")
    said.get_by_text("counts is a DataFrame of 2 rows").wait_for()
    assert seen.value("counts.to_dict('list')") == {"status": ["completed", "failed"], "n": [2, 1]}
    assert seen.value("looked.frame().equals(counts)")

    # Runs: each part of one; the error of another; takes; again.
    tab("Runs")
    rows = root.get_by_role("listbox", name="runs").get_by_role("option")
    expect(rows).to_have_count(3)
    rows.nth(1).click()
    run = root.get_by_role("region", name="run")
    part = lambda label: run.locator("details", has=page.locator("> summary", has_text=re.compile(f"^{label}"))).last

    def opened(label):
        part(label).locator("> summary").click()
        return part(label)

    expect(part("Responses")).to_contain_text("fox, a label")
    seen.wait_for("looked.run.status", "completed")
    expect(opened("Timeline").locator("tr").filter(has_text="writer")).to_have_count(1)
    expect(opened("Steps").locator("tr").filter(has_text="outline")).to_have_count(1)
    expect(opened("Record").locator(".wf-record")).to_contain_text("fox, a label")
    opened("Replay").locator("iframe").content_frame.get_by_text("fox, a label", exact=True).wait_for()
    takes = opened("Takes").get_by_role("group", name="takes of outline")
    takes.get_by_role("button", name="use this one").first.click()
    answer("Use it")
    takes.get_by_text("✓ used").wait_for()
    rows.nth(0).click()
    expect(part("Error")).to_contain_text('raise LookupError(f"no {animal} was found")')
    expect(run).to_contain_text("✗ failed: LookupError: no unicorn was found")
    rows.nth(2).click()
    press("Run again", run)
    answer("Run again")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("✓ completed")
    both(f"len({state()}['tales'])", 4)
    both("storage.runs('tale')['status'][0]", "completed")

    # The page is reloaded: the same session, version, path and view.
    tab("State")
    node("text").click()
    slider.focus()
    page.keyboard.press("ArrowLeft")
    root.get_by_text("⚠ older version").wait_for()
    seen.wait_for("looked.place.version is None", False)
    place = seen.value("[looked.place.session, looked.place.version, looked.place.path, looked.place.view]")
    assert place[0] == "tale"
    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    page.reload()
    root.get_by_text(f"⚠ older version {place[1]} of").wait_for()
    expect(node("text")).to_have_attribute("aria-selected", "true")
    expect(root.get_by_role("tab", selected=True)).to_have_text("State", use_inner_text=True)
    seen.wait_for("[looked.place.session, looked.place.version, looked.place.path, looked.place.view]", place)

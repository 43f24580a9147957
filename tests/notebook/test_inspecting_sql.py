"""The SQL box of an inspector in a real JupyterLab."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

STORE = """\
%load_ext wf_notebook
from wf_notebook import inspector, open_storage
storage = open_storage("duckdb:///sql.duckdb")
session = storage.session("demo")
session.state["posts"] = [{"title": "a"}]
session.state["essay"] = "<img src=x onerror=fired(1)> " + "word " * 200
session.save()
df = "what was there\""""
LATER = """\
print(df.to_dict(), look.sql[-20:])
posts = look.query("SELECT value FROM session_state WHERE key = 'posts'")
print(posts[0], look.frame().shape)"""
DIGITS = "WITH d(n) AS (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9))"
ENDLESS = f"{DIGITS} SELECT count(*) FROM {', '.join(f'd d{number}' for number in range(14))}"


@pytest.fixture
def root(page, jupyter_lab):
    """Return an inspector of a new store at its SQL view, in a notebook with one more cell to run."""
    for left in jupyter_lab.root.glob("sql.duckdb*"):
        left.unlink()
    jupyter_lab.write("sql.ipynb", STORE, "look = inspector(storage, session='demo'); look", LATER)
    page.add_init_script("window.fires = []; window.fired = (n) => window.fires.push(n)")
    jupyter_lab.open(page, "sql.ipynb")
    page.locator(".jp-CodeCell").first.click()
    for _ in range(2):
        page.keyboard.press("Shift+Enter")
    root = page.locator(".wf-inspector")
    root.get_by_role("tab", name="SQL").click()
    yield root
    assert page.evaluate("window.fires") == []


@pytest.mark.browser
def test_a_query_is_asked_and_its_result_is_read_in_pages(page, root):
    box, said = root.get_by_label("SQL query"), root.locator(".wfi-said")
    root.get_by_role("button", name="the state, newest first").click()
    box.press("Control+Enter")
    cells = root.locator("tbody tr").first.locator("td")
    cells.first.wait_for()
    expect(root.locator("tbody tr")).to_have_count(2)
    assert sorted(root.locator("tbody td:first-child").all_inner_texts()) == ["essay", "posts"]
    assert root.get_by_role("columnheader").all_inner_texts()[0].split() == ["key", "text"]
    essay = root.locator("tr", has_text="<img src=x").locator("td").nth(1)
    essay.focus()
    page.keyboard.press("Enter")
    root.get_by_text("word " * 199).wait_for()
    expect(essay).to_have_attribute("aria-expanded", "true")

    box.fill(f"{DIGITS} SELECT a.n + 10 * b.n + 100 * c.n AS n, 'title' AS title FROM d a, d b, d c ORDER BY n")
    root.get_by_role("button", name="Run", exact=True).click()
    root.get_by_text("1–100 of 1,000").wait_for()
    root.get_by_role("region", name="result").focus()
    page.keyboard.press("Control+End")
    root.get_by_text("901–1,000 of 1,000").wait_for()
    expect(root.locator("tbody tr").last).to_have_text(re.compile(r"^\s*999\s+title\s*$"), use_inner_text=True)

    box.fill("SELECT nope FROM runs")
    box.press("Control+Enter")
    said.filter(has_text="; correct the query").wait_for()
    assert "\n" not in said.inner_text()
    expect(root.locator("tbody")).to_have_count(0)
    box.fill("SELECT 1 AS n WHERE false")
    box.press("Control+Enter")
    said.filter(has_text="the query gives no rows").wait_for()


@pytest.mark.browser
def test_a_runaway_is_stopped_and_a_result_is_put_into_the_notebook(page, root):
    box, said = root.get_by_label("SQL query"), root.locator(".wfi-said")
    box.fill(ENDLESS)
    box.press("Control+Enter")
    root.get_by_text(re.compile(r"^0\.[3-9] s$")).wait_for()
    root.get_by_role("button", name="Stop").click()
    said.filter(has_text="the query was stopped").wait_for()

    box.fill("SELECT 7 AS n, 'b' AS title")
    box.press("Control+Enter")
    root.get_by_text("1 row", exact=True).wait_for()
    root.get_by_role("button", name="To dataframe").click()
    name = root.get_by_label("name of the variable")
    name.fill("no name")
    name.press("Enter")
    root.get_by_text("'no name' cannot be the name of a variable").wait_for()
    root.get_by_role("button", name="To dataframe").click()
    name.press("Enter")
    root.get_by_text("df is a str already; replace it?").wait_for()
    root.get_by_role("button", name="Replace").click()
    root.get_by_text("df is a DataFrame of 1 row, in the place of what it was").wait_for()
    page.locator(".jp-CodeCell").last.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    page.get_by_text("{'n': {0: 7}, 'title': {0: 'b'}} 7 AS n, 'b' AS title").wait_for()

    page.get_by_text("{'value': [{'title': 'a'}]} (1, 1)").wait_for()
    root.get_by_role("cell", name="[{'title': 'a'}]").wait_for()
    expect(box).to_have_value("SELECT value FROM session_state WHERE key = 'posts'")

    page.keyboard.press("Control+s")
    page.wait_for_function("() => !document.querySelector('.jp-mod-dirty')")
    page.reload()
    root.get_by_role("cell", name="[{'title': 'a'}]").wait_for()
    expect(box).to_have_value("SELECT value FROM session_state WHERE key = 'posts'")

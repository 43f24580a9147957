"""The walk through sessions and state in a real JupyterLab: its inspector, and what Python does with it, are one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from wf_notebook import Workflow

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "05_sessions_and_state.ipynb"


class Other(Workflow):
    """What another notebook left in the store."""

    def run(self):
        yield "said"


@pytest.mark.browser
@pytest.mark.picture
@pytest.mark.timeout(180)
def test_the_inspector_of_the_walk_follows_what_python_does_with_it(page, jupyter_lab, picture):
    folder = jupyter_lab.root / "walk"
    (folder / ".workflows").mkdir(parents=True)
    for name in ("blog", "news", "report"):
        storage = f"duckdb:///{folder / '.workflows' / 'workflows.duckdb'}"
        Other(name=name.title(), session_id=name, session_state={"said": name * 99}, storage=storage).run().result()
    shutil.copy(NOTEBOOK, folder)
    page.set_viewport_size({"width": 1200, "height": 860})
    jupyter_lab.open(page, f"walk/{NOTEBOOK.name}")
    page.keyboard.press("Control+b")  # without the side bar
    jupyter_lab.run_all(page, timeout=120)
    shown = page.locator(".wf-inspector")
    shown.scroll_into_view_if_needed()
    books = shown.get_by_role("treeitem").filter(has_text="books").first
    books.wait_for()
    shown.get_by_text(re.compile(r"^version (\d+) of \1$")).wait_for()  # it looks at the newest again
    books.click()
    shown.get_by_text("click", exact=True).first.wait_for()
    shown.evaluate("shown => shown.scrollIntoView({block: 'end'})")
    picture("inspector")

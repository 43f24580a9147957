"""The static tree in a real browser: on a page that nbconvert made, and in JupyterLab before anything has run."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import expect

from wf_notebook import inspector, open_storage

pytestmark = pytest.mark.browser

HOSTILE = json.loads((Path(__file__).parent.parent / "data" / "hostile.json").read_text())
TEXTS = [each["text"].replace("{n}", str(n)) for n, each in enumerate(HOSTILE)]
#: Opens all that folds, and points at everything; what that sets off has happened once a picture that is not there has failed.
PROVOKE = """() => {
    for (const element of document.querySelectorAll(".wf-still *")) {
        for (const kind of ["mouseover", "mouseenter", "focus"]) element.dispatchEvent(new Event(kind));
        if (element.localName === "details") element.open = true;
    }
    return new Promise(done => { Object.assign(new Image(), {onerror: () => setTimeout(done, 100), src: "data:image/png,x"}); });
}"""


def kept(state):
    """Return a notebook with what an inspector of a state leaves in it."""
    storage = open_storage("memory:")
    session = storage.session("demo")
    session.state.update(state)
    session.save()
    cell = nbformat.v4.new_code_cell("%wf inspect demo", execution_count=1)
    bundle = inspector(storage, session="demo")._repr_mimebundle_()
    cell.outputs = [nbformat.v4.new_output("execute_result", bundle, execution_count=1)]
    return nbformat.v4.new_notebook(
        cells=[cell], metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )


def screenshot(page, name):
    screenshots = Path(__file__).parents[2] / "build" / "screenshots"
    screenshots.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=screenshots / f"{name}.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_page_of_nbconvert_it_unfolds_and_runs_and_fetches_nothing(page, tmp_path, theme):
    seen = []
    page.expose_function("fired", lambda n: seen.append(f"fired {n}"))
    page.on("dialog", lambda dialog: (seen.append("dialog"), dialog.dismiss()))
    page.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    page.on("request", lambda request: "evil" in request.url and seen.append(request.url))
    state = {f"{n} {text[:100]}": [text, {text[:50]: text}, {text[:50]: 1}] for n, text in enumerate(TEXTS)}
    notebook = kept(state | {f"text {n}": text for n, text in enumerate(TEXTS)} | {"posts": [{"a": 1}, {"a": 2}]})
    html, _ = HTMLExporter(theme=theme).from_notebook_node(notebook)
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page.goto((tmp_path / "page.html").as_uri(), wait_until="domcontentloaded")
    tree = page.locator(".wf-still")
    assert "session demo" in tree.inner_text()
    page.evaluate(PROVOKE)
    assert seen == []
    assert tree.evaluate("tree => getComputedStyle(tree).color") == (
        "rgba(0, 0, 0, 0.87)" if theme == "light" else "rgb(255, 255, 255)"
    )
    assert tree.evaluate("tree => tree.scrollWidth <= tree.clientWidth + 1")
    screenshot(page, f"still_{theme}")


def test_in_jupyterlab_it_is_there_before_anything_has_run(page, jupyter_lab):
    nbformat.write(
        kept({"posts": [{"title": "On cats"}, {"title": "On dogs"}], "n": {"deep": {"er": [[1]]}}}),
        jupyter_lab.root / "still.ipynb",
    )
    jupyter_lab.open(page, "still.ipynb")
    tree = page.locator(".jp-OutputArea-output")
    tree.get_by_text("On dogs").wait_for()
    changes = tree.get_by_text("set posts, n")
    assert not changes.is_visible()
    tree.locator("summary", has_text="versions").click()
    changes.wait_for()
    screenshot(page, "still_lab")


def test_what_is_said_with_it_stays_above_the_widget_that_takes_its_place(page, jupyter_lab):
    jupyter_lab.write(
        "copy.ipynb", "from wf_notebook import Workflow\nWorkflow(session_id='blog', session_state={'n': 1}).inspect()"
    )
    jupyter_lab.open(page, "copy.ipynb")
    jupyter_lab.run_all(page)
    page.locator(".wf-inspector").get_by_role("treeitem").first.wait_for()
    expect(page.locator(".wf-still")).to_have_count(0)
    page.get_by_text("a copy of session 'blog' as it is now").wait_for()
    screenshot(page, "still_copy")

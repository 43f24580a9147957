"""What others wrote is shown and nothing else: it runs nothing and fetches nothing, live and in the record.

The payloads lie in `tests/data/hostile.json`; those that fire against a naive widget say so.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

HOSTILE = json.loads((Path(__file__).parent.parent / "data" / "hostile.json").read_text())
#: Name → text; {n} is the number of the payload, by which it is known when it fires.
PAYLOADS = {each["name"]: each["text"].replace("{n}", str(n)) * each.get("times", 1) for n, each in enumerate(HOSTILE)}
SHORT = [text for text in PAYLOADS.values() if len(text) < 300 and text.isprintable()]
FIRES = {n for n, each in enumerate(HOSTILE) if each.get("fires")}
#: What a hand does to all that is shown: it points, opens, and clicks on what looks like a link to a script. What that sets off
#: has happened once a picture that is not there has failed.
PROVOKE = """() => {
    for (const element of document.querySelectorAll(".jp-OutputArea-output *")) {
        const opens = element.role === "tab"; // where it has the focus
        const kinds = ["mouseover", "mouseenter", ...(opens ? [] : ["focus"])];
        for (const kind of kinds) element.dispatchEvent(new Event(kind));
        if (element.localName === "details") element.open = true;
        const link = element.getAttribute("href") ?? element.getAttribute("xlink:href") ?? "";
        if (/^javascript:/i.test(link.replace(/[\\s\\x00-\\x1f]/g, "")))
            element.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true}));
    }
    return new Promise(done => { Object.assign(new Image(), {onerror: () => setTimeout(done, 100), src: "data:image/png,x"}); });
}"""
#: A traceback: JupyterLab itself makes links of what looks like an address in it.
ERROR_OUTPUT = ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']"
#: What is there that could run or fetch something.
DANGERS = """() => {
    const found = [], parts = /^(script|iframe|object|embed|link|meta|base|form|style|foreignobject)$/;
    const names = /^on|^(srcdoc|srcset|action|formaction|poster|data|background)$/;
    const picture = /^data:image\\/(png|jpeg|gif|webp|svg\\+xml);base64,/;
    const outputs = ".jp-OutputArea-output:not([data-mime-type='application/vnd.jupyter.stderr'])";
    for (const element of document.querySelectorAll(`${outputs} *`)) {
        if (parts.test(element.localName)) found.push(element.outerHTML.slice(0, 200));
        for (const {name, value} of element.attributes)
            if (names.test(name)
                || (/href$/.test(name) && !/^(https?:|mailto:|#)/i.test(value))
                || (name === "src" && !(element.localName === "img" && picture.test(value)))
                || (name === "style" && /url\\(|fixed|expression/.test(value)))
                found.push(`${element.localName} ${name}=${value.slice(0, 200)}`);
    }
    return found;
}"""


class Listener:
    """Sees what runs in a page, what it asks of other hosts, and where it goes."""

    def __init__(self, page, home):
        self.seen: list[str] = []
        page.expose_function("fired", lambda n: self.seen.append(f"fired {n}"))
        page.on("dialog", lambda dialog: (self.seen.append("dialog"), dialog.dismiss()))
        page.on("popup", lambda popup: self.seen.append(f"popup {popup.url}"))
        page.on("websocket", lambda socket: self._asked(socket.url.replace("ws:", "http:"), home))
        page.context.route(lambda url: not url.startswith((home, "data:", "blob:")), self._refused)

    def _asked(self, url, home):
        if not url.startswith(home):
            self.seen.append(f"asked {url}")

    def _refused(self, route):
        self.seen.append(f"asked {route.request.url}")
        route.abort()

    def numbers(self):
        """Return the numbers of the payloads that fired."""
        return {int(n) for what in self.seen for n in re.findall(r"^fired (\d+)|evil-(\d+)\.example", what) for n in n if n}


NAIVE = """\
import json
import anywidget, traitlets
from IPython.display import HTML, display
from markdown_it import MarkdownIt

class Naive(anywidget.AnyWidget):
    _esm = (
        "export default { render({ model, el }) { for (const html of model.get('blocks')) {"
        "  el.append(document.createElement('div')); el.lastChild.innerHTML = html;"
        "} } }"
    )
    blocks = traitlets.List().tag(sync=True)

markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
texts = [text for text in json.load(open("payloads.json")).values() if len(text) < 4000]
display(Naive(blocks=[markdown.render(text) for text in texts]))
display(HTML("\\n\\n".join(texts)))
"""


SETUP = """\
import json
import pandas as pd
from wf_notebook import Agent, RunEvent, RunResponse, Workflow, parallel
from wf_notebook.testing import ToolCall, scripted

texts = list(json.load(open("payloads.json")).values())
short = [text for text in texts if len(text) < 4000]


class Shown:
    def __init__(self, html):
        self.html = html

    def _repr_html_(self):
        return self.html

    __str__ = __repr__ = _repr_html_


def branch(text, *, fails):
    def said():
        yield text
        if fails:
            raise ValueError(text)

    said.__name__ = said.__qualname__ = text
    return said()


def calls(text, **said):
    call = {"tool_name": text, "tool_call_id": text, "tool_args": {text: text}}
    yield RunResponse(event=RunEvent.tool_call_started.value, tools=[call])
    yield RunResponse(event=RunEvent.tool_call_completed.value, tools=[call | said])
"""
#: All payloads in one run, everywhere at once; it waits where a reader looks at it.
LIVE = """\
class Everything(Workflow):
    def run(self, **inputs):
        for text in short:
            yield RunResponse(text, event=RunEvent.reasoning_step.value)
            yield text + "\\n\\n"
            yield RunResponse({text: [text, {text: text}], "frame": pd.DataFrame({text: [text]}), "html": Shown(text)})
            yield from calls(text, result=text)
            yield from calls(text, tool_call_error=text)
            self.session_state[text] = text
        tools = [lambda question: question]
        model = scripted(ToolCall("<lambda>", {"question": short[0]}), short[0])
        yield from Agent(model, tools=tools).run(short[0], stream=True)
        yield from parallel(*(branch(text, fails=n % 2) for n, text in enumerate(short)), on_error="keep")
        yield "THE END\\n\\n"
        open("hostile").read()  # a pipe: waits here until somebody writes


inputs = {f"text{n}": text for n, text in enumerate(short)}
Everything(name=short[6], session_id=short[7], storage="memory:").run(**inputs)
"""
#: Each payload as a name, a session, an input and an error; in two cells, as an output area has at most 50 outputs.
NAMES = """\
class Named(Workflow):
    def run(self, text):
        yield "said"
        raise ValueError(text)


get_ipython().run_line_magic("xmode", "Minimal")  # a traceback takes longer than the run
for text in texts[{}]:
    try:
        display(Named(name=text, session_id=text, storage="memory:").run(text))
    except BaseException:
        pass
"""
LARGE = """\
class Large(Workflow):
    def run(self):
        for text in texts:
            if len(text) >= 4000:
                for start in range(0, len(text), 100_000):
                    yield text[start : start + 100_000]
                yield "\\n\\n"


Large(storage="memory:").run()
"""
ERROR = """\
get_ipython().run_line_magic("xmode", "Context")
class Fails(Workflow):
    def run(self):
        yield "said"
        raise ValueError("\\n".join(short))


Fails(storage="memory:").run()
"""
#: Each payload as the name and the id of a session, as an input, as keys and values of its state, and as an error; then all in
#: one state; then all in one run whose workflow, steps, agents, tools and branches are named so, and in one that was done twice.
INSPECTED = """\
from wf_notebook import inspector, open_storage, step
storage = open_storage("duckdb:///hostile.duckdb")
class Kept(Workflow):
    def run(self, text):
        self.session_state[text] = {text: [text, {text: text}]}
        yield text
        raise ValueError(text)


for text in short:
    try:
        list(Kept(name=text, session_id=text, storage=storage).run(text))
    except ValueError:
        pass
session = storage.session("everything")
for text in short:
    session.state[text] = text
    session.state["list of " + text] = [{text: text, "frame": pd.DataFrame({text: [text]})}]
session.save()
for text in short[::2]:
    session.state[text] = "changed to " + text
session.save()


def named(text):
    def does(given):
        return [text, given]

    does.__name__ = does.__qualname__ = text
    return step(does)


steps = [named(text) for text in short[::4]]
class Everything(Workflow):
    def run(self, **inputs):
        for text, does in zip(short[::4], steps):
            does(text)
        for text in short:
            yield from calls(text, result=text)
            yield text + "\\n\\n"
        model = scripted(ToolCall("<lambda>", {"question": short[0]}), short[0])
        yield from Agent(model, name=short[6], tools=[lambda question: question]).run(short[0], stream=True)
        yield from parallel(*(branch(text, fails=n % 2) for n, text in enumerate(short)), on_error="keep")
        raise ValueError("\\n".join(short))


Everything.__name__ = Everything.__qualname__ = short[6]
inputs = {f"text{n}": text for n, text in enumerate(short)}
for mode in ("use", "refresh"):
    try:
        list(Everything(session_id="everything", storage=storage, cache=mode).run(**inputs))
    except ValueError:
        pass
inspector(storage, session="everything")
"""


def run_all(page):
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def test_the_payloads_fire_where_they_are_shown_as_they_are(page, jupyter_lab):
    (jupyter_lab.root / "payloads.json").write_text(json.dumps(PAYLOADS))
    jupyter_lab.write("naive.ipynb", NAIVE, "'all shown'")
    page = page.context.browser.new_page()  # one whose own errors count for nothing
    listener = Listener(page, jupyter_lab.url)
    jupyter_lab.open(page, "naive.ipynb")
    run_all(page)
    page.locator(".jp-OutputArea-output").get_by_text("all shown").wait_for()
    for _ in range(100):  # a video that is not there takes longer to fail than a picture
        page.evaluate(PROVOKE)
        if not FIRES - listener.numbers():
            break
    assert [HOSTILE[n]["name"] for n in FIRES - listener.numbers()] == []
    assert len(FIRES) >= 40
    assert page.evaluate(DANGERS) != []


def test_nothing_runs_and_nothing_leaves_the_page_live_and_in_the_record(page, jupyter_lab):
    (jupyter_lab.root / "payloads.json").write_text(json.dumps(PAYLOADS))
    os.mkfifo(jupyter_lab.root / "hostile")
    cells = [SETUP, LIVE, NAMES.format(":40"), NAMES.format("40:"), LARGE, ERROR]
    jupyter_lab.write("hostile.ipynb", "%load_ext wf_notebook", *cells)
    listener = Listener(page, jupyter_lab.url)
    jupyter_lab.open(page, "hostile.ipynb")
    home = page.url
    run_all(page)

    outputs = page.locator(".jp-OutputArea-output")
    outputs.get_by_text("THE END").first.wait_for()
    assert outputs.locator(".wf-record").count() == 0, "it is live"
    page.evaluate(PROVOKE)
    assert page.evaluate(DANGERS) == []
    assert listener.seen == []
    live = outputs.first.text_content()

    (jupyter_lab.root / "hostile").write_text("go on")
    outputs.get_by_text("ValueError").last.wait_for()
    page.locator(ERROR_OUTPUT).wait_for()
    page.evaluate(PROVOKE)
    assert page.evaluate(DANGERS) == []
    assert outputs.locator(".wf-record").count() == len(HOSTILE) + 3
    record = outputs.locator(".wf-record").first.text_content()
    for text in ("<script>fired(0)</script>", "<img src=x onerror=fired(6)>"):
        assert (text in live, text in record) == (True, True), "it is shown as text"
    heads = outputs.locator(".wf-record > p:first-child").all_text_contents()
    assert [head for head in heads if re.search("[\x00-\x08\x1b\x7f\u202a-\u202e\u2066-\u2069]", head)] == []
    assert (listener.seen, page.url) == ([], home)


@pytest.mark.timeout(300)
def test_nothing_runs_and_nothing_leaves_the_page_in_the_inspector(page, jupyter_lab):  # noqa: PLR0915 - all views of one store
    (jupyter_lab.root / "payloads.json").write_text(json.dumps(PAYLOADS))
    jupyter_lab.write("looked_at.ipynb", "%load_ext wf_notebook", SETUP, INSPECTED)
    listener = Listener(page, jupyter_lab.url)
    jupyter_lab.open(page, "looked_at.ipynb")
    home = page.url
    jupyter_lab.run_all(page, timeout=150)
    root = page.locator(".jp-OutputArea-output .wf-inspector")
    root.get_by_role("treeitem").first.wait_for()
    sessions = root.get_by_role("listbox", name="sessions").get_by_role("option")
    assert int(sessions.first.get_attribute("aria-setsize")) > 60
    root.get_by_role("treeitem").first.click()
    root.get_by_role("treeitem", level=2).nth(50).wait_for()
    assert "<script>fired(0)</script>" in root.get_by_role("tree").text_content(), "it is shown as text"

    def nothing_happens():
        page.evaluate(PROVOKE)
        # Ours: the replay, which has an origin of its own, and the editor.
        allowed = re.compile(r'<iframe [^>]*sandbox="allow-scripts" title="replay"|iframe srcdoc=|<form aria-label="edit" ')
        assert [each for each in page.evaluate(DANGERS) if not allowed.match(each)] == []

    def press(label):
        root.get_by_role("button", name=label, exact=True).first.click()

    # The state: a search, a table, questions.
    root.get_by_role("searchbox", name="search the state").fill("fired")
    root.get_by_role("listbox", name="found").get_by_role("option").nth(20).wait_for()
    nothing_happens()
    root.get_by_role("listbox", name="found").get_by_role("option").nth(3).click()
    root.get_by_role("region", name="selected value").get_by_text("fired").first.wait_for()
    for label, end in (("Delete…", "Cancel"), ("To variable", "Cancel"), ("Edit", "Cancel")):
        press(label)
        nothing_happens()
        press(end)
    # What changed, and the question before a fork.
    root.get_by_role("tab", name="History").click()
    root.get_by_role("group", name="versions").get_by_role("button", name=re.compile("^1 · ")).click()
    root.get_by_role("tree", name="differences").get_by_role("treeitem").nth(20).wait_for()
    press("Restore…")
    nothing_happens()
    press("Cancel")
    # A run with all that it has open.
    root.get_by_role("tab", name="Runs").click()
    root.get_by_role("listbox", name="runs").get_by_role("option").first.click()
    run = root.get_by_role("region", name="run")
    for label in ("Timeline", "Steps", "Changes", "Takes", "Record", "Replay"):
        run.locator("summary").filter(has_text=re.compile(f"^{label}")).last.click()
    takes = run.locator("details").filter(has=page.locator("summary", has_text=re.compile("^Takes")))
    takes.get_by_role("button", name="next page (Page Down)").click()
    takes.get_by_text(re.compile(r"^11–\d+ of \d+$")).wait_for()
    run.locator("iframe").content_frame.get_by_text("fired").first.wait_for()
    nothing_happens()
    run.get_by_role("button", name="use this one").first.click()
    nothing_happens()
    press("Cancel")
    press("Run again")
    nothing_happens()
    press("Cancel")
    # The result of a query, its columns, and an error of one.
    root.get_by_role("tab", name="SQL").click()
    box = root.get_by_label("SQL query")
    quoted = [text.replace("'", "''") for text in SHORT]
    named = ", ".join("'{}' AS \"{}\"".format(text, name.replace('"', '""')) for text, name in zip(quoted, SHORT, strict=True))
    for query, shown in (
        ("SELECT key, value, run_id FROM session_state", "100 of"),
        (f"SELECT {named}", "1 row"),
        (f'SELECT * FROM "{SHORT[6]}"', "correct the query"),
    ):
        box.fill(query)
        box.press("Control+Enter")
        root.get_by_role("status").filter(has_text=shown).first.wait_for()
        nothing_happens()
    for n in (3, 9):
        root.get_by_role("listbox", name="sessions").locator(f"[aria-posinset='{n}']").click()
        root.locator("[role=option][aria-current=true]").nth(0).wait_for()
        for tab in root.get_by_role("tab").all():
            tab.click()
            nothing_happens()
    assert (listener.seen, page.url) == ([], home)

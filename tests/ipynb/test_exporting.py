"""A session as a file: a notebook that runs again, a page, Markdown and JSON; nothing in it runs by itself."""

from __future__ import annotations

import json
import re
import stat
import sys
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
from markdown_it import MarkdownIt
from nbclient import NotebookClient

from wf_notebook import RunResponse, Workflow, open_storage, step
from wf_notebook.errors import BadArguments, UnknownSession, UnwritableFile
from wf_notebook.ipynb.calls import call
from wf_notebook.ipynb.exporting import FORMATS, export, exported
from wf_notebook.ipynb.files import write as write_whole
from wf_notebook.ipynb.line import read_line
from wf_notebook.keying.program import Program

HOSTILE = [each["text"] for each in json.loads((Path(__file__).parent.parent / "data" / "hostile.json").read_text())]
SAFE = {"a", "b", "br", "code", "details", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "img", "li", "ol", "p", "pre"}
SAFE |= {"blockquote", "s", "small", "span", "strong", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul", "sub", "sup"}
PAGE = {"html", "head", "meta", "title", "style", "body", "main"}
ENTRIES = 3


@step
def counted(topic: str) -> list[int]:
    """Return the length of each word."""
    return [len(word) for word in topic.split()] * (ENTRIES - 2)


class Blog(Workflow):
    """Writes about a topic."""

    def run(self, topic: str, day: date | None = None, fail: bool = False):
        self.session_state.setdefault("posts", []).append({"title": topic, "words": counted(topic)})
        yield f"## {topic}\n\nIt has *{sum(counted(topic))}* letters."
        if fail:
            raise ValueError("no ducks")


@pytest.fixture
def blog():
    """Return a workflow that ran three times, and failed once."""
    blog = Blog(session_id="demo", storage="sqlite:///runs.db", cache="use")
    blog.run("large ducks", day=date(2026, 1, 2)).result()
    blog.run("cats").result()
    blog.run("large ducks", day=date(2026, 1, 2)).result()
    with pytest.raises(ValueError, match="no ducks"):
        blog.run("owls", fail=True).result()
    return blog


def sources(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


# -- the notebook --------------------------------------------------------------------------------------------------------------


def test_it_has_the_source_the_runs_the_state_and_the_timeline(blog):
    path = blog.session.to_notebook("report.ipynb")
    notebook = nbformat.read(path, as_version=4)
    load, workflow, cats, ducks, owls, state, posts, timeline = sources(notebook)
    assert load == "%load_ext wf_notebook\n%config WorkflowMagics.storage = 'sqlite:///runs.db'\nimport datetime"
    assert workflow.startswith("%%workflow blog --no-run --quiet -s demo\nfrom __future__ import annotations\n")
    assert "ENTRIES = 3\n\n\n@step\ndef counted(topic: str)" in workflow
    assert "HOSTILE" not in workflow
    assert cats == "%workflow blog -s demo topic='cats'"
    assert ducks == "%workflow blog -s demo topic='large ducks' day=datetime.date(2026, 1, 2)"
    assert owls == "# ✗ failed: ValueError: no ducks. This line goes on:\n# %workflow blog -s demo topic='owls' fail=True"
    assert (state, posts, timeline) == ("%wf state -s demo", "%wf state posts -s demo", "blog.last_run.timeline()")
    assert {cell.source: cell.metadata.tags for cell in notebook.cells if cell.metadata} == {
        owls: ["skip-execution"],
        state: ["volatile"],
        timeline: ["volatile"],
    }
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "4 runs of Blog (3 are shown: runs with equal inputs once)" in prose
    assert "1 more run had the same inputs" in prose


def test_a_record_in_it_is_that_of_the_run_and_says_of_which_session_and_store(blog):
    notebook = nbformat.read(blog.session.to_notebook("report.ipynb"), as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ()) if output.output_type == "display_data"]
    runs = [blog.storage.run(output.metadata.wf_notebook.run_id) for output in outputs]
    assert [dict(output.data) for output in outputs] == [run._repr_mimebundle_() for run in runs]
    assert {(output.metadata.wf_notebook.session_id, output.metadata.wf_notebook.storage) for output in outputs} == {
        ("demo", "sqlite:///runs.db")
    }
    assert set(notebook.metadata) == {"kernelspec", "language_info", "wf_notebook"}
    assert {name for cell in notebook.cells for name in cell.metadata} == {"tags"}
    assert [{*output.metadata} - {"wf_notebook"} for output in outputs] == [set()] * len(outputs)


def test_it_is_valid_and_the_same_byte_for_byte_until_something_changes(blog):
    first = blog.session.to_notebook("report.ipynb").read_bytes()
    again = open_storage("sqlite:///runs.db").session("demo").to_notebook("other.ipynb").read_bytes()
    assert first == again
    notebook = nbformat.reads(first.decode(), as_version=4)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    before = {cell.id: cell.source for cell in notebook.cells}
    assert len(before) == len(notebook.cells)
    blog.run("mice").result()
    after = {cell.id: cell.source for cell in nbformat.read(blog.session.to_notebook("new.ipynb"), as_version=4).cells}
    assert len(after.keys() - before.keys()) == 2  # the heading and the line of the new run
    assert [cell for cell in before if before[cell] != after[cell]] == [notebook.cells[0].id]  # how many there are


def test_a_session_of_which_no_source_was_kept_says_so_and_runs_nothing(blog):
    blog.storage.transact(lambda tx: tx.rows("DELETE FROM step_log WHERE op = 'source'", ()), write=True)
    notebook = nbformat.read(blog.session.to_notebook("report.ipynb"), as_version=4)
    assert "The source of Blog was not kept" in "\n".join(cell.source for cell in notebook.cells)
    assert all(line.startswith(("#", "%load_ext", "%config")) for source in sources(notebook) for line in source.splitlines())


def test_a_run_that_another_source_made_says_so(tmp_path, monkeypatch):
    storage = open_storage("memory:")
    for word in ("one", "two"):
        file = tmp_path / f"{word}.py"
        file.write_text(f"from wf_notebook import Workflow\nclass Flow(Workflow):\n    def run(self, n): return '{word}'\n")
        monkeypatch.setitem(sys.modules, "flows", module := ModuleType("flows"))
        exec(compile(file.read_text(), str(file), "exec"), vars(module))
        module.Flow(session_id="demo", storage=storage).run(word)
    notebook = nbformat.reads(exported(storage.session("demo"), "ipynb"), as_version=4)
    assert "return 'two'" in sources(notebook)[1]
    notes = [cell.source.partition("\n\n")[2] for cell in notebook.cells if cell.source.startswith("## Flow")]
    assert notes == ["Its source was another one than that above: it was changed since.", ""]


CELL = """%%workflow blog topic='cats'
from wf_notebook import step

@step
def outline(topic):
    return look(topic)

def run(self, topic: str, n: int = 1):
    self.session_state.setdefault('posts', {})[topic] = {'n': n}
    yield '# ' + outline(topic) * n
"""
ORIGINAL = [
    "%load_ext wf_notebook\nimport re\nFACTOR = 2",
    "class Choice:\n    best = FACTOR\n\ndef look(text):\n    return re.sub('a', 'o', text) * Choice.best",
    CELL,
    "%workflow blog topic='mats' n=2",
    "%wf export -o report.ipynb",
]


@pytest.fixture(scope="module")
def run_in():
    """Return a way to run a notebook in a real kernel, in a folder."""

    def run(notebook, folder):
        NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(folder)}}).execute()
        return [output for cell in notebook.cells for output in cell.get("outputs", ())]

    return run


@pytest.fixture(scope="module")
def folder(run_in, tmp_path_factory):
    """Return a folder in which a notebook ran, and wrote its session as another one."""
    folder = tmp_path_factory.mktemp("original")
    (folder / ".workflows").mkdir()
    cells = [nbformat.v4.new_code_cell(source) for source in ORIGINAL]
    run_in(nbformat.v4.new_notebook(cells=cells), folder)
    return folder


def told(outputs):
    return [output.metadata.wf_notebook for output in outputs if "wf_notebook" in output.get("metadata", {})]


def records(outputs):
    return [output.data["text/html"] for output in outputs if "wf_notebook" in output.get("metadata", {})]


def test_it_runs_from_top_to_bottom_in_a_new_kernel_and_all_comes_from_the_store(run_in, folder):
    notebook = nbformat.read(folder / "report.ipynb", as_version=4)
    before = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert "%config" not in sources(notebook)[0]  # it finds the store by itself
    after = run_in(nbformat.read(folder / "report.ipynb", as_version=4), folder)
    assert [(each.steps, each.hits, each.session_id) for each in told(after)] == [(1, 1, "blog")] * 2
    assert records(after) == records(before)
    assert [output.output_type for output in after] == [output.output_type for output in before]


def test_it_runs_from_top_to_bottom_with_another_store_and_all_is_done_anew(run_in, folder, tmp_path):
    after = run_in(nbformat.read(folder / "report.ipynb", as_version=4), tmp_path)
    assert [(each.steps, each.hits, each.status) for each in told(after)] == [(1, 0, "completed")] * 2
    assert not [output for output in after if output.output_type in {"error", "stream"} and "Traceback" in str(output)]


# -- the line of a run ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [*HOSTILE, "it's", '"', "\\", "a\nb", "what?", "", " x ", "{y}", "<odd", None, 1.5, [1, {"a": "'"}]]
)
def test_a_line_gives_the_same_inputs_back_whatever_they_are(value):
    inputs = {"topic": value, "odd name": value, "class": 3}
    line = call("blog", "demo", inputs, None).line
    assert "\n" not in line
    assert read_line(line.removeprefix("%workflow ")).inputs({}) == inputs


@pytest.mark.parametrize(
    ("annotation", "value", "line", "lacks"),
    [
        ("date", "datetime.date(2026, 1, 2)", "x=datetime.date(2026, 1, 2)", ()),
        ("str", "datetime.date(2026, 1, 2)", "x='datetime.date(2026, 1, 2)'", ()),
        ("date", "datetime.sys.exit(1)", "x=…", ("x",)),
        ("set[int]", "{1, 2}", "x={1, 2}", ()),
        ("pd.DataFrame", "   a\n0  1", "x=…", ("x",)),
        ("", "<Thing object at 0x7f>", "x=…", ("x",)),
        ("str", "<redacted MY_API_KEY>", "x=…", ("x",)),
    ],
)
def test_what_a_line_cannot_hold_is_named_and_what_it_can_is_itself(annotation, value, line, lacks):
    hint = f": {annotation}" if annotation else ""
    made = call("blog", "demo", {"x": value}, Program("Blog", f"class Blog:\n    def run(self, x{hint}): ..."))
    assert (made.line, made.lacks) == (f"%workflow blog -s demo {line}", lacks)


# -- what others wrote ---------------------------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """Collects what could run or fetch something, and what is closed in a wrong order."""

    def __init__(self, html, safe):
        super().__init__()
        self.found, self.open, self._safe = [], [], safe
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag not in self._safe:
            self.found.append(tag)
        for name, value in attributes:
            is_away = name == "href" and not re.match(r"https?:|mailto:", value or "")
            is_fetched = name in {"src", "srcset", "background", "poster"} and not (value or "").startswith("data:image/")
            if name.startswith("on") or is_away or is_fetched or (name == "style" and "url(" in (value or "")):
                self.found.append(f"{tag} {name}={value}")
        if tag not in {"img", "br", "hr", "meta", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.found.append(f"</{tag}>")


FENCE = """
```
<script>fired(0)</script>

# No heading.
"""


class Trusting(MarkdownIt):
    """A renderer that lets HTML and every link through."""

    def __init__(self):
        super().__init__("commonmark", {"html": True})
        self.enable("table")

    def validateLink(self, url):
        return True


class Says(Workflow):
    """Says what it is told to."""

    mark = FENCE

    def run(self, text: str):
        self.session_state[text[:200]] = {"value": text}
        yield text
        yield RunResponse({text[:50]: [text]})


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """Return a session that has the payloads everywhere."""
    storage = open_storage(f"sqlite:///{tmp_path_factory.mktemp('hostile')}/runs.db")
    text = "".join(HOSTILE[:3])[:300]
    says = Says(session_id=text, session_name=text, storage=storage)
    for each in HOSTILE:
        says.run(each).result()
    says.run("[by name][x]\n\n> [x]: javascript:fired(1)\n\n- [x]: javascript:fired(2)\n\n[x]: javascript:fired(3)").result()
    return says.session


def test_nothing_that_others_wrote_runs_in_the_page(hostile):
    html = exported(hostile, "html")
    head, body = html.removesuffix("</html>\n").split("</head>")
    assert Elements(body, SAFE | PAGE).found == []
    assert re.findall(r"<(script|link|iframe|base)\b", head) == []
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in head


def test_nothing_that_others_wrote_leaves_its_place_in_markdown(hostile):
    text = exported(hostile, "md")
    html = Trusting().render(text)
    assert Elements(html, SAFE - {"img"}).found == []
    top = [
        token
        for token in MarkdownIt("commonmark").enable("table").parse(text)
        if token.type == "heading_open" and not token.level
    ]
    assert len(top) == 1 + 1 + len(HOSTILE) + 1 + sum(line.startswith(("## State", "### ")) for line in text.splitlines())


def test_nothing_that_others_wrote_becomes_a_line_of_a_cell(hostile):
    notebook = nbformat.reads(exported(hostile, "ipynb"), as_version=4)
    lines = [source for source in sources(notebook) if source.startswith("%workflow")]
    assert [read_line(line.removeprefix("%workflow ")).inputs({})["text"] for line in lines][:-1] == HOSTILE
    assert {len(line.splitlines()) for line in lines} == {1}
    (first,) = [source for source in sources(notebook) if source.startswith("%load_ext")]
    assert first.splitlines()[-1] == f"SESSION = {hostile.session_id!r}"
    html = "".join(Trusting().render(c.source) for c in notebook.cells if c.cell_type == "markdown")
    assert Elements(html, SAFE - {"img", "a"}).found == []


@pytest.mark.parametrize("form", FORMATS)
def test_a_secret_is_in_no_file_even_if_it_is_known_only_now(form, monkeypatch):
    says = Says(session_id="demo", storage="memory:")
    says.run("the key is sk-of-the-test, they say").result()
    monkeypatch.setenv("MY_API_KEY", "sk-of-the-test")
    text = exported(says.session, form)
    assert "sk-of-the-test" not in text
    assert "redacted MY" in text


# -- the other formats ---------------------------------------------------------------------------------------------------------


def test_json_has_all_runs_with_what_they_said_and_the_state_as_it_is_stored(blog):
    blog.session_state["at"] = date(2026, 1, 2)
    tree = json.loads(exported(blog.session, "json"))
    assert (tree["schema"], tree["version"], tree["session"]["session_id"]) == ("wf_notebook.session", 1, "demo")
    assert [run["status"] for run in tree["runs"]] == ["completed", "completed", "completed", "failed"]
    assert tree["runs"][1]["inputs"] == {"topic": "cats"}
    assert [said["content"] for said in tree["runs"][1]["responses"]] == ["## cats\n\nIt has *4* letters."]
    assert tree["state"]["at"] == {"$date": "2026-01-02"}
    assert [version["version"] for version in tree["versions"]] == [v.version for v in blog.session.versions()]
    assert tree["session"]["storage"] == "sqlite:///runs.db"


def test_markdown_quotes_what_was_said(blog):
    text = exported(blog.session, "md")
    assert "> ## cats\n>\n> It has *4* letters." in text
    assert "| title | words |\n| --- | --- |" in text


def test_the_name_of_the_file_says_the_format_and_the_session_the_name(blog):
    assert export(blog.session).name == "demo.ipynb"
    assert export(blog.session, format="html").name == "demo.html"
    assert export(blog.session, "report.md").read_text().startswith("# demo\n")
    with pytest.raises(BadArguments, match="no format 'htm'; did you mean 'html'"):
        export(blog.session, format="htm")


# -- where no file can be ------------------------------------------------------------------------------------------------------


def test_a_file_that_is_there_stays_unless_it_is_said(blog):
    Path("report.ipynb").write_text("mine")
    with pytest.raises(UnwritableFile, match=r"'report\.ipynb' is there already; --force, or force=True, replaces"):
        blog.session.to_notebook("report.ipynb")
    assert Path("report.ipynb").read_text() == "mine"
    Path("report.ipynb").chmod(0o640)
    blog.session.to_notebook("report.ipynb", force=True)
    assert stat.S_IMODE(Path("report.ipynb").stat().st_mode) == 0o640
    nbformat.read("report.ipynb", as_version=4)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere/report.ipynb", "the folder 'nowhere' is not there; make it, or name another one"),
        (".", "'.' is a folder; name a file in it"),
        ("runs.db/report.ipynb", "'runs.db' is no folder; name another one"),
    ],
)
def test_a_place_where_no_file_can_be_is_said_in_one_line(blog, path, message):
    with pytest.raises(UnwritableFile) as error:
        blog.session.to_notebook(path)
    assert error.value._render_traceback_() == [f"UnwritableFile: {message}"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "report.md"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "half of it " * 10_000 + "\ud800")
    assert (path.read_text(), [each.name for each in tmp_path.iterdir()]) == ("before", ["report.md"])
    with path.open() as reader:
        write_whole(path, "after")
        assert (reader.read(), path.read_text()) == ("before", "after")


def test_a_session_that_is_in_no_store_is_refused():
    with pytest.raises(UnknownSession, match="kept in memory only"):
        Blog(session_id="demo").session.to_notebook("report.ipynb")
    storage = open_storage("memory:")
    Says(session_id="demo", storage=storage).run("a").result()
    with pytest.raises(UnknownSession, match="no session 'dmeo' in memory:; did you mean 'demo'"):
        storage.session("dmeo").to_notebook("report.ipynb")
    assert not Path("report.ipynb").exists()


@pytest.mark.browser
def test_nothing_runs_or_is_fetched_when_the_page_is_opened_even_without_its_policy(hostile, page, tmp_path):
    html = exported(hostile, "html").replace("{n}", "1")
    file = tmp_path / "page.html"
    file.write_text(re.sub(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", html))
    assert "Content-Security-Policy" not in file.read_text()
    seen = []
    page.expose_function("fired", lambda n: seen.append(f"fired {n}"))
    page.on("dialog", lambda dialog: (seen.append("dialog"), dialog.dismiss()))
    page.on("request", lambda request: seen.append(request.url))
    page.goto(file.as_uri())
    page.evaluate("() => document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.evaluate("() => new Promise(done => Object.assign(new Image(), {onerror: done, src: 'data:image/png,x'}))")
    assert [each for each in seen if not str(each).startswith("data:")] == [file.as_uri()]
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 26)"

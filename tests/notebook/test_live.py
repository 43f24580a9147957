from __future__ import annotations

import json
import queue

import pytest
from jupyter_client.manager import start_new_kernel
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

pytestmark = pytest.mark.slow  # real kernels

VIEW = "application/vnd.jupyter.widget-view+json"
SETUP = "%load_ext wf_notebook\n%config WorkflowMagics.storage = 'memory:'\nfrom wf_notebook import *"
BLOG = """\
class Blog(Workflow):
    def run(self, topic):
        self.session_state["topic"] = topic
        yield f"# On {topic}\\n\\n<script>alert(1)</script> and "
        __import__("time").sleep(0.3)  # long enough for a widget
        yield RunResponse({"tags": ["<b>", "x"]})
"""
BAD = """\
class Bad(Workflow):
    def run(self):
        yield "part"
        raise ValueError("oh no")
"""
LOOSE = """\
from threading import Event
from wf_notebook.agents import adapt
from wf_notebook.testing import scripted
told, writer = Event(), Agent(scripted("one two"), name="writer")

def tell(text):
    yield from text
    told.set()

def bad_branch():
    yield from ()
    told.wait()
    Event().wait(0.1)
    raise ValueError("oh no")
"""
WAITS = """\
class Waits(Workflow):
    def run(self):
        yield "part"
        print("ready", flush=True)
        input_that_never_comes = __import__("threading").Event()
        input_that_never_comes.wait()
"""
#: No page is there that could have the widgets: they are closed all the same, a few seconds later.
CLOSED = """\
from threading import Event
from time import monotonic
from ipywidgets.widgets.widget import _instances
began = monotonic()
while _instances and monotonic() < began + 30:
    Event().wait(0.05)
len(_instances)
"""


@pytest.fixture(scope="module")
def notebook(run_notebook):
    """Return a notebook that ran: the outputs of its cells, by what is in them."""
    sources = {
        "setup": SETUP,
        "magic": f"%%workflow blog topic='cats'\n{BLOG}",
        "underscore": "_.content",
        "plain": "blog.run(topic='dogs')",
        "displayed": "stream = blog.run(topic='hens')\ndisplay(stream)",
        "again": "stream",
        "quiet": "%workflow blog -q topic='x'",
        "no stream": "%workflow blog --no-stream topic='y'",
        "captured": "%%capture captured\nblog.run(topic='x')",
        "printed": "pprint_run_response(blog.run(topic='owls'), markdown=True, show_time=True)",
        "printed plain": "pprint_run_response(iter([RunResponse('a *b*\\n'), RunResponse('<c>')]))",
        "printed one": "await apprint_run_response(RunResponse('one'))",
        "loose": LOOSE,
        "branches": "parallel(tell('ab'), bad_branch(), on_error='keep')",
        "agent": "writer.run('go', stream=True)",
        "function": "stream = adapt(tell).run('abc', stream=True)\nstream",
        "function again": "stream",
        "failing branch": "parallel(tell('ab'), bad_branch())",
        "what the others gave": "import sys; sys.last_value.results[0].content",
        "failing cell": f"%%workflow bad\n{BAD}",
        "failing value": "bad.run()",
        "failing display": "display(bad.run())",
        "failing print": "pprint_run_response(bad.run())",
        "typo": "%workflow blgo",
        "background": "%workflow blog --background -o going topic='geese'",
        "waited for": "going.result();",
        "failing background": "%workflow bad --background -o going",
        "awaited": "await going",
        "not waited for": "%workflow blog --background -s 'my blog' topic='z'",
        "widgets": CLOSED,
    }
    done = run_notebook(*sources.values())
    return {name: cell.outputs for name, cell in zip(sources, done.cells, strict=True)} | {"": done}


@pytest.mark.parametrize(
    ("name", "who", "text"),
    [
        ("branches", "parallel", "▸ tell\nab\n\n▸ bad_branch\n✗ failed: ValueError: oh no"),
        ("agent", "writer", "one two"),
        ("function", "tell", "abc"),
    ],
)
def test_a_stream_of_no_workflow_is_shown_too_and_leaves_a_record_without_a_session(notebook, name, who, text):
    (output,) = notebook[name]
    assert output.output_type == "display_data"
    assert output.metadata.wf_notebook.status == "completed"
    head, _, body = output.data["text/plain"].partition("\n\n")
    assert head.startswith(f"{who} · ✓ completed · ")
    assert sorted(body.split("\n\n")) == sorted(text.split("\n\n"))
    assert "wf-record" in output.data["text/html"]
    assert "session" not in output.data["text/html"]


def test_what_an_agent_used_is_in_the_record_of_its_stream(notebook):
    assert " · scripted · 52 tokens · " in notebook["agent"][0].data["text/plain"]


def test_a_stream_that_was_shown_says_what_it_was(notebook):
    (output,) = notebook["function again"]
    assert output.data["text/plain"] == "<stream of function 'tell', over: .result() is its answer>"


def test_a_failing_branch_fails_its_cell_and_leaves_what_the_others_gave(notebook):
    record, error = notebook["failing branch"]
    assert (error.output_type, error.ename, error.evalue) == ("error", "ValueError", "oh no")
    assert record.metadata.wf_notebook.status == "failed"
    assert "✗ failed: ValueError: oh no in branch 'bad_branch' of parallel" in record.data["text/plain"]
    assert "wf_notebook/" not in "".join(error.traceback)
    assert notebook["what the others gave"][0].data["text/plain"] == "'ab'"


@pytest.mark.parametrize("name", ["magic", "plain", "displayed", "again", "no stream"])
def test_a_run_leaves_one_record_and_no_widget(notebook, name):
    (output,) = notebook[name]
    assert output.output_type == "display_data"
    assert sorted(output.data) == ["text/html", "text/plain"]
    assert output.metadata.wf_notebook.status == "completed"
    html = output.data["text/html"]
    assert "<h1>On " in html
    assert "<th>topic</th><td>set</td>" in html
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "<li>&lt;b&gt;</li>" in html


def test_a_run_in_the_background_gets_its_record_where_its_result_is_waited_for(notebook):
    record, handle = notebook["background"]
    assert ("✓ completed" in record.data["text/plain"], "# On geese" in record.data["text/plain"]) == (True, True)
    assert handle.output_type == "execute_result"
    assert "✗ failed: ValueError: oh no" in notebook["failing background"][0].data["text/plain"]
    assert notebook["awaited"][-1].ename == "ValueError"
    assert (
        notebook["not waited for"][0].data["text/plain"] == "Blog · session my blog · ● running; %wf show -s 'my blog' shows it"
    )


def test_the_notebook_as_saved_has_no_widget_view(notebook):
    assert VIEW not in json.dumps([cell.outputs for cell in notebook[""].cells])


def test_a_page_made_of_the_notebook_shows_its_records(notebook):
    page, _ = HTMLExporter().from_notebook_node(notebook[""])
    records = [
        output
        for cell in notebook[""].cells
        for output in cell.outputs
        if "wf-record" in output.get("data", {}).get("text/html", "")
    ]
    assert page.count('<div class="wf-record') == len(records) > 10
    assert (f'<script type="{VIEW}"' in page, "Error displaying widget" in page) == (False, False)


def test_widgets_are_closed_at_the_end_and_what_was_said_is_not_kept_in_them(notebook):
    assert notebook["widgets"][0].data["text/plain"] == "0"
    assert "On cats" not in json.dumps(notebook[""].metadata)


def test_the_response_is_in_underscore_without_an_output_of_its_own(notebook):
    assert notebook["underscore"][0].data["text/plain"].startswith("'# On cats")


def test_quiet_leaves_nothing_and_captured_output_nothing_in_the_notebook(notebook):
    assert (notebook["quiet"], notebook["captured"]) == ([], [])


def test_pprint_leaves_a_box_with_what_was_said(notebook):
    (markdown,), (plain,), (one,) = notebook["printed"], notebook["printed plain"], notebook["printed one"]
    assert "<h1>On owls</h1>" in markdown.data["text/html"]
    assert "<em>Response (" in markdown.data["text/html"]
    assert '<div style="white-space: pre-wrap">a *b*\n&lt;c&gt;</div>' in plain.data["text/html"]
    assert one.data["text/plain"] == "one"


@pytest.mark.parametrize("name", ["failing cell", "failing value", "failing display"])
def test_a_failing_run_fails_its_cell_and_its_record_says_so(notebook, name):
    record, error = notebook[name]
    assert (error.output_type, error.ename, error.evalue) == ("error", "ValueError", "oh no")
    assert (record.metadata.wf_notebook.status, "part" in record.data["text/plain"]) == ("failed", True)
    assert "ValueError: oh no" in record.data["text/plain"]
    assert "wf_notebook/" not in "".join(error.traceback)


def test_a_failing_print_fails_its_cell_and_keeps_what_was_said(notebook):
    printed, error = notebook["failing print"]
    assert (printed.data["text/plain"], error.ename) == ("part", "ValueError")


def test_our_own_errors_are_one_line_of_a_real_error_output(notebook):
    (error,) = notebook["typo"]
    assert (error.output_type, error.ename) == ("error", "UnknownWorkflow")
    assert error.traceback == ["UnknownWorkflow: no workflow named 'blgo'; did you mean 'blog'?"]


@pytest.mark.parametrize("source", [f"%%workflow bad\n{BAD}", f"{BAD}\nBad().run()", "%workflow nobody"])
def test_run_all_stops_at_a_failing_run(run_notebook, source):
    with pytest.raises(CellExecutionError):
        run_notebook(SETUP, source, "print('never')", allow_errors=False)


def test_an_interrupt_ends_the_run_and_keeps_what_was_said():
    manager, client = start_new_kernel()
    try:
        client.execute_interactive(SETUP)
        messages = queue.SimpleQueue()

        def hook(message):
            messages.put(message)
            if message["msg_type"] == "stream":
                manager.interrupt_kernel()

        reply = client.execute_interactive(f"%%workflow waits\n{WAITS}", output_hook=hook, timeout=60)
        assert reply["content"]["ename"] == "RunStopped"
        records = []
        while not messages.empty():
            content = messages.get()["content"]
            if "wf_notebook" in content.get("metadata", {}):
                records.append(content)
        assert [record["metadata"]["wf_notebook"]["status"] for record in records] == ["stopped"]
        assert "part" in records[0]["data"]["text/plain"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

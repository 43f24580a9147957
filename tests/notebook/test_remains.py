"""What a run leaves in the notebook: all of its record, its answer alone, or nothing; and all of it when it is asked for."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from traitlets import TraitError

from wf_notebook.notebook.remains import wished
from wf_notebook.render.record import MOST

FLOW = """\
%%workflow flow
from wf_notebook import *
from wf_notebook.testing import ToolCall, scripted

def double(number: int) -> int:
    return 2 * number

class Flow(Workflow):
    def run(self):
        self.session_state["n"] = 1
        agent = Agent(scripted(["Let me see. ", ToolCall("double", {"number": 4})], "It is 8."), name="a", tools=[double])
        yield agent.run("?", stream=True)
"""
LONG = f"""\
%%workflow long
from wf_notebook import *
class Long(Workflow):
    def run(self):
        yield "x" * {MOST + 7} + "the end"
"""


def test_all_of_it_stays_and_the_rest_is_folded(cells):
    cells.good(FLOW)
    html = cells.displayed[0]["data"]["text/html"]
    assert [part.split("</summary>")[0] for part in html.split("<details><summary>")[1:]] == [
        "✓ double(number=4)", "session_state: 1 change", html.split("<summary>")[3].split("</summary>")[0],
    ]  # fmt: skip
    assert "timeline: 1 agent, 1 tool, " in html


def test_compact_leaves_the_head_and_the_answer(cells):
    cells.good("%config WorkflowMagics.record = 'compact'")
    cells.good(FLOW)
    (record,) = cells.displayed
    assert "<details>" not in record["data"]["text/html"]
    assert "flow" in record["data"]["text/html"].lower()
    assert record["data"]["text/plain"].split("\n\n")[1:] == ["Let me see. ", "It is 8."]
    assert record["metadata"]["wf_notebook"]["status"] == "completed"


def test_none_leaves_no_output_and_gives_the_response(cells):
    cells.good("%config WorkflowMagics.record = 'none'")
    assert cells.good(FLOW).content == "Let me see. It is 8."
    assert cells.displayed == []
    assert "It is 8." not in cells.printed
    assert cells.good("_.content") == "Let me see. It is 8."
    cells.good("flow.last_run.show()")
    assert "It is 8." in cells.printed


def test_what_else_it_may_be_is_refused(cells):
    with pytest.raises(TraitError, match="'full', 'compact', 'none'"):
        cells.shell.magics_manager.registry["WorkflowMagics"].record = "some"
    assert wished() == "full"


def test_the_record_of_a_run_and_what_wf_show_gives_are_one_and_the_same(cells):
    cells.good(FLOW)
    left = cells.displayed[0]["data"]
    run = cells.good("%wf show")
    assert run._repr_mimebundle_() == left
    assert cells.good("flow.last_run")._repr_mimebundle_() == left


def test_what_is_cut_in_the_record_is_whole_when_it_is_asked_for(cells):
    cells.good(LONG)
    left = cells.displayed[0]["data"]
    run = cells.good("long.last_run")
    note = f"… cut here; 14 more characters: run.show() or %wf show {run.run_id[:8]} opens all of it"
    for text in left.values():
        assert note in text
        assert "the end" not in text
    for text in cells.good(f"%wf show {run.run_id[:8]}")._repr_mimebundle_().values():
        assert "cut here" not in text
        assert "the end" in text


def test_a_stream_of_no_workflow_has_its_timeline_too(cells):
    cells.good("from wf_notebook import *; from wf_notebook.testing import scripted")
    cells("Agent(scripted('one two'), name='writer').run('go', stream=True)")
    assert "timeline: 1 agent, " in cells.displayed[0]["data"]["text/html"]


@pytest.mark.slow
def test_in_a_kernel_nothing_stays_in_the_place_of_the_widget_and_show_opens_the_run_at_once(run_notebook):
    setup = "%load_ext wf_notebook\n%config WorkflowMagics.storage = 'memory:'"
    slow = LONG.replace('"x" *', '"<b>" + "x" *').replace(
        "    def run", "    wait = __import__('threading').Event().wait\n    def run"
    )
    slow += "        self.wait(0.5)  # longer than a run that shows no widget\n"
    done = run_notebook(
        setup,
        "%config WorkflowMagics.record = 'none'",
        slow,
        "long.last_run.show()\nprint('after')",
        "%wf show",
        allow_errors=False,
    )
    _, _, none, shown, by_magic = (cell.outputs for cell in done.cells)
    assert [dict(output.data) for output in none] == [{"text/plain": ""}]
    assert none[0].metadata == {}
    assert [output.output_type for output in shown] == ["display_data", "stream"]
    assert "the end" in shown[0].data["text/html"]
    assert shown[0].metadata.wf_notebook.status == "completed"
    assert by_magic[-1].data["text/html"] == shown[0].data["text/html"]


MATH = r"""%%workflow sums
from wf_notebook import *
class Sums(Workflow):
    def run(self):
        yield parallel(iter(["$\\href{https://example.org}{click}$ and $x^2$"]), iter(["two"]), iter(["three"]))
"""


@pytest.mark.browser
def test_in_a_real_page_the_record_folds_its_lanes_and_leaves_formulas_as_they_are_written(page, jupyter_lab):
    setup = "%load_ext wf_notebook\n%config WorkflowMagics.storage = 'memory:'"
    other = r"from IPython.display import HTML; HTML('<p>$\\href{https://example.org}{click}$</p>')"
    jupyter_lab.write("sums.ipynb", setup, MATH, "sums.last_run.timeline()", other)
    jupyter_lab.open(page, "sums.ipynb")
    jupyter_lab.run_all(page)
    page.locator("mjx-container a").wait_for(state="attached")  # elsewhere they are typeset, links and all
    record = page.locator(".jp-OutputArea-output .wf-record")
    assert record.locator("mjx-container").count() == 0
    assert [record.locator("summary").nth(n).inner_text().split()[0] for n in range(4)] == [
        "branch",
        "branch",
        "branch",
        "timeline:",
    ]
    bars = record.locator("details").last
    assert bars.evaluate("bars => bars.open") is False
    bars.locator("summary").click()
    expect(bars.locator("td > div").last).to_be_visible()
    widths = bars.locator("td > div").evaluate_all("bars => bars.map(bar => bar.getBoundingClientRect().width)")
    assert len(widths) == 3
    assert min(widths) > 0
    assert bars.evaluate("bars => bars.scrollWidth <= bars.clientWidth")
    image = page.locator(".jp-RenderedSVG")
    page.wait_for_function("image => image.getBoundingClientRect().height > 60", arg=image.element_handle())

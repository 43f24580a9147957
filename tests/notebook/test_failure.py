from __future__ import annotations

import re
import signal
import threading

import pytest

from wf_notebook.errors import RunStopped

pytestmark = pytest.mark.slow  # a shell or a kernel for each

BAD = """\
from wf_notebook import Workflow
class Bad(Workflow):
    def run(self):
        yield "part"
        self.helper()
    def helper(self):
        try:
            {}["x"]
        except KeyError as error:
            raise ValueError("oh no") from error
"""
EXPECTED = """\
KeyError                                  Traceback (most recent call last)
Cell In[{cell}], line 9, in Bad.helper(self)
      8 try:
----> 9     {{}}["x"]
     10 except KeyError as error:

KeyError: 'x'

The above exception was the direct cause of the following exception:

ValueError                                Traceback (most recent call last)
Cell In[{cell}], line 6, in Bad.run(self)
      4 def run(self):
      5     yield "part"
----> 6     self.helper()

Cell In[{cell}], line 11, in Bad.helper(self)
      9     {{}}["x"]
     10 except KeyError as error:
---> 11     raise ValueError("oh no") from error

ValueError: oh no
"""


def traceback(cells):
    return cells.printed.partition("-" * 75 + "\n")[2].removeprefix("\n")


def test_an_exception_in_a_cell_has_the_cells_lines_and_no_frames_of_ours(cells):
    error = cells.bad(f"%%workflow bad\n{BAD}")
    assert (type(error), vars(error)) == (ValueError, {})
    assert traceback(cells) == EXPECTED.format(cell=1)


@pytest.mark.parametrize("source", ["bad.run()", "display(bad.run())"])
def test_a_failing_stream_that_is_displayed_fails_its_cell_with_the_users_traceback(cells, source):
    cells.good(f"%%workflow bad -n\n{BAD}")
    error = cells.bad(source)
    assert (type(error).__name__, str(error)) == ("ValueError", "oh no")
    assert traceback(cells) == EXPECTED.format(cell=1)


def test_a_failing_line_shows_where_it_was_called(cells):
    cells.good(f"%%workflow bad -n\n{BAD}")
    cells.bad("1 + 1\n%workflow bad")
    assert "Cell In[2], line 2\n      1 1 + 1\n----> 2 get_ipython().run_line_magic('workflow', 'bad')\n\nCell In[1], line 6" in (
        traceback(cells)
    )


def test_a_wrong_cell_names_the_line_of_the_cell(cells):
    error = cells.bad("%%workflow bad\n\n\nclass Bad(Workflow):\n    def run(self:\n        pass\n")
    assert type(error).__name__ == "SyntaxError"
    assert cells.printed.strip() == "Cell In[1], line 5\n    def run(self:\n           ^\nSyntaxError: '(' was never closed"


def test_an_exception_while_the_cell_defines_names_the_line_of_the_cell(cells):
    cells.bad("%%workflow bad \\\n  topic='x'\nfrom wf_notebook import Workflow\nclass Bad(Workflow):\n    n = 1 / 0\n")
    assert "Cell In[1], line 5, in Bad()" in traceback(cells)
    assert "wf_notebook/notebook" not in cells.printed


def test_a_syntax_error_of_the_users_own_parsing_is_theirs(cells):
    source = BAD.replace("self.helper()", "eval('1 +')")
    assert type(cells.bad(f"%%workflow bad\n{source}")) is SyntaxError


def test_a_group_of_exceptions_that_is_displayed_fails_its_cell(cells):
    cells.good(
        "%%workflow bad -n\nfrom wf_notebook import Workflow\nclass Bad(Workflow):\n    def run(self):\n"
        "        yield 'part'\n        raise ExceptionGroup('several', [ValueError('one'), KeyError('two')])\n"
    )
    assert type(cells.bad("bad.run()")).__name__ == "ExceptionGroup"
    assert "ValueError: one" in cells.printed


def test_an_interrupt_is_recorded_as_stopped_and_ends_the_cell_in_one_line(cells):
    source = f"%%workflow bad\n{BAD.replace('self.helper()', 'raise KeyboardInterrupt')}"
    assert type(cells.bad(source)) is RunStopped
    assert re.search(
        r"^RunStopped: Bad was stopped after 0\.\d s; what it said and changed is saved$", cells.printed, re.MULTILINE
    )
    assert "■ stopped" in cells.text
    assert cells.good("bad.last_run.status, bad.last_run.content") == ("stopped", "part")


def test_a_stopped_run_that_is_kept_nowhere_says_where_its_changes_are(cells):
    cells.good(f"%%workflow bad -n\n{BAD.replace('self.helper()', 'raise KeyboardInterrupt')}")
    assert type(cells.bad("Bad().run()")).__name__ == "RunStopped"
    assert re.search(r"stopped after 0\.\d s; what it changed is in its session_state$", cells.printed, re.MULTILINE)


def test_an_interrupt_between_two_responses_ends_the_run(cells):
    from wf_notebook.notebook import live
    from wf_notebook.notebook.views import RecordView

    class Interrupted(RecordView):
        def add(self, response):
            raise KeyboardInterrupt

    cells.good(f"%%workflow bad -n\n{BAD}")
    workflow = cells.shell.user_ns["bad"]
    with pytest.raises(RunStopped):
        live.perform(workflow, {}, Interrupted())
    assert (workflow.last_run.status, workflow.last_run.content) == ("stopped", "part")


OURS = """\
from wf_notebook import Agent, Workflow
from wf_notebook.testing import Breaks, scripted
class Ours(Workflow):
    writer = Agent(scripted(Breaks("one", ConnectionError("gone"))), name="writer")
    def run(self):
        {line}
        yield "never"
"""
BROKEN = "ModelFailed: agent 'writer' on 'scripted': gone"
BAD_OUTPUT = (
    "BadRunOutput: run() gave a value of type 'int'; yield or return RunResponse, str, a pydantic model, or a stream of these"
)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("yield self.writer.run('?')", BROKEN),
        ("yield self.writer.run('?', stream=True)", BROKEN),
        ("yield from self.writer.run('?', stream=True)", BROKEN),
        ("yield [self.writer.run('?', stream=True)]", BROKEN),
        ("yield 3", BAD_OUTPUT),
        ("return self.writer.run('?')", BROKEN),
    ],
)
@pytest.mark.parametrize("way", ["%workflow ours", "ours.run()", "list(ours.run())"])
def test_an_error_of_ours_names_the_line_of_the_users_that_it_came_from(cells, line, said, way):
    cells.good(f"%%workflow ours -n\n{OURS.format(line=line)}")
    cells.bad(way)
    assert cells.printed.strip().splitlines()[-2:] == [said, f"at line 7 of the cell: {line}"]


def test_a_batch_run_and_an_async_one_name_the_line_too(cells):
    source = OURS.format(line="return helper(self)").replace("        yield 'never'\n", "").replace('        yield "never"\n', "")
    cells.bad(f"%%workflow ours\n{source}\ndef helper(flow):\n    return flow.writer.run('?')\n")
    assert cells.printed.strip() == f"{BROKEN}\nat line 10 of the cell: return flow.writer.run('?')"
    later = source.replace("def run", "async def arun").replace("return helper(self)", "return await self.writer.arun('?')")
    cells.bad(f"{later}\nawait Ours().arun()")
    assert cells.printed.strip() == f"{BROKEN}\nat line 6 of the cell: return await self.writer.arun('?')"


def test_an_error_in_a_module_names_its_file(cells, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(OURS.format(line="yield 3"))
    monkeypatch.syspath_prepend(tmp_path)
    cells.bad("from mine import Ours\nOurs().run()")
    assert cells.printed.strip().splitlines()[-2:] == [BAD_OUTPUT, "at mine.py, line 6: yield 3"]


def test_an_error_outside_of_a_run_is_one_line(cells):
    cells.good(f"%%workflow ours -n\n{OURS.format(line='yield 3')}")
    for source in ("%workflow ors", "%workflow ours --sesion x", "%workflow ours topic=3", "Ours.writer.run('?')"):
        cells.bad(source)
        assert len(cells.printed.strip().splitlines()) == 1


def test_what_is_set_for_a_cell_is_gone_after_it(cells):
    cells.good(f"%%workflow bad -n\n{BAD}")
    cells.good("try:\n    %workflow bad\nexcept ValueError as error:\n    caught = error\n")
    assert cells.good("vars(caught)") == {}


LOOPS = ["for _ in bad.run(): pass", "bad.run().result()", "list(bad.run())"]


@pytest.mark.parametrize("source", LOOPS)
def test_an_exception_in_plain_python_has_no_frames_of_ours(cells, source):
    cells.good(f"%%workflow bad -n\n{BAD}")
    error = cells.bad(source)
    assert traceback(cells).split("Traceback (most recent call last)\n")[2].startswith("Cell In[2], line 1\n")
    assert (type(error), "wf_notebook" in cells.printed) == (ValueError, False)


@pytest.mark.parametrize(
    ("source", "kind"),
    [*((loop, "KeyboardInterrupt") for loop in LOOPS), ("bad.run()", "RunStopped"), ("%workflow bad", "RunStopped")],
)
def test_an_interrupt_while_an_async_source_is_waited_for_shows_the_cell_and_none_of_our_frames(cells, source, kind):
    cells.good(
        "%%workflow bad -n\nimport asyncio\nfrom wf_notebook import Workflow\nasync def slow():\n    gate.set()\n"
        "    await asyncio.sleep(60)\n    yield ''\nclass Bad(Workflow):\n    def run(self): yield slow()\n"
    )
    gate = cells.shell.user_ns["gate"] = threading.Event()

    def interrupt():
        gate.wait()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    error = cells.bad(source)
    interrupter.join()
    assert type(error).__name__ == kind
    assert [part in cells.printed for part in ("wf_notebook", "queue", "During handling")] == [False] * 3


def test_a_tool_that_raises_shows_the_call_and_the_tool(cells):
    cells.bad(
        "from wf_notebook import Agent\nfrom wf_notebook.testing import ToolCall, scripted\n"
        "def tool(x: int): return 1 / 0\nAgent(scripted(ToolCall('tool', {'x': 1})), tools=[tool]).run('hi')"
    )
    assert cells.printed.count("Cell In[1], line") == 2
    assert "File " not in cells.printed


def test_exceptions_of_others_are_shown_as_they_were(cells):
    cells.bad("1 / 0")
    with_us = cells.printed
    cells.shell.run_line_magic("unload_ext", "wf_notebook")
    cells.bad("1 / 0")
    assert cells.printed == with_us.replace("[1]", "[2]")


def test_a_handler_of_the_users_own_stays(cells):
    cells.shell.run_line_magic("unload_ext", "wf_notebook")
    cells.shell.set_custom_exc((ValueError,), lambda *_, **__: None)
    cells.shell.run_line_magic("load_ext", "wf_notebook")
    cells.shell.run_line_magic("unload_ext", "wf_notebook")
    assert cells.shell.custom_exceptions == (ValueError,)

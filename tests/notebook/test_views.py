from __future__ import annotations

import os
import sys
from threading import Event
from time import monotonic

import pexpect
import pytest
from IPython.utils.capture import capture_output

from wf_notebook import RunEvent, RunResponse
from wf_notebook.notebook.views import WidgetView

MD = """\
from wf_notebook import Workflow
class Md(Workflow):
    def run(self):
        yield "- **one**\\n"
"""


@pytest.fixture
def terminal(working_directory):
    """Return a way to run a line of IPython in a terminal of its own: what it shows."""
    (working_directory / "md.py").write_text(MD)
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=nocolor", "--simple-prompt"]
    size, environment = (50, 100), {**os.environ, "TERM": "xterm", "WF_STORAGE": "memory:"}
    with pexpect.spawn(command[0], command[1:], env=environment, encoding="utf-8", timeout=60, dimensions=size) as shell:
        shell.expect(r"In \[1\]: ")

        def run(line):
            shell.sendline(line)
            shell.expect(r"In \[\d+\]: ")
            return shell.before.replace("\r\n", "\n")

        run("%load_ext wf_notebook")
        run("from md import Md")
        yield run


def test_in_a_terminal_the_record_looks_as_the_answer_did_and_out_stands_on_its_own_line(terminal):
    shown = terminal("%workflow md")
    record = shown[shown.rindex("Md · session md · ✓ completed") :]
    assert "**one**" not in record
    assert "one" in record
    assert record.strip().endswith("\nOut[3]: <the response above>")
    assert terminal("md.run()").partition("Out[4]:")[2].startswith(" \n")


@pytest.mark.usefixtures("shell")
def test_a_branch_that_failed_is_seen_while_the_others_go_on():
    failed = RunResponse(event=RunEvent.run_error.value, extra_data={"error": "ValueError: <mine>"})
    with capture_output() as captured:
        view = WidgetView("debate")
        view.add(RunResponse("so far").stamped({"lane": "one"}))
        view.add(failed.stamped({"lane": "two"}))
        deadline = monotonic() + 10
        while not getattr(view._widget, "sections", []) and monotonic() < deadline:
            Event().wait(0.02)
        widget = view._widget
        sections, tail, page = widget.sections, widget.tail_0, widget.page_0
        view.freeze({"text/plain": "the record"}, {})
    assert [(section["title"], section["status"]) for section in sections] == [("one", "running"), ("two", "failed")]
    assert tail == "<p>so far</p>\n"
    assert "✗ failed: ValueError: &lt;mine&gt;</p>" in page
    assert len(captured.outputs) == 2

"""A plot of a comparison is shown once, however its cell ends."""

from __future__ import annotations

CELL = """\
from wf_notebook import Workflow
class Shout(Workflow):
    def run(self, text):
        return text.upper()
shout = Shout(session_id="demo", storage="memory:")
shout.run("a")
c = shout.compare(score=len)
"""


def test_a_plot_is_shown_once_as_a_value_after_a_semicolon_and_in_a_variable(run_notebook):
    done = run_notebook(
        CELL, "c.plot()", "c.plot();", "figure = c.plot()", "figure", "display(c.plot())", "2", allow_errors=False
    )
    shown = [[output.output_type for output in cell.outputs if "image/png" in output.get("data", {})] for cell in done.cells[1:]]
    once = ["display_data"]
    assert shown == [["execute_result"], once, once, ["execute_result"], once, []]
    assert done.cells[1].outputs[0].data["text/plain"].startswith("<Figure size ")

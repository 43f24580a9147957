from __future__ import annotations

BOTH = """\
from wf_notebook.testing import scripted
from wf_notebook import Agent, Workflow, parallel
class Both(Workflow):
    one, two = Agent(name="one"), Agent(name="two")
    def run(self):
        self.one.model, self.two.model = scripted("first"), scripted("second")
        display(parallel(self.one.run("?", stream=True), self.two.run("?", stream=True)))
        return "shown"
both = Both()
"""


def test_what_is_displayed_inside_a_run_counts_for_it_and_says_nothing_in_it(cells):
    cells.good(BOTH)
    assert cells.good("both.run().content") == "shown"
    assert "▸ one\nfirst" in cells.text
    assert "▸ two\nsecond" in cells.text
    assert cells.text.startswith("parallel · ✓ completed · ")
    assert " tokens" not in cells.text
    assert cells.good("both.last_run.models, both.last_run.output_tokens, both.last_run.content") == (("scripted",), 2, "shown")

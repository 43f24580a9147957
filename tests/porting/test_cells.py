"""The code cells of a notebook are ported; its outputs, metadata and layout stay byte for byte."""

from __future__ import annotations

import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wf_notebook.porting import Change, port_file, ported_notebook


def notebook(*cells: str, indent: int = 1) -> str:
    """Return a notebook as Jupyter writes it; a cell that begins with # and a space is Markdown."""
    made = nbformat.v4.new_notebook()
    for number, source in enumerate(cells):
        cell = nbformat.v4.new_markdown_cell(source) if source.startswith("# ") else nbformat.v4.new_code_cell(source)
        cell["id"] = f"cell-{number}"
        if cell["cell_type"] == "code":
            cell["outputs"] = [nbformat.v4.new_output("stream", text="from agno.agent import Agent\n🦆\n")]
            cell["metadata"] = {"tags": ["é"], "number": 1.0}
        made.cells.append(cell)
    nbformat.validate(made)
    return json.dumps(json.loads(nbformat.writes(made)), indent=indent, ensure_ascii=False) + "\n"


def sources(text: str) -> list[str]:
    return [cell["source"] for cell in nbformat.reads(text, as_version=4).cells]


def test_only_the_lines_of_the_imports_change():
    before = notebook("# from agno.agent import Agent", "import os\nfrom agno.agent import Agent\nprint('🦆')", "x = 1")
    done = ported_notebook(before)
    lines = zip(before.splitlines(), done.text.splitlines(), strict=True)
    assert [pair for pair in lines if pair[0] != pair[1]] == [
        ('    "from agno.agent import Agent\\n",', '    "from wf_notebook import Agent\\n",')
    ]
    assert done.changed == (Change(2, "from agno.agent import Agent", "from wf_notebook import Agent", cell=2),)
    assert done.diff == (
        "--- a/<notebook>, cell 2\n+++ b/<notebook>, cell 2\n@@ -1,3 +1,3 @@\n import os\n"
        "-from agno.agent import Agent\n+from wf_notebook import Agent\n print('🦆')\n\\ No newline at end of file\n"
    )


def test_a_split_adds_lines_as_the_others_are_laid_out():
    before = notebook("from agno.agent import Agent, AgentMemory\n\nx = 1", indent=2)
    done = ported_notebook(before)
    assert sources(done.text) == ["from wf_notebook import Agent\nfrom agno.agent import AgentMemory\n\nx = 1"]
    assert done.text == json.dumps(json.loads(done.text), indent=2, ensure_ascii=False) + "\n"
    assert [(left.cell, left.line, left.name) for left in done.left] == [(1, 1, "agno.agent.AgentMemory")]
    one_line = notebook("from agno.agent import Agent, AgentMemory")
    assert (
        ported_notebook(one_line).text
        == json.dumps(json.loads(ported_notebook(one_line).text), indent=1, ensure_ascii=False) + "\n"
    )


@pytest.mark.parametrize(
    "source",
    [
        "\"from agno.agent import Agent\\n\\u00e9 = '\\/'\"",
        '["from agno.agent ", "import Agent\\n", "\\u00e9 = \'\\/\'"]',
        '[ "from agno.agent import Agent\\n" ,"\\u00e9 = \'\\/\'" ]',
    ],
)
def test_a_source_may_be_written_in_any_way_that_json_has(source):
    text = f'{{"metadata":{{"cells":[]}}, "cells" :[{{"source": {source} , "cell_type":"code"}}],"nbformat":4}}'
    done = ported_notebook(text)
    assert "".join(json.loads(done.text)["cells"][0]["source"]) == "from wf_notebook import Agent\né = '/'"
    assert done.text.startswith('{"metadata":{"cells":[]}, "cells" :[{"source": ')
    assert done.text.endswith(' , "cell_type":"code"}],"nbformat":4}')
    assert done.text.isascii()
    assert ("\\/" in done.text) == source.startswith("[")  # a line that stays is written as it was


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "%load_ext wf_notebook\n!pip install agno \\\n  openai\nfrom agno.agent import Agent\nfiles = !ls it's\nAgent?",
            "%load_ext wf_notebook\n!pip install agno \\\n  openai\nfrom wf_notebook import Agent\nfiles = !ls it's\nAgent?",
        ),
        (
            '%%workflow blog \\\n  topic="it\'s"\nfrom agno.agent import Agent\ndef run(self): ...',
            '%%workflow blog \\\n  topic="it\'s"\nfrom wf_notebook import Agent\ndef run(self): ...',
        ),
        ("%%writefile blog.py\nfrom agno.agent import Agent", "%%writefile blog.py\nfrom wf_notebook import Agent"),
        ("if x:\n    %time f()\n    from agno.agent import Agent", "if x:\n    %time f()\n    from wf_notebook import Agent"),
        ("x = (1\n% 2)\nfrom agno.agent import Agent", "x = (1\n% 2)\nfrom wf_notebook import Agent"),
        ("await f()\nfrom agno.agent import Agent", "await f()\nfrom wf_notebook import Agent"),
        ("%%bash\nfrom agno.agent import Agent", "%%bash\nfrom agno.agent import Agent"),
        ("%%writefile notes.md\nfrom agno.agent import Agent", "%%writefile notes.md\nfrom agno.agent import Agent"),
    ],
)
def test_lines_of_ipython_are_passed_over(before, after):
    assert sources(ported_notebook(notebook(before)).text) == [after]


def test_a_cell_that_is_not_python_stays_and_is_told_of_if_it_is_about_agno():
    before = notebook("x = = 1", "from agno.agent import Agent", "print 'old'\nfrom agno.agent import Agent")
    done = ported_notebook(before)
    assert sources(done.text) == ["x = = 1", "from wf_notebook import Agent", "print 'old'\nfrom agno.agent import Agent"]
    assert [str(left) for left in done.left] == [
        "cell 3, line 2: agno.agent is in a cell that cannot be read as Python; mend it, and port again"
    ]


def test_the_cells_are_one_program():
    done = ported_notebook(notebook("import agno.workflow as w", "w.Workflow"))
    assert sources(done.text) == ["import wf_notebook as w", "w.Workflow"]
    done = ported_notebook(notebook("import agno.workflow as w", "w.Workflow", "w.WorkflowSession"))
    assert done.changed == ()
    done = ported_notebook(notebook("from agno.workflow import Workflow", "Workflow(steps=[])"))
    assert done.changed == ()


def test_a_notebook_file_is_replaced_and_still_valid(tmp_path):
    path = tmp_path / "old.ipynb"
    path.write_text(notebook("from agno.agent import Agent, AgentMemory", "x = 1"), encoding="utf-8")
    done = port_file(path, write=True)
    nbformat.validate(nbformat.read(path, as_version=4))
    assert path.read_text(encoding="utf-8") == done.text
    assert port_file(path, write=True).changed == ()


LINES = [
    "from agno.agent import Agent, AgentMemory",
    "%time",
    "x = '🦆'",
    "# from agno.agent import Agent",
    "\x0c",
    "print(",
    "x?",
]


def after(line: str, lines: list[str]) -> list[str]:
    """What a line of a cell becomes; a cell whose bracket is never closed is not Python."""
    changes = line == LINES[0] and "print(" not in lines
    return ["from wf_notebook import Agent", "from agno.agent import AgentMemory"] if changes else [line]


@given(st.lists(st.lists(st.sampled_from(LINES)).map("\n".join)), st.sampled_from([None, 1, 2]), st.booleans())
def test_all_but_the_sources_of_code_cells_stays_and_a_second_time_changes_nothing(cells, indent, ensure_ascii):
    before = json.dumps(json.loads(notebook(*cells)), indent=indent, ensure_ascii=ensure_ascii)
    done = ported_notebook(before)
    assert ported_notebook(done.text).text == done.text
    assert json.dumps(json.loads(done.text), indent=indent, ensure_ascii=ensure_ascii) == done.text
    was, now = json.loads(before), json.loads(done.text)
    for old, new in zip(was["cells"], now["cells"], strict=True):
        if old["cell_type"] == "code":
            lines = "".join(old.pop("source")).split("\n")
            assert "".join(new.pop("source")).split("\n") == [ported for line in lines for ported in after(line, lines)]
    assert was == now

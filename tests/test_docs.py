"""What docs/ says is true: its code runs, each page from above to below in a process of its own.

What needs packages of others runs in `agents/test_others.py`, which has them.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from wf_notebook.codec.table import TABLE

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(DOCS.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_code_of_a_page_runs(page):
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"^```(\w+)$", text, re.MULTILINE)) <= {"python", "sh"}
    text = re.sub(
        r"^<!-- needs the packages -->\n```python\n.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE
    )  # of test_others
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_table_of_types_has_every_tag_that_is_stored_and_no_other():
    table = re.search(r"^\| what \| tag \|\n(?:\|.*\n)+", (DOCS / "state.md").read_text(encoding="utf-8"), re.MULTILINE)
    stored = {kind.tag.partition(":")[0] for kind in TABLE if kind.tag} - {"$unknown"}  # what stands for others is never written
    assert set(re.findall(r"`(\$\w+)`", table[0])) == stored

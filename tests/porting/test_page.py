"""docs/coming-from-agno.md has the table that the code has: a name more or less in one of them fails."""

from __future__ import annotations

import re
from pathlib import Path

from wf_notebook.porting.names import PORTED, STAYS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "coming-from-agno.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table that begins with these headings."""
    table = re.search(rf"^\| {heading} \|\n\|[-|]+\|\n((?:\|.*\|\n)+)", PAGE, re.MULTILINE)
    assert table is not None
    return [line.strip("| ").split(" | ") for line in table[1].splitlines()]


def test_where_each_name_is_stands_on_the_page():
    written = {
        (there, here) for here, names in rows(r"here \| in Agno 1\.x and phidata") for there in re.findall(r"`(.+?)`", names)
    }
    assert written == {
        (f"{module}.{old}", f"`{room}.{new or old}`")
        for module, (room, names) in PORTED.items()
        for old, _, new in (name.partition("=") for name in names.split())
    }


def test_what_stays_stands_on_the_page_with_its_reason_and_its_remedy():
    written = {
        name: (reason, remedy)
        for names, reason, remedy in rows(r"in Agno \| why it stays \| what to do")
        for name in re.findall(r"`(.+?)`", names)
    }
    assert written == STAYS


def test_each_row_has_one_name_here():
    names = [here for here, _ in rows(r"here \| in Agno 1\.x and phidata")]
    assert sorted(names) == sorted({*names})

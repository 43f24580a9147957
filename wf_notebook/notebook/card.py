"""The card of a workflow that was defined and not run: what it needs, its form, and the line that runs it.

It is HTML and text of its own, beside the form's widgets: in a saved notebook it is what is left of them.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ..ipynb.options import python_word
from ..ipynb.workflows import call_line, parameters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..workflow import Workflow


#: A reopened notebook has the card and not the form's widgets: JupyterLab 4.6 says "Error displaying widget: model not found" in
#: their place, or "Loading widget…" for ever. Where it does not trust a notebook, it shows the empty HTML that is beside them.
WITHOUT_WIDGETS = (
    "<style>.jp-OutputArea-child:has(.wf-card) + .jp-OutputArea-child > .jp-OutputArea-output.lm-Panel:not(:has(*)) "
    "{ display: none; }</style>"
)


def card(cls: type[Workflow], name: str, absent: list[str], line: str | None = None) -> dict[str, str]:
    """Return what to show when a workflow was defined and not run: what it needs, and the line that runs it."""
    takes = parameters(cls)
    kinds = [str(takes[each]).removeprefix(each).lstrip(": ").strip("'") for each in absent]
    wants = ", ".join(f"{each} ({kind})" if kind else each for each, kind in zip(absent, kinds, strict=True))
    fact = f" is defined; it needs {wants}" if absent else " is defined"
    line = line or call_line(cls, name, absent)
    html = f'<p class="wf-card"><strong>{escape(name)}</strong>{escape(fact)}.<br>Run it: <code>{escape(line)}</code></p>'
    return {"text/plain": f"{name}{fact}\nrun it: {line}", "text/html": html}


def mapping_line(name: str, rows: str) -> str:
    """Return the line that runs a workflow for each row of what `--map` named.

    >>> mapping_line("blog", "df[df.n > 3]"), mapping_line("blog", "df if small else whole")
    ('%workflow blog --map df[df.n > 3]', '%workflow blog --map "df if small else whole"')
    """
    return f"%workflow {name} --map {python_word(rows)}"


def ran_card(name: str, line: str, record: Mapping[str, str]) -> dict[str, str]:
    """Return what the card is after a run by the form: the line that runs it so again, and the record, folded."""
    head = record["text/plain"].partition("\n")[0]
    html = (
        f'<p class="wf-card"><strong>{escape(name)}</strong> was run by its form.<br>'
        f"Run it again: <code>{escape(line)}</code></p>"
        f"<details><summary>{escape(head)}</summary>{record['text/html']}</details>"
    )
    return {"text/plain": f"{name} was run by its form\nrun it again: {line}\n\n{record['text/plain']}", "text/html": html}

"""What a shell offers where a session or a workflow is to be named: those that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import WorkflowError

if TYPE_CHECKING:
    import click

#: So many seconds a store is waited for: nobody wants to wait for a word.
PATIENCE = 0.5


def sessions(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the ids of sessions that begin so, the one that was used last first; of the rows of a sweep its name."""
    from ..frames import folded_ids
    from ..storage import default_url_there, open_storage
    from ..storage.waiting import at_most

    try:
        url = ctx.params.get("storage") or default_url_there()
        if url is None:
            return []
        with at_most(PATIENCE):
            there = folded_ids(open_storage(url).sessions()["session_id"], incomplete)
            return [each for each in there if each.startswith(incomplete)]
    except WorkflowError:  # what is wrong is said by the command, not while it is typed
        return []


def workflows(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of a notebook's workflows that begin so."""
    from ..ipynb.loading import load_notebook

    if not ctx.params.get("notebook") or ctx.params.get("words"):
        return []
    try:
        return [each for each in load_notebook(ctx.params["notebook"]).names if each.startswith(incomplete)]
    except WorkflowError:
        return []

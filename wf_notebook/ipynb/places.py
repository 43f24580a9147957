"""Of which sessions a notebook is: those that its outputs say, those in which its cells run, and the sweeps of its workflows.

And which there are in a store.
"""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from ..addresses import from_folder
from ..errors import WorkflowError
from ..storage import default_url_there
from ..storage.runs import sweeps
from ..transaction import shown_id, sweep_of
from .cells import cells_of
from .file import NotebookFile
from .report import variable_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Among so many sweeps of a store, the newest ones, are looked for those of a notebook.
SWEEPS = 200


class Place(NamedTuple):
    """A session, and the address of its store."""

    session_id: str
    url: str


def noted(notebook: Path, what: str = "session_id") -> list[Place]:
    """Return the sessions that the outputs of a notebook are of, each once, in the order in which they stand there.

    With "sweep", they are not those of runs, but what those of rows are named after.
    """
    outputs = [
        output
        for cell in NotebookFile.read(notebook).said["cells"]
        for output in cell.get("outputs") or ()
        if isinstance(output, dict)
    ]
    said = [metadata.get("wf_notebook") for output in outputs if isinstance(metadata := output.get("metadata"), dict)]
    found = [
        Place(each[what], from_folder(each["storage"], notebook.parent))
        for each in said
        if isinstance(each, dict) and isinstance(each.get(what), str) and isinstance(each.get("storage"), str)
    ]
    return list(dict.fromkeys(found))


def called(notebook: Path) -> list[Place]:
    """Return the sessions in which the `%%workflow` cells of a notebook run, as far as that can be read off them."""
    found = []
    for cell in cells_of(NotebookFile.read(notebook)):
        with suppress(WorkflowError):
            if not cell.is_workflow or not cell.name:
                continue
            options, folder = cell.line.options, notebook.absolute().parent
            session_id = options.session or os.environ.get("WF_SESSION") or cell.name
            url = options.storage or default_url_there(folder)
            if url is not None and "{" not in f"{session_id}{url}":
                found.append(Place(session_id, from_folder(url, folder)))
    return list(dict.fromkeys(found))


def mapped(notebook: Path, storages: Mapping[str, Any]) -> list[Place]:
    """Return the sessions in which sweeps of a notebook's `%%workflow` cells are runs themselves, whatever these are named."""
    names = {cell.name for cell in cells_of(NotebookFile.read(notebook)) if cell.is_workflow and cell.name}
    found = []
    for url, storage in storages.items():
        with suppress(WorkflowError):  # the store is busy, or broken: the rows of its sessions say so
            of_all = sweeps(storage.read, storage.table_name, SWEEPS) if names else {}
            found += [Place(shown_id(stored), url) for stored, name in of_all.items() if variable_of(name, None) in names]
    return found


def stored(storage: Any, most: int) -> list[Place]:
    """Return the newest sessions of a store, up to so many, and as many sessions in which sweeps are runs themselves.

    Rows of sweeps are none: a sweep goes on as a whole.
    """
    listed = (each for each in storage.sessions()["session_id"] if sweep_of(each) is None)
    named = sweeps(storage.read, storage.table_name, most)
    return [Place(each, storage.url) for each in [*islice(listed, most), *map(shown_id, named)]]

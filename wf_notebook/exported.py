"""A session leaves its store: as a notebook, a page, Markdown or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .run import way_up

if TYPE_CHECKING:
    import os
    from pathlib import Path


class Exported:
    """The part of a session that is written into files of its own."""

    def to_notebook(self, path: str | os.PathLike[str] | None = None, *, force: bool = False) -> Path:
        """Write the session as a notebook that runs again as it is; return its path.

        It has the source of the workflow, a cell for each run with its inputs and its record, the state as tables and the
        timeline. What was done comes from the store when it is run again, if it finds the one that it came from.

        Args:
            path: The file; left out, it is named after the session. One whose name ends with .html, .md or .json is written so.
            force: Write over a file that is there.

        Raises UnknownSession for a session that is in no store, UnwritableFile where no file can be written.

        >>> from wf_notebook.workflow import Workflow
        >>> class Greeter(Workflow):
        ...     def run(self, name): return f"Hello, {name}!"
        >>> greeter = Greeter(session_id="demo", storage="memory:")
        >>> greeter.run("Ada").content, greeter.session.to_notebook("report.ipynb").name
        ('Hello, Ada!', 'report.ipynb')
        """
        written: Path = way_up("Exported.to_notebook")(self, path, force=force)
        return written

"""A session as a file: a notebook that runs again, a page that shows it, Markdown for a code host, JSON for a program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadArguments
from ..nearest import did_you_mean
from ..redact import redact
from .document import document
from .files import checked_path, file_name, write
from .making import Cells
from .page import page
from .prose import prose
from .report import report

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from ..session import Session
    from .report import Report


def to_notebook(session: Session, path: str | os.PathLike[str] | None = None, *, force: bool = False) -> Path:
    """Write a session as a notebook: what `session.to_notebook()` does."""
    return export(session, path, force=force)


def export(
    session: Session,
    path: str | os.PathLike[str] | None = None,
    *,
    format: str | None = None,  # noqa: A002 - the option's name
    force: bool = False,
) -> Path:
    """Write a session as a file; return its path.

    Args:
        session: The session, of a storage.
        path: The file; left out, it is named after the session, in the working directory.
        format: One of FORMATS; left out, what the name of the file says, else a notebook.
        force: Write over a file that is there.

    Raises BadArguments for a format that there is not, UnwritableFile, UnknownSession.
    """
    kind = format_of(path, format)
    target = checked_path(file_name(session.session_id, kind) if path is None else path, force=force)
    write(target, exported(session, kind, target.parent))
    return target


def exported(session: Session, format: str = "ipynb", folder: Path | None = None) -> str:  # noqa: A002 - the option's name
    """Return a session as the text of a file in that folder, by default the working directory."""
    return FORMATS[format](report(session, folder or Path()))


def format_of(path: str | os.PathLike[str] | None, format: str | None) -> str:  # noqa: A002 - as the option is named
    """Return in which format is written: the one that is said, else the one that the file's name says.

    >>> format_of(None, None), format_of("report.html", None), format_of("report.txt", "md")
    ('ipynb', 'html', 'md')
    >>> format_of("report.txt", None)
    Traceback (most recent call last):
    wf_notebook.errors.BadArguments: 'report.txt' is not named as any format is; name it .ipynb, .html, .md, .json
    """
    if format is not None and format not in FORMATS:
        there = did_you_mean(format, FORMATS) or f"; there are {', '.join(FORMATS)}"
        raise BadArguments(f"no format {format!r}{there}")
    named = "" if path is None else Path(path).suffix.lower().removeprefix(".")
    if named and (named not in FORMATS if format is None else named in FORMATS and named != format):
        raise BadArguments(f"{str(path)!r} is not named as {format or 'any format'} is; name it .{format or ', .'.join(FORMATS)}")
    return format or named or "ipynb"


def as_notebook(told: Report) -> str:
    """Return a session as the text of a notebook."""
    import nbformat

    text: str = nbformat.writes(Cells(told).notebook())
    return redact(text).rstrip("\n") + "\n"


#: How a session is written, by the suffix of the file.
FORMATS: dict[str, Callable[[Report], str]] = {"ipynb": as_notebook, "html": page, "md": prose, "json": document}

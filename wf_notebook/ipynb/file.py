"""The file of a notebook: read as it is, and replaced as a whole or not at all, with nothing but some outputs changed."""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadNotebook, UnwritableFile
from ..nearest import did_you_mean
from ..whole import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

#: The form of notebook files that is read here; in which cells lie in a list of their own.
FORMAT = 4


@dataclass(frozen=True)
class NotebookFile:
    """A notebook as it lies on the disk: its bytes, and what they say."""

    path: Path
    content: bytes
    said: dict[str, Any]

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> NotebookFile:
        """Read a notebook. Raises BadNotebook for what is none, or one of another form.

        It is read as JSON, in which a cell has been the same since the form 4 of 2015: to import nbformat takes longer than
        all else.
        """
        place, shown = Path(path).expanduser(), repr(os.fspath(path))
        try:
            content = place.read_bytes()
            said = json.loads(content.decode("utf-8-sig"))
        except FileNotFoundError:
            raise BadNotebook(f"there is no notebook {shown}{_near(place)}") from None
        except IsADirectoryError:
            raise BadNotebook(f"{shown} is a folder; write the path to an .ipynb file in it") from None
        except OSError as error:
            raise BadNotebook(f"{shown} cannot be read ({error.strerror}); let somebody who may copy it") from error
        except ValueError as error:  # no JSON, or no text
            kind = f"it is Python: import it, or make a notebook of it (jupytext --to ipynb {place.name})"
            remedy = kind if place.suffix == ".py" else "write the path to an .ipynb file"
            raise BadNotebook(f"{shown} is no notebook ({error}); {remedy}") from None
        _check_form(said, shown, place.name)
        return cls(place, content, said)

    def node(self) -> NotebookNode:
        """Return the notebook as programs of Jupyter have it. Raises BadNotebook where its JSON is none of a notebook."""
        from nbformat.v4 import reads

        said = json.loads(self._text)
        try:
            for cell in said["cells"]:
                cell.setdefault("metadata", {})
                if cell["cell_type"] == "code":
                    cell.setdefault("outputs", [])
            node: NotebookNode = reads(json.dumps(said))  # as leniently as Jupyter: nbformat.reads logs what it does not like
            if all(isinstance(cell.source, str) for cell in node.cells):
                return node
        except (AttributeError, LookupError, TypeError):
            pass
        what = "it lacks metadata, or a cell its kind or text"
        raise BadNotebook(f"{str(self.path)!r} is no valid notebook: {what}; save it anew in Jupyter")

    def with_outputs(self, outputs: Mapping[int, list[Any]], counts: Mapping[int, int | None], widgets: Any = None) -> bytes:
        """Return the file with these outputs in these cells; all else, its layout too, as it is.

        Args:
            outputs: Of a cell, by its number from 0, its new outputs.
            counts: The number of the execution, for cells that have none.
            widgets: What the widgets show that are among the outputs, as `metadata.widgets` has it.
        """
        changed = json.loads(self._text)
        for index, new in outputs.items():
            cell = changed["cells"][index]
            number = cell.get("execution_count")
            if number is None:
                number = cell["execution_count"] = counts.get(index)
            cell["outputs"] = as_written(new)
            for output in cell["outputs"]:
                if "execution_count" in output:
                    output["execution_count"] = number
        if widgets is not None:
            changed["metadata"]["widgets"] = widgets
        return self.content[: -len(self._text.encode())] + _as(self._text, changed)

    @property
    def _text(self) -> str:
        """The file without the mark that some editors begin it with."""
        return self.content.decode("utf-8-sig")

    def check_writable(self) -> None:
        """Raise UnwritableFile where it could not be replaced: better said before it runs than after."""
        place = self.path.resolve()
        if not (os.access(place, os.W_OK) and os.access(place.parent, os.W_OK)):
            raise UnwritableFile(f"{str(self.path)!r} may not be written; make it writable, or only compare: --check")

    def replace(self, content: bytes) -> None:
        """Put `content` in the place of the file: all of it or nothing; its permissions stay, and so does a link to it.

        Raises:
            UnwritableFile: It changed since it was read, or cannot be written; it is as it was.
        """
        try:
            write_whole(self.path, content, at_last=self._check_unchanged)
        except UnwritableFile:
            raise
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise UnwritableFile(f"{str(self.path)!r} could not be written ({why}), and is as it was") from error

    def _check_unchanged(self) -> None:
        if self.path.read_bytes() != self.content:
            raise UnwritableFile(
                f"{str(self.path)!r} was changed while it ran, and stays as it is now; run it again for outputs of that"
            )


def as_written(outputs: list[Any]) -> list[Any]:
    """Return outputs as a file has them: texts by their lines, nothing that is only for a front end."""
    import nbformat

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=nbformat.from_dict(outputs))])
    written: list[Any] = json.loads(nbformat.writes(notebook))["cells"][0]["outputs"]
    return written


def _check_form(said: Any, shown: str, name: str) -> None:
    version = said.get("nbformat") if isinstance(said, dict) else None
    if isinstance(version, int) and version < FORMAT:
        raise BadNotebook(
            f"{shown} is of the old form {version}; open it in Jupyter and save it, "
            f"or: jupyter nbconvert --to notebook --nbformat 4 --inplace {name}"
        )
    if isinstance(version, int) and version > FORMAT:
        raise BadNotebook(f"{shown} is of the form {version}, which is newer than this; pip install -U wf-notebook")
    cells = said.get("cells") if version is not None else None
    if not isinstance(cells, list) or not all(isinstance(each, dict) and "cell_type" in each for each in cells):
        why = "it has no nbformat" if version is None else "it has no list of cells"
        raise BadNotebook(f"{shown} is no notebook ({why}); open it in Jupyter and save it")


def _near(path: Path) -> str:
    others = sorted(each.name for each in path.parent.glob("*.ipynb")) if path.parent.is_dir() else []
    near = did_you_mean(path.name, others) or (f"; there are {', '.join(others[:5])}" if others else "")
    return near or "; write the path to an .ipynb file"


def _as(text: str, said: dict[str, Any]) -> bytes:
    """Write JSON in the layout of `text`: its indentation, its line ends, its last line, and how it writes other letters."""
    indented = re.match(r"\{\r?\n([ \t]+)", text)
    spaced = re.search(r'":(\s)', text)
    layout: dict[str, Any] = {
        "indent": indented[1] if indented else None,
        "separators": ("," if indented or not spaced else ", ", ": " if spaced else ":"),
    }
    escaped = text.isascii() and re.search(r"\\u(?!00[0-7])", text) is not None
    end = text[len(text.rstrip()) :]
    for ascii_only in (escaped, True):
        written = json.dumps(said, ensure_ascii=ascii_only, **layout)
        if "\r\n" in text:
            written = written.replace("\n", "\r\n")
        with suppress(UnicodeEncodeError):  # half of a pair, which JSON may have and UTF-8 may not
            return (written + end).encode()
    raise AssertionError

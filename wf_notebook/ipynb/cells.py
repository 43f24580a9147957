"""The code cells of a notebook file: each as plain Python, with what only IPython can do set aside and named."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadCell, BadNotebook, WorkflowError
from ..nearest import did_you_mean
from .cell import join_line
from .line import Line, read_line

if TYPE_CHECKING:
    import os

#: The form of notebook files that is read here; in which cells lie in a list of their own.
FORMAT = 4
#: Lines of magics without which a workflow is the same: they set up a kernel.
SKIPPED = ("load_ext", "config", "autoreload", "matplotlib", "pip")
#: A line that may be for IPython alone, if it begins a statement: a magic, a command of the shell, a question.
_MAGIC = re.compile(r"[ \t]*(?:(?P<magic>%(?P<name>\w+).*)|(?P<shell>!.*)|(?P<asked>\?.*|[%\w.]+\?{1,2}[ \t]*))$")
#: The same on the right of an assignment.
_ASSIGNED = re.compile(r"(?P<left>[ \t]*[^\W\d][\w.,\[\]'\" \t]*=[ \t]*)(?P<right>[%!].*)$")
#: Where a magic puts what it gives.
_OUT = re.compile(r"\s(?:-o|--out)(?:\s*=\s*|\s+)([^\W\d]\w*)")


@dataclass(frozen=True)
class Cell:
    """One code cell: its place among all cells of the notebook, counted from 1, and its text as it was written."""

    number: int
    text: str

    @property
    def says(self) -> str:
        """The cell as an error names it: its number and how it begins."""
        first = next((line.strip() for line in self.text.splitlines() if line.strip()), "")
        return f"cell {self.number} ({first if len(first) <= 40 else f'{first[:39]}…'!s})"  # noqa: PLR2004 - a glimpse

    @cached_property
    def head(self) -> str:
        """The line of its cell magic, without the percent signs; empty if there is none."""
        found = re.match(r"\s*%%(?!%)(.*)", self.text)
        return found[1].strip() if found else ""

    @cached_property
    def _workflow(self) -> tuple[str, str] | None:
        name, _, line = self.head.partition(" ")
        return join_line(line, self._body) if name == "workflow" else None

    @property
    def _body(self) -> str:
        return re.sub(r"\A\s*%%[^\n]*\n?", "", self.text)

    @property
    def is_workflow(self) -> bool:
        """Whether it is a `%%workflow` cell."""
        return self._workflow is not None

    @property
    def name(self) -> str | None:
        """The name on its `%%workflow` line, also where something is wrong with that."""
        try:
            return self.line.name
        except WorkflowError:
            word = self.head.split()[1:2]
            return word[0] if word and word[0].isidentifier() else None

    @cached_property
    def line(self) -> Line:
        """What its `%%workflow` line says; raises BadArguments and UnknownOption, which name the cell."""
        try:
            return read_line(self._workflow[0] if self._workflow else "")
        except WorkflowError as error:
            raise type(error)(f"{self.says}: {error}") from None

    @cached_property
    def _read(self) -> tuple[str, tuple[str, ...], ast.Module | SyntaxError]:
        """What it is in Python, its lines where they were; what only IPython can do; and the tree of it."""
        body = "\n" + self._workflow[1] if self._workflow else "\n" + self._body if self.head else self.text
        foreign: list[str] = []
        code, tree = body, _parsed(body)
        if not isinstance(tree, ast.Module):
            code, foreign = _without_magics(body)
            tree = _parsed(code)
        if self.head and not self._workflow:
            foreign.insert(0, f"%%{self.head}")
        return code, tuple(foreign), tree

    @property
    def code(self) -> str:
        """The cell in Python."""
        return self._read[0]

    @property
    def foreign(self) -> tuple[str, ...]:
        """The lines in it that only IPython can do, but for those that set up a kernel."""
        return self._read[1]

    @property
    def tree(self) -> ast.Module:
        """The tree of its Python; raises BadCell if it is none."""
        tree = self._read[2]
        if isinstance(tree, SyntaxError):
            where = f", line {tree.lineno}" if tree.lineno else ""
            raise BadCell(f"{self.says} is no Python{where}: {tree.msg}; mend it in the notebook")
        return tree

    @property
    def is_python(self) -> bool:
        """Whether its Python can be read."""
        return isinstance(self._read[2], ast.Module)

    @property
    def outs(self) -> list[str]:
        """The variables that its magics make."""
        return [found[1] for each in self.foreign for found in _OUT.finditer(each)]


def read(path: str | os.PathLike[str]) -> list[Cell]:
    """Return the code cells of a notebook.

    It is read as JSON, in which a cell has been the same since the form 4 of 2015: to import nbformat takes longer than all else.
    Raises BadNotebook for what is no notebook, or an old one.
    """
    file = Path(path)
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        others = [each.name for each in file.parent.glob("*.ipynb")] if file.parent.is_dir() else []
        near = did_you_mean(file.name, others) or (f"; there are {', '.join(sorted(others)[:5])}" if others else "")
        raise BadNotebook(f"there is no notebook {str(path)!r}{near or '; write the path to an .ipynb file'}") from None
    except IsADirectoryError:
        raise BadNotebook(f"{str(path)!r} is a folder; write the path to an .ipynb file in it") from None
    except OSError as error:
        raise BadNotebook(f"{str(path)!r} cannot be read ({error.strerror}); let somebody who may copy it") from error
    except ValueError as error:  # no JSON, or no text
        kind = f"; it is Python: import it, or make a notebook of it (jupytext --to ipynb {file.name})"
        raise BadNotebook(
            f"{str(path)!r} is no notebook ({error}){kind if file.suffix == '.py' else '; write the path to an .ipynb file'}"
        ) from None
    version = content.get("nbformat") if isinstance(content, dict) else None
    if isinstance(version, int) and version < FORMAT:
        raise BadNotebook(
            f"{str(path)!r} is of the old form {version}; open it in Jupyter and save it, "
            f"or: jupyter nbconvert --to notebook --nbformat 4 --inplace {file.name}"
        )
    cells = content.get("cells") if version is not None else None
    if not isinstance(cells, list) or not all(isinstance(each, dict) and "cell_type" in each for each in cells):
        why = "it has no nbformat" if version is None else "it has no list of cells"
        raise BadNotebook(f"{str(path)!r} is no notebook ({why}); open it in Jupyter and save it")
    return [Cell(number, _source(each)) for number, each in enumerate(cells, 1) if each["cell_type"] == "code"]


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(map(str, source))


def _parsed(code: str) -> ast.Module | SyntaxError:
    try:
        tree: ast.Module = compile(code, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        return error
    except ValueError as error:  # a null byte
        return SyntaxError(str(error))
    return tree


def _without_magics(code: str) -> tuple[str, list[str]]:
    r"""Return a cell with `pass` and None in the place of what is for IPython; and of that what cannot be left out.

    >>> _without_magics("%load_ext wf_notebook\nfiles = !ls\nx = '''\n%no magic'''")
    ("pass\nfiles = None\nx = '''\n%no magic'''", ['!ls'])
    """
    done: list[str] = []
    foreign: list[str] = []
    lines = iter(code.split("\n"))
    for line in lines:
        found = _MAGIC.match(line) or _ASSIGNED.match(line)
        if found is None or _is_inside("\n".join([*done, ""])):
            done.append(line)
            continue
        parts = found.groupdict()
        whole, continued = line, 0
        while whole.rstrip().endswith("\\") and (more := next(lines, None)) is not None:
            whole, continued = f"{whole.rstrip()[:-1]}{more}", continued + 1
        indent = re.match(r"[ \t]*", line)
        done.append(f"{parts['left']}None" if parts.get("left") else f"{indent[0] if indent else ''}pass")
        done += [""] * continued
        if parts.get("name") not in SKIPPED:
            foreign.append((parts.get("right") or whole).strip())
    return "\n".join(done), foreign


def _is_inside(before: str) -> bool:
    """Say whether what follows a text is inside a text in quotes, or in brackets."""
    try:
        for _ in tokenize.generate_tokens(io.StringIO(before).readline):
            pass
    except tokenize.TokenError:
        return True
    except (SyntaxError, IndentationError):
        pass
    return False

"""The code cells of a notebook file: each as plain Python, with what only IPython can do set aside and named."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..errors import BadCell, WorkflowError
from .cell import join_line
from .line import Line, read_line

if TYPE_CHECKING:
    from .file import NotebookFile

#: So much of its first line is said of a cell, in characters.
WORDS = 40
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
    """One code cell: its number, which is that of its execution when all cells run in turn, and its text as it was written."""

    number: int
    text: str

    @property
    def says(self) -> str:
        """The cell as an error names it: its number and how it begins."""
        first = next((line.strip() for line in self.text.splitlines() if line.strip()), "")
        return f"cell {self.number} ({first if len(first) <= WORDS else f'{first[: WORDS - 1]}…'})"

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

    def configured(self, name: str) -> str | None:
        """Return what `%config WorkflowMagics.NAME = "…"` says in it, the last time; None where it does not."""
        said = re.findall(rf"^[ \t]*%config[ \t]+WorkflowMagics\.{name}[ \t]*=[ \t]*(.+)$", self.text, re.MULTILINE)
        try:
            value = ast.literal_eval(said[-1].strip()) if said else None
        except (ValueError, SyntaxError):  # a kernel takes it from a variable
            return None
        return value if isinstance(value, str) else None

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


def cells_of(file: NotebookFile) -> list[Cell]:
    """Return the code cells of a notebook."""
    found = [_source(cell) for cell in file.said["cells"] if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    return [Cell(number, text) for number, text in enumerate(filter(str.strip, found), 1)]


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

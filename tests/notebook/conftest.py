"""What tests of the notebook share: a shell with the extension, and notebooks that a real kernel runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from IPython.utils.capture import capture_output
from nbclient import NotebookClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import ExecutionResult, InteractiveShell


class Cells:
    """Runs cells in a shell; keeps what the last one displayed."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.displayed: list[dict[str, Any]] = []
        self.printed = ""

    def __call__(self, source: str) -> ExecutionResult:
        with capture_output() as captured:
            result = self.shell.run_cell(source, store_history=True)
        self.displayed = [{"data": output.data, "metadata": output.metadata} for output in captured.outputs]
        self.printed = captured.stdout + captured.stderr
        return result

    def good(self, source: str) -> Any:
        """Run a cell that must pass; return its last value."""
        result = self(source)
        result.raise_error()
        return result.result

    def bad(self, source: str) -> BaseException:
        """Run a cell that must fail; return its error."""
        error = self(source).error_in_exec
        assert error is not None
        return error

    @property
    def text(self) -> str:
        """The plain text of what the last cell displayed."""
        return "\n".join(output["data"].get("text/plain", "") for output in self.displayed)


@pytest.fixture
def cells(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> Cells:
    """Return a way to run cells in a shell that has the extension; sessions are kept in memory."""
    monkeypatch.setenv("WF_STORAGE", "memory:")
    shell.run_line_magic("colors", "nocolor")
    shell.run_line_magic("load_ext", "wf_notebook")
    return Cells(shell)


@pytest.fixture(scope="session")
def run_notebook(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., nbformat.NotebookNode]:
    """Return a way to run a notebook of these code cells in a real kernel, in a folder of its own, to its end."""

    def run(*sources: str, allow_errors: bool = True) -> nbformat.NotebookNode:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        folder = tmp_path_factory.mktemp("notebook")
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=60, allow_errors=allow_errors, resources=resources).execute()
        return notebook

    return run

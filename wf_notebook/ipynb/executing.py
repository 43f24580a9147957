"""The cells of a notebook, run one after another in a kernel of its own; what each gave and took is told as it ends."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..errors import KernelFailed, MissingPart
from ..tally import PLACE, counted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from nbclient import NotebookClient
    from nbformat import NotebookNode

#: What brings nbclient.
REMEDY = 'pip install "wf-notebook[lab]"'
#: A cell with this tag is not run: nbclient has it so.
SKIPPED = "skip-execution"
#: A cell with this tag may fail: nbclient has it so, too.
FAILING = "raises-exception"


@dataclass(frozen=True)
class Failure:
    """Why a cell failed: in a line, and as it showed that; `is_allowed` where its tag says that it may."""

    told: str
    traceback: str = ""
    is_allowed: bool = False


@dataclass(frozen=True)
class Ended:
    """A cell that ended: its place in the notebook, from 0, the seconds it took, what was counted, and why it failed, if so."""

    index: int
    seconds: float
    counts: dict[str, Any]
    failure: Failure | None


def is_run(cell: Any) -> bool:
    """Say whether a cell is run at all."""
    return cell.cell_type == "code" and bool(cell.source.strip()) and SKIPPED not in tags(cell)


def tags(cell: Any) -> set[str]:
    """Return the tags of a cell."""
    return {*cell.metadata.get("tags", ())}


class Execution:
    """One execution of a notebook, whose cells get their new outputs in place."""

    def __init__(self, notebook: NotebookNode, folder: Path, *, environment: dict[str, str], timeout: float | None) -> None:
        self.notebook, self._folder, self._timeout = notebook, folder, timeout
        self._environment = {**os.environ, **environment}
        self._read = 0

    def execute(self, ended: Callable[[Ended], object]) -> dict[str, Any]:
        """Run all cells, or those up to the first that fails; return what was counted after the last one had ended.

        Raises:
            MissingPart: nbclient or the kernel is not installed.
            KernelFailed: The kernel did not start.
        """
        try:
            from nbclient import NotebookClient
        except ImportError:
            raise MissingPart(f"running a notebook needs nbclient: {REMEDY}") from None
        kernel = self.notebook.metadata.get("kernelspec", {}).get("name") or "python3"
        client = NotebookClient(self.notebook, kernel_name=kernel, timeout=self._timeout, record_timing=False)
        client.log.disabled = True  # what it would say is in the error
        with TemporaryDirectory(prefix="wf-rerun-") as place:
            self._counts, self._said = Path(place) / "counts", Path(place) / "said"
            run_to_its_end(lambda: self._run(client, ended))
            return self._new_counts()

    async def _run(self, client: NotebookClient, ended: Callable[[Ended], object]) -> None:
        async with self._kernel(client):
            client.reset_execution_trackers()
            for index, cell in enumerate(self.notebook.cells):
                if not is_run(cell):
                    continue
                began = perf_counter()
                failure = await self._failure(client, cell, index)
                ended(Ended(index, perf_counter() - began, self._new_counts(), failure))
                if failure is not None and not failure.is_allowed:
                    return
            client.set_widgets_metadata()

    @asynccontextmanager
    async def _kernel(self, client: NotebookClient) -> AsyncGenerator[None]:
        """Start a kernel, and end it: not by `client.execute`, which takes an interrupt for a kernel that died."""
        from jupyter_client.kernelspec import NoSuchKernel

        manager: Any = client.create_kernel_manager()
        client.km = manager
        try:
            with self._said.open("wb") as log:
                environment = {**self._environment, PLACE: str(self._counts)}
                await client.async_start_new_kernel(env=environment, cwd=str(self._folder), stderr=log)
            channels: Any = await client.async_start_new_kernel_client()
        except NoSuchKernel:
            raise MissingPart(_no_kernel(client.kernel_name)) from None
        except (RuntimeError, OSError) as error:
            why = self._last_line() or f": {error}"
            remedy = "`jupyter kernelspec list` says where it lies"
            raise KernelFailed(f"the kernel {client.kernel_name!r} did not start{why}; {remedy}") from error
        try:
            yield
        finally:
            try:
                await manager.shutdown_kernel()
                await manager.cleanup_resources()
            finally:
                channels.stop_channels()

    async def _failure(self, client: NotebookClient, cell: Any, index: int) -> Failure | None:
        """Run one cell; return why it failed, None where it did not."""
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

        why = ""
        try:
            await client.async_execute_cell(cell, index, execution_count=client.code_cells_executed + 1)
        except CellExecutionError as error:
            why = f"{error.ename}: {error.evalue}"
        except CellTimeoutError:
            return Failure(f"it took longer than {self._timeout:g} s")
        except DeadKernelError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # nbclient takes that for a kernel that died
                raise asyncio.CancelledError from None
            return Failure(f"its kernel died{self._last_line()}")
        shown = next((output for output in cell.outputs if output.output_type == "error"), None)
        is_allowed = FAILING in tags(cell)
        if is_allowed and shown is not None:
            why = f"{shown.ename}: {shown.evalue}"
        traceback = "\n".join(shown.traceback) if shown is not None else ""
        return Failure(" ".join(why.split()).removesuffix(":"), traceback, is_allowed=is_allowed) if why else None

    def _new_counts(self) -> dict[str, Any]:
        """Return what was counted since the last time."""
        with suppress(OSError):
            text = self._counts.read_text(encoding="utf-8")
            whole = text.rfind("\n") + 1
            new, self._read = text[self._read : whole], whole
            return counted(new)
        return {}

    def _last_line(self) -> str:
        """Return the last thing that the kernel's process said, mostly why it ended; ipykernel warns of this and that."""
        lines = self._said.read_text(encoding="utf-8", errors="replace").split("\n")
        return next((f": {line.strip()}" for line in reversed(lines) if line.strip() and "[IPKernelApp]" not in line), "")


def run_to_its_end(make: Callable[[], Any]) -> None:
    """Run a coroutine on a loop of its own: in this thread, or beside it where this one has a loop that runs, as in a notebook.

    >>> async def say(): print("said")
    >>> run_to_its_end(say)
    said
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(make())
        return
    raised: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(make())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            raised.append(error)

    thread = Thread(target=run, name="wf-rerun")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]


def _no_kernel(name: str) -> str:
    from jupyter_client.kernelspec import KernelSpecManager

    there = sorted(KernelSpecManager().find_kernel_specs())
    listed = f"; there are {', '.join(map(repr, there))}" if there else ""
    make = "pip install ipykernel" if name == "python3" else f"python -m ipykernel install --user --name {name}"
    return f"the notebook asks for the kernel {name!r}, which is not installed{listed}: {make}"

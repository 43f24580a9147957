"""A notebook run again, from above to below: only outputs that changed are written, and what is remembered costs nothing."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ..errors import BadSetting, CellFailed, OutputsDiffer
from .executing import Ended, Execution, Failure, is_run, tags
from .file import NotebookFile
from .outputs import difference, merged, same, shows_widgets
from .reran import CellRun, Counts, Difference, Rerun

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

#: A cell with one of these tags is run, and what it gives is not compared by a check: nbval has such a tag.
UNCOMPARED = {"nbval-ignore-output", "volatile"}


def rerun(
    path: str | os.PathLike[str],
    *,
    fresh: bool = False,
    check: bool = False,
    tell: Callable[[CellRun], object] = lambda _: None,
    timeout: float | None = None,
) -> Rerun:
    """Run a notebook from above to below in a kernel of its own, in its folder, and write the outputs that changed into it.

    Steps that are remembered in its sessions are not done again, as its cells say. Where nothing changed, the file stays as it
    is, byte for byte; it is replaced as a whole, or not at all.

    Args:
        path: The notebook.
        fresh: Do every step again (`WF_CACHE=refresh!`).
        check: Write nothing into the notebook, ask no model (`WF_CACHE=only!`), and raise where an output is not what is saved.
        tell: Is told of each cell when it ended; `print` gives a line for each.
        timeout: How long a cell may take, in seconds.

    Raises:
        BadNotebook: There is none at `path`, or one of an old format.
        MissingPart: nbclient or the notebook's kernel is not installed.
        KernelFailed: The kernel did not start.
        CellFailed: A cell failed; nothing was written, and those below it did not run.
        OutputsDiffer: With `check`, an output is not what is saved.
        UnwritableFile: The notebook was changed while it ran, or cannot be written; nothing was written.
    """
    if fresh and check:
        raise BadSetting("fresh asks for every step again, and check asks no model; write one of them")
    file = NotebookFile.read(path)
    if not check:
        file.check_writable()
    return _Rerunning(file, fresh=fresh, check=check, tell=tell).result(timeout)


class _Rerunning:
    """One run of a notebook."""

    def __init__(self, file: NotebookFile, *, fresh: bool, check: bool, tell: Callable[[CellRun], object]) -> None:
        self._file, self._fresh, self._check, self._tell = file, fresh, check, tell
        self._before, self._notebook = file.node(), file.node()
        self._cells: list[CellRun] = []
        self._failure: Failure | None = None
        self._of = sum(map(is_run, self._notebook.cells))

    def result(self, timeout: float | None) -> Rerun:
        environment = {"WF_CACHE": "refresh!"} if self._fresh else {"WF_CACHE": "only!"} if self._check else {}
        began = perf_counter()
        place = self._file.path.resolve()
        environment["JPY_SESSION_NAME"] = str(place)  # as Jupyter Server tells a kernel its notebook
        folder = place.parent
        execution = Execution(self._notebook, folder, environment=environment, timeout=timeout)
        left = execution.execute(self._ended)
        # A later cell may have changed what an earlier one shows.
        cells = tuple(replace(cell, changed=not self._is_same(cell.index)) for cell in self._cells)
        result = Rerun(
            **_sums(cells, left),
            path=str(self._file.path),
            cells=cells,
            seconds=perf_counter() - began,
            check=self._check,
            fresh=self._fresh,
        )
        self._raise_if_failed(result)
        if self._check:
            return self._checked(result)
        return self._written(result)

    def _ended(self, ended: Ended) -> None:
        """A cell ended."""
        failure = ended.failure
        self._failure = None if failure is None or failure.is_allowed else failure
        done = CellRun(
            **ended.counts,
            number=len(self._cells) + 1,
            of=self._of,
            index=ended.index,
            source=self._notebook.cells[ended.index].source,
            seconds=ended.seconds,
            changed=self._failure is None and not self._is_same(ended.index),
            error=None if failure is None else failure.told,
        )
        self._cells.append(done)
        self._tell(done)

    def _is_same(self, index: int) -> bool:
        old, new = self._before.cells[index], self._notebook.cells[index]
        if self._check and UNCOMPARED & tags(new):
            return True
        return same(old.outputs, new.outputs)

    def _raise_if_failed(self, result: Rerun) -> None:
        if self._failure is None:
            return
        from ..cache.modes import WITHOUT_ONLY

        cell = result.cells[-1]
        why = self._failure.told.replace(WITHOUT_ONLY, "`wf rerun` without --check asks the model")
        kept = "" if self._check else "; the notebook is as it was"
        failed = CellFailed(f"cell {cell.number} of {cell.of}, {cell.words}: {why}{kept}")
        failed.traceback, failed.rerun = self._failure.traceback, result
        raise failed

    def _checked(self, result: Rerun) -> Rerun:
        told = [
            Difference(cell.number, cell.words, difference(self._before.cells[cell.index].outputs, self._outputs(cell)))
            for cell in result.changed
        ]
        if not told:
            return result
        result = replace(result, differences=tuple(told))
        numbers = ", ".join(str(cell.number) for cell in told)
        what = f"the output of cell {numbers} is" if len(told) == 1 else f"the outputs of cells {numbers} are"
        differ = OutputsDiffer(f"{what} not what {result.path!r} has; `wf rerun` without --check writes what they are now")
        differ.rerun, differ.__notes__ = result, [str(each) for each in told]
        raise differ

    def _written(self, result: Rerun) -> Rerun:
        if not result.changed:
            return result
        outputs = {cell.index: self._outputs(cell) for cell in result.changed}
        counts = {cell.index: cell.number for cell in result.changed}
        widgets = self._notebook.metadata.get("widgets") if any(map(shows_widgets, outputs.values())) else None
        self._file.replace(self._file.with_outputs(outputs, counts, widgets))
        return replace(result, written=True)

    def _outputs(self, cell: CellRun) -> list[Any]:
        return merged(self._notebook.cells[cell.index].outputs)


def _sums(cells: tuple[CellRun, ...], left: dict[str, Any]) -> dict[str, Any]:
    """Add up what was counted, cell by cell and after the last."""
    counted: list[Counts] = [*cells, Counts(**left)]
    costs = [each.cost for each in counted if each.cost is not None]
    names = ("hits", "requests", "input_tokens", "output_tokens")
    return {name: sum(getattr(each, name) for each in counted) for name in names} | {"cost": sum(costs) if costs else None}

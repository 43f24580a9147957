"""Everything that can go wrong, each with its remedy.

An error is a fact and a remedy in one line. Only ours are one line: an exception of the user's own code keeps its traceback.
"""

from __future__ import annotations

from linecache import getline
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class WorkflowError(Exception):
    """The base of our errors: shown by IPython as one line, without a traceback; in a run with the line of the user's code, too.

    >>> WorkflowError("no model")._render_traceback_()
    ['WorkflowError: no model']
    """

    #: What a batch run had answered when its save failed: nothing that was paid for is lost.
    response: Any = None
    #: The file and line of the user's run() where it came up; None outside of a run.
    place: tuple[str, int] | None = None

    def _render_traceback_(self) -> list[str]:
        """Return the lines that IPython shows in place of a traceback."""
        where = [] if self.place is None else [_line_of(*self.place)]
        return [f"{type(self).__name__}: {self}", *where, *getattr(self, "__notes__", ())]


class BadRunOutput(WorkflowError, TypeError):
    """run() gave something that is not a response."""


#: How many places one error names.
_NAMED = 5


class UnsavableValue(WorkflowError, TypeError):
    """A value in session_state that cannot be kept; `path` says where it is, `paths` where else there are others."""

    def __init__(self, message: str, *, path: str = "session_state", paths: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.path = path
        self.paths = tuple(paths) or (path,)

    @classmethod
    def joined(cls, refusals: Iterable[UnsavableValue]) -> UnsavableValue:
        """Return one error for several values: what the first says, and where the others are; its notes say why they are not.

        >>> UnsavableValue.joined([UnsavableValue("a is odd; keep b", path="a"), UnsavableValue("c is odd", path="c")])
        UnsavableValue('a is odd; keep b; c cannot be kept either')
        """
        first, *others = refusals
        paths = [other.path for other in others]
        if not (named := paths[: _NAMED - 1]):
            return first
        more = f"{len(paths) - len(named)} more" if len(paths) > len(named) else named.pop()
        places = f"{', '.join(named)} and {more}" if named else more
        error = cls(f"{first}; {places} cannot be kept either", path=first.path, paths=[first.path, *paths])
        error.__cause__, error.__notes__ = first.__cause__, [str(other) for other in others]
        return error


class SessionConflict(WorkflowError):
    """The same key was changed here and elsewhere since it was last loaded.

    `mine`, `theirs` and `base` hold the decoded values of the keys in conflict (a deleted or absent key is not in the dict);
    `branch` is the id of the session in which all of mine were kept.
    """

    def __init__(
        self,
        message: str,
        *,
        keys: Iterable[Any] = (),
        mine: dict[Any, Any] | None = None,
        theirs: dict[Any, Any] | None = None,
        base: dict[Any, Any] | None = None,
        branch: str | None = None,
    ) -> None:
        super().__init__(message)
        self.keys = tuple(keys)
        self.mine = mine or {}
        self.theirs = theirs or {}
        self.base = base or {}
        self.branch = branch

    def _render_traceback_(self) -> list[str]:
        first, *others = super()._render_traceback_()
        return [f"{first}; here %wf diff shows both sides, and %wf resolve mine (or theirs) decides", *others]


class NoConflict(WorkflowError, ValueError):
    """There is nothing to resolve: nobody else changed what was changed here."""


class SessionExists(WorkflowError, ValueError):
    """There is a session of that id already."""


class UnknownVersion(WorkflowError, LookupError):
    """The session has no version of that number."""


class UnknownSession(WorkflowError, LookupError):
    """There is no session of that id."""


class UnknownRun(WorkflowError, LookupError):
    """There is no run of that id."""


class UnknownStep(WorkflowError, LookupError):
    """Nothing is remembered under that name."""


class UnknownPath(WorkflowError, LookupError):
    """There is no value at that place of session_state."""


class BadQuery(WorkflowError, ValueError):
    """SQL that is wrong, takes too long, or would do more than read."""


class SessionOwned(WorkflowError, PermissionError):
    """The session belongs to another user_id."""


class StorageBusy(WorkflowError):
    """Somebody else holds the database file; the unsaved state stays in memory."""


class BadStorage(WorkflowError, ValueError):
    """The address of a storage is of an unknown kind, or what lies there is no database of ours."""


class StorageReadOnly(WorkflowError, PermissionError):
    """The database can be read but not written."""


class StorageFailed(WorkflowError, OSError):
    """The database could not be read or written (a full disk, a broken file); what was there before is still there."""


class UnknownWorkflow(WorkflowError, LookupError):
    """No workflow of that name."""


class UnknownOption(WorkflowError, ValueError):
    """No option of that name."""


class UnknownVerb(WorkflowError, ValueError):
    """%wf has no verb of that name."""


class UnknownInput(WorkflowError, TypeError):
    """run() takes no input of that name."""


class UncacheableArgument(WorkflowError, TypeError):
    """An argument of a cached step has no content to make a key of."""


class BadSetting(WorkflowError, TypeError):
    """A constructor was given an argument that it does not know, or of a wrong type."""


class BadSource(WorkflowError, ValueError):
    """A file is no Python that can be read: another kind of file, another encoding than it says, or not there."""


class MissingRun(WorkflowError, NotImplementedError):
    """The workflow has no run()."""


class MissingInput(WorkflowError, TypeError):
    """run() needs an input that was not given."""


class BadArguments(WorkflowError, ValueError):
    """The arguments on a magic's line cannot be read as Python."""


class BadCell(WorkflowError, ValueError):
    """The cell defines no workflow, or more than one and no name to choose by."""


class BadNotebook(WorkflowError, ValueError):
    """There is no notebook, or what is there is none, or of an old format."""


class BadBranch(WorkflowError, TypeError):
    """What was given to `parallel` is no stream, coroutine or callable, or cannot be done as asked."""


class BranchTimeout(WorkflowError, TimeoutError):
    """A branch of `parallel` took longer than it may."""


class BadRows(WorkflowError, TypeError):
    """What was given to `map` cannot be read as rows of inputs, or run() does not take them."""


class RowTimeout(WorkflowError, TimeoutError):
    """A row of a sweep took longer than it may."""


class Unshippable(WorkflowError, TypeError):
    """A workflow, or what it needs, cannot be sent to other processes."""


class WorkersLost(WorkflowError, ConnectionError):
    """The processes that do the rows of a sweep are gone, or a row is lost with them again and again."""


class RunCancelled(BaseException):
    """Raised inside run() when its run was stopped; a BaseException, so that `except Exception` lets it pass."""


class FirstMiss(RunCancelled):
    """A plan has come to the first step that would be done."""


class CacheMiss(WorkflowError, LookupError):
    """A step is not remembered, and was not to be done."""


class NoModel(WorkflowError, LookupError):
    """No model was named and none is at hand."""


class UnknownModel(WorkflowError, LookupError):
    """No model of that name, or the key or package that it needs is missing."""


class ModelFailed(WorkflowError):
    """A model call failed: the message says which agent and which model."""


class AgentFailed(WorkflowError):
    """An agent could not do what it was asked for other reasons than its model (a tool that raised: the cause)."""


class UnsendableFile(WorkflowError, ValueError):
    """A file cannot be sent along with a message: it is missing, empty, too large, of an unknown type, or not for this model."""


class UnwritableFile(WorkflowError, OSError):
    """A file cannot be written: it is there already, its folder is not, it may not be written, or was changed meanwhile."""


class DownloadFailed(WorkflowError, OSError):
    """A model file could not be fetched whole; nothing half-written was left."""


class MissingPart(WorkflowError, ImportError):
    """An optional package is needed for this."""


class KernelFailed(WorkflowError):
    """The kernel of a notebook did not start."""


class CellFailed(WorkflowError):
    """A cell of a notebook failed when that was run again; `traceback` is what it showed, `rerun` says how far it came."""

    traceback: str = ""
    rerun: Any = None


class OutputsDiffer(WorkflowError):
    """What the cells of a notebook give is not what is saved in it; `rerun` says where, and how."""

    rerun: Any = None


class RunStopped(WorkflowError):
    """Ends the cell of a run that was stopped: those below it do not run."""


def _line_of(file: str, number: int) -> str:
    """A line of the user's code; a cell is no file."""
    where = f"{Path(file).name}, line {number}" if Path(file).exists() else f"line {number} of the cell"
    line = getline(file, number).strip()
    return f"at {where}: {line}" if line else f"at {where}"

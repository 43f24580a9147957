"""The workflows in a namespace: found by name, made with their session and storage, asked what they need."""

from __future__ import annotations

import builtins
import inspect
from typing import TYPE_CHECKING, Any

from ..cache import mode_of
from ..errors import MissingInput, SessionConflict, UnknownInput, UnknownWorkflow, UnsavableValue, WorkflowError
from ..nearest import did_you_mean
from ..run import logger
from ..workflow import Workflow
from .cell import snake_case
from .defining import is_workflow

if TYPE_CHECKING:
    from collections.abc import Callable


def names(namespace: dict[str, Any]) -> list[str]:
    """Return the names of the workflows in a namespace, instances first."""
    public = {name: value for name, value in list(namespace.items()) if not name.startswith("_")}
    instances = [name for name, value in public.items() if isinstance(value, Workflow)]
    return instances + [name for name, value in public.items() if is_workflow(value)]


def listed(namespace: dict[str, Any]) -> str:
    """Return the workflows of a namespace as an error lists them: a class only where it has no instance."""
    made = {type(value) for value in list(namespace.values()) if isinstance(value, Workflow)}
    return ", ".join(repr(name) for name in names(namespace) if not (is_workflow(value := namespace[name]) and value in made))


def find(namespace: dict[str, Any], name: str) -> tuple[type[Workflow], str, Workflow | None]:
    """Return the class as it is defined now, the name of its instance, and the instance if there is one of any age."""
    value = namespace.get(name)
    if is_workflow(value):
        cls, name = value, snake_case(name)
        value = namespace.get(name)
        return cls, name, value if isinstance(value, Workflow) and type(value).__name__ == cls.__name__ else None
    if isinstance(value, Workflow):
        current = namespace.get(type(value).__name__)
        return (current if is_workflow(current) else type(value)), name, value
    for title, cls in list(namespace.items()):
        if is_workflow(cls) and snake_case(title) == name:
            return cls, name, None
    known = names(namespace)
    near = did_you_mean(name, known)
    there = f"; there are {listed(namespace)}" if known else "; define one with %%workflow"
    raise UnknownWorkflow(f"no workflow named {name!r}{near or there}")


def successor(cls: type[Workflow], name: str, old: Any, *, session: str, storage: Any, namespace: dict[str, Any]) -> Workflow:
    """Make the workflow that takes the place of `old` (which may be anything); what was unsaved in that is saved.

    Where it cannot be saved, a warning says why, and what becomes of it; the old one is then `_NAME` in the namespace.
    """
    new = _made(cls, session, storage)
    if not isinstance(old, Workflow) or not old.session.loaded:
        return new
    if getattr(old.storage, "url", None) == getattr(new.storage, "url", None):
        new = _made(cls, session, old.storage)
    try:
        old.write_to_storage()
    except WorkflowError as error:
        logger.warning("%s: %s", name, _in_spite_of(error, old, new, f"_{name}"))
        namespace[f"_{name}"] = old
    return new


def _made(cls: type[Workflow], session: str, storage: Any) -> Workflow:
    """Make a workflow; in a notebook steps are remembered, if nobody says otherwise."""
    workflow = cls(session_id=session, storage=storage)
    workflow.cache = workflow.cache or mode_of(None, "use")
    return workflow


def take_name(name: str, namespace: dict[str, Any]) -> None:
    """Warn where the name of a workflow is that of something else, which stays in the namespace as `_NAME`."""
    old = namespace.get(name)
    if isinstance(old, Workflow):
        return
    if old is not None:
        namespace[f"_{name}"] = old
        logger.warning("%s is the workflow now; what it was, a %s, is _%s; another NAME keeps both", name, _kind(old), name)
    elif hasattr(builtins, name):
        logger.warning("%s is the workflow now; del %s brings Python's own back; another NAME keeps both", name, name)


def _kind(value: Any) -> str:
    return "class" if isinstance(value, type) else type(value).__name__


def _in_spite_of(error: WorkflowError, old: Workflow, new: Workflow, kept: str) -> str:
    """Bring what is unsaved in `old` into `new` where that can be; return what to say of it."""
    session = f"session {old.session_id!r}"
    if isinstance(error, SessionConflict):
        keys = ", ".join(map(repr, error.keys))
        return (
            f"{session} was changed elsewhere too, in {keys}; this goes on with what the store has, "
            f"yours is in its branch {error.branch!r} and in {kept}.session_state"
        )
    if isinstance(error, UnsavableValue):
        return f"{error}; this goes on without, what you had is in {kept}.session_state"
    fact = f"{session} could not be saved ({type(error).__name__}: {error})"
    if new.session_id == old.session_id and new.storage is old.storage:
        new.go_on_from(old)
        return f"{fact}; this goes on with what is unsaved"
    if new.session_id == old.session_id and new.read_from_storage().version == 0:
        new.session_state.update(old.session_state)
        return f"{fact}; its state goes along to the other storage"
    return f"{fact}; what is unsaved is in {kept}, and {kept}.write_to_storage() tries again"


def method(workflow: Workflow) -> Callable[..., Any]:
    """Return what runs the workflow: run(), or arun() where only that was written."""
    return workflow.arun if written(type(workflow)) is type(workflow).arun else workflow.run


def parameters(cls: type[Workflow]) -> dict[str, inspect.Parameter]:
    """Return the inputs of a class of workflows by name."""
    return {each.name: each for each in _takes(cls) if each.kind not in {each.VAR_POSITIONAL, each.VAR_KEYWORD}}


def missing(cls: type[Workflow], inputs: dict[str, Any], name: str) -> list[str]:
    """Return the inputs that are still needed; raises UnknownInput for one that run() does not take."""
    takes = parameters(cls)
    takes_any = any(each.kind is each.VAR_KEYWORD for each in _takes(cls))
    for given in inputs:
        if given not in takes and not takes_any:
            listed = f"; it takes {', '.join(map(repr, takes))}" if takes else "; it takes none"
            raise UnknownInput(f"{name!r} has no input {given!r}{did_you_mean(given, takes) or listed}")
    return [each.name for each in takes.values() if each.default is each.empty and each.name not in inputs]


def written(cls: type[Workflow]) -> Callable[..., Any]:
    """Return what a class has for a run: run(), or arun() where only that was written."""
    return cls.arun if cls.run is Workflow.run and cls.arun is not Workflow.arun else cls.run


def _takes(cls: type[Workflow]) -> list[inspect.Parameter]:
    return list(inspect.signature(written(cls)).parameters.values())[1:]


def named(workflow: Workflow, namespace: dict[str, Any]) -> str | None:
    """Return the name of the variable in which a namespace has a workflow."""
    return next((name for name, value in list(namespace.items()) if value is workflow and not name.startswith("_")), None)


def needs(cls: type[Workflow], name: str, absent: list[str]) -> MissingInput:
    """Return what to say when inputs are missing."""
    return MissingInput(f"{name!r} needs {', '.join(map(repr, absent))}; write {call_line(cls, name, absent)}")


def call_line(cls: type[Workflow], name: str, absent: list[str]) -> str:
    """Return the line that runs a workflow, with an ellipsis for each input.

    >>> class Blog(Workflow):
    ...     def run(self, topic: str, n: int): ...
    >>> call_line(Blog, "blog", ["topic", "n"])
    '%workflow blog topic="…" n=…'
    """
    takes = parameters(cls)
    text = {inspect.Parameter.empty, str, "str"}
    return " ".join([f"%workflow {name}", *(f'{each}="…"' if takes[each].annotation in text else f"{each}=…" for each in absent)])

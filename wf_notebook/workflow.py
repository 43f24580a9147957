"""Workflow: the user's run(), a plain function, opened and closed around."""

from __future__ import annotations

import functools
import inspect
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import ref

from . import saver
from .cache import Cache, checked_mode, mode_of
from .errors import MissingRun, WorkflowError
from .events import RunResponse
from .ids import new_id
from .inputs import Inputs
from .keeping import Keeping
from .offering import Offering
from .outcome import already, outcome
from .record import OpenRun
from .run import Run, RunContext, current, logger
from .settings import Adapting, check_old_names, checked_setting, own_agents, warn_if_outdated
from .storage import opened
from .stream import RunStream
from .users import user, work_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from .cache import Mode
    from .storage import WorkflowStorage

#: Who is told of the run that this code begins, before the user's code is run; of those that this one begins nobody is.
hears: ContextVar[Callable[[OpenRun], object] | None] = ContextVar("wf_notebook_hears", default=None)
#: Settings that may be class attributes, although instances have properties of these names.
_CLASS_SETTINGS = ("session_id", "session_state")


class Workflow(Adapting, Keeping, Offering):
    """A workflow is a subclass with a method run(): plain Python that yields or returns what it has to say.

    `session_state` is a dict that belongs to the session; with a `storage` (a storage or its address) it is kept there, and is
    saved however a run ends. Without one it lives as long as the workflow.

    >>> class Greeter(Workflow):
    ...     def run(self, name: str):
    ...         self.session_state["greeted"] = [*self.session_state.get("greeted", []), name]
    ...         yield f"Hello, {name}!"
    >>> greeter = Greeter(session_id="demo", storage="memory:")
    >>> greeter.run(name="Ada").result().content
    'Hello, Ada!'
    >>> greeter.session_state, greeter.last_run.status
    ({'greeted': ['Ada']}, 'completed')
    """

    name: str | None = None
    workflow_id: str | None = None
    description: str | None = None
    user_id: str | None = None
    session_name: str | None = None
    #: A storage or its address; an instance has the storage.
    storage: Any = None
    extra_data: dict[str, Any] | None = None
    debug_mode: bool = False
    #: Whether runs leave no record and no events in the store; the state is kept.
    private: bool = False
    #: What the agents of one run may spend, in tokens and in US dollars: then it ends, `stopped`, with what it has (see `run`).
    max_tokens: int | None = None
    max_cost: float | None = None
    #: How runs deal with steps that were done before: "use", "refresh", "only" or "off"; None: as `WF_CACHE` says, else "off".
    cache: Mode | None = None
    #: After a run the steps that were done first are erased, until what the others gave takes no more bytes than this.
    cache_limit: int | None = None
    _settings: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._settings = {**cls._settings, **{name: cls.__dict__[name] for name in _CLASS_SETTINGS if name in cls.__dict__}}
        for name in _CLASS_SETTINGS:
            if name in cls.__dict__:
                delattr(cls, name)
        for name in ("run", "arun"):
            method = getattr(cls, name)
            if not hasattr(method, "opens_run"):
                setattr(cls, name, _opening(method))

    def __init__(
        self,
        *,
        name: str | None = None,
        workflow_id: str | None = None,
        description: str | None = None,
        user_id: str | None = None,
        session_id: str | None = None,
        session_name: str | None = None,
        session_state: dict[str, Any] | None = None,
        storage: WorkflowStorage | str | None = None,
        extra_data: dict[str, Any] | None = None,
        debug_mode: bool = False,
        private: bool = False,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        cache: Mode | None = None,
        cache_limit: int | None = None,
        **without_meaning: Any,
    ) -> None:
        if without_meaning:
            check_old_names(without_meaning, inspect.signature(Workflow).parameters)
        cls = type(self)
        self.name = name or cls.name or cls.__name__
        chosen_id = workflow_id or cls.workflow_id
        self.workflow_id, self._id_is_made_up = chosen_id or new_id(), not chosen_id
        given: dict[str, Any] = {"description": description, "user_id": user_id, "session_name": session_name}
        given |= {"extra_data": extra_data, "debug_mode": debug_mode or None, "private": private or None}
        given |= {"max_tokens": max_tokens, "max_cost": max_cost, "cache": checked_mode(cache)}
        given["cache_limit"] = cache_limit
        for setting, value in given.items():
            setattr(self, setting, checked_setting(setting, getattr(cls, setting) if value is None else value))
        self._user_is_known_by = user() if self.user_id is None else None
        if self.user_id is None:
            self.user_id = self._user_is_known_by
        else:
            work_for(self.user_id)
        place = storage if storage is not None else cls.storage
        self.storage: WorkflowStorage | None = None if place is None else opened(place)
        if self.debug_mode:
            logger.setLevel("DEBUG")
        state = session_state if session_state is not None else self._settings.get("session_state")
        self.session_is_chosen = bool(session_id or self._settings.get("session_id"))
        self._session = self._new_session(session_id or self._settings.get("session_id") or new_id(), state)
        self._run: Callable[[], OpenRun | None] = lambda: None
        self._last_run: Run | None = None
        self._next_cache: Mode | None = None
        self._last_ids: tuple[str, dict[str, Any]] | None = None
        for attribute, agent in own_agents(reversed(type(self).__mro__[: -len(Workflow.__mro__)])).items():
            setattr(self, attribute, agent)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}, session {self.session_id!r}>"

    # -- what the user writes ----------------------------------------------------------------------------------------------

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Write this method. It may yield or return RunResponse, str, a pydantic model, an agent's stream, or lists of these.

        A run whose budget (`max_tokens`, `max_cost`) is spent raises nothing at its caller: a stream ends with what it has said;
        a run that returns gives what it has, as a response of the event `RunCancelled`. `last_run.status` is `stopped`, and
        `last_run.error` says why; so it is, too, when it was the last request that went over the budget.
        """
        raise MissingRun(f"{type(self).__name__} has no run(); write one, or await arun() if it has that")

    def arun(self, *args: Any, **kwargs: Any) -> Any:
        """Write this method as a coroutine or an async generator. Without it, run() is awaited as it is."""
        value = self.run(*args, **kwargs)
        return value if isinstance(value, RunStream) or inspect.isawaitable(value) else already(value)

    @classmethod
    def opening(cls) -> Callable[..., Any]:
        """Return the method that the user wrote: run(), or arun() where there is no run()."""
        method = cls.run if cls.run is not Workflow.run else cls.arun
        written: Callable[..., Any] = getattr(method, "__wrapped__", method)
        return written

    # -- the run -----------------------------------------------------------------------------------------------------------

    def _open(self, method: Callable[..., Any], takes: Inputs, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Open a run, call the user's method inside it, and say by the returned value what comes back."""
        inputs = takes.bound(args, kwargs, name=type(self).__name__)
        warn_if_outdated(self)
        saver.drain()
        run_id = new_id()
        self._last_ids = run_id, inputs
        self._session.about = self.about()
        self._session.load()
        self._adopt(self._session.about)
        context = RunContext(run_id, self.session_id, self.workflow_id or "", self, private=self.private)
        context.limit(self.max_tokens, self.max_cost)
        cache = context.cache = Cache(self._session, mode_of(self._next_cache or self.cache))
        note = partial(self._note, cache=cache)
        run = OpenRun(context, self._session, workflow=self.name or type(self).__name__, inputs=inputs, ended=note)
        cache.belongs_to(run)
        self._next_cache = None
        self._run = ref(run)
        if (hear := hears.get()) is not None:
            run.variables.run(hears.set, None)
            hear(run)
        return outcome(run, lambda: method(self, *args, **kwargs))

    def _note(self, record: Run, cache: Cache) -> None:
        self._last_run = record
        if self.cache_limit is not None and cache.used:
            with suppress(WorkflowError):  # it is tried again after the next run
                self._session.trim(self.cache_limit, used=cache.used)

    @property
    def last_run(self) -> Run | None:
        """The record of the last run of this instance, None before the first."""
        run = self._run()
        return run.record() if run is not None else self._last_run

    def next_run(self, *, cache: Mode | None) -> None:
        """Let the next run, and only that, deal with remembered steps in this way."""
        self._next_cache = checked_mode(cache)

    def stop(self) -> None:
        """End the run that goes on, from any thread: what was said is kept, its status is `stopped`."""
        if run := self._run():
            run.context.cancel.cancel()

    def give_up(self, error: BaseException) -> None:
        """End the run that goes on with an error, from any thread: what it says from now on is not heard."""
        if run := self._run():
            run.end(error)

    @property
    def run_id(self) -> str | None:
        """The id of the run that the calling code belongs to, else of the last one."""
        run = self._here()
        return run.run_id if run else (self._last_ids[0] if self._last_ids else None)

    @property
    def run_input(self) -> dict[str, Any] | None:
        """The inputs of the last run."""
        return self._last_ids[1] if self._last_ids else None

    @property
    def run_response(self) -> RunResponse | None:
        """What the last run has said so far, as one response."""
        if run := self._run():
            return run.result()
        if (last := self._last_run) is None:
            return None
        return RunResponse(last.content, run_id=last.run_id, session_id=last.session_id, workflow_id=last.workflow_id)

    def _here(self) -> RunContext | None:
        run = current.get()
        return run if run is not None and run.workflow is self else None


def _opening(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the user's run() or arun(): called inside its own run (`super().run()`) it is just itself."""
    takes = Inputs(inspect.signature(method))

    @functools.wraps(method)
    def opening(self: Workflow, *args: Any, **kwargs: Any) -> Any:
        if self._here() is not None:
            return method(self, *args, **kwargs)
        return self._open(method, takes, args, kwargs)

    opening.opens_run = True  # type: ignore[attr-defined] # a function may have attributes
    return opening


Workflow.run.opens_run = Workflow.arun.opens_run = True  # type: ignore[attr-defined] # as above

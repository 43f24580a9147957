"""What a workflow offers besides its run(): a plan, a sweep, a comparison, a form; each is made in a room above."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from .errors import BadArguments
from .run import way_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from .cache import Mode

F = TypeVar("F", bound="Callable[..., Any]")


class _OfAWorkflow:
    """A method that says so where it is called on the class: Python would take the first argument for the workflow."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method
        self.__doc__ = method.__doc__

    def __get__(self, workflow: object, cls: type) -> Callable[..., Any]:
        if workflow is not None:
            bound: Callable[..., Any] = self._method.__get__(workflow)
            return bound

        @wraps(self._method)
        def called(*args: Any, **kwargs: Any) -> Any:
            if args and isinstance(args[0], Offering):
                return self._method(*args, **kwargs)
            name, made = self._method.__name__, f"{cls.__name__.lower()} = {cls.__name__}()"
            raise BadArguments(f"{name}() is a method of a workflow, and {cls.__name__} is its class; make one first: {made}")

        return called


def of_a_workflow(method: F) -> F:
    """Return a method that says in a line what to do where it is called on the class."""
    return cast("F", _OfAWorkflow(method))


class Offering:
    """The part of a workflow that leads to other rooms."""

    @classmethod
    def opening(cls) -> Callable[..., Any]:
        """Return the method that the user wrote: run(), or arun() where there is no run()."""
        raise NotImplementedError

    @of_a_workflow
    def plan(self, *args: Any, **kwargs: Any) -> Any:
        """Return what a run with these inputs would do, before it is paid for: nothing is called, and nothing saved.

        It says which steps would come from the store, and which would be done first, how much that would send, and what it and
        what followed it took the last time. run() is played on a copy of the session up to there.

        >>> from wf_notebook import Workflow, step
        >>> class Blog(Workflow):
        ...     @step
        ...     def outline(self, topic): return [topic]
        ...     def run(self, topic): yield str(self.outline(topic))
        >>> Blog(cache="use").plan("cheese")
        nothing comes from the store
        ● first would be done: step 'outline' (nothing is remembered of it in this session)
        """
        method = self.opening()
        return way_up("Offering.plan")(self, inspect.signature(method), method, args, kwargs)

    @of_a_workflow
    def map(
        self,
        inputs: Any,
        /,
        *,
        limit: int | None = None,
        timeout: float | None = None,
        session: Literal["each", "one"] = "each",
        name: str | None = None,
        cache: Mode | None = None,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        executor: Any = None,
        **shared: Any,
    ) -> Any:
        """Return a sweep: a run for each row of `inputs`, in a session of its own. It begins when it is read, shown or started.

        `inputs` is a dataframe of pandas, polars or Arrow, a dict of columns, a list of dicts or of values for the one input of
        run(), the path of a .csv, .json or .parquet file, or anything that yields such rows. They are checked before it begins;
        columns that run() does not take are carried into the result. A row that fails is a row with its error, and the others go
        on. A row that was done before, with the same inputs and the same code, comes from the store: so a sweep that was
        stopped or killed goes on where it was when it is done again.

        Args:
            inputs: The rows.
            limit: How many rows at once: 8, or as many as the executor has places. How many calls of a model go on at once, and
                how many a minute, says `agents.limit`.
            timeout: Seconds that a row may take; then it is ended, and failed.
            session: "each" row in a session of its own, with the state that this workflow was given; or all in this "one".
            name: What the sessions of the rows are named after (`name/…`): this workflow's session_id, else its name.
            cache: As for a run; "use", if nothing is said here, by the workflow or by `WF_CACHE`.
            max_tokens: What the sweep may spend in all; then it ends, and what it has is kept.
            max_cost: The same in US dollars.
            executor: Who does the rows in place of threads of this process: a `concurrent.futures.Executor`, or what has its
                interface, or a `distributed.Client` of Dask.
            shared: Inputs that are the same for all rows.

        Raises BadRows for what cannot be read as rows, or not by run().

        >>> from wf_notebook import Workflow
        >>> class Greeter(Workflow):
        ...     def run(self, name: str, greeting="Hello"):
        ...         return f"{greeting}, {name}!"
        >>> sweep = Greeter().map(["Ada", "Grace"], greeting="Good morning")
        >>> [row.content for row in sweep.result()]
        ['Good morning, Ada!', 'Good morning, Grace!']
        >>> print(sweep.progress)
        2 of 2 rows
        """
        options = {"limit": limit, "timeout": timeout, "session": session, "name": name, "cache": cache}
        options |= {"max_tokens": max_tokens, "max_cost": max_cost, "executor": executor}
        return way_up("Offering.map")(self, inputs, shared, **options)

    @of_a_workflow
    def compare(
        self,
        inputs: Any = None,
        *,
        last: int | None = None,
        model: Any = None,
        score: Any = None,
        limit: int = 4,
        **others: Any,
    ) -> Any:
        """Return what recorded runs gave beside what the code as it is now, or another model, gives for the same inputs.

        Each input is run in a scratch session: a copy in memory of the session of the recorded run, as that was when the run
        began. Steps that did not change come from the store and cost nothing, and nothing is written to it.

        Args:
            inputs: What `map` takes: a dataframe, a Table, a dict of columns, a list of dicts, or of values for the one input of
                run(), or the path of a file; left out, the inputs of the last runs in the workflow's storage. Equal inputs count
                once; columns that run() does not take go along.
            last: So many runs; 50 if nothing is said.
            model: The model for all agents among the workflow's attributes.
            score: What says by a number how good an answer is, or a dict of several: a function of its text, or of the run if
                its parameter is named `run`, that may take `inputs` too; sync or async; or an agent or workflow that is asked.
            limit: How many are run at once.
            others: None; a name that is misspelt is answered by the one that is meant.

        The Comparison has a row for each input, in which a failure is told; `.df()`, `.summary`, `.means` and `.plot()`. An
        interrupt gives what is done.

        >>> from wf_notebook import Workflow
        >>> class Shout(Workflow):
        ...     def run(self, text): return text.upper()
        >>> shout = Shout(session_id="demo", storage="memory:")
        >>> shout.run("a").content, shout.compare().summary
        ('A', '1 compared, 0 changed')
        """
        return way_up("Offering.compare")(self, inputs, last=last, model=model, score=score, limit=limit, **others)

    @of_a_workflow
    def form(self, /, **inputs: Any) -> Any:
        """Return a form of the inputs of run(), with a session, Run and Stop; `inputs` are what it has at first.

        It is an ipywidgets.VBox: shown as the last expression of a cell, and composed as any widget.
        """
        return way_up("Offering.form")(self, **inputs)

    def inspect(self) -> Any:
        """Return an inspector of this workflow's session: its state, its past and its runs."""
        return way_up("Offering.inspect")(self)

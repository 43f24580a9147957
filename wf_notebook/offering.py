"""What a workflow offers besides its run(): a plan, a comparison, a form, an inspector; each is made in a room above."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .run import way_up

if TYPE_CHECKING:
    from collections.abc import Callable


class Offering:
    """The part of a workflow that leads to other rooms."""

    @classmethod
    def opening(cls) -> Callable[..., Any]:
        """Return the method that the user wrote: run(), or arun() where there is no run()."""
        raise NotImplementedError

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

    def compare(
        self,
        inputs: Any = None,
        *,
        last: int | None = None,
        model: Any = None,
        score: Any = None,
        limit: int = 4,
    ) -> Any:
        """Return what recorded runs gave beside what the code as it is now, or another model, gives for the same inputs.

        Each input is run in a scratch session: a copy in memory of the session of the recorded run, as that was when the run
        began. Steps that did not change come from the store and cost nothing, and nothing is written to it.

        Args:
            inputs: A dataframe, a Table, a list of dicts, or of values for the one input of run(); left out, the inputs of the
                last runs in the workflow's storage. Equal inputs count once; columns that run() does not take go along.
            last: So many runs; 50 if nothing is said.
            model: The model for all agents among the workflow's attributes.
            score: What says by a number how good an answer is, or a dict of several: a function of its text, or of the run if
                its parameter is named `run`, that may take `inputs` too; sync or async; or an agent or workflow that is asked.
            limit: How many are run at once.

        The Comparison has a row for each input, in which a failure is told; `.df()`, `.summary`, `.means` and `.plot()`. An
        interrupt gives what is done.

        >>> from wf_notebook import Workflow
        >>> class Shout(Workflow):
        ...     def run(self, text): return text.upper()
        >>> shout = Shout(session_id="demo", storage="memory:")
        >>> shout.run("a").content, shout.compare().summary
        ('A', '1 compared, 0 changed')
        """
        return way_up("Offering.compare")(self, inputs, last=last, model=model, score=score, limit=limit)

    def form(self, /, **inputs: Any) -> Any:
        """Return a form of the inputs of run(), with a session, Run and Stop; `inputs` are what it has at first.

        It is an ipywidgets.VBox: shown as the last expression of a cell, and composed as any widget.
        """
        return way_up("Offering.form")(self, **inputs)

    def inspect(self) -> Any:
        """Return an inspector of this workflow's session: its state, its past and its runs."""
        return way_up("Offering.inspect")(self)
